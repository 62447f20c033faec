"""A workbook becomes a draft: what it loses is said first, and what is no workbook is refused."""

from __future__ import annotations

import html
import io
import re
import zipfile

import openpyxl
import pytest
import sqlalchemy as sa

from cixi_survey import places
from cixi_survey.clock import now
from cixi_survey.models import QuestionnaireDraft
from cixi_survey.questionnaire import definition, xlsform
from tests import factories
from tests.questionnaire.xlsform import forms

NEW = '/staff/questionnaires/drafts/new'
XLSX = 'form.xlsx'
# As the form builder of KoboToolbox and authors of ODK write them.
SURVEY = (
    ('type', 'name', 'label::English (en)', 'label::中文 (zh)',
     'hint::English (en)', 'hint::中文 (zh)', 'required', 'relevant', 'constraint',
     'constraint_message::English (en)', 'constraint_message::中文 (zh)',
     'calculation', 'appearance'),
    ('start', 'start'),
    ('deviceid', 'deviceid'),
    ('note', 'intro', 'We ask about parks.', '我们想了解公园。'),
    ('begin_group', 'person', 'About you', '关于您'),
    ('integer', 'Age', 'How old are you?', '您多大年纪？', '', '', 'yes', '',
     '. >= 18 and . <= 120', '18 to 120', '请填18到120。'),
    ('calculate', 'adult', '', '', '', '', '', '', '', '', '', 'if(${Age} >= 18, 1, 0)'),
    ('select_one sex', 'sex', 'Sex', '性别', '', '', 'yes'),
    ('end_group',),
    ('begin_group', 'parks', 'Parks', '公园', '', '', '', '${Age} >= 18'),
    ('note', 'parks_note', 'Think of the last 12 months.', '请想想最近12个月。'),
    ('select_multiple uses or_other', 'uses', 'What for?', '做什么？', 'Several answers', '可多选'),
    ('select_one likert5', 'satisfied', 'Are you satisfied?', '您满意吗？', '', '', 'true',
     "selected(${uses}, 'walk')", '', '', '', '', 'likert'),
    ('text', 'why', 'Why?', '为什么？', '', '', '', "${satisfied} = '1' or ${satisfied} = '2'"),
    ('end_group',),
)  # fmt: skip
CHOICES = (
    ('list_name', 'name', 'label::English (en)', 'label::中文 (zh)'),
    *(('sex', 'f', 'Female', '女'), ('sex', 'm', 'Male', '男')),
    *(('uses', 'walk', 'Walking', '散步'), ('uses', 'play', 'Playing', '玩')),
    *(('likert5', number, str(number), f'{number}分') for number in range(1, 6)),
)
SETTINGS = (
    ('form_title', 'form_id', 'version', 'default_language', 'style'),
    ('公园调查', 'aBcD1234', 'v3 (2026-11)', '中文 (zh)', 'pages'),
)


def kobo() -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in (('survey', SURVEY), ('choices', CHOICES), ('settings', SETTINGS)):
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append([None if cell == '' else cell for cell in row])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def archive(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as file:
        for name, content in entries.items():
            file.writestr(name.replace('__', '/').replace('_dot_', '.'), content)
    return out.getvalue()


def text(response) -> str:
    return html.unescape(response.get_data(as_text=True))


def said(page: str, group: str) -> list[str]:
    """The lines of one of the lists, tags taken away."""
    found = re.search(f'<h2 id="{group}">.*?<ol class="faults">(.*?)</ol>', page, re.DOTALL)
    lines = re.findall('<li>(.*?)</li>', found[1], re.DOTALL) if found else []
    return [re.sub('<[^>]*>', ' ', line).strip() for line in lines]


class Desk:
    def __init__(self, client, database):
        self.client, self.database = client, database
        factories.sign_in(client, database, 'organiser')

    def upload(self, content, name=XLSX):
        fields = {'start': 'file', 'file': (io.BytesIO(content), name)}
        return self.post(fields)

    def post(self, fields):
        data = {'csrf_token': self.client.token(), **fields}
        return self.client.post(f'{NEW}?lang=en', data=data, content_type='multipart/form-data')

    def accept(self, page):
        shown = re.search(r'<textarea[^>]*name="text"[^>]*>\n(.*?)</textarea>', page, re.DOTALL)
        return self.post({'start': 'text', 'text': shown[1].replace('\n', '\r\n')})

    def drafts(self):
        with self.database.reading() as session:
            return session.scalars(sa.select(QuestionnaireDraft)).all()


@pytest.fixture
def desk(client, app_database):
    return Desk(client, app_database)


def test_what_a_form_of_another_tool_loses_is_said_with_its_cell_before_there_is_a_draft(desk):
    page = text(desk.upload(kobo()))
    assert desk.drafts() == []
    lost = said(page, 'lost')
    assert lost[0].startswith('Sheet “survey”, row 7, column A')
    assert 'There is no type “calculate” here' in lost[0]
    faults = ' '.join(said(page, 'faults'))
    assert 'The form has no privacy notice.' in faults
    assert 'The form does not say how long it takes.' in faults
    remarks = ' '.join(said(page, 'remarks'))
    assert '“deviceid” is not collected here, to protect those who answer.' in remarks
    assert 'Age → age' in remarks
    assert 'an answer “other”, and “uses_other” after it' in remarks

    done = desk.accept(page)
    assert done.status_code == 303
    [draft] = desk.drafts()
    assert draft.title == '公园调查'
    for part in (
        'constraint: ". >= 18 and . <= 120"',
        "(${age} >= 18) and (selected(${uses}, 'walk'))",
        'introduction: {zh: 请想想最近12个月。, en: Think of the last 12 months.}',
        'hint: {zh: 可多选, en: Several answers}',
        'type: scale',
        "relevant: selected(${uses}, 'other')",
    ):
        assert part in draft.source
    missing = {problem.code for problem in definition.check_text(draft.source)}
    assert missing == {'missing', 'missing_translation'}
    shown = text(desk.client.get(f'{done.location}/source?lang=en'))
    assert '“notice” is missing here' in shown


def test_what_was_written_here_comes_back_as_it_was_without_a_question(desk):
    ours = definition.load_file(factories.BASELINE)
    content = xlsform.write(ours, made=now(), towns=places.towns(), villages=places.villages())
    done = desk.upload(content)
    assert done.status_code == 303
    [draft] = desk.drafts()
    assert definition.load(draft.source, filename='draft').sha256 == ours.sha256


def test_with_remarks_only_nothing_is_called_lost(desk):
    page = text(desk.upload(forms.form(('text', 'Q1', 'What?'))))
    assert 'Everything in it was understood.' in page
    assert said(page, 'lost') == said(page, 'faults') == []
    assert 'Q1 → q1' in ' '.join(said(page, 'remarks'))
    desk.accept(page)
    [draft] = desk.drafts()
    assert definition.check_text(draft.source) == ()


@pytest.mark.parametrize(
    ('content', 'words'),
    [
        (b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1', 'old format (.xls), or one with a password'),
        (archive(word__document_dot_xml=b'x'), 'This is not a workbook (.xlsx).'),
        (archive(xl__workbook_dot_xml=b'x', xl__vbaProject_dot_bin=b'x'), 'has macros (.xlsm)'),
        (kobo()[:-300], 'The workbook is damaged'),
        (
            archive(xl__workbook_dot_xml=b'x', xl__worksheets__sheet1_dot_xml=b'0' * 40_000_000),
            'The workbook is too large.',
        ),
        (forms.workbook(Sheet1=[('a',)]), 'There is no sheet “survey” in the workbook'),
    ],
    ids=['old', 'not a workbook', 'macros', 'damaged', 'bomb', 'no form'],
)
def test_what_is_no_form_is_refused_in_words_beside_the_field(desk, content, words):
    response = desk.upload(content)
    assert response.status_code == 422
    assert words in text(response)
    assert desk.drafts() == []
