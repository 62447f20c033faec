"""The pages of questionnaires and waves: who may, what they say, what they refuse."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from cixi_survey import clock, versions
from cixi_survey.models import Draft, Invitation, QuestionnaireVersion, Wave
from cixi_survey.waves import lifecycle
from tests import factories
from tests.waves import conftest as make
from tests.waves.conftest import ACT

SLUG = 'autumn-2026'
SMALL = (factories.FIXTURES / 'small.yaml').read_bytes()
SEE = {'administrator', 'organiser', 'statistician'}
MANAGE = {'organiser'}
PAGES = {
    '/staff/waves': SEE,
    '/staff/waves/new': MANAGE,
    '/staff/waves/{slug}': SEE,
    '/staff/waves/{slug}/edit': MANAGE,
    '/staff/waves/{slug}/open': MANAGE,
    '/staff/waves/{slug}/put-forward': MANAGE,
    '/staff/waves/{slug}/approval': SEE,
    '/staff/waves/{slug}/returns': SEE,
    '/staff/waves/{slug}/populations': MANAGE,
    '/staff/waves/{slug}/populations/template.csv': MANAGE,
    '/staff/waves/{slug}/margins': MANAGE,
    '/staff/waves/{slug}/margins/template.csv': MANAGE,
    '/staff/waves/{slug}/frame': MANAGE,
    '/staff/waves/{slug}/frame/template.csv': MANAGE,
    '/staff/waves/{slug}/villages': MANAGE,
    '/staff/waves/{slug}/villages/template.csv': MANAGE,
    '/staff/waves/{slug}/draw': MANAGE,
    '/staff/waves/{slug}/draw/repeat': SEE,
    '/staff/waves/{slug}/draw/discard': MANAGE,
    '/staff/waves/{slug}/codes': MANAGE,
    '/staff/waves/{slug}/link.svg': SEE,
    '/staff/questionnaires': SEE,
    '/staff/questionnaires/publish': MANAGE,
    '/staff/questionnaires/{sha256}': SEE,
    '/staff/questionnaires/{sha256}/source': SEE,
    '/staff/questionnaires/{sha256}/xlsform': SEE,
}
ACTS = [
    '/staff/waves/{slug}/margins/remove',
    '/staff/waves/{slug}/villages/shipped',
    '/staff/waves/{slug}/codes.csv',
    '/staff/waves/{slug}/slips',
]


def text(response):
    return response.get_data(as_text=True)


def post(client, address, **data):
    return client.post(address, data={'csrf_token': client.token(), **data})


def upload(client, address, content, name='file.csv', **data):
    import io

    data = {'csrf_token': client.token(), 'file': (io.BytesIO(content), name), **data}
    return client.post(address, data=data, content_type='multipart/form-data')


def hidden(page):
    """The hidden fields of the confirmation on a page."""
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', text(page)))


def confirm(client, address, page):
    import html

    fields = {name: html.unescape(value) for name, value in hidden(page).items()}
    return client.post(address, data=fields, content_type='multipart/form-data')


def read(database):
    with database.reading() as session:
        return session.scalars(sa.select(Wave)).one()


@pytest.fixture
def organiser(client, app_database):
    factories.sign_in(client, app_database, 'organiser')
    return client


@pytest.fixture
def wave(app_database):
    with app_database.transaction() as session:
        return make.create(session)


@pytest.fixture
def prepared(app_database):
    with app_database.transaction() as session:
        return make.prepared(session)


@pytest.fixture
def opened(app_database):
    with app_database.transaction() as session:
        return make.opened(session)


@pytest.mark.parametrize('role', sorted(SEE))
def test_each_page_opens_for_its_roles_only(client, app_database, prepared, role):
    with app_database.transaction() as session:
        lifecycle.put_forward(session, SLUG, **ACT)
    factories.sign_in(client, app_database, role)
    for pattern, allowed in PAGES.items():
        address = pattern.format(slug=SLUG, sha256=prepared.version_sha256)
        expected = 200 if role in allowed else 403
        assert client.get(address).status_code == expected, address


@pytest.mark.parametrize('address', ACTS)
def test_an_act_is_for_organisers_and_never_a_link(client, app_database, prepared, address):
    address = address.format(slug=SLUG)
    assert post(client, address).location.startswith('/staff/sign-in')
    factories.sign_in(client, app_database, 'statistician')
    assert client.get(address).status_code == 405
    assert post(client, address).status_code == 403


def test_an_unknown_wave_is_not_found(organiser):
    for pattern in PAGES:
        if 'slug' in pattern:
            assert organiser.get(pattern.format(slug='none')).status_code == 404, pattern


def test_only_organisers_can_open_and_close(client, app_database, prepared):
    factories.sign_in(client, app_database, 'statistician')
    assert post(client, f'/staff/waves/{SLUG}/open').status_code == 403
    assert post(client, f'/staff/waves/{SLUG}/close').status_code == 403
    assert read(app_database).state == 'planned'


def test_publishing_a_file_makes_a_version_that_can_be_read(organiser, app_database):
    done = upload(organiser, '/staff/questionnaires/publish', SMALL, 'small.yaml')
    assert done.status_code == 303
    page = text(organiser.get(done.location + '?lang=en'))
    for word in ('When is World Environment Day?', 'june5', 'right', 'knowledge', 'Under 18'):
        assert word in page
    again = upload(organiser, '/staff/questionnaires/publish', SMALL, 'small.yaml')
    assert again.location == done.location
    with app_database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(QuestionnaireVersion)) == 1


def test_a_file_published_twice_at_once_makes_one_version(database):
    def publish(_number):
        with database.transaction() as session:
            return versions.publish(session, SMALL, filename='small.yaml', **ACT).new

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(publish, range(6))) == 1


def test_the_shipped_questionnaire_can_be_published_without_a_file(organiser):
    page = organiser.get('/staff/questionnaires/publish')
    assert 'cixi-eco-baseline.yaml' in text(page)
    done = post(organiser, '/staff/questionnaires/publish', file_name='cixi-eco-baseline.yaml')
    assert '慈溪' in text(organiser.get(done.location))
    assert organiser.get(done.location + '/source').mimetype == 'application/yaml'


def test_every_fault_of_a_questionnaire_is_shown_with_its_line(organiser, app_database):
    faulty = SMALL.replace(b'right: june5', b'right: june6').replace(
        b'${overall} =', b'${overal} =', 1
    )
    page = upload(organiser, '/staff/questionnaires/publish', faulty, 'small.yaml')
    assert page.status_code == 422
    shown = text(page)
    for number in (
        next(n for n, line in enumerate(faulty.splitlines(), 1) if word in line)
        for word in (b'june6', b'overal}')
    ):
        assert re.search(rf'(?<!\d){number}(?!\d)', shown), number
    with app_database.reading() as session:
        assert session.scalar(sa.select(sa.func.count()).select_from(QuestionnaireVersion)) == 0


def test_a_file_from_elsewhere_on_the_server_cannot_be_chosen(organiser):
    page = post(organiser, '/staff/questionnaires/publish', file_name='../requirements.txt')
    assert page.status_code == 422


def typed(sha256, **changes):
    opens = clock.local(clock.now())
    values = {
        'title_zh': '2027年春季调查',
        'title_en': 'Spring survey 2027',
        'slug': 'spring-2027',
        'version_sha256': sha256,
        'opens_at': f'{opens:%Y-%m-%dT08:00}',
        'closes_at': f'{opens + timedelta(days=9):%Y-%m-%dT18:30}',
        'target_n': '1,600',
        'operator': '慈溪市统计局',
        'contact': '0574-12345678',
        'open_link': 'y',
        'legal_basis': 'statutory',
        'retention_years': '3',
        'satisfaction_scale': 'share',
        'target_basis': 'plan',
    }
    return {**values, **changes}


@pytest.fixture
def version(app_database):
    with app_database.transaction() as session:
        return factories.publish(session).sha256


def test_a_wave_is_created_with_times_as_the_clock_in_cixi_shows_them(
    organiser, app_database, version
):
    done = post(organiser, '/staff/waves/new', **typed(version))
    assert done.location == '/staff/waves/spring-2027'
    wave = read(app_database)
    assert (wave.opens_at.hour, wave.closes_at.hour, wave.closes_at.minute) == (0, 10, 30)
    assert wave.target_n == 1600
    assert (wave.legal_basis, wave.retention_years) == ('statutory', 3)
    page = text(organiser.get('/staff/waves/spring-2027/edit'))
    assert f'value="{clock.local(wave.closes_at):%Y-%m-%dT18:30}"' in page


@pytest.mark.parametrize(
    ('field', 'value'),
    [
        ('title_zh', ''),
        ('title_en', '春季'),
        ('slug', 'Spring 2027'),
        ('slug', '../x'),
        ('version_sha256', 'unknown'),
        ('opens_at', 'tomorrow'),
        ('closes_at', '2020-01-01T00:00'),
        ('target_n', 'many'),
        ('target_n', '0'),
        ('operator', ''),
        ('approval_valid_until', 'soon'),
        ('satisfaction_scale', ''),
        ('target_basis', 'mine'),
        ('legal_basis', 'whim'),
        ('retention_years', '1'),
    ],
)
def test_a_fault_in_the_form_stands_beside_its_field_in_our_words(
    organiser, app_database, version, field, value
):
    page = post(organiser, '/staff/waves/new', **typed(version, **{field: value}))
    assert page.status_code == 422
    shown = text(page)
    assert f'id="f-{field}-error"' in shown
    assert not re.search(r'Not a valid|This field|Invalid|must be between', shown)
    with app_database.reading() as session:
        assert session.scalar(sa.select(Wave.id)) is None


def test_the_page_of_a_wave_says_what_is_done_and_what_comes_next(organiser, wave):
    page = text(organiser.get(f'/staff/waves/{SLUG}?lang=en'))
    assert page.count('to do') == 4
    assert f'/staff/waves/{SLUG}/populations' in page
    assert f'/staff/waves/{SLUG}/draw"' not in page


def test_opening_too_early_lists_every_reason_and_changes_nothing(organiser, app_database, wave):
    page = post(organiser, f'/staff/waves/{SLUG}/open?lang=en')
    assert page.status_code == 409
    assert 'The population of the towns is missing' in text(page)
    assert 'No sample has been drawn' in text(page)
    assert read(app_database).state == 'planned'


def test_what_was_begun_is_not_left_in_the_files_after_closing(organiser, app_database):
    begun = 'a sentence that nobody shall read'
    with app_database.transaction() as session:
        wave = make.opened(session)
        unit = session.scalars(sa.select(Invitation).limit(1)).one()
        session.add(
            Draft(
                submission_id='d' * 32,
                wave_id=wave.id,
                invitation_id=unit.id,
                revision=1,
                answers={'wish': [begun]},
                started_at=clock.now(),
                saved_at=clock.now(),
            )
        )
    file = Path(app_database.url.database)

    def left():
        kept = b''.join(path.read_bytes() for path in file.parent.glob(f'{file.name}*'))
        return begun.encode() in kept

    app_database.scrub('draft')
    assert left()
    assert post(organiser, f'/staff/waves/{SLUG}/close', early='y').status_code == 303
    assert not left()


def test_a_prepared_wave_is_opened_and_closed_in_the_browser(organiser, app_database, prepared):
    assert post(organiser, f'/staff/waves/{SLUG}/open').status_code == 409
    with app_database.transaction() as session:
        make.approve(session)
    assert post(organiser, f'/staff/waves/{SLUG}/open').status_code == 303
    assert read(app_database).state == 'open'
    assert organiser.get(f'/staff/waves/{SLUG}/edit').status_code == 409
    assert organiser.get(f'/staff/waves/{SLUG}/frame').status_code == 409
    page = text(organiser.get(f'/staff/waves/{SLUG}/close?lang=en'))
    assert 'before the announced end' in page
    forgotten = post(organiser, f'/staff/waves/{SLUG}/close?lang=en')
    assert forgotten.status_code == 422
    assert 'Tick this if the wave is really to end' in text(forgotten)
    assert read(app_database).state == 'open'
    assert post(organiser, f'/staff/waves/{SLUG}/close', early='y').status_code == 303
    assert read(app_database).state == 'closed'
    assert organiser.get(f'/staff/waves/{SLUG}/close').status_code == 409
    assert post(organiser, f'/staff/waves/{SLUG}/open').status_code == 409


def test_closing_twice_is_refused_with_the_reason(organiser, opened):
    post(organiser, f'/staff/waves/{SLUG}/close', early='y')
    page = organiser.post(
        f'/staff/waves/{SLUG}/close?lang=en', data={'csrf_token': organiser.token()}
    )
    assert page.status_code == 409
    assert 'is closed' in text(page)


def test_open_link_only_is_said_when_the_wave_is_put_forward(organiser, app_database, wave):
    with app_database.transaction() as session:
        make.load_populations(session)
    address = f'/staff/waves/{SLUG}/put-forward'
    assert post(organiser, address).status_code == 409
    assert post(organiser, address, without_sample='y').status_code == 303


def test_populations_margins_and_frame_are_previewed_and_then_stored(organiser, app_database, wave):
    steps = [
        ('populations', make.POPULATIONS, {}, '80,000'),
        ('margins', make.MARGINS, {}, '44.90'),
        ('frame', make.frame_text(), {'source': '村社名册 2026-11-01'}, '400'),
    ]
    for step, content, fields, shown in steps:
        address = f'/staff/waves/{SLUG}/{step}'
        page = upload(organiser, address, content.encode('gb18030'), **fields)
        assert page.status_code == 200, text(page)
        assert shown in text(page)
        assert confirm(organiser, address, page).status_code == 303
    with app_database.reading() as session:
        stored = session.scalars(sa.select(Wave)).one()
        assert [stratum.population for stratum in stored.strata] == [60_000, 20_000]
        assert len(stored.margins) == 3
        from cixi_survey.waves import frame

        assert frame.stored_frame(session, stored).source == '村社名册 2026-11-01'
    for step in ('populations', 'margins', 'frame'):
        assert organiser.get(f'/staff/waves/{SLUG}/{step}').status_code == 200
    assert '年龄<' in text(organiser.get(f'/staff/waves/{SLUG}/put-forward?lang=zh'))  # no code
    assert '年龄</div>' in text(organiser.get(f'/staff/waves/{SLUG}?lang=zh'))


def test_a_faulty_table_is_shown_line_by_line_and_not_stored(organiser, app_database, wave):
    with app_database.transaction() as session:
        make.load_populations(session)
    content = make.frame_text().replace('浒山5号,2', '浒山5号,0').replace('附海', '附海=')
    page = upload(organiser, f'/staff/waves/{SLUG}/frame?lang=en', content.encode(), source='x')
    assert page.status_code == 422
    assert 'Line 7: “size” is 0: such a row could never be drawn.' in text(page)


def test_a_stale_confirmation_is_refused_and_damage_is_noticed(organiser, wave):
    address = f'/staff/waves/{SLUG}/populations'
    page = upload(organiser, address, make.POPULATIONS.encode())
    fields = hidden(page)
    broken = organiser.post(address, data={**fields, 'parcel': fields['parcel'][:50]})
    assert broken.status_code == 422
    assert organiser.post(address, data={**fields, 'csrf_token': 'x'}).status_code == 400


def test_a_form_without_file_says_so(organiser, wave):
    page = post(organiser, f'/staff/waves/{SLUG}/populations')
    assert page.status_code == 422
    assert 'id="f-file-error"' in text(page)


def test_allocation_is_shown_before_it_is_drawn(organiser, app_database, wave):
    with app_database.transaction() as session:
        make.load_populations(session)
        make.load_frame(session)
    address = f'/staff/waves/{SLUG}/draw'
    query = {'method': 'equal', 'total': 100, 'minimum': 10, 'response': 60, 'seed': ''}
    page = organiser.get(address, query_string={'preview': 1, 'lang': 'en', **query})
    assert text(page).count('<td class="num">50</td>') == 2
    assert '±' in text(page)
    with app_database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Invitation.id))) == 0
    assert post(organiser, address, **{**query, 'seed': '99'}).status_code == 303
    assert '99' in text(organiser.get(address))
    assert post(organiser, address, **query).status_code == 409
    assert post(organiser, f'{address}/discard').status_code == 303
    wrong = organiser.get(address, query_string={'preview': 1, **query, 'total': 5000})
    assert wrong.status_code == 422
    assert 'id="f-total-error"' in text(wrong)


def test_the_draw_page_without_a_frame_leads_back(organiser, wave):
    assert organiser.get(f'/staff/waves/{SLUG}/draw').status_code == 409


def test_codes_are_handed_out_by_the_page_that_made_them(organiser, app_database, prepared):
    address = f'/staff/waves/{SLUG}/codes'
    made = post(organiser, address, sure='yes', making='1')
    key = hidden(made)['key']
    rows = text(post(organiser, f'{address}.csv', key=key)).splitlines()
    assert len(rows) == 101
    code = rows[1].split(',')[5]
    sheet = text(post(organiser, f'/staff/waves/{SLUG}/slips', key=key))
    assert sheet.count('class="slip"') == 100
    assert code in sheet
    assert '<svg' in sheet
    assert '慈统审' in sheet
    one_town = post(organiser, f'{address}.csv', key=key, town=make.FUHAI)
    assert 1 < len(text(one_town).splitlines()) < 101
    assert post(organiser, f'{address}.csv', key='00' * 32).status_code == 410
    assert post(organiser, f'{address}.csv', key='x').status_code == 410


def test_a_printed_code_leads_to_the_questionnaire_and_a_revoked_one_does_not(
    organiser, app_database, prepared
):
    address = f'/staff/waves/{SLUG}/codes'

    def first_code(making):
        key = hidden(post(organiser, address, sure='yes', making=making))['key']
        return text(post(organiser, f'{address}.csv', key=key)).splitlines()[1].split(',')[5]

    old = first_code(1)
    with app_database.transaction() as session:
        make.open_wave(session)
    assert organiser.get(f'/i/{old}').status_code == 200
    new = first_code(2)
    assert organiser.get(f'/i/{old}').status_code in {404, 410}
    assert organiser.get(f'/i/{new}').status_code == 200


def test_new_codes_without_confirmation_are_refused(organiser, prepared):
    assert post(organiser, f'/staff/waves/{SLUG}/codes', making='1').status_code == 409
    again = {'sure': 'yes', 'making': '1'}
    assert post(organiser, f'/staff/waves/{SLUG}/codes', **again).status_code == 200
    assert post(organiser, f'/staff/waves/{SLUG}/codes', **again).status_code == 409


def test_returns_add_up_by_town_and_keep_the_open_stream_apart(organiser, app_database, opened):
    with app_database.transaction() as session:
        wave = session.scalars(sa.select(Wave)).one()
        sample = session.scalars(
            sa.select(Invitation).where(Invitation.stratum == make.HUSHAN).limit(5)
        ).all()
        outcomes = ['complete', 'complete', 'complete', 'refusal', 'ineligible']
        for unit, outcome in zip(sample, outcomes, strict=True):
            factories.response(session, wave, unit, outcome=outcome)
        for _ in range(7):
            factories.response(session, wave)
    from cixi_survey.waves import monitor

    with app_database.reading() as session:
        wave = session.scalars(sa.select(Wave)).one()
        found = monitor.returns(session, wave, clock.now())
    hushan, fuhai = found.rows
    assert hushan.sampled + fuhai.sampled == found.total.sampled == 100
    assert sum(found.total.outcomes.values()) == 100
    assert found.total.outcomes['pending'] == 95
    assert hushan.response_rate == 3 / (hushan.sampled - 1)
    assert fuhai.response_rate == 0
    assert found.total.response_rate == 3 / 99
    assert found.open_stream == {'complete': 7, 'refusal': 0, 'ineligible': 0}
    assert found.days[-1].counts == {'probability': 3, 'open': 7}
    page = text(organiser.get(f'/staff/waves/{SLUG}/returns?lang=en'))
    assert '3.0%' in page
    assert 'data-refresh="30"' in page


def test_a_sealed_wave_leads_to_its_estimates(organiser, app_database, opened):
    link = f'/staff/waves/{SLUG}/estimates'
    assert link not in text(organiser.get(f'/staff/waves/{SLUG}'))
    with app_database.transaction() as session:
        lifecycle.close_wave(session, SLUG, **ACT)
    assert link in text(organiser.get(f'/staff/waves/{SLUG}'))
    assert organiser.get(link).status_code == 200


def test_returns_of_a_closed_wave_stand_still(organiser, app_database, opened):
    with app_database.transaction() as session:
        lifecycle.close_wave(session, SLUG, **ACT)
    page = text(organiser.get(f'/staff/waves/{SLUG}/returns'))
    assert 'data-refresh' not in page
    assert 'returns.js' not in page


def test_the_poster_code_carries_the_channel(organiser, opened):
    first, second = (
        organiser.get(f'/staff/waves/{SLUG}/link.svg', query_string={'c': channel})
        for channel in ('library', 'market')
    )
    assert first.mimetype == 'image/svg+xml'
    assert first.data != second.data
    assert f'{SLUG}-library.svg' in first.headers['Content-Disposition']
    bad = organiser.get(f'/staff/waves/{SLUG}/link.svg', query_string={'c': '../x"'})
    assert bad.status_code == 404


def test_without_an_open_link_there_is_no_poster(organiser, app_database):
    with app_database.transaction() as session:
        make.create(session, open_link=False)
    assert organiser.get(f'/staff/waves/{SLUG}/link.svg').status_code == 404
    assert 'id="open-link"' not in text(organiser.get(f'/staff/waves/{SLUG}'))


def test_publishing_at_the_shell_names_the_version(app, app_database):
    path = str(factories.FIXTURES / 'small.yaml')
    runner = app.test_cli_runner()
    first = runner.invoke(args=['questionnaire', 'publish', path])
    again = runner.invoke(args=['questionnaire', 'publish', path])
    assert factories.small().sha256 in first.output
    assert 'nothing changed' in again.output
    assert (first.exit_code, again.exit_code) == (0, 0)


def test_publishing_a_faulty_file_at_the_shell_prints_lines_and_stores_nothing(
    app, app_database, tmp_path
):
    path = tmp_path / 'faulty.yaml'
    path.write_bytes(SMALL.replace(b'right: june5', b'right: june6'))
    done = app.test_cli_runner().invoke(args=['questionnaire', 'publish', str(path)])
    assert done.exit_code == 2
    assert re.search(r'^\d+:\d+: ', done.output, re.MULTILINE)
    with app_database.reading() as session:
        assert session.scalar(sa.select(QuestionnaireVersion.sha256)) is None


def test_of_two_people_who_edit_at_once_the_later_does_not_undo_the_earlier(
    organiser, app_database, wave
):
    def fields():
        page = text(organiser.get(f'/staff/waves/{SLUG}/edit'))
        found = dict(re.findall(r'name="(\w+)"[^>]* value="([^"]*)"', page))
        seen = re.search(r'name="seen"[^>]* value="(\w+)"', page)
        return {
            **{name: found[name] for name in found if name not in {'csrf_token', '_switch'}},
            'seen': seen[1],
            'version_sha256': wave.version_sha256,
            'satisfaction_scale': 'share',
            'target_basis': 'national',
        }

    hers, his = fields(), fields()
    assert (
        post(organiser, f'/staff/waves/{SLUG}/edit', **{**hers, 'target_n': '70'}).status_code
        == 303
    )
    late = post(organiser, f'/staff/waves/{SLUG}/edit?lang=en', **{**his, 'contact': '110'})
    assert late.status_code == 409
    assert 'Somebody else has changed this wave' in text(late)
    assert (read(app_database).target_n, read(app_database).contact) == (70, '0574-12345678')
    assert post(organiser, f'/staff/waves/{SLUG}/edit', **fields()).status_code == 303


def test_an_open_wave_is_not_offered_to_be_opened(organiser, opened):
    page = organiser.get(f'/staff/waves/{SLUG}/open?lang=en')
    assert page.status_code == 409
    assert f'href="/staff/waves/{SLUG}"' in text(page)
    assert 'nothing is left to put forward' in text(page)


def test_closing_warns_of_towns_without_which_no_figures_can_be_made(
    organiser, app_database, opened
):
    page = text(organiser.get(f'/staff/waves/{SLUG}/close?lang=en'))
    assert 'No figures could be made' in page
    assert 'Fuhai Town: 0 complete' in page
    with app_database.transaction() as session:
        session.execute(sa.update(Invitation).values(outcome='complete'))
    assert 'No figures could be made' not in text(organiser.get(f'/staff/waves/{SLUG}/close'))


def test_before_letters_are_printed_their_address_and_approval_are_checked(
    organiser, app, app_database, prepared
):
    address = f'/staff/waves/{SLUG}/codes?lang=en'
    app.config['SITE_URL'] = 'https://survey.example'
    assert 'Settle this before letters are printed' not in text(organiser.get(address))
    app.config['SITE_URL'] = 'http://127.0.0.1:8000'
    with app_database.transaction() as session:
        session.execute(sa.update(Wave).values(approval_number=''))
    page = text(organiser.get(address))
    assert 'which opens on this computer only' in page
    assert 'The form has no approval or filing number.' in page


def test_a_closed_wave_offers_no_new_codes(organiser, opened):
    post(organiser, f'/staff/waves/{SLUG}/close', early='y')
    assert organiser.get(f'/staff/waves/{SLUG}/codes').status_code == 409


def test_a_slip_says_who_of_a_household_answers(organiser, app_database, prepared):
    made = post(organiser, f'/staff/waves/{SLUG}/codes', sure='yes', making='1')
    sheet = text(post(organiser, f'/staff/waves/{SLUG}/slips?lang=en', key=hidden(made)['key']))
    with app_database.reading() as session:
        several = session.scalar(sa.select(sa.func.count(Invitation.id)).where(Invitation.size > 1))
    assert 0 < several < 100
    assert sheet.count('whose birthday comes next') == several
    assert 'Your address was drawn by lot' in sheet
    assert sheet.count('Carried out by 慈溪市统计局 · 0574-12345678') == 100
    assert 'please answer in person' not in sheet


def test_a_slip_to_a_person_says_that_this_person_is_asked(organiser, app_database, prepared):
    with app_database.transaction() as session:
        session.execute(sa.update(Invitation).values(size=1))
        unit = session.scalars(sa.select(Invitation.unit)).first()
    made = post(organiser, f'/staff/waves/{SLUG}/codes', sure='yes', making='1')
    sheet = text(post(organiser, f'/staff/waves/{SLUG}/slips?lang=en', key=hidden(made)['key']))
    assert f'You yourself were drawn by lot ({unit}); please answer in person.' in sheet
    assert 'Your address was drawn' not in sheet


def test_whoever_decides_is_told_of_invented_figures_and_of_a_sample_too_small(
    organiser, app_database, prepared
):
    address = f'/staff/waves/{SLUG}/put-forward?lang=en'
    assert 'Think about this first' not in text(organiser.get(address))
    with app_database.transaction() as session:
        session.execute(sa.update(Wave).values(population_source='演示数据', target_n=70))
        make.approve(session)
    for page in (address, f'/staff/waves/{SLUG}/open?lang=en'):
        shown = text(organiser.get(page))
        assert 'marked as demonstration figures' in shown
        assert 'about 60 complete answers are to be expected' in shown


def test_the_first_look_at_the_draw_suggests_what_can_be_drawn(organiser, app_database):
    with app_database.transaction() as session:
        make.create(session)
        make.load_populations(session)
        make.load_frame(session)
    page = text(organiser.get(f'/staff/waves/{SLUG}/draw'))
    shown = dict(re.findall(r'name="(total|minimum)"[^>]* value="(\d+)"', page))
    assert int(shown['minimum']) * 2 <= int(shown['total'])


def test_publishing_without_a_file_says_that_none_was_chosen(organiser):
    page = post(organiser, '/staff/questionnaires/publish?lang=en', file_name='')
    assert page.status_code == 422
    assert 'No file was chosen.' in text(page)
