"""The staff pages: signing in, one's own password, accounts, what is waiting, the record."""

import re

import pytest
import sqlalchemy as sa
from argon2 import PasswordHasher

from cixi_survey import audit, clock
from cixi_survey.models import StaffSession
from cixi_survey.staff import accounts
from cixi_survey.staff.views import local_path
from tests import factories

GOOD = 'otter rides the 4 o’clock tram'
NEW = 'a heron waits at Shanglin lake'
PAGES = {
    '/staff': {'administrator', 'organiser', 'statistician'},
    '/staff/password': {'administrator', 'organiser', 'statistician'},
    '/staff/accounts': {'administrator'},
    '/staff/accounts/new': {'administrator'},
    '/staff/accounts/wang': {'administrator'},
    '/staff/audit': {'administrator'},
}
ACTS = ['deactivate', 'reactivate', 'password']


@pytest.fixture(autouse=True)
def light_hashes(monkeypatch):
    """Real Argon2 with little work: how strong it is set is the matter of test_accounts."""
    light = PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
    monkeypatch.setattr(accounts, '_hasher', lambda: light)
    accounts._hash_of_nobody.cache_clear()
    yield
    accounts._hash_of_nobody.cache_clear()


@pytest.fixture
def database(app):
    return app.extensions['cixi_database']


def make(database, username='li.wei', roles=('administrator',), **changes):
    with database.transaction() as session:
        return accounts.create(
            session,
            username=username,
            name='李伟',
            password=GOOD,
            roles=roles,
            actor='test',
            now=clock.now(),
            **changes,
        )


def post(client, address, **data):
    """Send a form as a person does: from its page, with the token of the page."""
    return client.post(address, data={'csrf_token': client.token(), **data})


def sign_in(client, username='li.wei', password=GOOD, **query):
    return client.post(
        '/staff/sign-in',
        query_string=query,
        data={'csrf_token': client.token(), 'username': username, 'password': password},
    )


def text(response):
    return response.get_data(as_text=True)


def test_signing_in_leads_to_what_is_waiting(client, database):
    make(database)
    response = sign_in(client)
    assert response.status_code == 303
    assert response.location == '/staff'
    assert '李伟' in text(client.get('/staff'))


def test_signing_in_leads_back_to_the_page_asked_for(client, database):
    make(database)
    asked = client.get('/staff/accounts?x=1').location
    assert sign_in(client, next='/staff/accounts?x=1').location == '/staff/accounts?x=1'
    assert asked.endswith('next=/staff/accounts?x%3D1')


@pytest.mark.parametrize(
    'address',
    [
        'https://evil.example',
        '//evil.example',
        '/\\evil.example',
        '\\\\evil.example',
        '/staff\n//evil',
        'staff',
        '',
        None,
        '/\t/evil.example',
    ],
)
def test_nobody_is_led_to_another_site_after_signing_in(app, address):
    with app.test_request_context():
        assert local_path(address) == '/staff'


def test_unknown_name_and_wrong_password_get_the_same_answer(client, database):
    make(database)
    wrong = sign_in(client, password='not the password')
    unknown = sign_in(client, username='nobody')
    assert wrong.status_code == unknown.status_code == 401
    clean = [re.sub(r'value="[^"]*"', '', text(page)) for page in (wrong, unknown)]
    assert clean[0] == clean[1]
    assert client.get('/staff').status_code == 302


def test_ten_wrong_passwords_for_an_account_are_enough_from_wherever(app, database):
    make(database)
    answers = []
    for number in range(11):
        stranger = app.test_client()
        environ = {'REMOTE_ADDR': f'10.0.0.{number}'}
        stranger.environ_base |= environ
        answers.append(sign_in(stranger, password=f'guess number {number}').status_code)
    assert answers == [401] * 10 + [429]


def test_one_address_cannot_try_many_accounts(client, database):
    answers = [sign_in(client, username=f'name{number}').status_code for number in range(21)]
    assert answers == [401] * 20 + [429]


def test_right_passwords_are_not_counted(app, database):
    make(database)
    for _ in range(12):
        assert sign_in(app.test_client()).status_code == 303


def test_the_cookie_holds_a_new_random_session_each_time(app, database):
    make(database)
    with database.reading() as session:
        before = set(session.scalars(sa.select(StaffSession.id)))
    for _ in range(2):
        sign_in(app.test_client())
    with database.reading() as session:
        assert len(set(session.scalars(sa.select(StaffSession.id))) - before) == 2


def test_a_cookie_from_before_signing_in_is_not_kept(client, database):
    make(database)
    with client.session_transaction() as cookie:
        cookie['planted'] = 'by somebody else'
    sign_in(client)
    with client.session_transaction() as cookie:
        assert 'planted' not in cookie


def test_signing_out_ends_the_session_in_the_database(client, database):
    make(database)
    sign_in(client)
    with client.session_transaction() as cookie:
        key = cookie['_user_id']
    assert post(client, '/staff/sign-out').location == '/staff/sign-in'
    with client.session_transaction() as cookie:
        cookie['_user_id'] = key
    assert client.get('/staff').status_code == 302


def test_signing_out_everywhere_ends_the_other_browser(app, client, database):
    make(database)
    other = app.test_client()
    sign_in(client)
    sign_in(other)
    post(client, '/staff/sign-out-everywhere')
    assert other.get('/staff').status_code == 302


def test_a_one_time_password_opens_nothing_but_its_own_change(client, database):
    make(database, must_change_password=True)
    sign_in(client)
    for address in ('/staff', '/staff/accounts', '/staff/audit'):
        assert client.get(address).location == '/staff/password'
    done = post(client, '/staff/password', old=GOOD, password=NEW, again=NEW)
    assert done.location == '/staff'
    assert client.get('/staff/accounts').status_code == 200


def test_a_weak_new_password_is_refused_beside_its_field(client, database):
    make(database)
    sign_in(client)
    page = post(client, '/staff/password', old=GOOD, password='short', again='short')
    assert page.status_code == 422
    assert 'id="f-password-error"' in text(page)
    page = post(client, '/staff/password', old=GOOD, password=NEW, again=NEW + '!')
    assert 'id="f-again-error"' in text(page)


def test_a_new_account_gets_a_password_that_is_shown_once(client, database):
    factories.sign_in(client, database, 'administrator')
    page = post(client, '/staff/accounts/new', username='wang', name='王芳', roles=['organiser'])
    password = re.search(r'<code id="one-time-password">([^<]+)</code>', text(page)).group(1)
    assert password not in text(client.get('/staff/accounts'))
    client.get('/staff/accounts')
    post(client, '/staff/sign-out')
    assert sign_in(client, 'wang', password).location == '/staff'
    assert client.get('/staff').location == '/staff/password'


def test_every_fault_of_a_new_account_stands_beside_its_field(client, database):
    factories.sign_in(client, database, 'administrator')
    page = post(client, '/staff/accounts/new', username='Zhang San', name='张三')
    assert page.status_code == 422
    assert 'id="f-username-error"' in text(page)
    assert 'id="f-roles-error"' in text(page)
    assert 'value="Zhang San"' in text(page)


def test_roles_are_changed_and_the_last_administrator_kept(client, database):
    factories.sign_in(client, database, 'administrator')
    make(database, 'wang', ['organiser'])
    done = post(client, '/staff/accounts/wang', roles=['statistician'])
    assert done.location == '/staff/accounts'
    refused = post(client, '/staff/accounts/zhang', roles=['organiser'])
    assert refused.status_code == 409
    assert client.get('/staff/accounts').status_code == 200


def test_deactivating_oneself_is_refused_with_a_page(client, database):
    factories.sign_in(client, database, 'administrator')
    make(database, 'wang')
    assert post(client, '/staff/accounts/zhang/deactivate').status_code == 409
    assert post(client, '/staff/accounts/wang/deactivate').status_code == 303
    assert post(client, '/staff/accounts/wang/reactivate').status_code == 303
    assert post(client, '/staff/accounts/nobody/deactivate').status_code == 404


def test_a_reset_password_is_shown_once_and_must_be_changed(client, database):
    factories.sign_in(client, database, 'administrator')
    make(database, 'wang', ['organiser'])
    page = text(post(client, '/staff/accounts/wang/password'))
    password = re.search(r'<code id="one-time-password">([^<]+)</code>', page).group(1)
    with database.reading() as session:
        assert accounts.verify(session, username='wang', password=password)
        assert accounts.account(session, 'wang').must_change_password


@pytest.mark.parametrize('role', ['administrator', 'organiser', 'statistician'])
def test_each_page_opens_for_its_roles_only(client, database, role):
    make(database, 'wang', ['organiser'])
    factories.sign_in(client, database, role)
    for address, allowed in PAGES.items():
        assert client.get(address).status_code == (200 if role in allowed else 403), address


def test_who_lacks_a_role_is_told_which_one_is_needed(client, database):
    factories.sign_in(client, database, 'organiser')
    assert '管理员' in text(client.get('/staff/accounts?lang=zh'))
    assert 'Administrator' in text(client.get('/staff/accounts?lang=en'))


@pytest.mark.parametrize('act', ACTS)
def test_an_act_on_an_account_is_for_administrators_and_never_a_link(client, database, act):
    make(database, 'wang', ['organiser'])
    address = f'/staff/accounts/wang/{act}'
    assert post(client, address).location.startswith('/staff/sign-in')
    factories.sign_in(client, database, 'organiser')
    assert post(client, address).status_code == 403
    assert client.get(address).status_code == 405


@pytest.mark.parametrize('address', ['/staff/sign-out', '/staff/sign-out-everywhere'])
def test_signing_out_is_never_a_link(client, database, address):
    factories.sign_in(client, database, 'organiser')
    assert client.get(address).status_code == 405


@pytest.mark.parametrize(
    ('state', 'prepared', 'step'),
    [
        ('planned', True, 'Load the sampling frame'),
        ('open', True, 'Answers are coming in'),
        ('closed', True, 'Compute the estimates'),
        ('estimated', True, 'publish the results'),
        ('published', True, 'the results are public'),
    ],
)
def test_home_says_the_next_step_of_each_wave(client, database, state, prepared, step):
    with database.transaction() as session:
        factories.wave(session, state=state)
    factories.sign_in(client, database, 'organiser')
    page = text(client.get('/staff?lang=en'))
    assert 'Test wave' in page
    assert step in page


def test_home_tells_an_administrator_how_to_begin(client, database):
    factories.sign_in(client, database, 'administrator')
    assert '/staff/accounts/new' in text(client.get('/staff'))


def test_the_record_names_who_did_what_and_shows_page_by_page(client, database):
    with database.transaction() as session:
        for number in range(60):
            audit.record(
                session,
                actor=f'person{number}',
                action='wave.edit' if number else 'staff.reset_password',
                subject='wave:x',
                now=clock.now(),
                details={'before': {'target_n': 1}, 'after': [1, 2]},
            )
    factories.sign_in(client, database, 'administrator')
    first = text(client.get('/staff/audit?lang=en'))
    assert 'person59' in first
    assert 'person1<' not in first
    second = text(client.get('/staff/audit?lang=en&page=2'))
    assert 'Password reset' in second
    assert 'person1<' in second
    assert 'The chain is whole' in text(client.get('/staff/audit?lang=en&verify=1'))
