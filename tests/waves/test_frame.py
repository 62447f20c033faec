"""Tables that people upload: every fault named by line and column, nothing stored before."""

import pytest
import sqlalchemy as sa

from cixi_survey import i18n, places
from cixi_survey.errors import ProblemsFound
from cixi_survey.models import Frame, FrameUnit, Wave
from cixi_survey.waves import frame, lifecycle, populations, table, uploads
from tests import factories
from tests.waves import conftest as make
from tests.waves.conftest import ACT, FUHAI, HUSHAN

TOWNS = {HUSHAN, FUHAI}
HEADING = 'stratum,psu,unit,size\n'
GOOD = f'{HUSHAN},330282004001,浒山1号,2\n'


def faults(text, towns=TOWNS):
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(table.TableRefused) as refused:
        frame.parse(content, towns)
    return refused.value


def told(text):
    return [(problem.line, problem.where, problem.code) for problem in faults(text).problems]


def said(text):
    return faults(text).problems[0].text()


@pytest.mark.parametrize(
    ('row', 'place', 'code', 'sentence'),
    [
        ('330282118,330282118001,庵东1号,2', 'stratum', 'code_unknown', 'no code “330282118”'),
        ('浒山街道,330282004001,浒山2号,2', 'stratum', 'code_unknown', 'Codes, not names'),
        ('3.30E+08,330282004001,浒山2号,2', 'stratum', 'code_mangled', 'as text'),
        ('330282004,3.30282E+11,浒山2号,2', 'psu', 'code_mangled', 'turned the code into a number'),
        ('330282004.0,330282004001,浒山2号,2', 'stratum', 'code_mangled', 'as text'),
        ('330282006,330282006001,古塘1号,2', 'stratum', 'town_not_in_wave', 'Gutang Subdistrict'),
        ('330282004,330282004999,浒山2号,2', 'psu', 'code_unknown', '330282004999'),
        ('330282004,330282108201,附海9号,2', 'psu', 'village_elsewhere', 'Fuhai Town'),
        ('330282004,330282004001,浒山1号,2', 'unit', 'unit_twice', 'already in line 2'),
        ('330282004,330282004001,浒山2号,0', 'size', 'size_zero', 'could never be drawn'),
        ('330282004,330282004001,浒山2号,-3', 'size', 'size_wrong', '“-3”'),
        ('330282004,330282004001,浒山2号,2.5', 'size', 'size_wrong', '“2.5”'),
        ('330282004,330282004001,浒山2号,两', 'size', 'size_wrong', '“两”'),
        ('330282004,330282004001,浒山2号,9999999', 'size', 'size_wrong', '“9999999”'),
        ('330282004,330282004001,浒山2号,', 'size', 'cell_empty', 'is empty'),
        ('330282004,330282004001,,2', 'unit', 'cell_empty', '“unit” is empty'),
        (f'330282004,330282004001,{"长" * 201},2', 'unit', 'cell_long', '200 characters'),
        ('330282004,330282004001,浒山2号', '', 'cells_missing', 'quotation marks'),
    ],
)
def test_a_faulty_row_is_named_with_line_column_and_cure(app, row, place, code, sentence):
    text = HEADING + GOOD + row + '\n'
    assert told(text) == [(3, place, code)]
    with app.test_request_context('/?lang=en'):
        assert sentence in i18n.problem_text(faults(text).problems[0])


@pytest.mark.parametrize(
    ('content', 'code'),
    [
        (b'', 'empty_file'),
        (b'  \n', 'empty_file'),
        (HEADING.encode(), 'no_rows'),
        (b'PK\x03\x04rest of a workbook', 'workbook_damaged'),
        (b'\xd0\xcf\x11\xe0old workbook', 'old_workbook'),
        (b'\x81\x00\xff\xff\xfe', 'encoding'),
        (b'town,village\n1,2\n', 'column_missing'),
        (b'stratum,psu,unit,size,size\n', 'column_twice'),
        (HEADING.encode() + b'"330282004,330282004001,a,1\n', 'csv_broken'),
    ],
)
def test_a_file_that_is_no_such_table_says_what_it_is(content, code):
    assert code in [problem.code for problem in faults(content).problems]


def test_all_missing_columns_are_named_together_with_those_found():
    found = faults('town,place\n1,2\n')
    assert [problem.where for problem in found.problems] == ['stratum', 'psu', 'unit', 'size']
    assert 'town, place' in found.problems[0].text()


def test_faults_are_counted_all_and_shown_to_a_hundred():
    rows = ''.join(f'{HUSHAN},330282004001,浒山{n}号,0\n' for n in range(250))
    found = faults(HEADING + rows)
    assert (len(found.problems), found.total) == (100, 250)
    assert [problem.line for problem in found.problems] == list(range(2, 102))


def test_faults_of_different_kinds_come_at_once():
    rows = '1,330282004001,a,1\n' + GOOD + f'{HUSHAN},330282004001,b,x\n'
    assert [line for line, _where, _code in told(HEADING + rows)] == [2, 4]


def test_faults_are_told_in_the_order_of_the_lines():
    rows = f'1,330282004001,a,1\n{HUSHAN},330282004001,,1\n{HUSHAN},330282004001,b,x\n'
    assert [line for line, _where, _code in told(HEADING + rows)] == [2, 3, 4]


@pytest.mark.parametrize(
    ('encoding', 'shown'),
    [('utf-8', 'UTF-8'), ('utf-8-sig', 'UTF-8'), ('gb18030', 'GB18030'), ('utf-16', 'UTF-16')],
)
def test_files_as_spreadsheets_save_them_are_read(encoding, shown):
    parsed = frame.parse((HEADING + GOOD).encode(encoding), TOWNS)
    assert [unit.unit for unit in parsed.units] == ['浒山1号']
    assert parsed.encoding == shown


def test_chinese_headings_other_columns_order_and_empty_lines_do_not_matter():
    text = f'备注,人数,地址,村社代码,镇街代码\nx,2,"浒山,1号",330282004001,{HUSHAN}\n\n,,,,\n'
    (unit,) = frame.parse(text.encode(), TOWNS).units
    assert unit == frame.Unit(HUSHAN, '330282004001', '浒山,1号', 2)


def test_the_preview_counts_by_town_before_anything_is_stored(database):
    with database.transaction() as session:
        make.create(session)
        make.load_populations(session)
    parsed = frame.parse(make.frame_text().encode(), TOWNS)
    hushan, fuhai = parsed.by_town()
    assert (hushan.town_code, hushan.psus, hushan.units) == (HUSHAN, 3, 300)
    assert (fuhai.psus, fuhai.units, fuhai.adults) == (1, 100, 199)
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(FrameUnit.id))) == 0


def test_what_is_stored_is_what_was_previewed(database):
    with database.transaction() as session:
        make.create(session)
        make.load_populations(session)
        with pytest.raises(ProblemsFound) as found:
            frame.store(
                session,
                'autumn-2026',
                make.frame_text(5, 5).encode(),
                filename='f.csv',
                source='list',
                sha256='0' * 64,
                **ACT,
            )
    assert [problem.code for problem in found.value.problems] == ['another_file']


def test_a_stored_frame_has_the_hash_of_its_file_and_replaces_the_one_before(database):
    import hashlib

    with database.transaction() as session:
        make.create(session)
        make.load_populations(session)
        make.load_frame(session, text=make.frame_text(10, 10))
        make.load_frame(session)
    with database.reading() as session:
        stored = session.scalars(sa.select(Frame)).one()
        assert stored.sha256 == hashlib.sha256(make.frame_text().encode()).hexdigest()
        assert session.scalar(sa.select(sa.func.count(FrameUnit.id))) == 400
        assert [each.units for each in frame.counts(session, stored)] == [300, 100]


def test_frame_and_populations_do_not_change_under_a_sample(database):
    with database.transaction() as session:
        make.prepared(session)
    with pytest.raises(frame.SampleDrawn), database.transaction() as session:
        make.load_frame(session)
    with pytest.raises(frame.SampleDrawn), database.transaction() as session:
        make.load_populations(session)


def test_nothing_is_loaded_into_an_open_wave(database):
    with database.transaction() as session:
        make.opened(session)
    for load in (make.load_frame, make.load_populations):
        with pytest.raises(lifecycle.NotPlanned), database.transaction() as session:
            load(session)


def test_other_towns_make_the_loaded_frame_invalid(database):
    with database.transaction() as session:
        make.create(session)
        make.load_populations(session)
        make.load_frame(session)
        make.load_populations(session, text='town_code,adults,source\n330282004,5,x\n')
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Frame.id))) == 0


def test_the_pattern_is_itself_a_sound_frame_of_all_360_villages():
    content = frame.template(households=2)
    assert content.startswith('\ufeff'.encode())
    parsed = frame.parse(content, set(places.towns()))
    assert len(parsed.units) == 720
    assert sum(town.psus for town in parsed.by_town()) == 360
    assert [town.town_code for town in parsed.by_town()] == list(places.towns())


def population_faults(text):
    with pytest.raises(table.TableRefused) as refused:
        populations.parse(text.encode())
    return [(problem.line, problem.code) for problem in refused.value.problems]


def test_populations_need_known_towns_once_with_a_number_and_a_source():
    rows = '330282999,5,x\n330282004,0,x\n330282004,5,\n330282108,5,x\n330282108,6,x\n'
    assert population_faults('town_code,adults,source\n' + rows) == [
        (2, 'code_unknown'),
        (3, 'adults_wrong'),
        (4, 'cell_empty'),
        (6, 'town_twice'),
    ]


def test_a_name_beside_another_towns_code_is_noticed():
    rows = '330282004,浒山街道,5,x\n330282108,浒山街道,5,x\n330282109,,5,x\n'
    heading = 'town_code,town,adults,source\n'
    assert population_faults(heading + rows) == [(3, 'town_other')]


def test_populations_take_thousands_separators_and_name_what_is_missing():
    parsed = populations.parse(b'town_code,adults,source\n330282004,"115,000",y\n')
    assert parsed.total == 115_000
    assert len(parsed.missing()) == 17


def test_the_shipped_demonstration_figures_are_sound_and_say_what_they_are(database):
    folder = populations.places.FOLDER
    parsed = populations.parse((folder / 'demonstration-population.csv').read_bytes())
    assert (len(parsed.rows), parsed.missing()) == (18, [])
    assert all('not real' in row.source for row in parsed.rows)
    from cixi_survey.questionnaire import definition

    baseline = definition.load_file(factories.BASELINE)
    margins = populations.parse_margins(
        (folder / 'demonstration-margins.csv').read_bytes(), baseline
    )
    assert {row.variable for row in margins.rows} == {'sex', 'age', 'hukou'}


def margin_faults(text):
    with pytest.raises(table.TableRefused) as refused:
        populations.parse_margins(
            ('variable,category,share,source\n' + text).encode(), factories.small()
        )
    return [problem.code for problem in refused.value.problems]


@pytest.mark.parametrize(
    ('rows', 'expected'),
    [
        ('gender,male,0.5,x\n', ['variable_unknown']),
        ('did,sorted,0.5,x\n', ['variable_unknown']),
        ('age,old,0.5,x\n', ['category_unknown']),
        ('age,a18_39,1.5,x\n', ['share_wrong']),
        ('age,a18_39,0,x\n', ['share_wrong']),
        ('age,a18_39,half,x\n', ['share_wrong']),
        ('age,a18_39,0.5,x\nage,a18_39,0.5,x\n', ['category_twice']),
        ('age,under18,0.5,x\nage,a40_up,0.5,x\n', ['category_lacking']),
        ('age,under18,0.1,x\nage,a18_39,0.5,x\nage,a40_up,0.5,x\n', ['shares_sum']),
    ],
)
def test_margins_must_fit_the_questionnaire_and_add_up(rows, expected):
    assert margin_faults(rows) == expected


def test_shares_that_miss_one_by_rounding_are_evened_out():
    rows = 'age,under18,0.1%,x\nage,a18_39,44.9%,x\nage,a40_up,54.9%,x\n'
    text = 'variable,category,share,source\n' + rows
    parsed = populations.parse_margins(text.encode(), factories.small())
    assert sum(row.share for row in parsed.rows) == pytest.approx(1, abs=1e-12)


def test_a_category_that_the_screening_ends_need_not_be_given():
    text = 'variable,category,share,source\nage,a18_39,0.5,x\nage,a40_up,0.5,x\n'
    assert len(populations.parse_margins(text.encode(), factories.small()).rows) == 2


def test_margins_are_stored_replaced_and_removed(database):
    content = make.MARGINS.encode()
    sha256 = populations.parse_margins(content, factories.small()).sha256
    with database.transaction() as session:
        make.create(session)
        for _ in range(2):
            populations.store_margins(session, 'autumn-2026', content, sha256=sha256, **ACT)
    with database.reading() as session:
        wave = session.scalars(sa.select(Wave)).one()
        assert {margin.category: margin.share for margin in wave.margins}['a40_up'] == 0.55
    with database.transaction() as session:
        populations.remove_margins(session, 'autumn-2026', **ACT)
    with database.reading() as session:
        assert session.scalars(sa.select(Wave)).one().margins == []


def test_a_file_travels_through_the_page_unchanged_and_damage_is_noticed():
    content = make.frame_text().encode('gb18030')
    parcel = uploads.pack(content)
    assert uploads.unpack(parcel) == content
    for damaged in (parcel[:-20], 'x' + parcel, '', '中文'):
        with pytest.raises(ProblemsFound):
            uploads.unpack(damaged)


def test_a_hundred_thousand_addresses_fit_through_the_page():
    import random

    chance = random.Random(1)
    rows = [
        f'330282004,33028200400{chance.randint(1, 9)},浒山街道新城大道{chance.randint(1, 999)}弄'
        f'{chance.randint(1, 99)}号{chance.randint(101, 1899)}室#{n},{chance.randint(1, 5)}'
        for n in range(40_000)
    ]
    assert uploads.pack('\n'.join(rows).encode())


def test_a_downloaded_table_runs_no_formula_and_keeps_its_chinese():
    content = table.write(['unit'], [['=HYPERLINK("x")'], ['+1'], ['-1'], ['@x'], ['浒山1号']])
    lines = content.decode('utf-8-sig').splitlines()
    assert content.startswith(b'\xef\xbb\xbf')
    assert lines[1:] == ['"\'=HYPERLINK(""x"")"', "'+1", "'-1", "'@x", '浒山1号']
