"""A resident with a letter in the hand asks whether it is genuine."""

import re
from datetime import timedelta

import pytest

from cixi_survey import clock, codes
from cixi_survey.verify import lookup
from tests import factories
from tests.conftest import SECRET

SITE = 'https://survey.example'


@pytest.fixture
def waves(app):
    """One running survey, one that begins next week, one that is over, one only being prepared."""
    app.config['SITE_URL'] = SITE
    now = clock.now()
    with app.extensions['cixi_database'].transaction() as session:
        factories.wave(session, slug='now', contact='0574-11111111')
        factories.wave(session, slug='next', opens_at=now + timedelta(days=7))
        factories.wave(session, slug='past', state='closed', closes_at=now - timedelta(hours=1))
        factories.wave(session, slug='draft', state='planned', approval_number='')


def text(client, address, status=200):
    page = client.get(address)
    assert page.status_code == status
    return page.get_data(as_text=True)


def asked(client, slug, spelling=codes.grouped):
    return text(client, f'/verify?code={spelling(codes.check_code(slug, SECRET))}')


def test_the_page_of_a_survey_shows_all_that_letter_and_poster_show(waves, client):
    page = text(client, '/verify/now')
    shown = (codes.grouped(codes.check_code('now', SECRET)), '慈环调1号', '慈统审〔2026〕1号')
    for one in (*shown, '慈溪市统计局', '0574-11111111', '12345', '12340', '/s/now'):
        assert one in page
    assert '正在进行' in page
    main = page[page.index('<main') : page.index('</main')]
    assert SITE not in main  # a forged page would show its own: only the paper can tell
    assert '想知道结果或者参加抽奖的，可以留个手机号或邮箱' in main  # the one exception


def test_the_list_names_running_surveys_only(waves, client):
    page = text(client, '/verify')
    assert re.findall(r'href="/verify/(\w+)"', page) == ['now']
    assert '慈统审〔2026〕1号' in page


def test_without_any_survey_nobody_can_be_asking(client):
    assert '现在没有正在进行的调查' in text(client, '/verify')


@pytest.mark.parametrize(
    'spelling', [str, str.lower, codes.grouped, lambda code: ' '.join(code), lambda c: f'{c}。']
)
def test_the_check_code_of_a_running_survey_is_known_however_it_is_typed(waves, client, spelling):
    page = asked(client, 'now', spelling)
    assert '这是我们的防伪码' in page
    assert 'href="/verify/now"' in page


def test_a_code_is_told_of_surveys_that_nobody_should_be_asking_for(waves, client):
    assert '还没有开始' in asked(client, 'next')
    assert '已经结束' in asked(client, 'past')


def test_a_survey_without_approval_is_not_announced(waves, client):
    assert text(client, '/verify/draft', 404)
    assert '这个防伪码不是我们的' in asked(client, 'draft')


def test_a_code_of_somebody_else_is_answered_with_what_to_do(waves, client):
    page = asked(client, 'a survey of another site')
    assert '这个防伪码不是我们的' in page
    assert '不要扫' in page
    assert '12345' in page
    other_key = codes.check_code('now', SECRET + 'x')
    assert '这个防伪码不是我们的' in text(client, f'/verify?code={other_key}')


def test_a_slip_of_the_finger_is_not_taken_for_a_forgery(waves, client):
    code = codes.check_code('now', SECRET)
    wrong = code[:-1] + ('C' if code[-1] != 'C' else 'D')
    page = text(client, f'/verify?code={wrong}', 422)
    assert '不完整或有错' in page
    assert '不是我们的' not in page
    assert f'value="{wrong}"' in page


def test_who_types_the_personal_code_learns_which_one_is_meant(waves, client):
    code = codes.new_code()
    page = text(client, f'/verify?code={codes.grouped(code)}')
    assert '不是防伪码' in page


def test_what_is_typed_is_shown_as_text(waves, client):
    assert '<script>alert' not in text(client, '/verify?code=<script>alert(1)</script>', 422)


def test_the_cover_of_the_questionnaire_and_every_foot_lead_there(waves, client):
    assert 'href="/verify/now"' in text(client, '/s/now')
    assert 'href="/verify"' in text(client, '/about')


def test_surveys_are_found_alike_on_both_databases(database):
    now = clock.now()
    with database.transaction() as session:
        for slug, days in (('later', 9), ('sooner', 3)):
            factories.wave(session, slug=slug, closes_at=now + timedelta(days=days))
    with database.reading() as session:
        found = lookup.running(session, secret_key=SECRET, now=now)
        reply = lookup.look_up(session, found[1].check_code, secret_key=SECRET, now=now)
    assert [one.wave.slug for one in found] == ['sooner', 'later']
    assert (reply.answer, reply.survey) == ('ours', found[1])
