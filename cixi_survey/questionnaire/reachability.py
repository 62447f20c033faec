"""Can a question ever be asked, can a rule ever fire?

A condition looks at few questions, and only at few of their possible answers.  So the questions
concerned are given every answer that can make a difference — each option, the numbers beside each
limit, no answer — and asked in order under their own conditions.  Where arithmetic, patterns or
lengths come in, or the cases are too many, nothing is claimed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, islice

from cixi_survey.questionnaire.expressions import (
    ARITHMETIC,
    COMPARISONS,
    Current,
    Expression,
    Literal,
    Node,
    Operation,
    Reference,
    walk,
)
from cixi_survey.questionnaire.model import Variable

Case = dict[str, object]

MAX_CASES = 20_000
_ELSEWHERE = 'option.of.no.list'
_LARGE = 10**6


class Flow:
    """The questions in order with their conditions, and the rules that end the interview."""

    def __init__(
        self,
        variables: Sequence[Variable],
        relevant: dict[str, Expression],
        constraints: dict[str, Expression],
        screening: Sequence[Expression],
    ) -> None:
        self.variables = {variable.name: variable for variable in variables}
        self.relevant = relevant
        self.constraints = constraints
        self.screening = screening

    def can_be_asked(self, name: str) -> bool | None:
        """Whether some answers lead to this question; None when that cannot be told."""
        return self._possible(self.relevant[name], self.screening)

    def can_fire(self, index: int) -> bool | None:
        """Whether some answers make this screening rule end the interview."""
        return self._possible(self.screening[index], self.screening[:index])

    def always_fires(self, index: int) -> bool | None:
        """Whether no answers escape this rule and those before it."""
        rules = self.screening[: index + 1]
        cases = self._cases(self._closure(self.screening[index], rules), rules)
        if cases is None:
            return None
        return not any(self._answered(case) and not self._ended(case, rules) for case in cases)

    def can_be_met(self, name: str) -> bool | None:
        """Whether some answer to the question meets its own constraint."""
        constraint = self.constraints[name]
        if not self._decidable(constraint) or constraint.names():
            return None
        # The answers kept for a question are those that meet its own constraint.
        return any(value != '' for value in self._domain(name, [constraint]))

    def _possible(self, condition: Expression, rules: Sequence[Expression]) -> bool | None:
        names = self._closure(condition, rules)
        cases = self._cases(names, (condition, *rules))
        if cases is None:
            return None
        return any(
            condition.holds(case) and not self._ended(case, rules)  # type: ignore[arg-type]
            for case in cases
        )

    def _ended(self, case: Case, rules: Sequence[Expression]) -> bool:
        return any(
            rule.names() <= case.keys()
            and all(case[name] != '' or not self._asked(name, case) for name in rule.names())
            and rule.holds(case)  # type: ignore[arg-type]
            for rule in rules
        )

    def _asked(self, name: str, case: Case) -> bool:
        condition = self.relevant.get(name)
        return condition is None or condition.holds(case)  # type: ignore[arg-type]

    def _answered(self, case: Case) -> bool:
        return all(value != '' or not self._asked(name, case) for name, value in case.items())

    def _closure(self, condition: Expression, rules: Sequence[Expression]) -> list[str]:
        names = set(condition.names())
        grown = True
        while grown:
            more = {
                name
                for known in names
                if known in self.relevant
                for name in self.relevant[known].names()
            }
            more |= {name for rule in rules if rule.names() & names for name in rule.names()}
            grown = not more <= names
            names |= more
        return [name for name in self.variables if name in names]

    def _cases(self, names: list[str], conditions: Sequence[Expression]) -> Iterator[Case] | None:
        concerned = [
            *conditions,
            *(self.relevant[name] for name in names if name in self.relevant),
        ]
        number = 1
        domains = {}
        for name in names:
            domains[name] = self._domain(name, concerned)
            number *= len(domains[name])
        decidable = all(self._decidable(each) for each in concerned)
        if number > MAX_CASES or not decidable:
            return None
        return self._walk(names, domains, {})

    def _walk(
        self, names: list[str], domains: dict[str, list[object]], case: Case
    ) -> Iterator[Case]:
        if not names:
            yield case
            return
        name, rest = names[0], names[1:]
        for value in domains[name] if self._asked(name, case) else ['']:
            yield from self._walk(rest, domains, case | {name: value})

    def _decidable(self, condition: Expression) -> bool:
        for node in walk(condition.tree):
            if isinstance(node, Operation):
                if node.name in ARITHMETIC or node.name in ('regex', 'string-length'):
                    return False
                if node.name in COMPARISONS and not any(
                    isinstance(operand, Literal) for operand in node.operands
                ):
                    return False
        return True

    def _domain(self, name: str, concerned: Sequence[Expression]) -> list[object]:
        """The answers to a question that can make a difference to the conditions."""
        variable = self.variables[name]
        constants = list(_constants(name, concerned))
        own = self.constraints.get(name)
        if own and (own.names() or not self._decidable(own)):
            # Too many answers are safe here: they only make fewer things impossible.
            own = None
        if own:
            constants += _constants(None, [own])
        candidates: Sequence[object]
        if variable.kind == 'single' and variable.values:
            candidates = list(variable.values)
        elif variable.kind == 'multiple':
            candidates = list(islice(_subsets(variable.values, constants), MAX_CASES + 1))
        elif variable.kind == 'integer':
            limits = {*map(_whole, constants), 0, _LARGE}
            candidates = sorted({limit + step for limit in limits for step in (-1, 0, 1)})
        else:
            candidates = [*(each for each in constants if isinstance(each, str)), _ELSEWHERE]
        if own:
            candidates = [each for each in candidates if own.holds({}, each)]  # type: ignore[arg-type]
        return ['', *(each for each in candidates if each != '')]


def _whole(constant: object) -> int:
    try:
        return int(float(str(constant)))
    except (ValueError, OverflowError):
        return 0


def _constants(name: str | None, conditions: Sequence[Expression]) -> Iterator[object]:
    """What the answer is compared with; ``name`` None stands for the current answer."""

    def about(node: Node) -> bool:
        return (
            isinstance(node, Current)
            if name is None
            else isinstance(node, Reference) and node.name == name
        )

    for condition in conditions:
        for node in walk(condition.tree):
            if isinstance(node, Operation) and any(map(about, node.operands)):
                yield from (each.value for each in node.operands if isinstance(each, Literal))
            if (
                isinstance(node, Operation)
                and node.name in COMPARISONS
                and any(
                    isinstance(each, Operation)
                    and each.name == 'count-selected'
                    and about(each.operands[0])
                    for each in node.operands
                )
            ):
                yield 'count'


def _subsets(values: tuple[str, ...], constants: list[object]) -> Iterator[list[str]]:
    named = [value for value in values if value in constants]
    other = [value for value in values if value not in named]
    # One option that no condition names stands for all of them, unless they are counted.
    spare = other if 'count' in constants else other[:1]
    fills = [spare[:size] for size in range(len(spare) + 1)]
    for size in range(len(named) + 1):
        for chosen in combinations(named, size):
            for fill in fills:
                if chosen or fill:
                    yield [*chosen, *fill]
