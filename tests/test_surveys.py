"""What ships as data: the baseline questionnaire, the frame, the demonstration figures."""

import csv
from collections import Counter

import pytest

from cixi_survey import places
from cixi_survey.questionnaire import definition
from tests.factories import BASELINE

VILLAGES_BY_TOWN = {
    '浒山街道': 27, '古塘街道': 16, '白沙路街道': 25, '宗汉街道': 23, '坎墩街道': 14,
    '龙山镇': 32, '掌起镇': 16, '观海卫镇': 50, '附海镇': 8, '桥头镇': 9, '匡堰镇': 10,
    '逍林镇': 11, '新浦镇': 18, '胜山镇': 12, '横河镇': 25, '崇寿镇': 10, '长河镇': 12,
    '周巷镇': 42,
}  # fmt: skip


@pytest.fixture(scope='module')
def baseline():
    return definition.load(BASELINE.read_text(encoding='utf-8'), filename=BASELINE.name)


def rows(name):
    with (places.FOLDER / name).open(encoding='utf-8', newline='') as file:
        return list(csv.DictReader(file))


def test_the_baseline_questionnaire_has_no_fault():
    assert definition.check_file(BASELINE) == ()


def test_it_asks_what_the_plan_wants_known(baseline):
    keyed = [variable for variable in baseline.variables() if variable.right]
    assert len(keyed) >= 12
    for item in keyed:
        assert item.apart, f'{item.name} lacks “don’t know”'
        assert item.question.source
        assert set(item.question.explanation) == {'zh', 'en'}
    assert sum(question.attention is not None for question in baseline.questions()) == 1


def test_satisfaction_stands_on_the_provinces_four_points(baseline):
    fields = [
        variable
        for variable in baseline.variables()
        if variable.name.startswith('sat_') and variable.question.type == 'grid'
    ]
    assert len(fields) >= 10
    for variable in [*fields, baseline.variable('sat_overall')]:
        labels = [option.label['zh'] for option in variable.options if not option.apart]
        assert labels == ['满意', '比较满意', '不太满意', '不满意']
        assert [option.label['zh'] for option in variable.options if option.apart] == ['说不清']


def test_the_three_official_indicators_keep_their_scales_apart(baseline):
    share, score = (
        baseline.indicator('satisfaction_share'),
        baseline.indicator('satisfaction_score'),
    )
    assert (share.scale, score.scale) == ('share', 'score')
    assert share.baseline is None
    assert (score.baseline.year, score.baseline.value) == (2017, 75.3)
    assert {target.basis for target in baseline.indicator('knowledge').targets} == {
        'national',
        'plan',
        'chapter8',
    }
    assert baseline.indicator('participation').targets[0].value == 80


def test_no_source_of_a_target_casts_doubt_on_the_verdict_beside_it(baseline):
    sources = [target.source for each in baseline.indicators for target in each.targets]
    assert not [source for source in sources if '待核实' in source]
    (unseen,) = [source for source in sources if '2019年修订' in source]
    assert unseen.startswith('本市采用的口径')


def test_the_exception_for_farmland_is_that_of_the_law(baseline):
    item = baseline.variable('k_farmland')
    assert '国务院批准' in item.label['zh']
    assert '国务院批准' in item.question.explanation['zh']
    assert '第三十五条' in item.question.source


def test_the_frame_is_the_360_villages_and_communities_of_the_18_towns():
    villages = rows('cixi-villages.csv')
    assert Counter(row['kind'] for row in villages) == {'community': 89, 'village': 271}
    assert Counter(row['town'] for row in villages) == VILLAGES_BY_TOWN
    assert len({row['village_code'] for row in villages}) == 360
    for row in villages:
        assert row['village_code'].startswith(row['town_code'])
        assert len(row['village_code']) == 12
    assert {name['zh'] for name in places.towns().values()} == set(VILLAGES_BY_TOWN)


def test_invented_figures_say_so_in_every_row():
    for name in ('demonstration-population.csv', 'demonstration-margins.csv'):
        for told in ('不是真实数字', 'not real'):
            assert all(told in row['source'] for row in rows(name))
    assert {row['town_code'] for row in rows('demonstration-population.csv')} == set(places.towns())


def test_margin_categories_are_answers_of_the_questionnaire(baseline):
    for row in rows('demonstration-margins.csv'):
        assert row['category'] in baseline.variable(row['variable']).values
