"""Nothing about a small town can be had from what is published."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from flask import Flask
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from cixi_survey.questionnaire import definition
from cixi_survey.results import disclosure, publish
from cixi_survey.results.disclosure import INDICATIVE, ROOM, SHOWN, SUPPRESSED
from tests import factories
from tests.results.conftest import database_of, made, whole

FUHAI, QIAOTOU, HUSHAN = '330282108', '330282109', '330282004'


def row(
    town: str = 'a', *, est: float = 0.8, n: int = 100, n_eff: float = 90, width: float = 0.2
) -> dict[str, Any]:
    return {
        'town': town,
        'est': est,
        'se': width / 4,
        'lci': est - width / 2,
        'uci': est + width / 2,
        'df': n - 1,
        'n': n,
        'n_eff': n_eff,
        'deff': n / n_eff,
        'method': 'wilson',
        'verdict': None,
    }


def test_each_threshold_of_the_rule() -> None:
    assert disclosure.status(row(n=50, n_eff=30, width=0.30), 'share') == SHOWN
    assert disclosure.status(row(n=49, n_eff=30), 'share') == INDICATIVE
    assert disclosure.status(row(n=30, n_eff=30), 'share') == INDICATIVE
    assert disclosure.status(row(n=29, n_eff=29), 'share') == SUPPRESSED
    assert disclosure.status(row(n=100, n_eff=29.9), 'share') == SUPPRESSED
    assert disclosure.status(row(n=100, width=0.31), 'share') == SUPPRESSED
    assert disclosure.status(row(est=80, width=30), 'score') == SHOWN
    assert disclosure.status(row(est=80, width=31), 'score') == SUPPRESSED
    assert disclosure.status(None, 'share') == SUPPRESSED


def shown(rows: list[dict[str, Any]], sizes: dict[str, float]) -> list[dict[str, Any]]:
    """The towns of one figure beside that of the city; those with the fewest answers go first."""
    order = [each['town'] for each in sorted(rows, key=lambda each: (each['n'], each['town']))]
    hidden = disclosure.to_hide(rows, sizes, scale='share', order=order)
    return disclosure.towns(rows, sizes, scale='share', hidden=hidden)


def test_a_single_small_town_takes_a_second_one_with_it() -> None:
    rows = [row('a', n=10, n_eff=9), row('b'), row('c', n=40, n_eff=35), row('d', n_eff=60)]
    public = shown(rows, dict.fromkeys('abcd', 10_000.0))
    assert [each['status'] for each in public] == [SUPPRESSED, SHOWN, SUPPRESSED, SHOWN]
    for each in public:
        if each['status'] == SUPPRESSED:
            assert set(each) == {'town', 'status'}


def test_two_small_towns_that_are_all_alike_take_a_third_one_with_them() -> None:
    # Both at the top of the scale: their sum is the largest possible, so it gives both away.
    rows = [row('a', n=9, n_eff=9, est=1.0), row('b', n=9, n_eff=9, est=1.0), row('c', est=0.6)]
    rows.append(row('d', n_eff=95))
    public = shown(rows, dict.fromkeys('abcd', 10_000.0))
    assert [each['status'] for each in public] == [SUPPRESSED] * 3 + [SHOWN]


towns = st.lists(
    st.tuples(
        st.floats(0, 1),
        st.integers(1, 200),
        st.integers(1_000, 200_000),
    ),
    min_size=2,
    max_size=18,
)


@settings(max_examples=200, deadline=None)
@given(towns)
def test_no_suppressed_town_can_be_recovered_from_the_city_and_the_others(
    drawn: list[tuple[float, int, int]],
) -> None:
    rows = [row(f't{i:02}', est=est, n=n, n_eff=n) for i, (est, n, _) in enumerate(drawn)]
    sizes = {f't{i:02}': float(size) for i, (*_, size) in enumerate(drawn)}
    public = shown(rows, sizes)
    hidden = [each['town'] for each in public if each['status'] == SUPPRESSED]
    if not hidden:
        return
    # An attacker knows the city's figure, the populations, every shown town, and the scale.
    known = {each['town']: each['est'] for each in public if each['status'] != SUPPRESSED}
    city = sum(sizes[each['town']] * each['est'] for each in rows)
    left = city - sum(sizes[town] * est for town, est in known.items())
    weights = np.array([[sizes[town] for town in hidden]])
    everything_hidden = len(hidden) == len(rows)
    small = {each['town'] for each in rows if each['n'] < 30}
    for place, town in enumerate(hidden):
        if town not in small:
            continue  # hidden for the others' sake
        direction = np.zeros(len(hidden))
        direction[place] = 1.0
        ends = [
            linprog(
                sign * direction,
                A_ub=np.vstack([weights, -weights]),
                b_ub=[left + 1e-6 * city + 1e-6, -left + 1e-6 * city + 1e-6],
                bounds=(0, 1),
            ).fun
            * sign
            for sign in (1, -1)
        ]
        assert ends[1] - ends[0] >= ROOM - 1e-3 or everything_hidden


@settings(max_examples=100, deadline=None)
@given(towns)
def test_what_is_small_is_never_shown(drawn: list[tuple[float, int, int]]) -> None:
    rows = [row(f't{i:02}', est=est, n=n, n_eff=n) for i, (est, n, _) in enumerate(drawn)]
    sizes = {f't{i:02}': float(size) for i, (*_, size) in enumerate(drawn)}
    for each in shown(rows, sizes):
        if each['status'] != SUPPRESSED:
            assert each['n'] >= 30


def test_the_whole_result_names_no_count_of_a_small_town(app: Flask) -> None:
    with database_of(app).transaction() as session:
        result = publish.preview(made(session, whole(session, sizes={FUHAI: 24})))
    content = result.content
    for each in [*content['indicators'], *content['items']]:
        states = {row['town']: row for row in each['towns']}
        assert states[FUHAI] == {'town': FUHAI, 'status': SUPPRESSED}
        assert sum(row['status'] == SUPPRESSED for row in each['towns']) >= 2
    returns = {row['town']: row for row in content['returns']['towns']}
    assert returns[FUHAI] == {'town': FUHAI, 'status': SUPPRESSED}
    assert sum(row['status'] == SUPPRESSED for row in returns.values()) == 2
    assert FUHAI not in {row['town'] for row in content['weights']['classes']}
    assert all('n' not in row for row in content['weights']['raking']['margins'])


def test_no_item_of_a_small_town_can_be_worked_out_from_the_mean_of_the_items(app: Flask) -> None:
    """An indicator that is the mean of its items ties their towns together: all hide the same."""
    with database_of(app).transaction() as session:
        wave = whole(session, sizes={FUHAI: 24, QIAOTOU: 36, HUSHAN: 36})
        figures = json.loads(made(session, wave).figures)
    # The item about which least is left open takes more towns with it than its indicator would.
    item = next(each for each in figures['items'] if each['name'] == 'k_two')
    for town in item['towns']:
        town['est'] = 1 - (1 - town['est']) / 100
    item['total']['est'] = 1 - (1 - item['total']['est']) / 100
    content = disclosure.release(figures, run_sha256='').content
    hidden: dict[str, set[frozenset[str]]] = {}
    for each in [*content['indicators'], *content['items']]:
        towns = frozenset(t['town'] for t in each['towns'] if t['status'] == SUPPRESSED)
        hidden.setdefault(each['family'], set()).add(towns)
    assert all(len(sets) == 1 for sets in hidden.values())
    ((knowledge,), (participation,)) = hidden['knowledge'], hidden['participation']
    assert FUHAI in participation < knowledge


def test_the_wording_of_a_secret_item_is_in_no_public_result(app: Flask) -> None:
    text = (factories.FIXTURES / 'small.yaml').read_text(encoding='utf-8')
    secret = definition.load(text.replace('right: june5', 'secret: true\n        right: june5'))
    with database_of(app).transaction() as session:
        result = publish.preview(made(session, whole(session, questionnaire=secret)))
    items = {each['name']: each for each in result.content['items']}
    assert items['k_one']['label'] == disclosure.SECRET
    assert items['k_one']['total']['status'] != SUPPRESSED
    assert items['k_two']['label']['zh'] == '一公里以内最好怎么走？'
    assert 'k_one' not in {each['name'] for each in result.content['open']['items']}
    assert '世界环境日' not in result.text
    assert '6月5日' not in result.text


def test_numbers_of_the_open_link_are_rounded_and_have_no_interval(app: Flask) -> None:
    with database_of(app).transaction() as session:
        result = publish.preview(made(session, whole(session, answers_open=83)))
    opened = result.content['open']
    assert opened['n'] == 85
    for item in opened['items']:
        for option in item['options']:
            assert option['count'] % 5 == 0
            assert option['share'] == round(100 * option['count'] / item['n'])
    words = json.dumps(opened)
    for word in ('lci', 'uci', 'se"', 'verdict', 'target', 'town"'):
        assert word not in words


def test_an_open_stream_of_a_few_people_is_not_shown(app: Flask) -> None:
    with database_of(app).transaction() as session:
        result = publish.preview(made(session, whole(session, answers_open=29)))
    assert result.content['open'] == {'status': SUPPRESSED, 'n': None, 'items': []}


def test_counts_are_rounded_to_the_nearest_five() -> None:
    assert [disclosure.rounded(n) for n in (0, 2, 3, 7, 8, 12, 13)] == [0, 0, 5, 5, 10, 10, 15]
