"""Translations side by side: what is missing, what may be out of date, two people, undo."""

from __future__ import annotations

import io
import re
from zipfile import ZipFile

import pytest

from cixi_survey import clock
from cixi_survey.authoring import drafts, reading, translations
from cixi_survey.authoring.drafts import Edit, Writer
from cixi_survey.questionnaire import definition
from tests import factories
from tests.authoring.desk import BASELINE, BLANK, text
from tests.authoring.forms import Form

PAGE = 'translations'
HOW_OLD = 'text.question/age/label'
SEX = 'text.question/sex/label'


def pairs(source, published=None, into='en'):
    languages = ('zh', 'en') if into == 'en' else ('en', 'zh')
    before = reading.of(published) if published else None
    return {each.name: each for each in translations.pairs(reading.of(source), *languages, before)}


def form(desk, query=''):
    page = desk.client.get(f'{desk.address}/{PAGE}?lang=en&{query}')
    assert page.status_code == 200
    return Form(text(page))


def sent(shown, **more):
    data = {**shown.fields, **{name: [value] for name, value in more.items()}}
    return {name: [each.replace('\n', '\r\n') for each in values] for name, values in data.items()}


def publish(desk, name='zhou'):
    with desk.database.transaction() as session:
        writer = Writer(name, factories.staff(session, 'organiser', username=name).id)
        seen = drafts.find(session, desk.id).revision
        drafts.publish(session, desk.id, writer, clock.now(), seen=seen)


@pytest.mark.parametrize('into', ['en', 'zh'])
def test_every_text_of_a_questionnaire_is_there_in_the_order_of_asking(into):
    found = pairs(BASELINE, into=into)
    assert len(found) == 272
    names = list(found)
    assert names[0] == 'general/title'
    assert names.index('section/home/title') < names.index('question/devices/label')
    for name in (
        'general/notice/text',
        'question/devices/rows/dev_toilet/label',
        'list/satisfaction/satisfied/label',
        'screening/#0/message',
        'indicator/knowledge/definition',
        'indicator/knowledge/targets/#0/label',
    ):
        pair = found[name]
        assert pair.source, name
        assert pair.target, name


def test_a_page_that_is_sent_as_it_was_shown_changes_not_one_byte(baseline):
    done = baseline.client.post(f'{baseline.address}/{PAGE}', data=sent(form(baseline)))
    assert done.status_code == 303
    assert baseline.source() == BASELINE


def test_translations_are_saved_as_one_step_and_undone_as_one(desk):
    shown = form(desk)
    long = 'What for:\n\nto learn.'
    done = desk.client.post(
        shown.action,
        data=sent(shown, **{HOW_OLD: 'Your age?', SEX: 'Sex?', 'text.general/notice/text': long}),
    )
    assert done.status_code == 303
    assert desk.data('sections', 0, 'questions', 1, 'label', 'en') == 'Your age?'
    assert desk.data('sections', 2, 'questions', 0, 'label', 'en') == 'Sex?'
    assert desk.data('notice', 'text', 'en') == f'{long}\n'
    assert definition.check_text(desk.source()) == ()
    history = text(desk.client.get(f'{desk.address}/history?lang=en'))
    assert 'Translations changed · English' in history
    desk.client.post(f'{desk.address}/undo', data={'csrf_token': desk.client.token()})
    assert desk.source() == BLANK


def test_what_is_missing_is_counted_and_shown_alone(desk):
    desk.saved('question/sex', options__0__label__en='', label__en='')
    found = pairs(desk.source())
    assert [each.name for each in found.values() if each.missing] == [
        'question/sex/label',
        'question/sex/options/male/label',
    ]
    shown = form(desk, 'only=missing')
    typed = [name for name in shown.fields if name.startswith('text.')]
    assert typed == ['text.question/sex/label', 'text.question/sex/options/male/label']
    done = desk.client.post(shown.action, data=sent(shown, **{SEX: 'Sex?'}))
    assert 'only=missing' in done.location
    again = Form(text(desk.client.get(done.location)))
    assert [name for name in again.fields if name.startswith('text.')] == typed[1:]
    desk.client.post(again.action, data=sent(again, **{typed[1]: 'Male'}))
    assert 'Nothing is missing' in text(desk.client.get(done.location))


def test_an_emptied_translation_is_missing_and_the_text_stays(desk):
    shown = form(desk)
    desk.client.post(shown.action, data=sent(shown, **{HOW_OLD: ' '}))
    assert desk.data('sections', 0, 'questions', 1, 'label', 'zh')
    assert {each.code for each in definition.check_text(desk.source())} == {'missing_translation'}


def test_a_translation_whose_source_was_changed_after_publication_may_be_out_of_date(desk):
    publish(desk)
    assert not any(each.changed for each in pairs(desk.source(), BLANK).values())
    desk.saved('question/age', label__zh='您现在几岁？')
    desk.saved('question/sex', label__zh='性别是？', label__en='What sex?')
    desk.saved('question/sex', 'options-add')
    found = pairs(desk.source(), BLANK)
    assert [each.name for each in found.values() if each.stale] == ['question/age/label']
    assert [each.name for each in found.values() if each.changed] == [
        'question/age/label',
        'question/sex/label',
        'question/sex/options/a1/label',
    ]
    page = text(desk.client.get(f'{desk.address}/{PAGE}?only=stale&lang=en'))
    assert re.search(r'您<del>.*?今年多大年纪</del>', page, re.S)
    assert re.search(r'<ins>.*?现在几岁</ins>？', page, re.S)
    shown = Form(page)
    desk.client.post(shown.action, data=sent(shown, **{HOW_OLD: 'How old are you now?'}))
    assert not any(each.stale for each in pairs(desk.source(), BLANK).values())


def test_moving_a_question_makes_no_translation_stale(desk):
    publish(desk)
    desk.saved('question/age', 'up')
    desk.saved('question/age', 'options-down:0')
    assert not any(each.changed for each in pairs(desk.source(), BLANK).values())


def test_the_same_words_elsewhere_are_offered(baseline):
    options = ('sections', 0, 'questions', 0, 'options')
    assert baseline.data(*options)
    baseline.saved('list/satisfaction', **{'0__label__en': ''})
    baseline.saved('section/home', title__zh='满意', title__en='Content')
    found = pairs(baseline.source())
    assert found['list/satisfaction/satisfied/label'].elsewhere == 'Content'
    assert found['section/home/title'].elsewhere == ''


# --- two people -----------------------------------------------------------------------------------


def test_two_people_at_different_texts_do_not_meet(desk):
    shown = form(desk)
    desk.saved('question/sex', label__en='Sex?', options__0__label__zh='男性')
    desk.saved('question/hukou', 'up')
    done = desk.client.post(shown.action, data=sent(shown, **{HOW_OLD: 'Your age?'}))
    assert done.status_code == 303
    found = pairs(desk.source())
    assert found['question/age/label'].target == 'Your age?'
    assert found['question/sex/label'].target == 'Sex?'


@pytest.mark.parametrize('theirs', [{'label__en': 'Age?'}, {'label__zh': '几岁了？'}])
def test_two_people_at_one_text_see_both_versions_and_lose_nothing(desk, theirs):
    shown = form(desk)
    desk.saved('question/age', **theirs)
    before = desk.source()
    page = desk.client.post(shown.action, data=sent(shown, **{HOW_OLD: 'Your age?', SEX: 'Sex?'}))
    assert page.status_code == 409
    assert desk.source() == before
    again = Form(text(page))
    assert (again.fields[HOW_OLD], again.fields[SEX]) == (['Your age?'], ['Sex?'])
    assert len(again.errors) == 1
    assert 'Age?' in again.errors[0] or 'text to be translated' in again.errors[0]
    assert desk.client.post(again.action, data=sent(again)).status_code == 303
    found = pairs(desk.source())
    assert found['question/age/label'].target == 'Your age?'
    assert found['question/sex/label'].target == 'Sex?'


def test_a_translation_whose_text_was_removed_is_given_back(desk):
    shown = form(desk)
    desk.send('question/hukou', 'remove')
    typed = {'text.question/hukou/label': 'Registered where?', SEX: 'Sex?'}
    page = desk.client.post(shown.action, data=sent(shown, **typed))
    assert page.status_code == 409
    assert 'Registered where?' in text(page)
    again = Form(text(page))
    assert again.fields[SEX] == ['Sex?']
    assert desk.client.post(again.action, data=sent(again)).status_code == 303


def test_a_language_that_was_taken_away_meanwhile_is_told(desk):
    shown = form(desk)
    desk.saved('general', languages=['zh'])
    page = desk.client.post(shown.action, data=sent(shown, **{HOW_OLD: 'Your age?'}))
    assert page.status_code == 409
    assert 'English is not a language of the questionnaire any more' in text(page)
    assert Form(text(page)).fields[HOW_OLD] == ['Your age?']


def test_saving_while_one_types_sends_only_what_was_altered(desk):
    shown = form(desk)
    live = {
        name: [value]
        for name, value in {
            'csrf_token': desk.client.token(),
            'source': 'zh',
            'target': 'en',
            '_live': '1',
            HOW_OLD: 'Your',
            HOW_OLD.replace('text.', 'seen.'): shown.fields[HOW_OLD.replace('text.', 'seen.')][0],
        }.items()
    }
    page = desk.client.post(shown.action, data=live)
    assert page.status_code == 200
    again = Form(text(page))
    assert [name for name in again.fields if name.startswith('text.')] == [HOW_OLD]
    live[HOW_OLD.replace('text.', 'seen.')] = again.fields[HOW_OLD.replace('text.', 'seen.')]
    desk.client.post(shown.action, data={**live, HOW_OLD: ['Your age?']})
    assert desk.data('sections', 0, 'questions', 1, 'label', 'en') == 'Your age?'
    desk.client.post(f'{desk.address}/undo', data={'csrf_token': desk.client.token()})
    assert desk.source() == BLANK


# --- a translator elsewhere -----------------------------------------------------------------------


def brought_back(desk, content, name='t.xlsx'):
    data = {'csrf_token': desk.client.token(), 'source': 'zh', 'target': 'en'}
    return desk.client.post(
        f'{desk.address}/{PAGE}/workbook?lang=en',
        data={**data, 'file': (io.BytesIO(content), name)},
        content_type='multipart/form-data',
    )


def test_a_workbook_goes_out_and_comes_back_with_the_guard_of_the_form(desk):
    address = f'{desk.address}/{PAGE}/workbook?source=zh&target=en'
    content = desk.client.get(address).data
    assert brought_back(desk, content).status_code == 303
    book = changed_cell(content, 'How old are you?', 'Your age?')
    page = brought_back(desk, book)
    assert page.status_code == 200
    assert 'role="status">Not saved yet' in text(page)
    shown = Form(text(page))
    assert [name for name in shown.fields if name.startswith('text.')] == [HOW_OLD]
    assert desk.source() == BLANK
    assert desk.client.post(shown.action, data=sent(shown)).status_code == 303
    assert desk.data('sections', 0, 'questions', 1, 'label', 'en') == 'Your age?'
    book = changed_cell(content, 'How old are you?', 'What age?')
    shown = Form(text(brought_back(desk, book)))
    assert any('Saved meanwhile: “Your age?”' in each for each in shown.errors)


def changed_cell(content, old, new):
    out = io.BytesIO()
    with ZipFile(io.BytesIO(content)) as archive, ZipFile(out, 'w') as copy:
        for entry in archive.namelist():
            data = archive.read(entry)
            copy.writestr(entry, data.replace(old.encode(), new.encode()))
    return out.getvalue()


def test_what_is_no_workbook_of_translations_is_said_beside_the_field(desk):
    for content, name in ((b'a,b', 't.csv'), (b'', '')):
        page = brought_back(desk, content, name)
        assert page.status_code == 422
        assert 'id="f-file-error"' in text(page)


# --- who, and what there may be -------------------------------------------------------------------


def test_a_reader_sees_the_texts_and_changes_nothing(desk, client, app_database):
    factories.sign_in(client, app_database, 'statistician', username='liu')
    page = text(client.get(f'{desk.address}/{PAGE}'))
    assert '<fieldset class="whole" disabled>' in page
    data = {'csrf_token': client.token(), 'target': 'en', HOW_OLD: 'x'}
    assert client.post(f'{desk.address}/{PAGE}', data=data).status_code == 403


def test_a_questionnaire_of_one_language_says_how_to_add_another(desk):
    desk.saved('general', languages=['zh'])
    page = text(desk.client.get(f'{desk.address}/{PAGE}?lang=en'))
    assert 'Add a language' in page
    assert '<textarea' not in page


def test_of_three_languages_two_are_chosen(desk):
    desk.saved('general', languages=['zh', 'en'])
    source = desk.source().replace('languages: [zh, en]', 'languages: [zh, en, fr]')
    with desk.database.transaction() as session:
        now = drafts.find(session, desk.id)
        edit, writer = Edit(source, 'write'), Writer('x', now.changed_by)
        drafts.save(session, desk.id, edit, writer, clock.now(), seen=now.revision)
    shown = form(desk, 'source=en&target=fr')
    desk.client.post(shown.action, data=sent(shown, **{HOW_OLD: 'Quel âge ?'}))
    assert desk.data('sections', 0, 'questions', 1, 'label', 'fr') == 'Quel âge ?'
    assert desk.data('sections', 0, 'questions', 1, 'label', 'en') == 'How old are you?'


def test_a_file_that_cannot_be_read_leads_to_the_file(desk):
    with desk.database.transaction() as session:
        now = drafts.find(session, desk.id)
        edit, writer = Edit('a: [\n', 'write'), Writer('x', now.changed_by)
        drafts.save(session, desk.id, edit, writer, clock.now(), seen=now.revision)
    assert desk.client.get(f'{desk.address}/{PAGE}').location.endswith('/source')
    data = {'csrf_token': desk.client.token(), 'target': 'en', HOW_OLD: 'x'}
    assert desk.client.post(f'{desk.address}/{PAGE}', data=data).status_code == 409
