"""The prize draw: fair, repeatable, once, and by two people."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cixi_survey import clock
from cixi_survey.contacts import lists, prizes
from cixi_survey.errors import ProblemsFound
from cixi_survey.waves import lifecycle
from tests import factories
from tests.contacts.test_sign_up import VAULT, answered, leave, offer

ENTRIES = [f'{number:064x}' for number in range(20)]


@given(st.permutations(ENTRIES), st.integers(0, 10**9), st.integers(0, 25))
def test_the_same_seed_draws_the_same_winners_from_the_same_entries(entries, seed, count):
    winners = prizes.chosen(entries, count, seed)
    assert winners == prizes.chosen(ENTRIES, count, seed)
    assert len(set(winners)) == len(winners) == min(count, len(ENTRIES))


def test_every_entry_wins_equally_often():
    wins = dict.fromkeys(ENTRIES, 0)
    for seed in range(4000):
        for winner in prizes.chosen(ENTRIES, 5, seed):
            wins[winner] += 1
    expected = 4000 * 5 / 20
    chi_square = sum((count - expected) ** 2 / expected for count in wins.values())
    assert chi_square < 43.8  # the 0.999 quantile with 19 degrees of freedom


@pytest.fixture
def closed(database):
    """A closed wave with five entries and two prizes; the ids of two organisers."""
    with database.transaction() as session:
        wave = factories.wave(session)
        offer(session, wave)
        for number in range(5):
            leave(session, answered(session, wave), f'1380000000{number}')
        leave(session, answered(session, wave), 'news@example.cn', prize=False)
        people = [factories.staff(session, 'organiser', username=name).id for name in ('wu', 'xu')]
        lifecycle.close_wave(session, wave.slug, actor='wu', now=clock.now())
    return database, people


def draw(session, staff_id, seed=42):
    return prizes.draw(
        session, 'w2026', seed, vault=VAULT, actor='wu', staff_id=staff_id, now=clock.now()
    )


def test_a_draw_happens_once_and_needs_a_second_person_before_anybody_is_told(closed):
    database, (first, second) = closed
    now = clock.now()
    with database.transaction() as session:
        made = draw(session, first)
        assert (made.entries, len(made.winners)) == (5, 2)
    with database.transaction() as session, pytest.raises(prizes.DrawnBefore):
        draw(session, second, seed=43)
    with database.transaction() as session, pytest.raises(prizes.SamePerson):
        prizes.confirm(session, 'w2026', actor='wu', staff_id=first, now=now)
    with database.transaction() as session, pytest.raises(prizes.NotConfirmed):
        prizes.winners_file(session, 'w2026', vault=VAULT, actor='wu', now=now)
    with database.reading() as session:
        assert prizes.public_record(session, 'w2026')[2] is None
    with database.transaction() as session:
        prizes.confirm(session, 'w2026', actor='xu', staff_id=second, now=now)
        name, content = prizes.winners_file(session, 'w2026', vault=VAULT, actor='wu', now=now)
        shown = prizes.public_record(session, 'w2026')[2]
    lines = content.decode('utf-8-sig').splitlines()
    assert (name, len(lines)) == ('w2026-winners.csv', 3)
    assert all(line.startswith('\t1380000000') for line in lines[1:])
    assert shown.endings == [f'…{line.split(",")[0][-4:]}' for line in lines[1:]]


def test_a_draw_waits_for_the_end_and_for_somebody_to_draw_from(database):
    with database.transaction() as session:
        wave = factories.wave(session)
        offer(session, wave)
        person = factories.staff(session, 'organiser').id
        with pytest.raises(prizes.StillOpen):
            draw(session, person)
        lifecycle.close_wave(session, wave.slug, actor='wu', now=clock.now())
        with pytest.raises(prizes.NobodySignedUp):
            draw(session, person)
        factories.wave(session, slug='none')
        with pytest.raises(prizes.NoPrizes):
            prizes.public_record(session, 'none')


def test_more_prizes_than_people_go_to_everybody():
    assert sorted(prizes.chosen(ENTRIES[:3], 10, 1)) == ENTRIES[:3]


def test_the_list_for_the_results_waits_for_the_results(closed):
    database, _people = closed
    with database.transaction() as session, pytest.raises(lists.NotYetPublished):
        lists.news_file(session, 'w2026', vault=VAULT, actor='wu', now=clock.now())


def test_a_file_opens_in_a_spreadsheet_with_whole_numbers_and_no_formula():
    content = lists.contacts_csv(['13800000001', '+cmd@example.cn'])
    assert content.startswith(b'\xef\xbb\xbf')
    cells = [line.split(',')[0] for line in content.decode('utf-8-sig').splitlines()[1:]]
    assert all(cell.startswith('\t') for cell in cells)


def test_what_was_offered_is_fixed_when_the_wave_opens(database):
    wanted = lists.Offer(True, 1, '规则', 'Rules', date(2100, 1, 1))
    with database.transaction() as session:
        factories.wave(session, slug='planned', state='planned')
        factories.wave(session, slug='running')
        lists.offer(session, 'planned', wanted, actor='wu', now=clock.now())
        lists.offer(session, 'planned', None, actor='wu', now=clock.now())
        with pytest.raises(lists.OfferFixed):
            lists.offer(session, 'running', wanted, actor='wu', now=clock.now())


@pytest.mark.parametrize(
    ('changes', 'fields'),
    [
        ({'news': False, 'prizes': 0}, ['news']),
        ({'prizes': 3, 'rules_zh': ' ', 'rules_en': ''}, ['rules_zh', 'rules_en']),
        ({'keep_until': date(2020, 1, 1)}, ['keep_until']),
    ],
)
def test_an_offer_that_cannot_be_kept_is_refused_at_its_field(database, changes, fields):
    good = {'news': True, 'prizes': 0, 'rules_zh': '规则', 'rules_en': 'Rules'}
    wanted = lists.Offer(**{**good, 'keep_until': date(2100, 1, 1), **changes})
    with database.transaction() as session:
        factories.wave(session, state='planned')
        with pytest.raises(ProblemsFound) as found:
            lists.offer(session, 'w2026', wanted, actor='wu', now=clock.now())
    assert [problem.where for problem in found.value.problems] == fields


def test_the_generator_is_the_documented_one():
    order = np.random.Generator(np.random.PCG64(42)).permutation(20)
    assert prizes.chosen(ENTRIES, 3, 42) == [ENTRIES[place] for place in order[:3]]
