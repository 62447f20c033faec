"""Which figures of two waves may be set against each other, and why not.

A figure is comparable when the same was measured in the same way of the same people.  Each rule
below looks at one thing that is known to move answers when it changes: the definition of the
indicator, its items, their wording, their options, the base, and what was asked before.  Rules
that can be decided say *no*; where it takes a person to judge whether the change matters, they
say *with care*.

Why these: a scale with a middle, or with "don't know" on show, gives other shares than one without
(Schuman and Presser, *Questions and Answers in Attitude Surveys*, 1981, chapters 4 and 6); a
general question asked after particular ones takes its yardstick from them (chapter 2); a change
of one word can move a share by ten points and more (chapter 11).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from cixi_survey.errors import N_, Problem, Term
from cixi_survey.questionnaire.compare import changes, wording
from cixi_survey.questionnaire.compare.changes import Entry
from cixi_survey.questionnaire.compare.wording import text_changes
from cixi_survey.questionnaire.expressions import parse
from cixi_survey.questionnaire.model import Indicator, Questionnaire, Variable

Verdict = Literal['yes', 'care', 'no', 'added', 'removed']
Weight = Literal['none', 'care', 'no']
Texts = Mapping[str, str]

_SCALES = {'share': N_('a share'), 'score': N_('a score')}
_KINDS = {
    'single': N_('one answer'),
    'multiple': N_('several answers'),
    'integer': N_('whole number'),
    'text': N_('text'),
    'town': N_('town'),
    'village': N_('village or community'),
}
_DONT_KNOW = {'wrong': N_('counts as wrong'), 'out_of_base': N_('is left out')}


@dataclass(frozen=True)
class Reason:
    """One thing that bears on whether a figure can be compared, in a sentence.

    ``weight`` is ``no`` (it cannot), ``care`` (to be judged) or ``none`` (told, without effect).
    """

    weight: Weight
    finding: Problem


@dataclass(frozen=True)
class IndicatorComparison:
    """Whether the figures of an indicator can be compared over two versions.

    ``verdict`` is that of the heaviest reason, ``added`` or ``removed`` when only one version has
    the indicator.  ``common`` are the items that can be compared one by one, even where the whole
    cannot.
    """

    name: str
    label: Texts
    verdict: Verdict
    reasons: tuple[Reason, ...] = ()
    common: tuple[Variable, ...] = ()


def ledger(old: Questionnaire, new: Questionnaire) -> tuple[IndicatorComparison, ...]:
    """One entry for each indicator of both versions, in the order of ``new``."""
    before = {indicator.name: indicator for indicator in old.indicators}
    found = []
    for indicator in new.indicators:
        earlier = before.pop(indicator.name, None)
        if earlier is None:
            found.append(IndicatorComparison(indicator.name, indicator.label, 'added'))
        else:
            found.append(_Rules(old, new, earlier, indicator).concluded())
    gone = [IndicatorComparison(name, each.label, 'removed') for name, each in before.items()]
    return (*found, *gone)


def _reason(weight: Weight, code: str, message: str, **values: object) -> Reason:
    return Reason(weight, Problem('', code, message, '', values))


class _Rules:
    """The rules for one indicator that both versions have."""

    def __init__(
        self, old: Questionnaire, new: Questionnaire, before: Indicator, after: Indicator
    ) -> None:
        self.old, self.new = old, new
        self.before, self.after = before, after
        self.earlier = _variables(old, new)
        self.pairs = [
            (self.earlier[item.name], item)
            for item in after.variables
            if item.name in self.earlier and self.earlier[item.name].name in before.items
        ]

    def concluded(self) -> IndicatorComparison:
        by_item = {new.name: tuple(_item(old, new)) for old, new in self.pairs}
        reasons = [
            *self.definition(),
            *self.items(),
            *_merged(reason for found in by_item.values() for reason in found),
            *self.people(),
            *self.order(),
        ]
        weight = _weight(reasons)
        verdict: Verdict = 'yes' if weight == 'none' else weight
        if verdict == 'yes':
            message = N_('Questions, answers, base and order are the same.')
            reasons.append(_reason('none', 'same', message))
        common = tuple(new for _, new in self.pairs if _weight(by_item[new.name]) != 'no')
        name, label = self.after.name, self.after.label
        return IndicatorComparison(name, label, verdict, tuple(reasons), common)

    # --- the definition ---

    def definition(self) -> Iterator[Reason]:
        before, after = self.before, self.after
        if before.scale != after.scale:
            message = N_('It was %(old)s and is now %(new)s: two scales that do not compare.')
            old, new = Term(_SCALES[before.scale]), Term(_SCALES[after.scale])
            yield _reason('no', 'scale', message, old=old, new=new)
        elif before.rule != after.rule:
            yield _reason('no', 'rule', N_('The answers are counted by another rule.'))
        if before.dont_know_rule != after.dont_know_rule:
            message = N_('How “don’t know” counts is different: %(old)s before, %(new)s now.')
            old = Term(_DONT_KNOW[before.dont_know_rule])
            new = Term(_DONT_KNOW[after.dont_know_rule])
            yield _reason('no', 'dont_know', message, old=old, new=new)
        if self._counted(before, old=True) != self._counted(after, old=False):
            message = N_('Other answers count, or count for more or less.')
            yield _reason('no', 'positive', message)
        if before.household_size != after.household_size:
            message = N_('The number of adults is taken from another question.')
            yield _reason('no', 'household', message)
        if before.targets != after.targets:
            message = N_('The targets are different; the figures are not touched by that.')
            yield _reason('none', 'targets', message)

    def _counted(self, indicator: Indicator, *, old: bool) -> object:
        """Which answers count, by the codes of the new version."""
        codes: dict[str, str] = {}
        for earlier, item in self.pairs if old else ():
            pairs = changes.paired(_entries(earlier), _entries(item))
            codes |= {then: now for now, then in pairs.items()}
        scores = indicator.scores or {}
        positive = {codes.get(value, value) for value in indicator.positive}
        return positive, {codes.get(value, value): score for value, score in scores.items()}

    # --- the items ---

    def items(self) -> Iterator[Reason]:
        kept = {new.name for _, new in self.pairs}
        then = {old.name for old, _ in self.pairs}
        gone = [each for each in self.before.variables if each.name not in then]
        come = [each for each in self.after.variables if each.name not in kept]
        if not gone and not come:
            return
        if len(self.before.items) == 1 and len(self.after.items) == 1:
            message = N_('It is measured by another question: “%(old)s” before, “%(new)s” now.')
            yield _reason('no', 'item_replaced', message, old=gone[0].label, new=come[0].label)
            return
        message = N_(
            'It is the mean of other items: %(gone)s of %(before)s are gone, %(come)s are new. '
            'What can be compared is the mean of the %(kept)s items that both have.'
        )
        yield _reason(
            'no', 'items', message,
            gone=len(gone), before=len(self.before.items), come=len(come), kept=len(kept),
        )  # fmt: skip

    # --- the people ---

    def people(self) -> Iterator[Reason]:
        old = [(changes.condition(rule.when), rule.outcome) for rule in self.old.screening]
        new = [(changes.condition(rule.when), rule.outcome) for rule in self.new.screening]
        if old != new:
            message = N_('Other people are screened out: the answers stand for another population.')
            yield _reason('no', 'screening', message)
        named = [name for rule in self.new.screening for name in sorted(parse(rule.when).names())]
        for name in dict.fromkeys(named):
            earlier = self.earlier.get(name)
            variable = self.new.variable(name)
            if earlier is not None and _weight(_item(earlier, variable)) == 'no':
                message = N_(
                    '“%(question)s” decides who is interviewed, and it is asked otherwise.'
                )
                yield _reason('no', 'screening_question', message, question=variable.label)
        more = set(self.new.languages) ^ set(self.old.languages)
        if more:
            message = N_('The languages of the questionnaire are different: %(languages)s.')
            yield _reason('care', 'languages', message, languages=', '.join(sorted(more)))

    # --- what was asked before ---

    def order(self) -> Iterator[Reason]:
        """What stands before the first item in one version and not in the other."""
        if not self.pairs:
            return
        names = {old.name: name for name, old in self.earlier.items()}
        now = self._asked_before(self.new, [new.name for _, new in self.pairs])
        then = [
            names.get(name, name)
            for name in self._asked_before(self.old, [old.name for old, _ in self.pairs])
        ]
        own = {*self.after.items, *(names.get(name, name) for name in self.before.items)}
        come = [name for name in now if name not in then and name not in own]
        gone = [name for name in then if name not in now and name not in own]
        scored = {name for each in self.new.indicators for name in each.items}
        swapped = [name for name in (*come, *gone) if name in self.earlier and name in scored]
        if swapped:
            message = N_(
                'Now on the other side of it, and what is asked first colours what comes after: '
                '“%(questions)s”'
            )
            yield _reason('no', 'order', message, questions=self._questions(swapped))
        for names_, code, message in (
            (come, 'before', N_('Asked before it now, and not then: “%(questions)s”')),
            (gone, 'no_longer', N_('Asked before it then, and not now: “%(questions)s”')),
        ):
            left = [name for name in names_ if name not in swapped]
            if left:
                yield _reason('care', code, message, questions=self._questions(left))
        yield from self._within()

    def _asked_before(self, questionnaire: Questionnaire, items: Sequence[str]) -> list[str]:
        names = [variable.name for variable in questionnaire.variables()]
        return names[: min(names.index(name) for name in items)]

    def _questions(self, names: Sequence[str]) -> tuple[Texts, ...]:
        """The questions of some variables, each grid once, as they are worded now or were."""
        now = {each.name: each.question for each in self.new.variables()}
        then = {each.name: each.question for each in self.old.variables()}
        found = {(now.get(name) or then[name]).name: now.get(name) or then[name] for name in names}
        return tuple(question.label for question in found.values())

    def _within(self) -> Iterator[Reason]:
        """The order of the items among themselves, and how they are introduced."""
        places = [_place(self.old, old) for old, new in sorted(
            self.pairs, key=lambda pair: _place(self.new, pair[1]))]  # fmt: skip
        if places != sorted(places):
            message = N_('The items stand in another order among themselves.')
            yield _reason('care', 'order_within', message)
        if any(
            wording.furthest(text_changes(old.section.introduction, new.section.introduction))
            in ('small', 'large')
            for old, new in self.pairs
        ):
            message = N_('The text at the beginning of the section is another one.')
            yield _reason('care', 'section_introduction', message)


def _variables(old: Questionnaire, new: Questionnaire) -> dict[str, Variable]:
    """For each variable of ``new`` that was in ``old``: the variable then."""
    found: dict[str, Variable] = {}
    before = {question.name: question for question in old.questions()}
    for name, earlier in changes.matched(old, new).items():
        question = next(each for each in new.questions() if each.name == name)
        if question.type == 'grid' and before[earlier].type == 'grid':
            rows = changes.paired(
                changes.entries(before[earlier].rows), changes.entries(question.rows)
            )
            found |= {now: old.variable(then) for now, then in rows.items()}
        elif question.type != 'grid' and before[earlier].type != 'grid':
            found[name] = old.variable(earlier)
    for variable in new.variables():  # a row that became a question of its own, or the reverse
        if variable.name not in found and any(
            each.name == variable.name for each in old.variables()
        ):
            found[variable.name] = old.variable(variable.name)
    return found


def _place(questionnaire: Questionnaire, variable: Variable) -> int:
    return [each.name for each in questionnaire.variables()].index(variable.name)


def _entries(variable: Variable) -> tuple[Entry, ...]:
    return changes.entries(variable.options)


# --- one item -------------------------------------------------------------------------------------


def _weight(reasons: Iterable[Reason]) -> Weight:
    weights = {reason.weight for reason in reasons}
    return 'no' if 'no' in weights else 'care' if 'care' in weights else 'none'


def _merged(reasons: Iterable[Reason]) -> list[Reason]:
    """Reasons that say the same of several questions, said once with all of them."""
    found: dict[object, list[Reason]] = {}
    for reason in reasons:
        finding = reason.finding
        rest = [value for key, value in finding.values.items() if key != 'questions']
        found.setdefault((finding.code, *rest), []).append(reason)
    merged = []
    for same in found.values():
        labels = [label for each in same for label in _labels(each)]
        finding = same[0].finding
        merged.append(
            Reason(
                same[0].weight,
                replace(finding, values={**finding.values, 'questions': tuple(labels)}),
            )
        )
    return merged


def _labels(reason: Reason) -> tuple[Texts, ...]:
    labels = reason.finding.values['questions']
    assert isinstance(labels, tuple)  # as each rule about an item makes it
    return labels


def _item(old: Variable, new: Variable) -> Iterator[Reason]:
    """What is different in a question that an indicator uses."""
    about = {'questions': (new.label,)}
    if old.kind != new.kind:
        message = N_('Answered in another way (%(old)s before, %(new)s now): “%(questions)s”')
        before, after = Term(_KINDS[old.kind]), Term(_KINDS[new.kind])
        yield _reason('no', 'kind', message, old=before, new=after, **about)
        return
    yield from _wordings(old, new, about)
    yield from _options(old, new, about)
    if set(old.right) != set(new.right):
        yield _reason('no', 'key', N_('Another answer is right: “%(questions)s”'), **about)
    then, now = old.question, new.question
    if changes.condition(then.relevant) != changes.condition(now.relevant):
        message = N_('Asked of other people, by another condition: “%(questions)s”')
        yield _reason('no', 'base', message, **about)
    if then.required != now.required:
        message = N_('May be left out in one of the versions only: “%(questions)s”')
        yield _reason('care', 'required', message, **about)
    if changes.condition(then.constraint) != changes.condition(now.constraint):
        message = N_('Other answers are accepted: “%(questions)s”')
        yield _reason('care', 'constraint', message, **about)
    if then.type != now.type:
        message = N_('Looks different on the page (scale, list or grid): “%(questions)s”')
        yield _reason('care', 'shown', message, **about)


def _wordings(old: Variable, new: Variable, about: Mapping[str, object]) -> Iterator[Reason]:
    """The words of the question itself, of the grid it stands in, and of its hint."""
    pairs = [(old.label, new.label)]
    if old.row and new.row:
        pairs.append((old.question.label, new.question.label))
    furthest = wording.furthest([one for then, now in pairs for one in text_changes(then, now)])
    if furthest == 'large':
        yield _reason('no', 'wording', N_('Worded differently: “%(questions)s”'), **about)
    elif furthest == 'small':
        message = N_(
            'A word or two are different; if only a slip was mended, the figures compare: '
            '“%(questions)s”'
        )
        yield _reason('care', 'wording_small', message, **about)
    elif furthest == 'layout':
        message = N_('Only the punctuation is different: “%(questions)s”')
        yield _reason('none', 'punctuation', message, **about)
    hints = wording.furthest(text_changes(old.question.hint, new.question.hint))
    if hints in ('small', 'large'):
        yield _reason('care', 'hint', N_('The hint is another one: “%(questions)s”'), **about)


def _options(old: Variable, new: Variable, about: Mapping[str, object]) -> Iterator[Reason]:
    """What one could answer."""
    found = changes.entry_changes(_entries(old), _entries(new))
    kinds = {each.kind for each in found}
    then, now = len(old.options) - len(old.apart), len(new.options) - len(new.apart)
    if then != now:
        message = N_('There are %(new)s answers to choose from and were %(old)s: “%(questions)s”')
        yield _reason('no', 'points', message, old=then, new=now, **about)
    elif kinds & {'added', 'removed'} and len(old.apart) == len(new.apart):
        yield _reason('no', 'answers', N_('Other answers are offered: “%(questions)s”'), **about)
    if len(new.apart) > len(old.apart):
        message = N_(
            '“Don’t know” is offered and was not, so fewer people choose one of the answers: '
            '“%(questions)s”'
        )
        yield _reason('no', 'dont_know_offered', message, **about)
    elif len(new.apart) < len(old.apart) or kinds & {'apart', 'not_apart'}:
        message = N_('“Don’t know” is no longer offered as it was: “%(questions)s”')
        yield _reason('no', 'dont_know_gone', message, **about)
    yield from _option_words([each for each in found if each.kind == 'text'], about)
    if 'moved' in kinds:
        message = N_('The answers stand in another order: “%(questions)s”')
        yield _reason('care', 'option_order', message, **about)
    if 'code' in kinds:
        message = N_('The same answers have other codes, which are matched: “%(questions)s”')
        yield _reason('none', 'codes', message, **about)


def _option_words(
    found: Sequence[changes.EntryChange], about: Mapping[str, object]
) -> Iterator[Reason]:
    furthest = wording.furthest([change for each in found for change in each.texts])
    if furthest == 'large':
        message = N_('The answers are worded differently: “%(questions)s”')
        yield _reason('no', 'option_wording', message, **about)
    elif furthest == 'small':
        message = N_(
            'In the answers a word or two are different; if only a slip was mended, the figures '
            'compare: “%(questions)s”'
        )
        yield _reason('care', 'option_wording_small', message, **about)
