"""Drawing: reproducible from frame and seed, with known chances, never silently twice."""

import csv
import hashlib
import io

import numpy as np
import pytest
import sqlalchemy as sa

from analysis import sampling
from cixi_survey import clock, codes
from cixi_survey.errors import ProblemsFound
from cixi_survey.models import AuditEntry, Draft, Frame, Invitation, SampleDraw, Wave
from cixi_survey.waves import draw, frame, lifecycle, printing
from tests import factories
from tests.conftest import SECRET
from tests.waves import conftest as make
from tests.waves.conftest import ACT, FUHAI, HUSHAN

SLUG = 'autumn-2026'


@pytest.fixture
def framed(database):
    """A planned wave with populations and a frame of 300 and 100 units."""
    with database.transaction() as session:
        make.create(session)
        make.load_populations(session)
        make.load_frame(session)
    return database


def units(session):
    query = sa.select(Invitation).order_by(Invitation.id)
    return session.scalars(query).all()


def test_the_same_seed_gives_the_same_sample_and_another_seed_another(framed):
    samples = []
    for seed in (7, 7, 8):
        with framed.transaction() as session:
            make.draw_sample(session, seed=seed)
            samples.append([unit.unit for unit in units(session)])
            draw.discard(session, SLUG, **ACT)
    assert samples[0] == samples[1]
    assert samples[0] != samples[2]


def test_file_seed_and_allocation_suffice_to_draw_the_sample_again(framed):
    with framed.transaction() as session:
        made = make.draw_sample(session, seed=2026)
        drawn = {unit.unit for unit in units(session)}
        stored = session.scalars(sa.select(Frame)).one()
    text = make.frame_text()
    assert made.frame_sha256 == stored.sha256 == hashlib.sha256(text.encode()).hexdigest()
    rows = list(csv.DictReader(io.StringIO(text)))
    strata = [row['stratum'] for row in rows]
    chosen, _share = sampling.draw_stratified(strata, made.allocated, made.seed)
    assert {rows[row]['unit'] for row in chosen} == drawn


def test_probabilities_are_equal_in_a_town_and_add_up_to_n_in_every_town(framed):
    with framed.transaction() as session:
        made = make.draw_sample(session)
        for town, size, count in ((HUSHAN, 300, made.allocated[HUSHAN]), (FUHAI, 100, None)):
            count = made.allocated[town]
            mine = [unit for unit in units(session) if unit.stratum == town]
            assert len(mine) == count
            assert {unit.probability for unit in mine} == {count / size}
            assert {unit.frame_count for unit in mine} == {size}
            assert size * mine[0].probability == pytest.approx(count)
            assert all(unit.base_weight == unit.size / unit.probability for unit in mine)


def test_every_unit_has_its_stated_chance(framed):
    with framed.reading() as session:
        stored = session.scalars(sa.select(Frame)).one()
        listed = frame.ordered(session, stored, by_village=False)
        hits = np.zeros(400)
        names = {
            row: place
            for place, row in enumerate(
                line.split(',')[2] for line in make.frame_text().splitlines()[1:]
            )
        }
        for seed in range(200):
            units = draw.drawn_units(listed, {HUSHAN: 60, FUHAI: 40}, seed)
            for unit in units:
                hits[names[unit.row.unit]] += 1
    for part, share in ((hits[:300], 0.2), (hits[300:], 0.4)):
        spread = np.sqrt(200 * share * (1 - share))
        assert abs(part.mean() - 200 * share) < 1e-9
        assert abs(part - 200 * share).max() < 4.5 * spread


@pytest.mark.parametrize(
    ('method', 'expected'),
    [('proportional', (75, 25)), ('equal', (50, 50)), ('power', (63, 37))],
)
def test_the_allocation_follows_the_chosen_method(framed, method, expected):
    with framed.reading() as session:
        wave = session.scalars(sa.select(Wave)).one()
        allocation = draw.allocate(session, wave, method=method, total=100, minimum=2, response=60)
    assert tuple(share.n for share in allocation.shares) == expected
    assert allocation.total == 100


def test_the_preview_tells_the_expected_precision(framed):
    with framed.reading() as session:
        wave = session.scalars(sa.select(Wave)).one()
        allocation = draw.allocate(session, wave, method='equal', total=200, minimum=2, response=50)
    share = allocation.shares[0]
    assert share.completes == 50
    assert share.half_width == pytest.approx(196 * (1.2 * 0.16 / 50) ** 0.5, rel=1e-4)
    both = [each.half_width for each in allocation.shares]
    overall = ((0.75 * both[0]) ** 2 + (0.25 * both[1]) ** 2) ** 0.5
    assert allocation.half_width == pytest.approx(overall)


@pytest.mark.parametrize(
    ('asked', 'code'),
    [
        ({'total': 401}, 'frame_too_small'),
        ({'total': 30, 'minimum': 20}, 'minimum_too_high'),
        ({'total': 3, 'minimum': 0}, 'minimum_too_high'),
    ],
)
def test_an_impossible_allocation_says_why(framed, asked, code):
    with pytest.raises(ProblemsFound) as found, framed.transaction() as session:
        make.draw_sample(session, **asked)
    assert [problem.code for problem in found.value.problems] == [code]


def test_a_town_is_never_asked_for_more_units_than_it_has(framed):
    with framed.transaction() as session:
        made = make.draw_sample(session, total=390, method='equal', minimum=150)
    assert made.allocated == {HUSHAN: 290, FUHAI: 100}


def test_a_town_without_units_is_named(database):
    with database.transaction() as session:
        make.create(session)
        make.load_populations(session)
        make.load_frame(session, text=make.frame_text(50, 0))
    with pytest.raises(ProblemsFound) as found, database.transaction() as session:
        make.draw_sample(session, total=20)
    assert 'Fuhai' in str(found.value.problems[0].values)


def test_without_frame_there_is_nothing_to_draw_from(database):
    with database.transaction() as session:
        make.create(session)
        make.load_populations(session)
    with pytest.raises(draw.NothingToDrawFrom), database.transaction() as session:
        make.draw_sample(session)


def test_a_seed_is_made_and_kept_when_none_is_given(framed):
    with framed.transaction() as session:
        first = make.draw_sample(session, seed=None).seed
        draw.discard(session, SLUG, **ACT)
        second = make.draw_sample(session, seed=None).seed
    assert first != second
    with framed.reading() as session:
        assert session.scalars(sa.select(SampleDraw.seed)).one() == second
        actions = session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()
        assert actions[-3:] == ['wave.draw', 'wave.draw_discard', 'wave.draw']


def test_a_second_draw_is_refused_until_the_first_is_discarded(framed):
    with framed.transaction() as session:
        make.draw_sample(session)
    with pytest.raises(draw.SampleExists), framed.transaction() as session:
        make.draw_sample(session)


def test_a_sample_in_use_or_of_an_open_wave_is_not_discarded(framed):
    with framed.transaction() as session:
        make.draw_sample(session)
        wave = session.scalars(sa.select(Wave)).one()
        draft = {'submission_id': 'd', 'wave_id': wave.id, 'revision': 1, 'answers': {}}
        session.add(Draft(**draft, started_at=clock.now(), saved_at=clock.now()))
    with pytest.raises(draw.SampleInUse), framed.transaction() as session:
        draw.discard(session, SLUG, **ACT)
    with framed.transaction() as session:
        session.execute(sa.delete(Draft))
        make.make_codes(session)
        make.open_wave(session)
    with pytest.raises(lifecycle.NotPlanned), framed.transaction() as session:
        draw.discard(session, SLUG, **ACT)


@pytest.fixture
def drawn(framed):
    with framed.transaction() as session:
        make.draw_sample(session)
    return framed


def slips(session, batch, **changes):
    wave = session.scalars(sa.select(Wave)).one()
    return printing.slips(session, wave, key=batch.key, secret_key=SECRET, **changes)


def test_every_unit_gets_a_code_of_its_own_of_which_only_the_hash_is_kept(drawn):
    with drawn.transaction() as session:
        batch = make.make_codes(session)
    with drawn.reading() as session:
        made = slips(session, batch)
        hashes = set(session.scalars(sa.select(Invitation.code_hash)))
    plain = {slip.code for slip in made}
    assert len(plain) == len(hashes) == batch.count == 100
    assert {codes.hashed(codes.normalise(code), SECRET) for code in plain} == hashes


def test_codes_of_two_makings_have_nothing_in_common(drawn):
    with drawn.transaction() as session:
        first = {slip.code for slip in slips(session, make.make_codes(session))}
        again = make.make_codes(session, revoke=True)
        second = {slip.code for slip in slips(session, again)}
    assert not first & second
    assert again.revoked == 100


def test_no_plain_code_and_no_key_is_anywhere_in_the_database_file(sqlite_url):
    from pathlib import Path

    from cixi_survey.database import Database

    database = Database(sqlite_url)
    with database.transaction() as session:
        make.prepared(session)
        batch = make.make_codes(session, revoke=True)
        made = slips(session, batch)
    database.engine.dispose()
    path = Path(sqlite_url.removeprefix('sqlite:///'))
    stored = b''.join(file.read_bytes() for file in path.parent.glob(f'{path.name}*'))
    assert codes.hashed(codes.normalise(made[0].code), SECRET).encode() in stored
    for slip in made:
        assert slip.code.encode() not in stored
        assert codes.normalise(slip.code).encode() not in stored
    assert batch.key.encode() not in stored
    assert bytes.fromhex(batch.key) not in stored


def test_new_codes_revoke_the_old_ones_and_need_a_word(drawn):
    with drawn.transaction() as session:
        old = make.make_codes(session)
    with pytest.raises(printing.CodesExist), drawn.transaction() as session:
        make.make_codes(session)
    with drawn.transaction() as session:
        make.make_codes(session, revoke=True)
    with pytest.raises(printing.KeyGone), drawn.reading() as session:
        slips(session, old)


def test_who_has_answered_keeps_the_code(drawn):
    with drawn.transaction() as session:
        batch = make.make_codes(session)
        kept = {slip.unit: slip.code for slip in slips(session, batch)}
        done = units(session)[5]
        done.outcome = 'complete'
        session.flush()
        again = make.make_codes(session, revoke=True)
        assert again.count == 99
        assert {slip.unit for slip in slips(session, batch)} == {done.unit}
        assert slips(session, batch)[0].code == kept[done.unit]


def test_codes_can_be_made_anew_for_one_town(drawn):
    with drawn.transaction() as session:
        batch = make.make_codes(session)
        again = make.make_codes(session, town=FUHAI, revoke=True)
        assert {slip.town_code for slip in slips(session, again)} == {FUHAI}
        assert {slip.town_code for slip in slips(session, batch)} == {HUSHAN}


def test_a_form_sent_twice_does_not_revoke_its_own_codes(drawn):
    with drawn.transaction() as session:
        make.make_codes(session, making=0)
        make.make_codes(session, revoke=True, making=1)
    with pytest.raises(printing.MadeMeanwhile), drawn.transaction() as session:
        make.make_codes(session, revoke=True, making=1)


def test_a_closed_wave_gives_no_codes(drawn):
    with drawn.transaction() as session:
        make.make_codes(session)
        make.open_wave(session)
        lifecycle.close_wave(session, SLUG, **ACT)
    with pytest.raises(printing.WaveOver), drawn.transaction() as session:
        make.make_codes(session, revoke=True)


def test_the_making_is_recorded_without_the_codes(drawn):
    with drawn.transaction() as session:
        batch = make.make_codes(session)
        entry = session.scalars(
            sa.select(AuditEntry).where(AuditEntry.action == 'wave.codes')
        ).one()
    assert entry.details == {'made': 100, 'revoked': 0, 'town': 'all'}
    assert batch.key not in str(entry.details)


def test_the_file_leads_each_unit_to_its_address(drawn):
    with drawn.transaction() as session:
        made = slips(session, make.make_codes(session))
    rows = list(
        csv.DictReader(
            io.StringIO(
                printing.slips_file(made, 'https://survey.example', '7KQ3MC').decode('utf-8-sig'),
                newline='',
            )
        )
    )
    assert len(rows) == 100
    assert all(row['address'] == f'https://survey.example/i/{row["code"]}' for row in rows)
    assert rows[0]['town'] == '浒山街道'
    assert {row['check_code'] for row in rows} == {'7KQ-3MC'}
    assert {row['check_address'] for row in rows} == {'https://survey.example/verify'}


def test_a_wave_that_is_answered_after_the_draw_keeps_its_design(drawn):
    with drawn.transaction() as session:
        make.make_codes(session)
        wave = make.open_wave(session)
        unit = units(session)[0]
        response = factories.response(session, wave, unit)
        assert response.base_weight == unit.size / unit.probability
        assert response.frame_count == 300
