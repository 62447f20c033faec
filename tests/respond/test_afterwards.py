"""After the receipt: one's own knowledge beside the city's, and a picture to pass on."""

import io
import json
from datetime import timedelta

import sqlalchemy as sa
from PIL import Image

from cixi_survey import clock
from cixi_survey.models import Publication, Wave
from cixi_survey.respond import comparison, picture
from tests.respond.conftest import COMPLETE, database_of
from tests.results.conftest import published, tiny, whole

WRONG = {**COMPLETE, 'k_two': ['car']}


def before(place, **changes):
    """A wave of the same questions, published before; all of it simulated or nothing."""
    with database_of(place.app).transaction() as session:
        published(session, whole(session, slug='before', demonstration=False, **changes))
        result = json.loads(session.scalars(sa.select(Publication.result)).one())
    return next(each for each in result['indicators'] if each['family'] == 'knowledge')['total']


def test_the_one_who_sent_sees_the_city_beside_the_own_result(place):
    city = before(place)
    form = place.form()
    page = form.client.get(form.send(WRONG).location).get_data(as_text=True)
    assert '您：2题对1题。' in page
    for name in ('est', 'lci', 'uci'):
        assert f'{2 * city[name]:.1f}' in page
    assert '95%' in page
    assert 'href="/results/before"' in page


def test_anyone_else_sees_the_city_and_nothing_of_the_person(place):
    before(place)
    address = place.form().send(WRONG).location
    page = place.app.test_client().get(address).get_data(as_text=True)
    assert 'href="/results/before"' in page
    assert '您：' not in page


def test_without_a_published_wave_there_is_no_comparison(place):
    form = place.form()
    assert 'href="/results/' not in form.client.get(form.send(WRONG).location).get_data(
        as_text=True
    )


def test_figures_stand_only_beside_their_like(place):
    """A simulated city beside a real answer would be a lie; a hidden figure stays hidden."""
    with database_of(place.app).transaction() as session:
        wave = session.scalars(sa.select(Wave).where(Wave.slug == 'w2026')).one()
        published(session, whole(session, slug='simulated', demonstration=True))
        assert comparison.of_city(session, wave, ['k_one', 'k_two']) is None
        published(session, tiny(session, slug='small', demonstration=False))
        assert comparison.of_city(session, wave, ['k_one', 'k_two']) is None


def test_other_questions_are_said_to_be_other_questions(place):
    before(place)
    with database_of(place.app).reading() as session:
        wave = session.scalars(sa.select(Wave).where(Wave.slug == 'w2026')).one()
        same = comparison.of_city(session, wave, ['k_two', 'k_one'])
        other = comparison.of_city(session, wave, ['k_one', 'k_new'])
    assert (same.items, same.same_questions, other.same_questions) == (2, True, False)
    assert 0 <= same.low <= same.right <= same.high <= same.items


def test_the_picture_is_the_same_for_everybody_and_names_nobody(place):
    sender = place.form()
    receipt = sender.send()
    page = sender.client.get(receipt.location).get_data(as_text=True)
    assert 'src="/s/w2026/picture.png"' in page
    mine = sender.client.get('/s/w2026/picture.png')
    theirs = place.app.test_client().get('/s/w2026/picture.png')
    assert mine.data == theirs.data
    with Image.open(io.BytesIO(mine.data)) as image:
        assert (image.format, image.size) == ('PNG', (picture.WIDTH, picture.HEIGHT))
        assert image.info.get('exif') is None


def test_the_picture_ends_with_the_open_link(place):
    place.change(open_link=False)
    assert place.app.test_client().get('/s/w2026/picture.png').status_code == 404
    place.change(open_link=True, closes_at=clock.now() - timedelta(hours=1))
    assert place.app.test_client().get('/s/w2026/picture.png').status_code == 404


def test_its_code_leads_to_the_open_link(tmp_path):
    """Read back from the pixels: every module of the code that was meant is there."""
    import segno

    address = 'https://survey.example.gov.cn/s/2026-autumn'
    content = picture.png(service='慈溪', title='调查', lines=('一行',), address=address)
    matrix = segno.make(address, error='m', micro=False).matrix
    side = len(matrix) + 2 * picture.QUIET_MODULES
    module = 320 // side
    left = (picture.WIDTH - module * side) // 2
    with Image.open(io.BytesIO(content)) as image:
        grey = image.convert('L')
    found = [
        [
            grey.getpixel(
                (
                    left + (column + picture.QUIET_MODULES) * module + module // 2,
                    picture.HEIGHT - 440 + (row + picture.QUIET_MODULES) * module + module // 2,
                )
            )
            < 128
            for column in range(len(matrix))
        ]
        for row in range(len(matrix))
    ]
    assert found == [[bool(dark) for dark in line] for line in matrix]


def test_long_words_and_long_titles_stay_on_the_picture():
    font = picture._font('Bold', 54)
    widest = picture.WIDTH - 2 * picture.MARGIN
    english = 'Cixi public survey on eco-civilisation, autumn 2026'
    for title in ('慈溪市生态文明公众调查' * 4, english):
        lines = picture._lines(title, font)
        assert ''.join(lines).replace(' ', '') == title.replace(' ', '')
        assert all(font.getlength(line) <= widest for line in lines)


def test_a_wave_without_anything_to_offer_offers_nothing(place):
    form = place.form()
    page = form.client.get(form.send().location).get_data(as_text=True)
    assert '/contact' not in page.replace('/about#contact', '')


def test_offer_and_picture_go_with_the_withdrawal(place):
    with database_of(place.app).transaction() as session:
        wave = session.scalars(sa.select(Wave)).one()
        from tests.contacts.test_sign_up import offer

        offer(session, wave)
    form = place.form()
    address = form.send().location
    assert f'{address}/contact' in form.client.get(address).get_data(as_text=True)
    form.take(form.client.get(f'{address}/withdraw'))
    form.client.post(f'{address}/withdraw', data=form.hidden)
    page = form.client.get(address).get_data(as_text=True)
    assert f'{address}/contact' not in page
    assert 'picture.png' not in page
