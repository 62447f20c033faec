"""The pages of the question library, and putting a question into a draft."""

from __future__ import annotations

import html
import re
from pathlib import Path

import pytest

from cixi_survey import clock
from cixi_survey.authoring import drafts, reading, shelf
from cixi_survey.authoring.drafts import Edit, Writer
from cixi_survey.models import AuditEntry, QuestionnaireDraft
from cixi_survey.questionnaire import definition, library
from tests import factories
from tests.authoring.desk import BLANK
from tests.questionnaire.test_library import BANK

ADDRESS = '/staff/questionnaires/library'
BASELINE = definition.load_file(factories.BASELINE)
BEGUN = """format: 1
name: begun
languages: [zh]
sections:
  - name: one
    title: {zh: 一}
    questions: []
"""
SMALL = (factories.FIXTURES / 'small.yaml').read_text(encoding='utf-8')


@pytest.fixture
def organiser(client, app_database):
    return client, factories.sign_in(client, app_database, 'organiser')


def shown(page) -> str:
    text = page.get_data(as_text=True).partition('<main')[2]
    return ' '.join(html.unescape(re.sub(r'<[^>]+>', ' ', text)).split())


def draft(app_database, staff, text: str = SMALL) -> int:
    with app_database.transaction() as session:
        return drafts.create(session, text, Writer('zhang', staff.id), clock.now()).id


def source_of(app_database, number: int) -> str:
    with app_database.reading() as session:
        return session.get_one(QuestionnaireDraft, number).source


def key_of(bank: str, name: str) -> str:
    text = (shelf.SHIPPED / f'{bank}.yaml').read_text(encoding='utf-8')
    return next(item.key for item in library.load(text).items if item.question.name == name)


def put(client, number: int, key: str, section: object = 0, **more: str):
    data = {'csrf_token': client.token(), 'key': key, 'section': str(section), **more}
    return client.post(f'/staff/questionnaires/drafts/{number}/library', data=data)


def test_a_question_is_found_by_word_kind_and_bank(organiser):
    client, _staff = organiser
    page = shown(client.get(f'{ADDRESS}?words=浙东引水'))
    assert '1道题' in page
    assert '慈溪河里的水，有一部分靠哪个工程从外面引来？' in page
    assert '知识题' in page
    assert '规划 第一章 二、（二）；第八章 一、（三）' in page
    assert '51道题' in shown(client.get(f'{ADDRESS}?kind=knowledge'))
    assert '26道题' in shown(client.get(f'{ADDRESS}?home=satisfaction'))
    assert '8道题' in shown(client.get(f'{ADDRESS}?home=knowledge/water'))
    assert '没有符合的题' in shown(client.get(f'{ADDRESS}?words=飞机'))
    english = shown(client.get(f'{ADDRESS}?words=hotline 12345&lang=en'))
    assert 'Which number can be called' in english


def test_the_pages_of_the_library_keep_what_was_asked_for(organiser):
    client, _staff = organiser
    page = client.get(f'{ADDRESS}?kind=knowledge&page=2').get_data(as_text=True)
    assert 'aria-current="page"' in page
    assert 'kind=knowledge' in html.unescape(page.partition('rel="next" href="')[2][:200])
    assert client.get(f'{ADDRESS}?page=999').status_code == 200
    assert client.get(f'{ADDRESS}?page=-5').status_code == 200


def test_where_a_question_was_asked_is_said_with_it(organiser, app_database):
    client, _staff = organiser
    with app_database.transaction() as session:
        version = factories.publish(session, BASELINE)
        factories.wave(session, questionnaire=BASELINE, title_zh='2026年秋季调查')
        sha256 = version.sha256
    page = shown(client.get(f'{ADDRESS}?words=建设满意不满意&home=asked'))
    assert f'用过的版本： cixi-eco-baseline {sha256[:12]} ；2026年秋季调查' in page
    # Known from the bank and from the version, and yet one question.
    assert '1道题' in page
    # Questions that no bank has are there as well.
    assert '世界环境日' not in shown(client.get(f'{ADDRESS}?words=sat_noise&home=asked'))
    assert '在您住的这一带，下面几方面' in shown(
        client.get(f'{ADDRESS}?words=噪声的控制&kind=grid')
    )


def test_a_question_goes_into_the_draft_and_leaves_all_else_as_it_was(organiser, app_database):
    client, staff = organiser
    number = draft(app_database, staff)
    page = client.get(f'{ADDRESS}?words=k_pm25&draft={number}').get_data(as_text=True)
    assert '放入草稿' in page
    assert re.findall(r'<option value="(\d)"[^>]*>(开始|看法|知识)</option>', page) == [
        ('0', '开始'),
        ('1', '看法'),
        ('2', '知识'),
    ]
    done = put(client, number, key_of('knowledge', 'k_pm25'), 2, words='k_pm25')
    assert done.status_code == 303
    assert f'draft={number}&section=2' in done.location
    assert '“k_pm25”已放入草稿' in shown(client.get(done.location))
    text = source_of(app_database, number)
    assert (
        text.replace(text[len(SMALL.partition('screening:')[0]) : text.index('screening:')], '')
        == SMALL
    )
    questionnaire = definition.load(text)
    (*_, last) = questionnaire.sections[2].questions
    assert last.name == 'k_pm25'
    assert last.right == 'fine'
    assert last.source
    with app_database.reading() as session:
        assert session.query(AuditEntry).filter_by(action='draft.create').count() == 1
        assert [each.act for each in drafts.saves(session, number)] == ['add', 'create']


def test_the_same_question_twice_has_two_names(organiser, app_database):
    client, staff = organiser
    number = draft(app_database, staff)
    for _ in range(2):
        put(client, number, key_of('knowledge', 'k_pm25'))
    names = [each.name for each in definition.load(source_of(app_database, number)).questions()]
    assert {'k_pm25', 'k_pm25_2'} <= set(names)


def test_a_list_that_the_draft_has_is_used_by_its_name(organiser, app_database):
    client, staff = organiser
    text = factories.BASELINE.read_text(encoding='utf-8')
    number = draft(app_database, staff, text)
    put(client, number, key_of('satisfaction', 'sat_smell'), 1)
    put(client, number, key_of('people', 'devices'), 1)
    found = definition.load(source_of(app_database, number))
    assert (
        next(one for one in found.questions() if one.name == 'sat_smell').options == 'satisfaction'
    )
    again = next(one for one in found.questions() if one.name == 'devices_2')
    assert again.options == 'device'
    assert again.rows[0].name == 'dev_toilet_2'


def test_a_draft_in_one_language_takes_the_texts_of_that_language(organiser, app_database):
    client, staff = organiser
    number = draft(app_database, staff, BEGUN)
    put(client, number, key_of('knowledge', 'k_led'))
    now = reading.of(source_of(app_database, number))
    assert now.value(('sections', 0, 'questions', 0, 'label')) == {
        'zh': '一样亮的灯，哪一种最省电？'
    }


def test_what_cannot_be_done_is_refused_in_words(organiser, app_database):
    client, staff = organiser
    number = draft(app_database, staff)
    key = key_of('knowledge', 'k_led')
    assert put(client, number, 'nothing').status_code == 404
    assert put(client, number, key, 7).status_code == 404
    assert put(client, number, key, 'x').status_code == 404
    assert put(client, 999, key).status_code == 404
    assert source_of(app_database, number) == SMALL
    broken = draft(app_database, staff, 'a: [b\n')
    refused = put(client, broken, key)
    assert refused.status_code == 409
    assert '要先改好文件' in shown(refused)


def test_only_those_who_edit_put_questions_into_drafts(client, app_database):
    with app_database.transaction() as session:
        other = factories.staff(session, 'organiser', username='li')
        session.flush()
        number = drafts.create(session, SMALL, Writer('li', other.id), clock.now()).id
    assert put(client, number, 'x').location.startswith('/staff/sign-in')
    assert client.get(ADDRESS).location.startswith('/staff/sign-in')
    factories.sign_in(client, app_database, 'statistician')
    page = client.get(f'{ADDRESS}?draft={number}').get_data(as_text=True)
    assert '放入草稿' not in page
    assert put(client, number, 'x').status_code == 403


def test_the_offices_own_bank_stands_beside_the_shipped_ones(app, organiser):
    client, _staff = organiser
    folder = Path(app.config['SETTINGS'].data) / 'library'
    folder.mkdir(parents=True)
    (folder / 'anchors.yaml').write_text(BANK, encoding='utf-8')
    page = shown(client.get(f'{ADDRESS}?words=公园几点开门'))
    assert '1道题' in page
    assert '保密' in page
    (folder / 'broken.yaml').write_text(BANK.replace('right: six', 'right: ten'), encoding='utf-8')
    page = shown(client.get(f'{ADDRESS}?words=公园几点开门'))
    assert '文件broken.yaml不能用' in page
    assert '“ten”不是“k_open”的选项' in page
    assert '1道题' in page


# --- asked before ---------------------------------------------------------------------------------


def test_a_question_knows_which_waves_asked_it_and_what_is_different_now(desk):
    with desk.database.transaction() as session:
        factories.wave(session)
    where = f'{desk.address}/question/overall/asked?lang=en'
    with desk.database.transaction() as session:
        now = drafts.find(session, desk.id)
        edit = Edit(SMALL, 'write')
        drafts.save(session, desk.id, edit, Writer('x', now.changed_by), clock.now(), seen=1)
    page = shown(desk.client.get(where))
    assert 'same words, same answers' in page
    assert 'Test wave' in page
    desk.saved('question/overall', label__zh='总体来说满意吗？')
    page = shown(desk.client.get(where))
    assert 'other words or answers' in page
    assert '来说' in page
    desk.saved('question/adults', name='persons', label__zh='几口人？')
    page = shown(desk.client.get(f'{desk.address}/question/persons/asked?lang=en'))
    assert 'No published version has asked this' in page
    assert desk.client.get(f'{desk.address}/question/none/asked').status_code == 404


def test_a_knowledge_question_is_kept_secret_by_a_box_and_no_longer_without_a_key(desk):
    right = {'right_at': '0', 'explanation__zh': '因。', 'explanation__en': 'So.', 'source': '一'}
    desk.saved('question/sex', role='knowledge')
    desk.saved('question/sex', role='knowledge', secret='1', **right)
    assert desk.data('sections', 2, 'questions', 0, 'secret') is True
    assert definition.check_text(desk.source()) == ()
    desk.saved('question/sex')
    assert desk.data('sections', 2, 'questions', 0, 'secret') is True
    desk.saved('question/sex', role='ordinary')
    assert desk.source() == BLANK


def test_a_question_of_a_draft_is_put_into_the_bank_of_the_office_once(desk, app):
    asked = f'{desk.address}/question/sex/asked?lang=en'
    assert 'This question is in the library' in shown(desk.client.get(asked))
    for name in ('sex', 'hukou', 'sat_overall'):
        desk.saved(f'question/{name}', label__zh=f'{name}？', label__en=f'{name}?')
    assert 'Put into the library' in shown(desk.client.get(asked))
    for name in ('sex', 'hukou', 'sat_overall', 'sex'):
        form = {'csrf_token': desk.client.token()}
        done = desk.client.post(f'{desk.address}/question/{name}/library', data=form)
        assert done.status_code == 303
    text = (office_of(app) / 'office.yaml').read_text(encoding='utf-8')
    assert library.check(text) == ()
    bank = library.load(text)
    assert [(item.topic.name, item.question.name) for item in bank.items] == [
        ('about_you', 'sex'),
        ('about_you', 'hukou'),
        ('overall', 'sat_overall'),
    ]
    page = shown(desk.client.get(asked))
    assert 'This question is in the library' in page
    assert 'Put into the library' not in page
    assert 'sex？' in shown(desk.client.get(f'{ADDRESS}?home=office&lang=zh'))


def test_a_question_with_a_fault_does_not_spoil_the_bank(desk, app):
    form = {'csrf_token': desk.client.token()}
    desk.saved('question/hukou', label__zh='户口？')
    desk.client.post(f'{desk.address}/question/hukou/library', data=form)
    before = (office_of(app) / 'office.yaml').read_text(encoding='utf-8')
    desk.saved('question/sex', label__zh='性别？', label__en='')
    refused = desk.client.post(f'{desk.address}/question/sex/library?lang=en', data=form)
    assert refused.status_code == 409
    assert 'cannot go into the library yet' in shown(refused)
    assert (office_of(app) / 'office.yaml').read_text(encoding='utf-8') == before
    (office_of(app) / 'office.yaml').write_text('format: 1\n', encoding='utf-8')
    refused = desk.client.post(f'{desk.address}/question/hukou/library', data=form)
    assert 'own bank cannot be used' in shown(refused)
    assert refused.status_code == 409


def office_of(app) -> Path:
    return Path(app.config['SETTINGS'].data) / 'library'
