# Messages stand unbroken here, so that they are found by what a person reads.
# ruff: noqa: E501

"""Forms made with other tools: what is taken over, what is said about the rest, and where."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

import pytest
import xlsxwriter

from cixi_survey.questionnaire import xlsform
from tests.questionnaire.xlsform.forms import OPENING, SETTINGS, YESNO, form, workbook


def problems(content: bytes) -> list[str]:
    return [problem.text() for problem in xlsform.read(content).problems]


def remarks(content: bytes) -> list[str]:
    return [remark.text() for remark in xlsform.read(content).remarks]


def questions(content: bytes) -> list[dict]:
    found = xlsform.read(content)
    return [question for section in found.data['sections'] for question in section['questions']]


def test_a_form_of_another_tool_becomes_a_questionnaire() -> None:
    found = xlsform.read(
        form(
            ('start', 'start'),
            ('begin_group', 'Parks', 'Parks in the town'),
            ('note', 'about', 'Think of the park that is nearest.'),
            ('select_one yesno', 'Visited', 'Have you been there this year?', '', 'yes'),
            (
                'integer',
                'Visits',
                'How often?',
                "${Visited} = 'yes'",
                '',
                '. > 0',
                'At least once.',
            ),
            ('text', 'why', 'Why not?', "${Visited} = 'no'"),
            ('end_group',),
            heading=('relevant', 'required', 'constraint', 'constraint_message::English (en)'),
        )
    )
    assert found.problems == ()
    assert found.questionnaire is not None
    assert found.questionnaire.languages == ('en',)
    assert found.questionnaire.name == 'parks'
    (section,) = found.questionnaire.sections
    assert section.introduction == {'en': 'Think of the park that is nearest.'}
    visited, visits, why = section.questions
    assert (visited.name, visited.type, visited.options, visited.required) == (
        'visited',
        'single',
        'yesno',
        True,
    )
    assert (visits.relevant, visits.constraint) == ("${visited} = 'yes'", '. > 0')
    assert visits.constraint_message == {'en': 'At least once.'}
    assert (why.type, why.relevant) == ('text', "${visited} = 'no'")
    assert [remark.text() for remark in found.remarks] == [
        'sheet “survey”, row 4, column A: “start” is not collected here, to protect those who answer.',
        'sheet “survey”, row 5, column B: Names are small letters, digits and _ here; these were changed: Parks → parks, Visited → visited, Visits → visits',
    ]


def test_the_languages_are_those_of_the_headings_the_default_first() -> None:
    content = workbook(
        survey=[
            ('type', 'name', 'label::English (en)', 'label::中文 (zh)'),
            ('note', 'hello', 'Hello.', '您好。'),
            ('note', 'cixi_notice', 'Voluntary.', '自愿。'),
            ('text', 'a', 'Why?', '为什么？'),
        ],
        settings=[
            (
                'form_title',
                'cixi_title::English (en)',
                'form_id',
                'default_language',
                'cixi_minutes',
                'cixi_notice_version',
            ),
            ('公园', 'Parks', 'parks', '中文 (zh)', 3, '1'),
        ],
    )
    found = xlsform.read(content)
    assert found.questionnaire is not None
    assert found.questionnaire.languages == ('zh', 'en')
    assert found.questionnaire.title == {'zh': '公园', 'en': 'Parks'}


def test_texts_without_a_language_are_taken_for_what_they_are_written_in() -> None:
    survey = [('type', 'name', 'label'), ('note', 'hello', '您好。'), ('text', 'a', '为什么？')]
    assert xlsform.read(workbook(survey=survey)).data['languages'] == ['zh']
    survey = [('type', 'name', 'label'), ('note', 'hello', 'Hello.'), ('text', 'a', 'Why?')]
    assert xlsform.read(workbook(survey=survey)).data['languages'] == ['en']


def test_a_table_list_is_a_grid_and_likert_is_a_scale() -> None:
    grid, scale = questions(
        form(
            ('begin_group', 'views', 'Views'),
            ('begin_group', 'fields', 'Are these good?', 'table-list'),
            ('select_one yesno', 'water', 'Water', '', 'yes'),
            ('select_one yesno', 'air', 'Air', '', 'yes'),
            ('end_group',),
            ('select_one yesno', 'overall', 'And overall?', 'likert'),
            ('end_group',),
            heading=('appearance', 'required'),
        )
    )
    assert (grid['type'], grid['options'], grid['required']) == ('grid', 'yesno', True)
    assert [row['name'] for row in grid['rows']] == ['water', 'air']
    assert scale['type'] == 'scale'


def test_the_condition_of_a_group_goes_to_each_of_its_questions() -> None:
    first, second, third = questions(
        form(
            ('select_one yesno', 'a', 'A?'),
            ('begin_group', 'outer', 'Outer', "${a} = 'yes'"),
            ('text', 'b', 'B?'),
            ('begin_group', 'inner', 'Inner', "${a} != 'no'"),
            ('text', 'c', 'C?', 'string-length(${b}) > 2'),
            ('end_group',),
            ('end_group',),
            heading=('relevant',),
        )
    )
    assert 'relevant' not in first
    assert second['relevant'] == "${a} = 'yes'"
    assert third['relevant'] == "(${a} = 'yes') and ((${a} != 'no') and (string-length(${b}) > 2))"


def test_a_note_before_a_question_becomes_part_of_its_hint() -> None:
    content = form(
        ('begin_group', 'g', 'G'),
        ('text', 'a', 'A?'),
        ('note', 'n', 'Now think of the river.'),
        ('text', 'b', 'B?', 'In a few words.'),
        ('end_group',),
        heading=('hint::English (en)',),
    )
    assert questions(content)[1]['hint'] == {'en': 'Now think of the river.\n\nIn a few words.'}
    assert remarks(content) == [
        'sheet “survey”, row 6, column A: The note was put into the hint of the question after it, “b”.'
    ]


def test_towns_and_villages_are_marked_in_a_column() -> None:
    town, village = questions(
        form(
            ('select_one t', 'town', 'Town?', 'town'),
            ('select_one v', 'village', 'Village?', 'village', 't = ${town}'),
            heading=('cixi_type', 'choice_filter'),
        )
    )
    assert (town['type'], village['type']) == ('town', 'village')
    assert 'options' not in town


def test_a_whole_number_in_a_cell_is_a_value_and_not_a_fraction() -> None:
    content = form(
        ('select_one n', 'a', 'A?'),
        choices=[('list_name', 'name', 'label::English (en)'), ('n', 1, 'One'), ('n', 2.0, 2026)],
    )
    found = xlsform.read(content)
    assert found.problems == ()
    assert found.data['options'] == {
        'n': [
            {'value': '1', 'label': {'en': 'One'}},
            {'value': '2', 'label': {'en': '2026'}},
        ]
    }


def test_rows_that_are_switched_off_are_not_there() -> None:
    content = form(('text', 'a', 'A?'), ('text', 'b', 'B?', 'yes'), heading=('disabled',))
    assert [question['name'] for question in questions(content)] == ['a']


ONE_FAULT = {
    'no counterpart': (
        form(('decimal', 'a', 'A?'), ('text', 'b', 'B?')),
        ['sheet “survey”, row 4, column A: There is no type “decimal” here; the question is left out. Use “integer”, in a smaller unit if need be.'],
    ),
    'mistyped': (
        form(('selct_one yesno', 'a', 'A?'), ('text', 'b', 'B?')),
        ['sheet “survey”, row 4, column A: There is no type “selct_one yesno” here; the question is left out. Did you mean “select_one”?'],
    ),
    'without type': (
        form(('', 'a', 'A?'), ('text', 'b', 'B?')),
        ['sheet “survey”, row 4, column A: This row has no type. Possible are: select_one, select_multiple, integer, text, note, begin_group, end_group'],
    ),
    'repeat': (
        form(('begin_repeat', 'kids', 'Kids'), ('text', 'a', 'A?'), ('end_repeat',), ('text', 'b', 'B?')),
        ['sheet “survey”, row 4, column A: Questions cannot be repeated here; all of “kids” is left out. Ask once, or write the questions out.'],
    ),
    'or other': (
        form(
            ('begin_group', 'g', 'G', 'table-list'),
            ('select_one yesno or_other', 'a', 'A?'),
            ('end_group',),
            heading=('appearance',),
        ),
        ['sheet “survey”, row 5, column A: In a grid there is no “or_other”; the rows have their list only. Add an option for it, or ask this row as a question of its own.'],
    ),
    'default': (
        form(('text', 'a', 'A?', 'none'), heading=('default',)),
        ['sheet “survey”, row 4, column D: “default” is not carried over. Leave it out: no answer is filled in beforehand here.'],
    ),
    'cascade': (
        form(('select_one yesno', 'a', 'A?', 'x = 1'), heading=('choice_filter',)),
        ['sheet “survey”, row 4, column D: “choice_filter” is not carried over. Only villages follow the town (see docs/questionnaire.md).'],
    ),
    'requiredness as condition': (
        form(('text', 'a', 'A?', '${b} = 1'), heading=('required',)),
        ['sheet “survey”, row 4, column D: “${b} = 1” is neither yes nor no. Write yes or no.'],
    ),
    'open group': (
        form(('begin_group', 'g', 'G'), ('text', 'a', 'A?')),
        ['sheet “survey”, row 4, column A: This group is not ended. Add a row “end_group” where it ends.'],
    ),
    'group ended twice': (
        form(('begin_group', 'g', 'G'), ('text', 'a', 'A?'), ('end_group',), ('end_group',)),
        ['sheet “survey”, row 7, column A: No group is open here. Remove this row, or add “begin_group” where the group begins.'],
    ),
    'note at the end': (
        form(('text', 'a', 'A?'), ('note', 'bye', 'Good bye.')),
        ['sheet “survey”, row 5, column A: This note has no place: no question follows it in the section. Move the text to the beginning of the section or to the hint of a question.'],
    ),
    'note with condition': (
        form(('begin_group', 'g', 'G'), ('note', 'n', 'Hi.', '1 = 1'), ('text', 'a', 'A?'), ('end_group',), heading=('relevant',)),
        ['sheet “survey”, row 5, column D: A text cannot have a condition; it is shown to all. Say in the text whom it is for, or ask it as a question.'],
    ),
    'two lists in a grid': (
        form(
            ('begin_group', 'g', 'G', 'table-list'), ('select_one yesno', 'a', 'A'), ('select_one others', 'b', 'B'), ('end_group',),
            heading=('appearance',),
        ),
        ['sheet “survey”, row 6, column A: In a grid every row is a “select_one” of the same list. Move this question behind the group.'],
    ),
    'text in a grid': (
        form(
            ('begin_group', 'g', 'G', 'table-list'), ('select_one yesno', 'a', 'A'), ('text', 'b', 'B'), ('end_group',),
            heading=('appearance',),
        ),
        ['sheet “survey”, row 6, column A: In a grid every row is a “select_one” of the same list. Move this question behind the group.'],
    ),
    'condition of a grid row': (
        form(
            ('begin_group', 'g', 'G', 'table-list'), ('select_one yesno', 'a', 'A', '', "${b} = 1"), ('end_group',),
            heading=('appearance', 'relevant'),
        ),
        ['sheet “survey”, row 5, column E: A row of a grid has no “relevant” of its own. Give it to the group, or ask this row as a question of its own.'],
    ),
    'unknown list': (
        form(('select_one yesnoo', 'a', 'A?')),
        ['sheet “survey”, row 4, column A: There is no option list “yesnoo”. Did you mean “yesno”?'],
    ),
    'name twice': (
        form(('text', 'a', 'A?'), ('text', 'a', 'B?')),
        ['sheet “survey”, row 5, column B: “a” has been used before. Give each its own name.'],
    ),
    'question without text': (
        form(('text', 'a')),
        ['sheet “survey”, row 4, column C: The text in language “en” is missing. Fill in the column of this language.'],
    ),
    'condition that cannot be read': (
        form(('text', 'a', 'A?'), ('text', 'b', 'B?', '${a} == 1'), heading=('relevant',)),
        ['sheet “survey”, row 5, column D: “==” is not used in expressions. Write ='],
    ),
    'function of other tools': (
        form(('text', 'a', 'A?'), ('text', 'b', 'B?', "coalesce(${a}, 'x') = 'x'"), heading=('relevant',)),
        ['sheet “survey”, row 5, column D: There is no function “coalesce”. Possible are: not, selected, count-selected, string-length, regex, true, false'],
    ),
    'later question': (
        form(('text', 'a', 'A?', "${b} = 'x'"), ('text', 'b', 'B?'), heading=('relevant',)),
        ['sheet “survey”, row 4, column D: “b” is not asked before this condition is needed. Refer to earlier questions only, or move the question up.'],
    ),
    'knowledge item without source': (
        form(('select_one yesno', 'a', 'A?', 'yes', 'Because.'), heading=('cixi_right', 'cixi_explanation::English (en)')),
        ['sheet “survey”, row 4, column A: The knowledge item “a” has no “source”. Fill in the column cixi_source: where the right answer is found.'],
    ),
    'date in place of a value': (
        form(
            ('select_one n', 'a', 'A?'),
            choices=[('list_name', 'name', 'label::English (en)'), ('n', datetime(2026, 1, 4, tzinfo=UTC), 'One to four'), ('n', 'x', 'X')],
        ),
        ['sheet “choices”, row 2, column B: The spreadsheet has turned this cell into a date (2026-01-04). Format the column as text and type the value again.'],
    ),
    'option without list': (
        form(('text', 'a', 'A?'), choices=[*YESNO, ('', 'x', 'X')]),
        ['sheet “choices”, row 4, column A: This option belongs to no list. Fill in the column list_name.'],
    ),
    'option without value': (
        form(('text', 'a', 'A?'), choices=[*YESNO, ('yesno', '', 'X')]),
        ['sheet “choices”, row 4, column A: “value” is missing here. Fill in the column for it.'],
    ),
    'value that cannot be one': (
        form(('text', 'a', 'A?'), choices=[*YESNO, ('yesno', '也许', 'X')]),
        ['sheet “choices”, row 4, column B: “也许” cannot be used as a name here. Use letters, digits, _ . and -, 64 at most, no blanks.'],
    ),
    'language that cannot be told': (
        form(('text', 'a', 'A?'), heading=('hint::Elvish',)),
        ['sheet “survey”, row 1, column D: It cannot be told which language “Elvish” is. Write the language with its code, as in “label::English (en)”.'],
    ),
    'column twice': (
        form(('text', 'a', 'A?', 'x', 'y'), heading=('hint::English (en)', 'hint::en')),
        ['sheet “survey”, row 1, column E: The column “hint::en” stands twice. Keep one of them; the first was read.'],
    ),
    'minutes in words': (
        form(('text', 'a', 'A?'), settings=[SETTINGS[0], ('Parks', 'parks', 'three', '1')]),
        [
            'sheet “settings”, row 2, column A: The form does not say how long it takes. Write the minutes as cixi_minutes on the sheet “settings”.',
            'sheet “settings”, row 2, column C: “three” is no whole number. Write it with digits only.',
        ],
    ),
    'target of no indicator': (
        form(('text', 'a', 'A?'), cixi_targets=[('indicator', 'basis', 'value'), ('k', 'plan', 80)]),
        ['sheet “cixi_targets”, row 2, column A: There is no indicator “k”. Write the name of an indicator of the sheet cixi_indicators.'],
    ),
    'scores that are none': (
        form(
            ('select_one yesno', 'a', 'A?'),
            cixi_indicators=[
                ('name', 'family', 'scale', 'rule', 'items', 'scores', 'label::en', 'definition::en'),
                ('k', 'satisfaction', 'score', 'mean_score', 'a', 'yes: 100', 'K', 'K'),
            ],
        ),
        [
            'sheet “cixi_indicators”, row 2, column A: The rule “mean_score” needs “scores”. Say which answers count, and how.',
            'sheet “cixi_indicators”, row 2, column F: “yes: 100” cannot be read as scores. Write each answer with its score, as in: good=100 fair=60 bad=0',
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize('name', ONE_FAULT)
def test_a_fault_is_said_with_its_sheet_row_and_column_and_its_cure(name: str) -> None:
    content, said = ONE_FAULT[name]
    assert problems(content) == said


def test_what_a_foreign_form_cannot_have_is_asked_for() -> None:
    content = workbook(survey=[('type', 'name', 'label'), ('text', 'a', 'A?')])
    assert problems(content) == [
        'sheet “survey”, row 1, column A: The form has no title. Fill in form_title on the sheet “settings”.',
        'sheet “survey”, row 1, column A: The form has no introduction. Write it as a row of type “note” before the first group.',
        'sheet “survey”, row 1, column A: The form has no privacy notice. Write it as a row of type “note” with the name cixi_notice before the first group.',
        'sheet “survey”, row 1, column A: The privacy notice has no version. Write it as cixi_notice_version on the sheet “settings”, for example 2026-11.',
        'sheet “survey”, row 1, column A: The form does not say how long it takes. Write the minutes as cixi_minutes on the sheet “settings”.',
    ]


def test_all_faults_are_said_at_once_in_the_order_of_the_workbook() -> None:
    content = form(
        ('image', 'photo', 'A photo'),
        ('select_one none', 'a', 'A?', 'x'),
        choices=[*YESNO, ('', 'x', 'X')],
        settings=[('form_title', 'form_id'), ('Parks', 'parks')],
        heading=('default',),
    )
    found = xlsform.read(content)
    assert [(one.sheet, one.line, one.code) for one in found.problems] == [
        ('survey', 4, 'type_unknown'),
        ('survey', 5, 'unknown_list'),
        ('survey', 5, 'not_carried'),
        ('choices', 4, 'no_list'),
        ('settings', 2, 'no_version'),
        ('settings', 2, 'no_minutes'),
    ]
    assert found.questionnaire is None
    assert [
        question['name'] for section in found.data['sections'] for question in section['questions']
    ] == ['a']


def test_sheets_and_columns_of_nobody_are_named_and_passed_over() -> None:
    content = form(
        ('text', 'a', 'A?', 'x', 'y', 'z.png'),
        heading=('comment', 'guidance_hint::English (en)', 'media::image'),
        Notes=[('internal',)],
        _mine=[('internal',)],
    )
    assert problems(content) == []
    assert remarks(content) == [
        'sheet “survey”, row 1, column D: The column “comment” is not read.',
        'sheet “survey”, row 4, column A: Questions that stand in no group were put into a section of their own.',
        'sheet “survey”, row 4, column E: “guidance_hint” is not carried over.',
        'sheet “survey”, row 4, column F: “media::image” is not carried over.',
        'sheet “Notes”: The sheet “Notes” is not read.',
    ]


def test_two_names_that_would_become_one_stay_two() -> None:
    content = form(('text', 'Q.1', 'A?'), ('text', 'Q-1', 'B?'), ('text', '', 'C?'))
    assert [question['name'] for question in questions(content)] == ['q_1', 'q_1_2', 'q6']
    assert problems(content) == []


def test_or_other_is_written_out_and_the_list_of_others_stays_as_it_is() -> None:
    content = form(
        ('select_one yesno or_other', 'A', 'A?', 'yes'),
        ('select_multiple fruit or_other', 'b', 'B?'),
        ('select_one yesno', 'd', 'D?'),
        heading=('required',),
        choices=(*YESNO, ('fruit', 'pear', 'Pear'), ('fruit', 'other', 'Something else')),
    )
    found = xlsform.read(content)
    assert found.problems == ()
    assert found.questionnaire is not None
    a, a_other, b, b_other, d = found.questionnaire.questions()
    values = [[each.value for each in found.questionnaire.options_of(one)] for one in (a, b, d)]
    assert values == [['yes', 'no', 'other'], ['pear', 'other'], ['yes', 'no']]
    assert found.questionnaire.options_of(b)[1].label == {'en': 'Something else'}
    assert (a_other.name, a_other.type, a_other.relevant) == ('a_other', 'text', "${a} = 'other'")
    assert (b_other.name, b_other.relevant) == ('b_other', "selected(${b}, 'other')")
    assert (a.required, a_other.required) == (True, False)
    assert list(found.questionnaire.options) == ['yesno']
    assert remarks(content)[1] == (
        'sheet “survey”, row 4, column A: “or_other” was written out: an answer “other”, and '
        '“a_other” after it.'
    )


def refused(content: bytes) -> list[str]:
    with pytest.raises(xlsform.NotAWorkbook) as found:
        xlsform.read(content)
    return [problem.text() for problem in found.value.problems]


def packed(**entries: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, 'w', zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name.replace('__', '/').replace('_dot_', '.'), content)
    return out.getvalue()


def test_what_is_no_workbook_is_refused_in_words() -> None:
    assert refused(b'format: 1\n') == [
        'This is not a workbook (.xlsx). Save it as .xlsx in the spreadsheet and upload that file.'
    ]
    assert refused(b'\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1') == [
        'This is a workbook in the old format (.xls), or one with a password. Open it in the spreadsheet and save it as .xlsx without a password.'
    ]
    assert refused(packed(a=b'x')) == refused(b'format: 1\n')
    macros = packed(xl__workbook_dot_xml=b'x', xl__vbaProject_dot_bin=b'x')
    assert refused(macros) == [
        'The workbook has macros (.xlsm). Save it in the spreadsheet as .xlsx, without macros.'
    ]
    assert refused(workbook(survey=[('type',)])[:-200])[0].startswith('The workbook is damaged, ')
    assert refused(workbook(Sheet1=[('a',)], Sheet2=[('b',)])) == [
        'There is no sheet “survey” in the workbook; it has: Sheet1, Sheet2. Name the sheet with the questions “survey”.'
    ]


def test_a_small_file_cannot_fill_the_memory() -> None:
    bomb = packed(xl__workbook_dot_xml=b'x', xl__worksheets__sheet1_dot_xml=b'0' * 40_000_000)
    assert len(bomb) < 100_000
    assert refused(bomb) == [
        'The workbook is too large. Remove pictures and sheets that are not needed.'
    ]


def test_a_forgotten_cell_at_the_far_corner_is_found_before_it_costs_the_memory() -> None:
    out = io.BytesIO()
    book = xlsxwriter.Workbook(out)
    sheet = book.add_worksheet('survey')
    sheet.write('A1', 'type')
    sheet.write('XFD1048576', 'x')
    book.close()
    assert refused(out.getvalue()) == [
        'A sheet reaches as far as row 1048576, column XFD. Delete the empty rows and columns behind the table, and save it again.'
    ]


def test_the_opening_notes_are_the_introduction_and_the_notice() -> None:
    found = xlsform.read(form(('text', 'a', 'A?')))
    assert found.data['introduction'] == {'en': OPENING[0][2]}
    assert found.data['notice'] == {'version': '2026-11', 'text': {'en': OPENING[1][2]}}


def test_languages_are_known_by_their_names_too() -> None:
    content = workbook(
        survey=[
            ('type', 'name', 'label::Chinese', 'label::英语', 'label::Ukrainian (uk)'),
            ('text', 'a', '为什么？', 'Why?', 'Чому?'),
        ]
    )
    assert xlsform.read(content).data['languages'] == ['zh', 'en', 'uk']
