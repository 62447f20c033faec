"""What holds for every address of the site."""

import pytest

from cixi_survey.access import PERMISSIONS

FRAMEWORK = {'static'}


def rules(app):
    return [rule for rule in app.url_map.iter_rules() if rule.endpoint not in FRAMEWORK]


def test_every_endpoint_states_its_policy(app):
    without = [
        rule.endpoint
        for rule in rules(app)
        if getattr(app.view_functions[rule.endpoint], 'policy', None)
        not in {'public', *PERMISSIONS}
    ]
    assert without == []


def test_every_staff_address_needs_a_permission_and_no_other_does(app):
    open_staff = {'staff.sign_in'}
    for rule in rules(app):
        policy = app.view_functions[rule.endpoint].policy
        if rule.rule.startswith('/staff') and rule.endpoint not in open_staff:
            assert policy in PERMISSIONS, rule
        elif not rule.rule.startswith('/staff'):
            assert policy == 'public', rule


def test_a_stranger_is_asked_to_sign_in_on_every_staff_address(app, client):
    for rule in rules(app):
        view = app.view_functions[rule.endpoint]
        if view.policy == 'public' or 'GET' not in rule.methods:
            continue
        values = dict.fromkeys(rule.arguments, '1')
        with app.test_request_context():
            address = rule.build(values)[1]
        response = client.get(address)
        assert response.status_code == 302, address
        assert response.location.startswith('/staff/sign-in'), address


def test_every_post_is_refused_without_a_token(app, client):
    for rule in rules(app):
        if 'POST' not in rule.methods:
            continue
        values = dict.fromkeys(rule.arguments, '1')
        with app.test_request_context():
            address = rule.build(values)[1]
        response = client.post(address, data={'anything': '1'})
        assert response.status_code in {400, 404}, (address, response.status_code)


def test_views_that_check_the_token_themselves_are_few_and_known(app):
    own = {
        rule.endpoint
        for rule in rules(app)
        if getattr(app.view_functions[rule.endpoint], 'checks_token', False)
    }
    assert {endpoint.split('.')[0] for endpoint in own} <= {'respond'}


@pytest.mark.parametrize('address', ['/no/such/page', '/s/none', '/results/none', '/receipt/none'])
def test_an_unknown_address_has_a_page_that_leads_home(client, address):
    response = client.get(address)
    assert response.status_code == 404
    assert 'href="/"' in response.get_data(as_text=True)


def test_a_program_gets_its_refusal_as_json(client):
    response = client.get('/no/such/page', headers={'Accept': 'application/json'})
    assert response.status_code == 404
    assert response.json['error'] == 'not_found'
    assert response.json['cure']


def test_a_bug_gets_a_number_and_no_traceback(app):
    @app.get('/broken')
    def broken():
        raise ZeroDivisionError('a secret detail')

    broken.policy = 'public'
    with app.test_client() as client:
        response = super(type(client), client).open('/broken')
    page = response.get_data(as_text=True)
    assert response.status_code == 500
    assert 'secret detail' not in page
    assert 'Traceback' not in page


def test_the_log_of_a_bug_names_no_code(app, caplog):
    @app.get('/broken/<code>')
    def broken(code):
        raise ZeroDivisionError

    broken.policy = 'public'
    with app.test_client() as client:
        super(type(client), client).open('/broken/7KQW-3MNP-X9DT')
    assert 'GET /broken/<code>' in caplog.text
    assert '7KQW' not in caplog.text


@pytest.mark.parametrize(
    'address', ['/s/%00', '/results/%00', '/i/%00', '/receipt/%00', '/results?page=%00']
)
def test_a_nul_in_an_address_leads_nowhere(both_apps, address):
    response = both_apps.test_client().get(address)
    assert response.status_code == 404
    assert 'href="/"' in response.get_data(as_text=True)


def test_a_nul_in_a_user_name_is_a_wrong_user_name(both_apps):
    client = both_apps.test_client()
    typed = {'csrf_token': client.token(), 'username': 'wa\0ng', 'password': 'x' * 12}
    assert client.post('/staff/sign-in', data=typed).status_code == 401


def test_headers_and_cookies_over_https(client):
    response = client.get('/', base_url='https://survey.example')
    assert response.headers['Strict-Transport-Security']
    policy = response.headers['Content-Security-Policy']
    assert "default-src 'none'" in policy
    assert 'unsafe' not in policy
    for cookie in client.get('/staff/sign-in', base_url='https://survey.example').headers.getlist(
        'Set-Cookie'
    ):
        assert 'Secure' in cookie


def test_the_language_asked_for_is_remembered(client):
    assert 'lang="zh-CN"' in client.get('/').get_data(as_text=True)
    assert 'lang="en"' in client.get('/?lang=en').get_data(as_text=True)
    assert 'lang="en"' in client.get('/').get_data(as_text=True)


def test_liveness_and_readiness(client):
    assert client.get('/healthz').json == {'status': 'ok'}
    assert client.get('/readyz').json['database'] == 'ok'


def test_readiness_fails_when_the_database_is_gone(app, client, monkeypatch):
    import sqlalchemy as sa

    def gone(*_args, **_keywords):
        raise sa.exc.OperationalError('SELECT 1', {}, Exception('no route to host'))

    monkeypatch.setattr(app.extensions['cixi_database'].engine, 'connect', gone)
    response = client.get('/readyz', headers={'Accept': 'application/json'})
    assert response.status_code == 503
    assert response.json['error'] == 'database_unreachable'
    assert 'no route' not in response.get_data(as_text=True)


def test_templates_escape_what_people_typed(app):
    with app.test_request_context():
        shown = app.jinja_env.from_string('{{ typed }}').render(typed='<script>alert(1)</script>')
    assert app.jinja_env.autoescape is not False
    assert app.select_jinja_autoescape('any.html')
    assert shown == '&lt;script&gt;alert(1)&lt;/script&gt;'
