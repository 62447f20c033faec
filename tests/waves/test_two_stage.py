"""Two stages: villages by their size, then persons in them, each chance known and repeatable."""

import csv
import io

import numpy as np
import pytest
import sqlalchemy as sa

from cixi_survey import places
from cixi_survey.database import Database
from cixi_survey.errors import ProblemsFound
from cixi_survey.models import (
    AuditEntry,
    DrawnVillage,
    Frame,
    FrameUnit,
    FrameVillage,
    Invitation,
    SampleDraw,
    VillageDraw,
    VillageFrame,
    Wave,
)
from cixi_survey.waves import (
    draw,
    frame,
    lifecycle,
    populations,
    repeat,
    stages,
    table,
    two_stage,
    villages,
)
from cixi_survey.waves.stages import Asked
from tests.waves import conftest as make
from tests.waves.conftest import ACT, FUHAI, HUSHAN, SLUG

TOWNS = {HUSHAN, FUHAI}
ASKED = {HUSHAN: Asked(10, 6), FUHAI: Asked(8, 6)}
HEADING = 'stratum,psu,size\n'
SAMPLE = '4edf3f8dea50cd00515eb5824ca002397ca91624ac5d24410c0913c25caf7a03'
"""Of the seeds 7 and 11, on every database and machine."""


def wave_of(session):
    return session.scalars(sa.select(Wave)).one()


def with_villages(database):
    with database.transaction() as session:
        make.create(session)
        make.load_populations(session)
        villages.load_shipped(session, SLUG, **ACT)
    return database


@pytest.fixture
def ready(sqlite_url):
    """A planned wave of two towns with the villages that come with the program."""
    database = Database(sqlite_url)
    yield with_villages(database)
    database.engine.dispose()


@pytest.fixture
def drawn(ready):
    """The same with both stages drawn."""
    with ready.transaction() as session:
        make.draw_villages(session)
        make.load_lists(session)
        make.draw_persons(session)
    return ready


# The list of villages


def test_the_360_villages_and_communities_come_with_the_program_and_say_that_sizes_are_invented():
    parsed = villages.parse(villages.shipped(), set(places.towns()))
    assert len(parsed.villages) == len(places.villages()) == 360
    assert [town.villages for town in parsed.by_town() if town.town_code == FUHAI] == [8]
    assert parsed.demonstration
    assert parsed.missing(places.towns()) == []
    adults = populations.parse((places.FOLDER / 'demonstration-population.csv').read_bytes())
    by_town = {town.town_code: town.adults for town in parsed.by_town()}
    assert by_town == {row.town_code: row.adults for row in adults.rows}


def test_one_press_loads_the_villages_of_the_wave_and_is_recorded(ready):
    with ready.reading() as session:
        stored = session.scalars(sa.select(VillageFrame)).one()
        assert (stored.villages, stored.demonstration) == (27 + 8, True)
        assert 'not real' in stored.source
        entry = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc())).first()
        assert (entry.action, entry.details['villages']) == ('wave.villages', 35)


@pytest.mark.parametrize(
    ('rows', 'code', 'line'),
    [
        (f'{HUSHAN},330282004001,0\n', 'size_zero', 2),
        (f'{HUSHAN},330282004001,many\n', 'size_wrong', 2),
        (f'{HUSHAN},330282004001,5\n{HUSHAN},330282004001,6\n', 'village_twice', 3),
        (f'{HUSHAN},330282108201,5\n', 'village_elsewhere', 2),
        (f'{HUSHAN},330282004999,5\n', 'code_unknown', 2),
        ('330282006,330282006001,5\n', 'town_not_in_wave', 2),
    ],
)
def test_a_list_of_villages_names_every_faulty_row(rows, code, line):
    with pytest.raises(table.TableRefused) as refused:
        villages.parse((HEADING + rows).encode(), TOWNS)
    assert [(p.line, p.code) for p in refused.value.problems] == [(line, code)]


def test_a_list_names_the_villages_that_it_leaves_out():
    rows = ''.join(f'{FUHAI},{code},900\n' for code in sorted(places.villages()) if FUHAI in code)
    parsed = villages.parse((HEADING + rows.split('\n', 1)[1]).encode(), TOWNS)
    assert len(parsed.missing({FUHAI})) == 1
    assert not parsed.demonstration


def test_a_workbook_is_read_like_a_csv_file():
    import xlsxwriter

    file = io.BytesIO()
    with xlsxwriter.Workbook(file) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ['镇街代码', '村社代码', '成年人数'])
        sheet.write_row(1, 0, [330282108, 330282108201, 1200])  # codes as numbers
        sheet.write_row(2, 0, [FUHAI, '330282108202', '0'])
    with pytest.raises(table.TableRefused) as refused:
        villages.parse(file.getvalue(), TOWNS)
    assert [(p.line, p.code) for p in refused.value.problems] == [(3, 'size_zero')]


# What follows from the numbers


def work_out(session, asked=ASKED, response=0.5, rho=0.05):
    return stages.work_out(session, wave_of(session), asked, response=response, rho=rho)


def test_chances_add_up_to_what_is_drawn_and_follow_the_sizes(ready):
    with ready.reading() as session:
        hushan, fuhai = work_out(session).towns
    sizes = np.array([village.size for village in hushan.villages])
    left = hushan.chance < 1
    assert hushan.chance.sum() == pytest.approx(10)
    assert np.ptp(hushan.chance[left] / sizes[left]) < 1e-12
    assert fuhai.takes_all
    assert fuhai.chance.sum() == 8


def test_in_a_small_town_persons_follow_the_size_of_the_village(ready):
    with ready.reading() as session:
        (_, fuhai) = work_out(session).towns
    sizes = np.array([village.size for village in fuhai.villages])
    assert fuhai.persons.sum() == 8 * 6 == fuhai.n
    assert fuhai.persons.min() >= stages.LEAST_PERSONS
    exact = 48 * sizes / sizes.sum()
    assert (abs(fuhai.persons - exact)[exact > 6] < 2).all()


def test_a_village_too_large_for_chance_gives_more_persons_so_that_adults_stay_alike():
    sizes = np.array([100.0, 100.0, 100.0, 100.0, 1000.0])
    chance = np.array([0.5, 0.5, 0.5, 0.5, 1.0])
    persons = stages.persons_by_village(sizes, chance, 10)
    assert persons.tolist() == [10, 10, 10, 10, 50]
    assert len(set((chance * persons / sizes).round(12))) == 1


def test_the_design_effect_is_that_of_kish_and_vanishes_where_every_village_is_taken(ready):
    with ready.reading() as session:
        hushan, fuhai = work_out(session, response=0.5, rho=0.1).towns
    assert hushan.completes == pytest.approx(30)
    assert hushan.deff == pytest.approx(1 + (3 - 1) * 0.1)
    assert fuhai.deff == pytest.approx(1)
    assert fuhai.half_width == pytest.approx(196 * (0.16 / 24) ** 0.5, rel=1e-4)


@pytest.mark.parametrize(
    ('asked', 'where'),
    [
        ({HUSHAN: Asked(28, 6)}, f'villages_{HUSHAN}'),
        ({HUSHAN: Asked(1, 6)}, f'villages_{HUSHAN}'),
        ({FUHAI: Asked(8, 1)}, f'persons_{FUHAI}'),
        ({FUHAI: Asked(8, 90_000)}, f'persons_{FUHAI}'),
    ],
)
def test_what_cannot_be_drawn_is_said_at_the_town(ready, asked, where):
    with pytest.raises(ProblemsFound) as found, ready.transaction() as session:
        make.draw_villages(session, **asked)
    assert [problem.where for problem in found.value.problems] == [where]


@pytest.mark.parametrize(('count', 'drawn'), [(8, 8), (12, 12), (13, 10), (50, 10), (3, 3)])
def test_small_towns_take_all_their_villages(count, drawn):
    assert stages.usual(count, number=10, all_up_to=12) == drawn


# The first stage


def test_villages_are_drawn_once_and_kept_with_their_chances(ready):
    with ready.transaction() as session:
        made = make.draw_villages(session)
        found = two_stage.of_wave(session, wave_of(session))
        assert sorted(v.stratum for v in found) == [HUSHAN] * 10 + [FUHAI] * 8
        assert all(v.certain for v in found if v.stratum == FUHAI)
        assert made.towns[HUSHAN]['of'] == 27
        assert 10 / 27 < made.towns[HUSHAN]['rate'] < 1
        assert made.towns[FUHAI]['rate'] == 0
    for again in (make.draw_villages, lambda session: villages.load_shipped(session, SLUG, **ACT)):
        with pytest.raises(villages.VillagesDrawn), ready.transaction() as session:
            again(session)


def test_a_list_that_was_loaded_before_keeps_the_drawn_villages_only(ready):
    with ready.transaction() as session:
        rows = ''.join(
            f'{town},{code},{code}-{n},1\n'
            for code, (_name, town) in places.villages().items()
            if town in TOWNS
            for n in range(2)
        )
        make.load_frame(session, text='stratum,psu,unit,size\n' + rows)
        make.draw_villages(session)
        assert session.scalars(sa.select(Frame.units)).one() == 2 * 18
        assert len(session.scalars(sa.select(FrameUnit.psu).distinct()).all()) == 18


def test_populations_do_not_change_under_drawn_villages(ready):
    with ready.transaction() as session:
        make.draw_villages(session)
    with pytest.raises(villages.VillagesDrawn), ready.transaction() as session:
        make.load_populations(session)


def test_other_towns_make_the_villages_forgotten(ready):
    with ready.transaction() as session:
        make.load_populations(session, text='town_code,adults,source\n330282004,5,x\n')
        assert session.scalars(sa.select(FrameVillage)).all() == []


def test_discarding_the_villages_forgets_their_lists_and_is_recorded(ready):
    with ready.transaction() as session:
        make.draw_villages(session)
        make.load_lists(session)
        two_stage.discard_villages(session, SLUG, **ACT)
        for model in (VillageDraw, DrawnVillage, Frame, FrameUnit):
            assert session.scalars(sa.select(model)).all() == []
        entry = session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.details['units']) == ('wave.villages_discard', 18 * 30)


def test_one_stage_is_refused_where_villages_were_drawn(ready):
    with ready.transaction() as session:
        make.draw_villages(session)
        make.load_lists(session)
    with pytest.raises(villages.VillagesDrawn), ready.transaction() as session:
        make.draw_sample(session)


def test_the_file_of_drawn_villages_says_who_has_to_be_listed(ready):
    with ready.transaction() as session:
        make.draw_villages(session)
        text = two_stage.drawn_file(session, wave_of(session)).decode('utf-8-sig')
    rows = list(csv.DictReader(io.StringIO(text, newline='')))
    assert len(rows) == 18
    assert {row['town'] for row in rows} == {'浒山街道', '附海镇'}
    assert all(places.villages()[row['psu']][0] == row['village'] for row in rows)


# The lists


def test_lists_come_village_by_village_and_replace_their_own_alone(ready):
    with ready.transaction() as session:
        make.draw_villages(session)
        a, b = [village.psu for village in two_stage.of_wave(session, wave_of(session))][:2]
        make.load_lists(session, only={a})
        make.load_lists(session, each=20, only={b})
        make.load_lists(session, each=10, only={a})
        query = sa.select(FrameUnit.psu, sa.func.count()).group_by(FrameUnit.psu)
        assert dict(session.execute(query).all()) == {a: 10, b: 20}
        assert session.scalars(sa.select(Frame.units)).one() == 30
        assert len(two_stage.without_list(session, wave_of(session))) == 16


def test_nobody_of_a_village_that_was_not_drawn_is_stored(ready):
    with ready.transaction() as session:
        make.draw_villages(session)
        drawn = {village.psu for village in two_stage.of_wave(session, wave_of(session))}
        other = next(
            c for c, (_n, t) in places.villages().items() if t == HUSHAN and c not in drawn
        )
        text = make.lists_text(session, each=1) + f'{HUSHAN},{other},somebody,1\n'
        limits = frame.limits(session, wave_of(session))
        assert frame.parse(text.encode(), limits).left_out == 1
        make.load_lists(session, text=text)
        assert 'somebody' not in session.scalars(sa.select(FrameUnit.unit)).all()
        with pytest.raises(table.TableRefused) as refused:
            frame.parse(f'stratum,psu,unit,size\n{HUSHAN},{other},x,1\n'.encode(), limits)
    assert [problem.code for problem in refused.value.problems] == ['none_drawn']


def test_a_unit_that_stands_in_the_list_of_another_village_is_named(ready):
    with ready.transaction() as session:
        make.draw_villages(session)
        a, b = [village.psu for village in two_stage.of_wave(session, wave_of(session))][:2]
        make.load_lists(session, text=f'stratum,psu,unit,size\n{a[:9]},{a},12号,1\n')
        with pytest.raises(table.TableRefused) as refused:
            make.load_lists(session, text=f'stratum,psu,unit,size\n{b[:9]},{b},12号,1\n')
    (problem,) = refused.value.problems
    assert problem.code == 'unit_elsewhere'
    assert problem.values['village'] == places.villages()[a][0]


def test_a_drawn_village_without_a_list_stops_the_draw_and_is_named(ready):
    with ready.transaction() as session:
        make.draw_villages(session)
        found = two_stage.of_wave(session, wave_of(session))
        make.load_lists(session, only={village.psu for village in found[1:]})
    with (
        pytest.raises(two_stage.ListsMissing, match='1 drawn') as refused,
        ready.transaction() as s,
    ):
        make.draw_persons(s)
    assert places.villages()[found[0].psu][0] in str(refused.value)


# The second stage


def test_every_unit_keeps_the_chance_of_both_stages(drawn):
    with drawn.reading() as session:
        found = {village.psu: village for village in two_stage.of_wave(session, wave_of(session))}
        units = session.scalars(sa.select(Invitation)).all()
        made = session.scalars(sa.select(SampleDraw)).one()
    assert len(units) == sum(village.drawn for village in found.values()) == 10 * 6 + 48
    assert made.two_stage
    assert made.allocated == {HUSHAN: 60, FUHAI: 48}
    for unit in units:
        village = found[unit.psu]
        assert village.drawn == village.persons
        expected = village.probability * village.drawn / 30
        assert (unit.probability, unit.frame_count) == (pytest.approx(expected), 30)


def test_the_chances_of_everybody_add_up_to_n_in_every_town(drawn):
    with drawn.reading() as session:
        rows = two_stage.sums(session, wave_of(session))
    for row, (village_count, persons) in zip(rows, [(10, 60), (8, 48)], strict=True):
        assert row.village_chances == pytest.approx(village_count)
        assert row.person_chances == pytest.approx(persons)
        assert (row.villages, row.persons) == (village_count, persons)


def test_a_list_shorter_than_wanted_is_taken_whole(ready):
    with ready.transaction() as session:
        make.draw_villages(session)
        make.load_lists(session, each=4)
        make.draw_persons(session)
        first = {v.psu: v.probability for v in two_stage.of_wave(session, wave_of(session))}
        units = session.scalars(sa.select(Invitation)).all()
        assert len(units) == 18 * 4
        assert all(unit.probability == first[unit.psu] for unit in units)


def test_a_sample_of_two_stages_is_discarded_down_to_its_villages(drawn):
    with drawn.transaction() as session:
        with pytest.raises(frame.SampleDrawn):
            two_stage.discard_villages(session, SLUG, **ACT)
        draw.discard(session, SLUG, **ACT)
        session.expire_all()
        assert {v.drawn for v in two_stage.of_wave(session, wave_of(session))} == {None}
        assert session.scalars(sa.select(Invitation)).all() == []
        make.draw_persons(session)


# The draw again


def repeated(session):
    return repeat.repeat(session, wave_of(session))


def test_a_draw_done_again_is_identical(drawn):
    with drawn.reading() as session:
        found = repeated(session)
    names = ['village_frame', 'villages', 'list', 'sample', 'units']
    assert [part.name for part in found.parts] == names
    assert found.identical
    assert (found.changed, found.untold) == ((), ())


def test_lists_in_another_order_of_loading_give_the_same_sample(ready):
    samples = []
    for turned in (False, True):
        with ready.transaction() as session:
            make.draw_villages(session)
            codes = [v.psu for v in two_stage.of_wave(session, wave_of(session))]
            parts = [set(codes[:9]), set(codes[9:])]
            for part in reversed(parts) if turned else parts:
                make.load_lists(session, only=part)
            samples.append(make.draw_persons(session).sample_sha256)
            draw.discard(session, SLUG, **ACT)
            two_stage.discard_villages(session, SLUG, **ACT)
    assert samples[0] == samples[1]


@pytest.mark.parametrize(
    ('change', 'told'),
    [
        (sa.update(FrameVillage).values(size=FrameVillage.size + 1), {'village_frame', 'villages'}),
        (sa.update(VillageDraw).values(seed=8), {'villages'}),
        (sa.update(SampleDraw).values(seed=12), {'sample', 'units'}),
        (
            sa.delete(FrameUnit).where(FrameUnit.unit.like('%-0')),
            {'list', 'sample', 'units'},
        ),
        (
            sa.update(Invitation).where(Invitation.stratum == FUHAI).values(probability=0.5),
            {'units'},
        ),
    ],
)
def test_what_changed_afterwards_is_named(drawn, change, told):
    with drawn.transaction() as session:
        session.execute(change)
        session.expire_all()
        found = repeated(session)
    assert not found.identical
    assert set(found.changed) == told


def test_after_closing_the_villages_can_still_be_drawn_again(drawn):
    with drawn.transaction() as session:
        make.make_codes(session)
        make.open_wave(session)
        lifecycle.close_wave(session, SLUG, **ACT)
        found = repeated(session)
    assert found.identical
    assert found.untold == ('list', 'sample')


def test_both_databases_give_the_same_sample_and_draw_it_again(database):
    with with_villages(database).transaction() as session:
        make.draw_villages(session)
        make.load_lists(session)
        made = make.draw_persons(session)
        assert repeated(session).identical
    assert made.sample_sha256 == SAMPLE


def test_a_sample_in_one_stage_is_drawn_again_too(ready):
    with ready.transaction() as session:
        make.load_frame(session)
        make.draw_sample(session)
        assert repeated(session).identical
        session.execute(sa.update(FrameUnit).where(FrameUnit.size == 1).values(size=2))
        assert repeated(session).changed == ('list', 'sample', 'units')
