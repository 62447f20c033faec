"""Faults of conditions: questions that do not exist, options, types, what can never happen."""

from __future__ import annotations

import difflib

from cixi_survey.errors import N_
from cixi_survey.questionnaire import expressions
from cixi_survey.questionnaire.expressions import (
    ARITHMETIC,
    COMPARISONS,
    Current,
    Expression,
    ExpressionError,
    Literal,
    Node,
    Operation,
    Reference,
)
from cixi_survey.questionnaire.faults import Faults, asked_questions
from cixi_survey.questionnaire.model import Questionnaire, Variable
from cixi_survey.questionnaire.reachability import Flow
from cixi_survey.questionnaire.source import Path


def verify_conditions(questionnaire: Questionnaire, faults: Faults) -> None:
    """Add every fault of the conditions to ``faults``."""
    variables = {each.name: each for each in questionnaire.variables()}
    grids = {question.name for question in questionnaire.questions() if question.type == 'grid'}
    checker = _Conditions(variables, grids, faults)
    relevant: dict[str, Expression] = {}
    constraints: dict[str, Expression] = {}
    earlier: set[str] = set()
    sound = True
    for path, question in asked_questions(questionnaire):
        own = [row.name for row in question.rows] or [question.name]
        if question.relevant is not None:
            condition = checker.read(question.relevant, (*path, 'relevant'), earlier, None)
            sound = sound and condition is not None
            if condition:
                relevant |= dict.fromkeys(own, condition)
        if question.constraint is not None:
            subject = variables.get(own[0])
            condition = checker.read(
                question.constraint, (*path, 'constraint'), earlier | set(own), subject
            )
            if condition:
                constraints[own[0]] = condition
        earlier |= set(own)
    screening = [
        checker.read(rule.when, ('screening', index, 'when'), set(variables), None)
        for index, rule in enumerate(questionnaire.screening)
    ]
    rules = [rule for rule in screening if rule is not None]
    if sound and len(rules) == len(screening):
        flow = Flow(questionnaire.variables(), relevant, constraints, rules)
        _reachable(questionnaire, flow, faults)


def _reachable(questionnaire: Questionnaire, flow: Flow, faults: Faults) -> None:
    for index in range(len(flow.screening)):
        path: Path = ('screening', index, 'when')
        if flow.can_fire(index) is False:
            faults.add(
                path,
                'never_fires',
                N_('This rule can never end an interview.'),
                N_('Mend the condition or remove the rule.'),
            )
        elif flow.always_fires(index):
            faults.add(
                path,
                'always_fires',
                N_('No interview gets past this rule: it holds whatever is answered.'),
                N_('Mend the condition.'),
            )
            return
    for question_path, question in asked_questions(questionnaire):
        name = question.rows[0].name if question.rows else question.name
        if name in flow.relevant and flow.can_be_asked(name) is False:
            faults.add(
                (*question_path, 'relevant'),
                'unreachable',
                N_('“%(name)s” is never asked: no answers make this condition true.'),
                N_('Mend the condition or remove the question.'),
                name=question.name,
            )
        if name in flow.constraints and flow.can_be_met(name) is False:
            faults.add(
                (*question_path, 'constraint'),
                'impossible',
                N_('No answer to “%(name)s” meets this constraint.'),
                N_('Mend the constraint.'),
                name=question.name,
            )


class _Conditions:
    """Reads the conditions of one questionnaire and checks them against its questions."""

    def __init__(self, variables: dict[str, Variable], grids: set[str], faults: Faults) -> None:
        self.variables = variables
        self.grids = grids
        self.faults = faults

    def read(
        self, text: str, path: Path, earlier: set[str], subject: Variable | None
    ) -> Expression | None:
        """The expression, or None when it is faulty; ``subject`` is what ``.`` stands for."""
        before = len(self.faults.found)
        try:
            expression = expressions.parse(text)
        except ExpressionError as error:
            self.faults.add(
                path, 'bad_expression', error.message, error.cure, offset=error.position,
                **error.values,
            )  # fmt: skip
            return None
        for reference in expression.references():
            self._reference(reference, path, earlier)
        current = expression.current()
        if current and subject is None:
            self.faults.add(
                path,
                'no_current',
                N_('“.” stands for the answer itself and has a meaning in “constraint” only.'),
                N_('Write ${name} of the question that is meant.'),
                offset=current.position,
            )
        if len(self.faults.found) == before:
            self._types(expression.tree, path, subject)
        return expression if len(self.faults.found) == before else None

    def _reference(self, reference: Reference, path: Path, earlier: set[str]) -> None:
        name = reference.name
        if name in earlier:
            return
        if name in self.variables:
            self.faults.add(
                path,
                'later_reference',
                N_('“%(name)s” is not asked before this condition is needed.'),
                N_('Refer to earlier questions only, or move the question up.'),
                offset=reference.position,
                name=name,
            )
            return
        near = difflib.get_close_matches(name, self.variables, 1)
        cure = N_('Did you mean “%(near)s”?') if near else N_('Check the name.')
        if name in self.grids:
            cure = N_('It is a grid: refer to one of its rows.')
        self.faults.add(
            path,
            'unknown_reference',
            N_('There is no question “%(name)s”.'),
            cure,
            offset=reference.position,
            name=name,
            near=near[0] if near else '',
        )

    def _types(self, node: Node, path: Path, subject: Variable | None) -> None:
        if not isinstance(node, Operation):
            return
        for operand in node.operands:
            self._types(operand, path, subject)
        asked = [(each, self._variable(each, subject)) for each in node.operands]
        for operand, variable in asked:
            if variable is None:
                continue
            if node.name in COMPARISONS:
                others = [each for each in node.operands if each is not operand]
                self._comparison(node, operand, variable, others, path)
            elif node.name in ARITHMETIC and not _numeric(variable):
                self._mismatch(
                    operand,
                    variable,
                    path,
                    N_('“%(name)s” is of type “%(type)s”: it cannot be calculated with.'),
                )
            else:
                self._call(node, operand, variable, path)

    def _variable(self, node: Node, subject: Variable | None) -> Variable | None:
        if isinstance(node, Reference):
            return self.variables[node.name]
        return subject if isinstance(node, Current) else None

    def _comparison(
        self, node: Operation, operand: Node, variable: Variable, others: list[Node], path: Path
    ) -> None:
        literals = [each for each in others if isinstance(each, Literal)]
        if node.name not in ('=', '!='):
            if not _numeric(variable):
                self._mismatch(
                    operand,
                    variable,
                    path,
                    N_('“%(name)s” is of type “%(type)s”: it has no size to compare.'),
                )
            literals = []
        for literal in literals:
            if literal.value == '' or isinstance(literal.value, bool):
                continue
            if variable.kind == 'multiple':
                self._mismatch(
                    operand,
                    variable,
                    path,
                    N_('“%(name)s” may have several answers: use selected(${%(name)s}, …).'),
                )
            elif variable.options:
                self._option(literal, variable, path)
            elif variable.kind == 'integer' and not _is_number(literal.value):
                self._mismatch(
                    operand,
                    variable,
                    path,
                    N_('“%(name)s” is of type “%(type)s”: compare it with a number.'),
                )

    def _call(self, node: Operation, operand: Node, variable: Variable, path: Path) -> None:
        if node.name in ('selected', 'count-selected'):
            if not variable.options:
                self._mismatch(
                    operand,
                    variable,
                    path,
                    N_('“%(name)s” is of type “%(type)s”: nothing is selected in it.'),
                )
            elif node.name == 'count-selected' and variable.kind != 'multiple':
                self._mismatch(
                    operand,
                    variable,
                    path,
                    N_('“%(name)s” is of type “%(type)s”: only one option can be selected.'),
                )
            elif node.name == 'selected' and isinstance(node.operands[1], Literal):
                self._option(node.operands[1], variable, path)
        elif node.name in ('regex', 'string-length') and variable.kind != 'text':
            self._mismatch(
                operand, variable, path, N_('“%(name)s” is of type “%(type)s”: it is no text.')
            )

    def _option(self, literal: Literal, variable: Variable, path: Path) -> None:
        value = literal.value
        if isinstance(value, float):
            known = any(_as_number(each) == value for each in variable.values)
        else:
            known = value in variable.values
        if not known:
            shown = f'{value:g}' if isinstance(value, float) else str(value)
            near = difflib.get_close_matches(shown, variable.values, 1)
            self.faults.add(
                path,
                'unknown_option',
                N_('“%(value)s” is not an option of “%(name)s”.'),
                N_('Possible are: %(known)s'),
                offset=literal.position,
                value=shown,
                name=variable.name,
                known=', '.join(near or variable.values),
            )

    def _mismatch(self, operand: Node, variable: Variable, path: Path, message: str) -> None:
        self.faults.add(
            path,
            'type_mismatch',
            message,
            N_('Mend the condition.'),
            offset=operand.position,
            name=variable.name,
            type=variable.question.type,
        )


def _is_number(value: expressions.Result) -> bool:
    return not isinstance(value, str) or _as_number(value) is not None


def _as_number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _numeric(variable: Variable) -> bool:
    if variable.kind == 'single':
        return all(_as_number(option.value) is not None for option in variable.options
                   if not option.apart)  # fmt: skip
    return variable.kind == 'integer'
