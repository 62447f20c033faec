"""The page of the questionnaire: what it must say, and that a kept page is the page."""

import gzip
import json
import re
import struct

import pytest
from flask.testing import FlaskClient

from cixi_survey import places
from cixi_survey.questionnaire import answers
from cixi_survey.questionnaire.definition import Option
from cixi_survey.respond import page as page_of_questions
from tests import factories
from tests.client import Page
from tests.respond.conftest import database_of


def plain(client, address):
    return client.get(address, headers={'Accept-Encoding': 'identity'}).get_data(as_text=True)


def without_tokens(page):
    return re.sub(r'name="(csrf_token|_ticket)" value="[^"]*"', r'\1', page)


def rules(page):
    return json.loads(re.search(r'id="rules">(.*?)</script>', page, re.DOTALL)[1])


def test_the_head_says_by_what_right_and_by_whom_one_is_asked(place):
    page = plain(place.app.test_client(), '/s/w2026')
    for said in ('慈环调1号', '慈溪市统计局', '慈统审〔2026〕1号', '有效期至', '大约2分钟'):
        assert said in page
    assert '自愿参加，随时可停。' in page
    assert re.search(r'填写截止：\d{4}年\d+月\d+日 \d\d:\d\d', page)


def card(page):
    """What other apps show of a page, by property, and its canonical address."""
    head = page.split('</head>')[0]
    shown = dict(re.findall(r'<meta property="og:(\w+)" content="([^"]*)">', head))
    (shown['canonical'],) = re.findall(r'<link rel="canonical" href="([^"]*)">', head)
    return shown


def test_a_survey_that_is_passed_on_is_the_open_one_never_that_of_a_code(place):
    client = place.app.test_client()
    for address in ('/s/w2026', '/s/w2026?c=poster-7&lang=zh', f'/i/{place.code}'):
        shown = card(plain(client, address))
        assert shown['title'] == '测试批次'
        assert shown['description'].startswith('大约2分钟；填写截止：')
        assert shown['url'] == shown['canonical'] == 'http://localhost/s/w2026'
    place.change(open_link=False)
    for address in (f'/i/{place.code}', f'/i/{place.code[:-1]}', '/receipt/7KQW3M4X', '/nowhere'):
        shown = card(plain(client, address))
        assert shown['url'] == shown['canonical'] == 'http://localhost/'
    assert card(plain(client, '/verify/w2026'))['url'] == 'http://localhost/verify/w2026'
    with FlaskClient(place.app).get(shown['image'].removeprefix('http://localhost')) as image:
        width, height = struct.unpack('>II', image.data[16:24])
        assert image.mimetype == 'image/png'
        assert min(width, height) >= 300
        assert len(image.data) <= 32 * 1024


def test_a_kept_page_names_the_site_by_which_it_is_asked_for(place):
    client = place.app.test_client()
    plain(client, '/s/w2026')
    page = client.get('/s/w2026', headers={'Accept-Encoding': 'identity', 'Host': 'other.example'})
    assert card(page.text)['url'] == 'http://other.example/s/w2026'


def test_the_page_is_kept_and_only_its_tokens_differ(place):
    one, two = place.app.test_client(), place.app.test_client()
    first, second = plain(one, '/s/w2026'), plain(two, '/s/w2026')
    assert first != second
    assert without_tokens(first) == without_tokens(second)
    assert len(place.app.extensions['questionnaire_pages']) == 1
    assert 'lang="en"' in plain(one, '/s/w2026?lang=en')
    assert 'data-elder' in plain(two, '/s/w2026?elder=1')
    assert len(place.app.extensions['questionnaire_pages']) == 3


def test_the_kept_page_follows_a_change_of_the_wave(place):
    plain(place.app.test_client(), '/s/w2026')
    place.change(form_number='慈环调2号', title_zh='另一项调查')
    page = plain(place.app.test_client(), '/s/w2026')
    assert '慈环调2号' in page
    assert '另一项调查' in page


def test_compressed_and_plain_are_the_same_page(place):
    client = place.app.test_client()
    packed = FlaskClient(place.app).get('/s/w2026', headers={'Accept-Encoding': 'gzip, br'})
    assert packed.headers['Content-Encoding'] == 'gzip'
    assert packed.headers['Vary'] == 'Accept-Encoding, Cookie'
    page = gzip.decompress(packed.data).decode()
    assert without_tokens(page) == without_tokens(plain(client, '/s/w2026'))
    assert Page(page).faults == []


def test_a_browser_that_has_a_file_need_not_ask_for_it_again_when_its_cookie_changes(place):
    client = place.app.test_client()
    page = plain(client, '/s/w2026')
    files = re.findall(r'(?:src|href)="(/static/[^"]+)"', page)
    assert len(files) >= 5
    for address in files:
        with FlaskClient(place.app).get(address) as file:
            assert 'Cookie' not in file.headers.get('Vary', '')
            assert 'max-age=31536000' in file.headers['Cache-Control']
            assert 'Set-Cookie' not in file.headers


def test_the_worker_is_asked_for_afresh_and_can_be_switched_off(place):
    client = place.app.test_client()
    with client.get('/worker.js') as worker:
        assert worker.headers['Cache-Control'] == 'no-cache'
        assert worker.mimetype == 'text/javascript'
        assert 'respondWith' in worker.get_data(as_text=True)
    assert 'data-offline' in plain(client, '/s/w2026')
    place.app.config['OFFLINE'] = False
    place.app.extensions['questionnaire_pages'].clear()
    with client.get('/worker.js') as remover:
        assert 'unregister' in remover.get_data(as_text=True)
    assert 'data-offline' not in plain(client, '/s/w2026')


@pytest.mark.parametrize('language', ['zh', 'en'])
def test_the_script_says_the_sentences_of_the_server(place, language):
    client = place.app.test_client()
    shown = rules(plain(client, f'/s/w2026?lang={language}'))
    texts = shown['texts']
    form = place.form(f'/s/w2026?lang={language}')
    told = form.send({'adults': ['many']}, Accept='application/json').json['problems']
    said = {problem['name']: problem['message'] for problem in told}
    assert said['adults'] == shown['variables']['adults']['number']
    assert said['consent'] == texts['missing']['single']
    assert said['town'] == texts['missing']['town']
    large = form.send({'adults': ['9999999999']}, Accept='application/json').json['problems']
    assert texts['large'] in {problem['message'] for problem in large}
    long = form.send(
        {'overall': ['not_very'], 'reason': ['长' * 203]}, Accept='application/json'
    ).json['problems']
    expected = texts['long'] % {'length': 203, 'most': 200, 'over': 3}
    assert expected in {problem['message'] for problem in long}
    assert (
        form.send({'adults': ['99']}, Accept='application/json').json['problems'][-1]['message']
        == rules(plain(client, f'/s/w2026?lang={language}'))['variables']['adults']['unfit']
    )


@pytest.mark.parametrize(
    ('labels', 'ends', 'first'),
    [
        (
            ['1 很差', '2', '3', '4', '5 很好'],
            ('很差', '很好'),
            '1<span class="visually-hidden"> 很差</span>',
        ),
        (['0：很差', '1', '2', '3'], (), '0：很差'),
        (['1', '2', '3'], (), '1'),
        (['满意', '一般', '不满意'], (), '满意'),
        (['1 <b>', '2', '3 好'], ('<b>', '好'), '1<span class="visually-hidden"> &lt;b&gt;</span>'),
    ],
)
def test_a_scale_of_numbers_has_its_words_at_both_ends(app, labels, ends, first):
    options = [Option(value=f'v{at}', label={'zh': label}) for at, label in enumerate(labels)]
    options.append(Option(value='unsure', label={'zh': '说不清'}, apart=True))
    with app.test_request_context('/?lang=zh'):
        told, made = page_of_questions.chips(options)
    assert told == ends
    assert made[0]['label'] == first
    assert [chip['apart'] for chip in made] == [False] * len(labels) + [True]


def test_every_kind_of_question_has_its_own_sentence_when_it_is_missing(app):
    """The script's list of sentences against those of ``answers.check``."""
    questionnaire = factories.small()
    checked = answers.check(questionnaire, {}, towns={}, villages={})
    kinds = {questionnaire.variable(problem.where[2:]).kind for problem in checked.problems}
    assert kinds == {'single', 'town', 'integer'}


def test_the_real_questionnaire_with_every_village_and_nothing_of_the_key(app):
    from cixi_survey.questionnaire import definition

    questionnaire = definition.load_file(factories.BASELINE)
    with database_of(app).transaction() as session:
        factories.wave(session, questionnaire=questionnaire)
    page = plain(app.test_client(), '/s/w2026')
    assert Page(page).faults == []
    assert page.count('<optgroup') == len(places.towns()) == 18
    assert all(f'value="{code}"' in page for code in places.villages())
    for variable in questionnaire.variables():
        assert f'name="{variable.name}"' in page
        if variable.question.explanation:
            assert variable.question.explanation['zh'] not in page
    assert '"right"' not in page
