"""Faults of indicators: items that cannot be scored so, scales and targets that do not fit."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from cixi_survey.errors import N_
from cixi_survey.questionnaire.faults import Faults
from cixi_survey.questionnaire.model import Indicator, Questionnaire, Variable
from cixi_survey.questionnaire.source import Path

# Which kinds of variable each rule can score, and which key tells it how.
_KINDS = {
    'share_right': ('single', 'multiple'),
    'top_two': ('single',),
    'mean_score': ('single',),
    'any_of': ('single', 'multiple'),
    'category_share': ('single', 'multiple'),
}
_NEEDS = {
    'top_two': 'positive',
    'mean_score': 'scores',
    'any_of': 'positive',
    'category_share': 'positive',
}


def verify_indicators(questionnaire: Questionnaire, faults: Faults) -> None:
    """Add every fault of the indicators to ``faults``."""
    variables = {each.name: each for each in questionnaire.variables()}
    for index, indicator in enumerate(questionnaire.indicators):
        path: Path = ('indicators', index)
        _items(questionnaire, indicator, path, faults)
        _rule(indicator, path, faults)
        _scale(indicator, path, faults)
        _household(indicator, variables, path, faults)
        if indicator.family == 'knowledge' or indicator.rule == 'share_right':
            _knowledge(indicator, path, faults)


def _items(questionnaire: Questionnaire, indicator: Indicator, path: Path, faults: Faults) -> None:
    variables = {each.name: each for each in questionnaire.variables()}
    grids = {each.name for each in questionnaire.questions() if each.type == 'grid'}
    seen: set[str] = set()
    for index, name in enumerate(indicator.items):
        place = (*path, 'items', index)
        variable = variables.get(name)
        if variable is None:
            near = difflib.get_close_matches(name, variables, 1)
            cure = N_('Did you mean “%(near)s”?') if near else N_('Check the name.')
            if name in grids:
                cure = N_('It is a grid: refer to one of its rows.')
            faults.add(
                place,
                'unknown_item',
                N_('There is no question “%(name)s”.'),
                cure,
                name=name,
                near=near[0] if near else '',
            )
        elif variable.kind not in _KINDS[indicator.rule]:
            faults.add(
                place,
                'item_type',
                N_('“%(name)s” is of type “%(type)s”, which the rule “%(rule)s” cannot score.'),
                N_('Choose another item or another rule.'),
                name=name,
                type=variable.question.type,
                rule=indicator.rule,
            )
        elif variable.question.attention is not None:
            faults.add(
                place,
                'attention_scored',
                N_('“%(name)s” is an attention check and measures nothing.'),
                N_('Remove it from the items.'),
                name=name,
            )
        if name in seen:
            faults.add(
                place,
                'duplicate_item',
                N_('The item “%(name)s” stands twice.'),
                N_('Remove one of them.'),
                name=name,
            )
        seen.add(name)


def _rule(indicator: Indicator, path: Path, faults: Faults) -> None:
    needed = _NEEDS.get(indicator.rule)
    for key in ('positive', 'scores'):
        given = getattr(indicator, key)
        if key == needed and not given:
            faults.add(
                path,
                'rule_incomplete',
                N_('The rule “%(rule)s” needs “%(key)s”.'),
                N_('Say which answers count, and how.'),
                rule=indicator.rule,
                key=key,
            )
        elif key != needed and given:
            faults.add(
                (*path, key),
                'not_for_rule',
                N_('“%(key)s” has no meaning for the rule “%(rule)s”.'),
                N_('Remove it.'),
                key=key,
                rule=indicator.rule,
            )
    if needed == 'scores' and indicator.scores:
        _scores(indicator, indicator.scores, path, faults)
    if needed == 'positive' and indicator.positive:
        _positive(indicator, path, faults)


def _scores(indicator: Indicator, scores: dict[str, float], path: Path, faults: Faults) -> None:
    _known_values(indicator, scores, (*path, 'scores'), faults)
    for value, score in scores.items():
        if not 0 <= score <= 100:
            faults.add(
                (*path, 'scores', value),
                'score_range',
                N_('A score lies between 0 and 100.'),
                N_('Mend the score of “%(value)s”.'),
                value=value,
            )
    for variable in indicator.variables:
        for option in variable.options:
            if not option.apart and option.value not in scores:
                faults.add(
                    (*path, 'scores'),
                    'score_missing',
                    N_('The option “%(value)s” of “%(name)s” has no score.'),
                    N_('Give it a score, or mark the option with “apart: true”.'),
                    value=option.value,
                    name=variable.name,
                )


def _positive(indicator: Indicator, path: Path, faults: Faults) -> None:
    _known_values(indicator, indicator.positive, (*path, 'positive'), faults)
    for variable in indicator.variables:
        if variable.kind not in _KINDS[indicator.rule]:
            continue
        if variable.options and not set(variable.values) & set(indicator.positive):
            faults.add(
                (*path, 'positive'),
                'nothing_positive',
                N_('No option of “%(name)s” counts as positive.'),
                N_('Add one of its options, or remove the item.'),
                name=variable.name,
            )
        scale = set(variable.values) - variable.apart
        if variable.kind == 'single' and scale and scale <= set(indicator.positive):
            faults.add(
                (*path, 'positive'),
                'all_positive',
                N_('Every option of “%(name)s” counts as positive.'),
                N_('Leave out those that do not count.'),
                name=variable.name,
            )


def _known_values(indicator: Indicator, values: Iterable[str], path: Path, faults: Faults) -> None:
    known = {value for variable in indicator.variables for value in variable.values}
    apart = {value for variable in indicator.variables for value in variable.apart}
    for index, value in enumerate(values):
        place = (*path, value if path[-1] == 'scores' else index)
        if known and value not in known:
            faults.add(
                place,
                'unknown_value',
                N_('“%(value)s” is not an option of any item.'),
                N_('Possible are: %(known)s'),
                value=value,
                known=', '.join(difflib.get_close_matches(value, known, 1) or sorted(known)),
            )
        elif value in apart:
            faults.add(
                place,
                'apart_counted',
                N_('“%(value)s” is kept apart from the scale and cannot count.'),
                N_('Remove it here, or remove “apart” from the option.'),
                value=value,
            )


def _scale(indicator: Indicator, path: Path, faults: Faults) -> None:
    wanted = 'score' if indicator.rule == 'mean_score' else 'share'
    if indicator.scale != wanted:
        faults.add(
            (*path, 'scale'),
            'wrong_scale',
            N_('The rule “%(rule)s” gives a %(wanted)s.'),
            N_('Write “scale: %(wanted)s”, or choose another rule.'),
            rule=indicator.rule,
            wanted=wanted,
        )
    if indicator.baseline and indicator.scale != 'score':
        faults.add(
            (*path, 'baseline'),
            'baseline_scale',
            N_('The baseline was a score and cannot stand beside a share.'),
            N_('Move it to the indicator with “scale: score”.'),
        )
    if indicator.baseline and not 1 < indicator.baseline.value <= 100:
        _hundred((*path, 'baseline', 'value'), faults)
    seen: set[tuple[str, int | None]] = set()
    for index, target in enumerate(indicator.targets):
        if not 1 < target.value <= 100:
            _hundred((*path, 'targets', index, 'value'), faults)
        if (target.basis, target.from_year) in seen:
            faults.add(
                (*path, 'targets', index),
                'duplicate_target',
                N_('There are two targets of basis “%(basis)s” from the same year.'),
                N_('Remove one, or give each its “from_year”.'),
                basis=target.basis,
            )
        seen.add((target.basis, target.from_year))


def _hundred(path: Path, faults: Faults) -> None:
    faults.add(
        path,
        'target_scale',
        N_('Targets and baselines are written on the scale from 0 to 100.'),
        N_('Write 80 for 80 %% or 80 points.'),
    )


def _household(
    indicator: Indicator, variables: dict[str, Variable], path: Path, faults: Faults
) -> None:
    size = indicator.household_size
    if indicator.family == 'household' and size is None:
        faults.add(
            path,
            'household_without_size',
            N_('A household indicator needs “household_size”.'),
            N_('Name the question that asks how many people could have been chosen.'),
        )
    elif size is not None and indicator.family != 'household':
        faults.add(
            (*path, 'household_size'),
            'size_without_household',
            N_('“household_size” belongs to indicators of the family “household”.'),
            N_('Remove it, or change the family.'),
        )
    elif size is not None and (size not in variables or variables[size].kind != 'integer'):
        faults.add(
            (*path, 'household_size'),
            'household_size_type',
            N_('“%(name)s” is not a question of type “integer”.'),
            N_('Name the question that asks how many people could have been chosen.'),
            name=size,
        )


def _knowledge(indicator: Indicator, path: Path, faults: Faults) -> None:
    if indicator.rule != 'share_right' or indicator.family != 'knowledge':
        faults.add(
            (*path, 'rule'),
            'knowledge_rule',
            N_('Knowledge is measured by right answers: family “knowledge”, rule “share_right”.'),
            N_('Change the rule or the family.'),
        )
        return
    if indicator.variables and not any(each.right for each in indicator.variables):
        faults.add(
            path,
            'knowledge_without_key',
            N_('“%(name)s” is called knowledge, but none of its items has a right answer.'),
            N_('Add “right: …” to the items, or give the indicator another family.'),
            name=indicator.name,
        )
        return
    for variable in indicator.variables:
        place = (*path, 'items', indicator.items.index(variable.name))
        if not variable.right:
            faults.add(
                place,
                'item_without_key',
                N_('The knowledge item “%(name)s” has no right answer.'),
                N_('Add “right: …” to the question.'),
                name=variable.name,
            )
        if variable.question.relevant is not None:
            faults.add(
                place,
                'knowledge_not_for_all',
                N_('The knowledge item “%(name)s” is not asked of everybody.'),
                N_('Remove its “relevant”: all are measured by the same items.'),
                name=variable.name,
            )
