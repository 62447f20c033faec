"""The pages of drafts: who may, where a draft begins, its file, two people at once, undo."""

from __future__ import annotations

import io
import re

import pytest

from cixi_survey import clock
from cixi_survey.authoring import beginnings, drafts
from cixi_survey.authoring.drafts import Writer
from tests import factories

NEW = '/staff/questionnaires/drafts/new'
ALL = {'administrator', 'organiser', 'statistician'}


def text(response):
    return response.get_data(as_text=True)


def post(client, address, **data):
    return client.post(address, data={'csrf_token': client.token(), **data})


@pytest.fixture
def organiser(client, app_database):
    factories.sign_in(client, app_database, 'organiser')
    return client


@pytest.fixture
def draft(app_database):
    """A draft of somebody else."""
    with app_database.transaction() as session:
        writer = Writer('li', factories.staff(session, 'organiser', username='li').id)
        return drafts.create(session, beginnings.blank(), writer, clock.now())


def address(draft, page=''):
    return f'/staff/questionnaires/drafts/{draft.id}{page}'


def stored(app_database, draft):
    with app_database.reading() as session:
        return drafts.find(session, draft.id)


READ = ['/source', '/file', '/history', '/history/1']
ACTS = ['/source', '/undo', '/restore', '/delete']


@pytest.mark.parametrize('role', sorted(ALL))
def test_all_staff_read_drafts_and_organisers_change_them(client, app_database, draft, role):
    factories.sign_in(client, app_database, role)
    for page in READ:
        assert client.get(address(draft, page)).status_code == 200, page
    may = role == 'organiser'
    for page in ACTS:
        answer = post(client, address(draft, page)).status_code
        assert (answer == 403) != may, page
    assert (client.get(NEW).status_code == 200) == may
    assert (f'href="{NEW}"' in text(client.get('/staff/questionnaires'))) == may


def test_a_reader_sees_the_file_and_no_buttons(client, app_database, draft):
    factories.sign_in(client, app_database, 'statistician')
    page = text(client.get(address(draft, '/source')))
    assert 'sat_overall' in page
    assert '<textarea' not in page
    assert '撤销' not in page


def test_a_draft_begins_with_the_template(organiser, app_database):
    done = post(organiser, NEW, start='blank')
    assert done.status_code == 303
    page = text(organiser.get(done.location, follow_redirects=True))
    assert '新的公众调查' in page
    assert '新的公众调查' in text(organiser.get('/staff/questionnaires'))


def test_a_draft_begins_with_a_version_and_remembers_it(organiser, app_database):
    with app_database.transaction() as session:
        version = factories.publish(session)
    done = post(organiser, NEW, start='version', version=version.sha256)
    number = int(done.location.rsplit('/', 1)[1])
    with app_database.reading() as session:
        found = drafts.find(session, number)
    assert found.based_on == version.sha256
    assert factories.small().name in found.source


def test_a_draft_begins_with_a_file_that_comes_along(organiser, app_database):
    done = post(organiser, NEW, start='shipped', file_name='cixi-eco-baseline.yaml')
    assert '慈溪市生态文明公众调查' in text(organiser.get(done.location, follow_redirects=True))
    refused = post(organiser, NEW, start='shipped', file_name='../requirements.txt')
    assert refused.status_code == 422


def upload(client, content, name='mine.yaml'):
    data = {'csrf_token': client.token(), 'start': 'file', 'file': (io.BytesIO(content), name)}
    return client.post(NEW, data=data, content_type='multipart/form-data')


def test_a_file_with_faults_becomes_a_draft_that_shows_them(organiser, app_database):
    done = upload(organiser, beginnings.blank().replace('name: sex', 'name: Sex').encode())
    assert done.status_code == 303
    page = text(organiser.get(done.location + '/source'))
    line = beginnings.blank()[: beginnings.blank().index('name: sex')].count('\n') + 1
    assert f'data-line="{line}"' in page
    assert 'Sex' in page


@pytest.mark.parametrize(
    ('content', 'name', 'said'),
    [(b'', '', '没有选择文件'), ('标题'.encode('gbk'), 'x.yaml', 'UTF-8')],
)
def test_what_is_no_text_is_refused_with_the_reason(organiser, content, name, said):
    page = upload(organiser, content, name)
    assert page.status_code == 422
    assert said in text(page)


def test_the_file_is_changed_by_hand_and_faults_do_not_stop_it(organiser, app_database, draft):
    changed = draft.source.replace('sat_overall', 'sat_over all').replace('\n', '\r\n')
    done = post(organiser, address(draft, '/source'), source=changed, seen='1')
    assert done.status_code == 303
    found = stored(app_database, draft)
    assert found.source == draft.source.replace('sat_overall', 'sat_over all')
    assert '张三' in text(organiser.get(done.location))


@pytest.mark.parametrize('broken', ['a: [1\n', 'just a sentence\n', '\n', 'a: 1\na: 2\n'])
def test_a_file_that_is_no_questionnaire_is_kept_too(organiser, app_database, draft, broken):
    done = post(organiser, address(draft, '/source'), source=broken, seen='1')
    page = organiser.get(done.location)
    assert page.status_code == 200
    assert 'faults-title' in text(page)
    assert stored(app_database, draft).title == draft.title
    assert organiser.get(address(draft, '/history')).status_code == 200
    assert organiser.get(address(draft, '/file')).status_code == 200


def test_two_versions_of_the_file_are_both_shown_and_nothing_is_lost(
    organiser, app_database, draft
):
    theirs = draft.source.replace('minutes: 3', 'minutes: 4')
    mine = draft.source.replace('name: new-survey', 'name: my-survey')
    post(organiser, address(draft, '/source'), source=theirs, seen='1')
    page = post(organiser, address(draft, '/source'), source=mine, seen='1')
    assert page.status_code == 409
    shown = text(page)
    for line in ('minutes: 4', 'minutes: 3', 'name: my-survey', 'name: new-survey'):
        assert f'<code>{line}</code>' in shown
    assert stored(app_database, draft).source == theirs
    assert re.search(r'name="seen" value="2"', shown)
    kept = post(organiser, address(draft, '/source'), source=mine, seen='2')
    assert kept.status_code == 303
    assert stored(app_database, draft).source == mine


def test_undo_and_restore_through_the_pages(organiser, app_database, draft):
    post(organiser, address(draft, '/source'), source='title: {zh: 新}\n', seen='1')
    page = text(organiser.get(address(draft, '/history/2')))
    assert '<code>title: {zh: 新}</code>' in page
    post(organiser, address(draft, '/undo'), back=address(draft, '/source'))
    assert stored(app_database, draft).source == draft.source
    post(organiser, address(draft, '/restore'), revision='2')
    assert stored(app_database, draft).title == '新'
    assert post(organiser, address(draft, '/restore'), revision='77').status_code == 404


def test_undo_leads_back_to_a_page_of_this_draft_only(organiser, draft):
    post(organiser, address(draft, '/source'), source='title: {zh: 新}\n', seen='1')
    done = post(organiser, address(draft, '/undo'), back='https://elsewhere.example/')
    assert done.location == address(draft)


def test_nothing_to_undo_is_said(organiser, draft):
    assert post(organiser, address(draft, '/undo')).status_code == 409


def test_deleting_asks_first(organiser, app_database, draft):
    assert '删除草稿' in text(organiser.get(address(draft, '/delete')))
    assert stored(app_database, draft)
    assert post(organiser, address(draft, '/delete')).location == '/staff/questionnaires'
    assert organiser.get(address(draft, '/source')).status_code == 404


def test_a_draft_is_published_as_it_was_seen_and_says_so(organiser, app_database, draft):
    page = organiser.get(address(draft, '/publish'))
    assert '发布这份草稿' in text(page)
    assert post(organiser, address(draft, '/publish'), seen='7').status_code == 409
    done = post(organiser, address(draft, '/publish'), seen='1')
    assert done.status_code == 303
    kept = stored(app_database, draft)
    assert done.location.endswith(kept.published_sha256)
    assert kept.published_revision == 1
    assert organiser.get(done.location).status_code == 200
    assert '草稿的现状已经发布' in text(organiser.get(address(draft, '/publish')))
    assert kept.published_sha256 in text(organiser.get('/staff/questionnaires'))


def test_a_draft_with_faults_is_not_published_and_leads_to_them(organiser, app_database, draft):
    broken = draft.source.replace('minutes:', 'minuets:', 1)
    post(organiser, address(draft, '/source'), source=broken, seen='1')
    page = text(organiser.get(address(draft, '/publish')))
    assert re.search(rf'href="{address(draft, "/source")}#line-\d+"', page)
    assert '发布这份草稿' not in page
    assert post(organiser, address(draft, '/publish'), seen='2').status_code == 422
    assert stored(app_database, draft).published_sha256 is None


def test_publishing_shows_what_changes_against_the_version_it_is_based_on(
    organiser, app_database, draft
):
    first = post(organiser, address(draft, '/publish'), seen='1').location.rsplit('/', 1)[1]
    done = post(organiser, NEW, start='version', version=first)
    number = int(done.location.rsplit('/', 1)[1])
    own = f'/staff/questionnaires/drafts/{number}'
    with app_database.reading() as session:
        source = drafts.find(session, number).source
    changed = source.replace('新的公众调查', '改过的公众调查', 1)
    post(organiser, f'{own}/source', source=changed, seen='1')
    page = text(organiser.get(f'{own}/publish'))
    assert '与所依据的版本相比有哪些不同' in page
    assert '<ins>' in page


def test_only_those_who_may_publish_do(client, app_database, draft):
    factories.sign_in(client, app_database, 'statistician')
    page = text(client.get(address(draft, '/publish')))
    assert '组织者可以发布这份草稿' in page
    assert post(client, address(draft, '/publish'), seen='1').status_code == 403
