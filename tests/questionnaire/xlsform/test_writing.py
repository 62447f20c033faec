"""A questionnaire goes out as an XLSForm that other tools take, and comes back as itself."""

from __future__ import annotations

import io
import re
import xml.etree.ElementTree as ET
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from python_calamine import CalamineWorkbook
from pyxform.xls2xform import convert

from cixi_survey import places
from cixi_survey.errors import ProblemsFound
from cixi_survey.questionnaire import definition, verify, xlsform
from cixi_survey.questionnaire.model import Questionnaire
from tests.factories import BASELINE
from tests.questionnaire.generated import questionnaires

FIXTURES = Path(__file__).parent.parent.parent / 'fixtures'
SHIPPED = (
    BASELINE,
    FIXTURES / 'small.yaml',
    FIXTURES / 'answering.yaml',
    FIXTURES / 'questionnaires' / 'valid.yaml',
)
MADE = datetime(2026, 11, 1, tzinfo=UTC)
XFORMS = '{http://www.w3.org/2002/xforms}'


def written(questionnaire: Questionnaire) -> bytes:
    return xlsform.write(questionnaire, made=MADE, towns=places.towns(), villages=places.villages())


def sheet(content: bytes, name: str) -> list[dict[str, str]]:
    rows = CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_name(name).to_python()
    return [dict(zip(map(str, rows[0]), map(str, row), strict=True)) for row in rows[1:]]


@pytest.fixture(scope='module')
def baseline() -> Questionnaire:
    return definition.load_file(BASELINE)


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_a_shipped_questionnaire_comes_back_with_the_same_name(path: Path) -> None:
    questionnaire = definition.load_file(path)
    back = xlsform.read(written(questionnaire))
    assert (back.problems, back.remarks) == ((), ())
    assert back.questionnaire is not None
    assert back.questionnaire.sha256 == questionnaire.sha256


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(questionnaires())
def test_any_questionnaire_comes_back_as_itself(questionnaire: Questionnaire) -> None:
    assert verify.verify(questionnaire) == []
    content = xlsform.write(
        questionnaire,
        made=MADE,
        towns={'t1': {'zh': '浒山'}},
        villages={'v1': ('一村', 't1')},
    )
    back = xlsform.read(content)
    assert [problem.text() for problem in back.problems] == []
    assert back.questionnaire is not None
    assert back.questionnaire.canonical() == questionnaire.canonical()


def test_the_same_questionnaire_gives_the_same_bytes(baseline: Questionnaire) -> None:
    assert written(baseline) == written(baseline)


@pytest.mark.parametrize('path', SHIPPED, ids=lambda path: path.stem)
def test_pyxform_takes_it_without_a_warning_and_finds_every_question(path: Path) -> None:
    questionnaire = definition.load_file(path)
    result = convert(io.BytesIO(written(questionnaire)), file_type='.xlsx')
    assert result.warnings == []
    form = ET.fromstring(result.xform)
    binds = {bind.get('nodeset', '').split('/')[-1]: bind for bind in form.iter(f'{XFORMS}bind')}
    for variable in questionnaire.variables():
        bind = binds[variable.name]
        assert (bind.get('required') == 'true()') == variable.question.required
        assert bind.get('constraint') == variable.question.constraint
    for question in questionnaire.questions():
        relevant = binds[question.name].get('relevant') if question.name in binds else None
        wanted = question.relevant and re.sub(r'\$\{(\w+)\}', r'\1', question.relevant)
        assert _without_paths(relevant) == _without_paths(wanted)
    asked = [each for each in form.iter() if each.tag in (f'{XFORMS}select1', f'{XFORMS}select')]
    rows = [variable for variable in questionnaire.variables() if variable.options]
    areas = [one for one in questionnaire.questions() if one.type in ('town', 'village')]
    grids = [one for one in questionnaire.questions() if one.type == 'grid']
    # pyxform adds one select to each table, which shows the labels of the columns.
    assert len(asked) == len(rows) + len(areas) + len(grids)


def _without_paths(condition: str | None) -> str | None:
    return condition and ' '.join(re.sub(r'/data/(?:\w+/)*', '', condition).split())


def test_the_villages_of_the_chosen_town_are_offered(baseline: Questionnaire) -> None:
    content = written(baseline)
    rows = {row['name']: row for row in sheet(content, 'survey')}
    assert rows['village']['choice_filter'] == 'town = ${town}'
    lists = sheet(content, 'choices')
    assert len([row for row in lists if row['list_name'] == 'towns']) == 18
    villages = [row for row in lists if row['list_name'] == 'villages']
    assert len(villages) == 360
    assert all(row['name'].startswith(row['town']) for row in villages)


def test_no_key_reaches_the_form_that_a_phone_loads(baseline: Questionnaire) -> None:
    result = convert(io.BytesIO(written(baseline)), file_type='.xlsx')
    for question in baseline.questions():
        for text in (question.explanation or {}).values():
            assert text not in result.xform
    assert 'cixi_right' not in result.xform


def test_a_text_that_looks_like_a_formula_stays_a_text(baseline: Questionnaire) -> None:
    dangerous = {'zh': '=HYPERLINK("http://x")', 'en': '@SUM(A1)'}
    content = written(baseline.model_copy(update={'title': dangerous}))
    with_formula = b'<f>'
    assert with_formula not in b''.join(_parts(content))
    assert sheet(content, 'settings')[0]['form_title'] == '=HYPERLINK("http://x")'


def _parts(content: bytes) -> list[bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return [archive.read(name) for name in archive.namelist()]


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('长' * 32_768, 'A cell of a workbook holds 32767 characters; this text has 32768.'),
        ('a\uffff', 'This text has a character that no workbook can hold.'),
    ],
)
def test_what_no_cell_can_hold_is_said_and_not_cut(
    baseline: Questionnaire, text: str, said: str
) -> None:
    texts = {'zh': text, 'en': 'x'}
    with pytest.raises(ProblemsFound) as found:
        written(baseline.model_copy(update={'introduction': texts}))
    (problem,) = found.value.problems
    assert problem.text().startswith(f'sheet “survey”, row 2, column C: {said} ')
