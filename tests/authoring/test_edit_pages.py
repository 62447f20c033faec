"""The forms of the editor: what is typed comes into the file and nothing else, and back again."""

from __future__ import annotations

import pytest

from cixi_survey import clock
from cixi_survey.authoring import drafts, reading
from cixi_survey.authoring.drafts import Edit, Writer
from cixi_survey.questionnaire import definition
from tests import factories
from tests.authoring.desk import BASELINE, BLANK, Desk, text
from tests.authoring.forms import Form


def lines_changed(old, new):
    before, after = old.splitlines(), new.splitlines()
    return [line for line in after if line not in before], [
        line for line in before if line not in after
    ]


SOURCES = {
    'baseline': BASELINE,
    **{
        path.stem: path.read_text(encoding='utf-8')
        for path in sorted(factories.FIXTURES.glob('*.yaml'))
    },
}


@pytest.mark.parametrize('name', sorted(SOURCES))
def test_a_form_that_is_sent_as_it_was_shown_changes_not_one_byte(
    client, app_database, staff, name
):
    desk = Desk(client, app_database, staff, SOURCES[name])
    for part in reading.of(SOURCES[name]).parts:
        address = f'{part.kind}/{part.key}' if part.key else part.kind
        done = desk.send(address)
        assert done.status_code == 303, address
        assert desk.source() == SOURCES[name], address


def test_a_text_is_changed_in_its_line_alone(baseline):
    baseline.saved('question/resident', label__zh='您在慈溪住满半年了吗？')
    assert lines_changed(BASELINE, baseline.source()) == (
        ['          zh: 您在慈溪住满半年了吗？'],
        ['          zh: 最近12个月里，您在慈溪住满6个月了吗？'],
    )


def test_a_text_that_is_emptied_in_all_languages_goes_and_in_one_is_missed(desk):
    form = desk.saved('question/age', hint__zh='')
    assert any('Chinese' in error or '中文' in error for error in form.errors)
    desk.saved('question/age', hint__en='')
    assert desk.data('sections', 0, 'questions', 1, 'hint') is None
    assert definition.check_text(desk.source()) == ()


def test_what_the_checks_say_stands_beside_the_field(desk):
    desk.saved('question/sex', options__0__label__en='')
    page = text(desk.client.get(f'{desk.address}/question/sex?lang=en'))
    _before, _here, after = page.partition('id="f-options.0.label.en-error"')
    assert 'The text in English is missing.' in after[:120]
    assert 'name="options.0.label.en"' in after[:400]
    assert '1 to mend' in page
    assert 'aria-invalid="true"' in page


@pytest.mark.parametrize(
    ('do', 'expected'),
    [
        ('options-up:1', ['female', 'male']),
        ('options-down:0', ['female', 'male']),
        ('options-up:0', ['male', 'female']),
        ('options-remove:0', ['female']),
        ('options-place:0:2', ['female', 'male']),
        ('options-up:9', ['male', 'female']),
        ('options-up:x', ['male', 'female']),
    ],
)
def test_answers_are_moved_and_removed_by_buttons(desk, do, expected):
    desk.saved('question/sex', do)
    options = desk.data('sections', 2, 'questions', 0, 'options')
    assert [each['value'] for each in options] == expected


def test_answers_are_added_one_by_one_or_pasted(desk):
    desk.saved('question/sex', 'options-add')
    desk.saved('question/sex', 'options-several', several__options='不想说\n\n  其他  \n')
    options = desk.data('sections', 2, 'questions', 0, 'options')
    assert [each['label']['zh'] for each in options] == ['男', '女', '', '不想说', '其他']
    assert len({each['value'] for each in options}) == 5


def test_what_is_typed_is_kept_when_another_button_is_pressed(desk):
    desk.saved('question/sex', 'options-add', label__zh='性别是？')
    assert desk.data('sections', 2, 'questions', 0, 'label', 'zh') == '性别是？'


def test_a_renamed_variable_and_answer_are_followed_everywhere(desk):
    form = desk.saved('question/age', name='years', options__0__value='minor')
    assert form.action.endswith('/question/years')
    assert desk.data('screening', 1, 'when') == "${years} = 'minor'"
    assert definition.check_text(desk.source()) == ()


def test_a_knowledge_question_is_made_by_choosing(desk):
    desk.saved('question/sex', role='knowledge')
    form = desk.form('question/sex')
    assert 'Say where the right answer is found.' in str(form.errors) or len(form.errors) >= 2
    desk.saved(
        'question/sex',
        role='knowledge',
        right_at='1',
        explanation__zh='因为如此。',
        explanation__en='Because.',
        source='第一章',
    )
    question = desk.data('sections', 2, 'questions', 0)
    assert (question['right'], question['source']) == ('female', '第一章')
    assert definition.check_text(desk.source()) == ()
    desk.saved('question/sex', role='ordinary')
    assert 'right' not in desk.data('sections', 2, 'questions', 0)
    assert desk.source() == BLANK


def test_the_right_answers_of_several_are_ticked(desk):
    desk.saved('question/sex', type='multiple')
    desk.saved(
        'question/sex',
        role='knowledge',
        right_at=['0', '1'],
        explanation__zh='因为。',
        explanation__en='So.',
        source='一',
    )
    assert desk.data('sections', 2, 'questions', 0, 'right') == ['male', 'female']
    desk.saved('question/sex', type='single')
    assert desk.data('sections', 2, 'questions', 0, 'right') == 'male'
    assert definition.check_text(desk.source()) == ()


def test_an_attention_check_names_its_answer(desk):
    desk.saved('question/sex', role='attention', attention_at='0')
    assert desk.data('sections', 2, 'questions', 0, 'attention') == 'male'


@pytest.mark.parametrize('kind', ['multiple', 'scale', 'grid', 'integer', 'text', 'town'])
def test_with_another_type_come_and_go_the_keys_that_have_a_meaning(desk, kind):
    desk.saved('question/hukou', type=kind)
    codes = {problem.code for problem in definition.check_text(desk.source())}
    assert codes <= {'missing_translation'}
    desk.saved('question/hukou', type='single')
    assert definition.check_text(desk.source()) == () or kind in {'integer', 'text', 'town'}


def test_a_condition_is_put_together_by_choosing(desk):
    desk.saved(
        'question/hukou',
        relevant__mode='simple',
        relevant__rows__0__variable='sex',
        relevant__rows__0__op='is',
        relevant__rows__0__value='female',
        relevant__join='and',
    )
    path = ('sections', 2, 'questions', 1, 'relevant')
    assert desk.data(*path) == "${sex} = 'female'"
    form = desk.form('question/hukou')
    assert form.fields['relevant.mode'] == ['simple']
    assert form.fields['relevant.rows.0.value'] == ['female']
    desk.saved(
        'question/hukou',
        relevant__rows__1__variable='age',
        relevant__rows__1__op='is_not',
        relevant__rows__1__value='a70_up',
        relevant__join='or',
    )
    assert desk.data(*path) == "${sex} = 'female' or ${age} != 'a70_up'"
    desk.saved('question/hukou', relevant__mode='always')
    assert desk.source() == BLANK


def test_half_a_condition_is_asked_for_and_the_rest_is_saved(desk):
    page = desk.send(
        'question/hukou',
        hint__zh='看户口本。',
        hint__en='See the booklet.',
        relevant__mode='simple',
        relevant__rows__0__variable='sex',
    )
    assert page.status_code == 422
    form = Form(text(page))
    assert form.fields['relevant.rows.0.variable'] == ['sex']
    assert form.fields['relevant.mode'] == ['simple']
    assert any('Choose the answer.' in error for error in form.errors)
    assert desk.data('sections', 2, 'questions', 1, 'hint', 'zh') == '看户口本。'
    assert desk.data('sections', 2, 'questions', 1, 'relevant') is None


def test_a_condition_beyond_the_builder_stays_an_expression(desk):
    written = "not(${sex} = 'male' and ${age} = 'a70_up')"
    desk.saved('question/hukou', relevant__mode='expression', relevant__text=written)
    form = desk.form('question/hukou')
    assert form.fields['relevant.mode'] == ['expression']
    assert form.fields['relevant.text'] == [written]
    desk.saved('question/hukou', relevant__text='${sexx} = 1')
    assert any('sexx' in error for error in desk.form('question/hukou').errors)


def test_limits_of_a_number_and_of_several_answers(desk):
    desk.saved('question/hukou', type='integer')
    page = desk.send('question/hukou', constraint__mode='range', constraint__least='x')
    assert page.status_code == 422
    desk.saved(
        'question/hukou',
        constraint__mode='range',
        constraint__least='1',
        constraint__most='20',
        constraint_message__zh='1到20。',
        constraint_message__en='1 to 20.',
    )
    path = ('sections', 2, 'questions', 1)
    assert desk.data(*path, 'constraint') == '. >= 1 and . <= 20'
    assert definition.check_text(desk.source()) == ()
    desk.saved('question/hukou', constraint__mode='none')
    assert desk.data(*path, 'constraint_message') is None
    desk.saved('question/sex', type='multiple')
    desk.saved('question/sex', constraint__mode='alone', constraint__value='female')
    assert "selected(., 'female')" in desk.data('sections', 2, 'questions', 0, 'constraint')


def test_answers_are_shared_and_copied_again(desk):
    desk.saved('question/sex', 'share-answers')
    assert desk.data('sections', 2, 'questions', 0, 'options') == 'sex'
    assert desk.data('options', 'sex', 0, 'label', 'zh') == '男'
    desk.saved('list/sex', name='sexes', **{'0__label__zh': '男性'})
    assert desk.data('sections', 2, 'questions', 0, 'options') == 'sexes'
    desk.saved('question/sex', 'own-answers')
    assert desk.data('sections', 2, 'questions', 0, 'options', 0, 'label', 'zh') == '男性'
    desk.saved('question/sex', options__list='satisfaction')
    assert desk.data('sections', 2, 'questions', 0, 'options') == 'satisfaction'
    assert definition.check_text(desk.source()) == ()


def test_a_shared_answer_that_is_renamed_is_followed(baseline):
    baseline.saved('list/satisfaction', **{'0__value': 'very'})
    assert definition.check_text(baseline.source()) == ()
    assert baseline.data('indicators', 2, 'scores', 'very') == 100


def test_the_rows_of_a_grid(baseline):
    baseline.saved('question/devices', 'rows-several', several__rows='洗衣机\n热水器')
    rows = baseline.data('sections', 4, 'questions', 1, 'rows')
    assert [row['label']['zh'] for row in rows[-2:]] == ['洗衣机', '热水器']
    baseline.saved('question/devices', rows__0__name='dev_wc')
    assert 'dev_wc' in baseline.data('indicators', 9, 'items')


def test_questions_move_within_and_between_sections(desk):
    form = desk.saved('question/sat_overall', 'up')
    assert form.action.endswith('/question/sat_overall')
    assert [each['name'] for each in desk.data('sections', 0, 'questions')][-1] == 'sat_overall'
    desk.saved('question/sat_overall', 'down')
    desk.saved('question/sat_overall', 'place:2.1')
    names = [each['name'] for each in desk.data('sections', 2, 'questions')]
    assert names == ['sex', 'sat_overall', 'hukou']
    desk.saved('question/sat_overall', 'place:9.9')
    assert [each['name'] for each in desk.data('sections', 2, 'questions')] == names


def test_moving_by_the_outline_touches_no_field(desk):
    address = f'{desk.address}/question/age'
    moved = desk.client.post(address, data={'csrf_token': desk.client.token(), '_do': 'up'})
    assert moved.status_code == 303
    names = [each['name'] for each in desk.data('sections', 0, 'questions')]
    assert names[:2] == ['age', 'consent']
    assert desk.data('sections', 0, 'questions', 0, 'required') is True


def test_a_copy_has_names_of_its_own(baseline):
    form = baseline.saved('question/devices', 'copy')
    copied = baseline.data('sections', 4, 'questions', 2)
    assert form.action.endswith(f'/question/{copied["name"]}')
    assert definition.check_text(baseline.source()) == ()
    baseline.saved('section/home', 'copy')
    baseline.saved('indicator/knowledge', 'copy')
    assert definition.check_text(baseline.source()) == ()


def test_what_is_used_elsewhere_is_removed_only_after_a_question(desk):
    asked = desk.send('question/age', 'remove')
    assert asked.location.endswith('/question/age/remove')
    page = text(desk.client.get(asked.location + '?lang=en'))
    assert 'Ending early' in page
    form = {'csrf_token': desk.client.token(), '_do': 'remove', 'sure': '1'}
    done = desk.client.post(f'{desk.address}/question/age', data=form)
    assert done.status_code == 303
    names = [each['name'] for each in desk.data('sections', 0, 'questions')]
    assert 'age' not in names
    desk.client.post(f'{desk.address}/undo', data={'csrf_token': desk.client.token()})
    assert desk.source() == BLANK


def test_what_nothing_refers_to_is_removed_at_once(desk):
    done = desk.send('question/hukou', 'remove')
    assert done.location.endswith('/question/sex')
    desk.send('question/sex', 'remove')
    assert desk.data('sections', 2, 'questions') == []
    form = desk.form('section/about_you')
    assert form.errors


@pytest.mark.parametrize(
    'kind',
    [
        *('single', 'multiple', 'scale', 'grid', 'integer', 'text', 'town', 'village'),
        *('knowledge', 'attention'),
    ],
)
def test_a_new_question_of_each_kind_only_lacks_its_texts(desk, kind):
    page = desk.client.get(f'{desk.address}/add?section=overall&lang=en')
    assert f'value="{kind}"' in text(page)
    form = {'csrf_token': desk.client.token(), 'what': 'question', 'kind': kind}
    done = desk.client.post(f'{desk.address}/add', data={**form, 'section': 'overall'})
    assert done.status_code == 303
    assert Form(text(desk.client.get(done.location))).errors
    codes = {problem.code for problem in definition.check_text(desk.source())}
    assert codes <= {'missing_translation', 'wrong_kind', 'key_without_source'}
    assert len(desk.data('sections', 1, 'questions')) == 2


def test_a_question_is_added_after_another(desk):
    form = {'csrf_token': desk.client.token(), 'what': 'question', 'kind': 'text', 'after': 'age'}
    desk.client.post(f'{desk.address}/add', data=form)
    assert desk.data('sections', 0, 'questions', 2, 'type') == 'text'


@pytest.mark.parametrize('what', ['section', 'list', 'indicator', 'rule'])
def test_other_parts_are_added(desk, what):
    form = {'csrf_token': desk.client.token(), 'what': what, 'kind': 'satisfaction'}
    done = desk.client.post(f'{desk.address}/add', data=form)
    assert desk.client.get(done.location).status_code == 200
    assert desk.source() != BLANK


def test_screening_rules_are_written_moved_and_removed(desk):
    last = len(desk.data('screening'))
    desk.saved('screening', 'rule-add')
    form = desk.form('screening')
    assert form.errors
    rule = {
        'when__mode': 'simple',
        'when__rows__0__variable': 'hukou',
        'when__rows__0__op': 'is',
        'when__rows__0__value': 'migrant',
        'keep': 'outcome',
        'message__zh': '谢谢。',
        'message__en': 'Thank you.',
    }
    desk.saved('screening', **{f'{last}__{name}': value for name, value in rule.items()})
    found = desk.data('screening', last)
    assert (found['when'], found['keep']) == ("${hukou} = 'migrant'", 'outcome')
    assert definition.check_text(desk.source()) == ()
    desk.saved('screening', f'rule-up:{last}')
    desk.saved('screening', f'rule-down:{last - 1}')
    desk.saved('screening', f'rule-remove:{last}')
    assert desk.source() == BLANK


def test_an_indicator_is_changed_by_choosing(baseline):
    baseline.saved('indicator/green_travel', positive=['walk', 'bicycle', 'bus', 'ebike'])
    assert baseline.data('indicators', 7, 'positive') == ['walk', 'bicycle', 'bus', 'ebike']
    baseline.saved('indicator/green_travel', 'target-add')
    baseline.saved(
        'indicator/green_travel',
        targets__3__basis='other',
        targets__3__value='55.5',
        targets__3__label__zh='试点',
        targets__3__label__en='Pilot',
    )
    assert baseline.data('indicators', 7, 'targets', 3, 'value') == 55.5
    assert definition.check_text(baseline.source()) == ()
    baseline.saved('indicator/green_travel', 'target-remove:3')
    baseline.saved('indicator/satisfaction_share', rule='mean_score')
    assert baseline.data('indicators', 1, 'scale') == 'score'
    assert 'positive' not in baseline.data('indicators', 1)
    scores = {
        f'scores__{value}': str(score)
        for value, score in [
            ('satisfied', 100),
            ('rather_satisfied', 80),
            ('rather_dissatisfied', 30),
            ('dissatisfied', 0),
        ]
    }
    baseline.saved('indicator/satisfaction_share', **scores)
    assert definition.check_text(baseline.source()) == ()


def test_a_language_comes_and_goes_with_its_texts(desk):
    desk.saved('general', languages=['zh'])
    assert desk.data('languages') == ['zh']
    assert ' en:' not in desk.source()
    assert definition.check_text(desk.source()) == ()
    desk.saved('general', languages=['zh', 'en'])
    codes = {problem.code for problem in definition.check_text(desk.source())}
    assert codes == {'missing_translation'}


def test_what_is_no_number_is_kept_and_said(desk):
    desk.saved('general', minutes='about ten')
    form = desk.form('general')
    assert form.fields['minutes'] == ['about ten']
    assert form.errors
    desk.saved('general', minutes='１０')
    assert desk.data('minutes') == 10


# --- two people -----------------------------------------------------------------------------------


def test_two_people_at_two_questions_do_not_meet(desk):
    first, second = desk.form('question/age'), desk.form('question/sex')
    desk.client.post(first.action, data=first.sent(label__zh='几岁？'))
    done = desk.client.post(second.action, data=second.sent(label__zh='男女？'))
    assert done.status_code == 303
    assert desk.data('sections', 0, 'questions', 1, 'label', 'zh') == '几岁？'
    assert desk.data('sections', 2, 'questions', 0, 'label', 'zh') == '男女？'


def test_two_people_at_one_question_see_both_versions(desk):
    form = desk.form('question/age')
    desk.saved('question/age', label__zh='几岁？')
    page = desk.client.post(form.action, data=form.sent(label__zh='多大？', hint__zh='周岁'))
    assert page.status_code == 409
    shown = Form(text(page))
    assert shown.fields['label.zh'] == ['多大？']
    assert any('几岁？' in error for error in shown.errors)
    assert any('按周岁算。' in error for error in shown.errors)
    assert len(shown.errors) == 2
    assert desk.data('sections', 0, 'questions', 1, 'label', 'zh') == '几岁？'
    done = desk.client.post(shown.action, data=shown.sent())
    assert done.status_code == 303
    assert desk.data('sections', 0, 'questions', 1, 'label', 'zh') == '多大？'


def test_a_part_that_somebody_removed_is_told(desk):
    form = desk.form('question/hukou')
    desk.send('question/hukou', 'remove')
    gone = desk.client.post(form.action, data=form.sent(label__zh='户口？'))
    assert gone.status_code == 404
    back = desk.client.get(form.action)
    assert back.status_code == 302


def test_saving_as_one_types_is_one_step_and_leaves_names_alone(desk):
    form = desk.form('question/age')
    page = desk.client.post(form.action, data={**form.sent(label__zh='几'), '_live': ['1']})
    assert page.status_code == 200
    again = Form(text(page))
    live = {**again.sent(label__zh='几岁', name='ag'), '_live': ['1']}
    assert desk.client.post(again.action, data=live).status_code == 200
    assert desk.data('sections', 0, 'questions', 1, 'label', 'zh') == '几岁'
    assert desk.data('sections', 0, 'questions', 1, 'name') == 'age'
    desk.client.post(f'{desk.address}/undo', data={'csrf_token': desk.client.token()})
    assert desk.source() == BLANK


def test_a_reader_sees_the_forms_and_changes_nothing(desk, client, app_database):
    factories.sign_in(client, app_database, 'statistician', username='liu')
    page = client.get(f'{desk.address}/question/age')
    assert '<fieldset class="whole" disabled>' in text(page)
    sent = {'csrf_token': client.token(), '_do': 'remove', 'sure': '1'}
    assert client.post(f'{desk.address}/question/age', data=sent).status_code == 403
    assert client.get(f'{desk.address}/add').status_code == 403


@pytest.mark.parametrize(
    'source',
    [
        'format: 1\n',
        'sections: []\n',
        'sections: x\nindicators: {}\nscreening: 5\noptions: [a]\n',
        'sections:\n  - questions:\n      - {type: 5, options: {a: b}, label: x}\n      - text\n',
        'languages: [1, zh]\nsections:\n  - name: [a]\n    questions: []\n',
        'title: 5\nnotice: x\nsections:\n  - {name: a, questions: [{name: a}, {name: a}]}\n',
        'options: {"a/b": [{value: 1}], 5: x}\nsections: []\n',
    ],
)
def test_a_draft_of_any_shape_can_be_opened_and_saved(client, app_database, staff, source):
    desk = Desk(client, app_database, staff, source)
    for part in reading.of(source).parts:
        address = f'{part.kind}/{part.key}' if part.key else part.kind
        assert desk.send(address).status_code in {303, 422}, address
    for kind in ('section', 'question', 'list', 'indicator'):
        form = {'csrf_token': client.token(), 'what': kind, 'kind': 'single'}
        with app_database.transaction() as session:
            now = drafts.find(session, desk.id)
            edit = Edit(source, 'write')
            writer = Writer('x', staff.id)
            drafts.save(session, desk.id, edit, writer, clock.now(), seen=now.revision)
        answer = client.post(f'{desk.address}/add', data=form)
        assert answer.status_code in {303, 409}, kind


def test_a_file_that_cannot_be_read_leads_to_the_file(client, app_database, staff):
    desk = Desk(client, app_database, staff, 'a: [\n')
    assert client.get(desk.address).location.endswith('/source')
    form = {'csrf_token': client.token(), 'what': 'question', 'kind': 'single'}
    assert client.post(f'{desk.address}/add', data=form).status_code == 409
