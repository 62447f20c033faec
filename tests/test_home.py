"""What the pages outside the rooms promise to a resident."""

import re

import pytest

from cixi_survey.models import Wave
from tests import factories


def test_about_names_whom_to_call_while_a_survey_is_open(app, client):
    def about() -> str:
        return str(client.get('/about?lang=zh').get_data(as_text=True))

    assert '0574-12345678' not in about()
    with app.extensions['cixi_database'].transaction() as session:
        slug = factories.wave(session).slug
    assert '0574-12345678' in about()
    with app.extensions['cixi_database'].transaction() as session:
        session.query(Wave).filter_by(slug=slug).update({'state': 'planned'})
    assert '0574-12345678' not in about()


def test_the_page_of_protection_promises_only_what_is_so(client):
    page = client.get('/protection?lang=zh').get_data(as_text=True)
    assert '在调查结束以前，可以凭回执编号撤回' in page
    for one in (
        '你们看得出我是谁吗',
        '我改主意了怎么办',
        '为什么找我',
        '我不参加会怎样',
        '是不是骗人的',
    ):
        assert one in page
    for told in ('第二十八条', '12345', 'href="/verify"', 'href="/withdraw"', 'href="/results"'):
        assert told in page
    assert 'href="/protection"' in client.get('/about').get_data(as_text=True)


@pytest.mark.parametrize('language', ['zh', 'en'])
def test_the_drawing_is_told_to_those_who_do_not_see_it(client, language):
    page = client.get(f'/protection?lang={language}').get_data(as_text=True)
    drawing = page[page.index('<svg class="way"') : page.index('</figure>')]
    assert 'role="img" aria-labelledby="way-title way-text"' in drawing
    assert len(re.search('<desc[^>]*>(.*?)</desc>', drawing)[1]) > 80
    assert '|' not in drawing


@pytest.mark.parametrize('address', ['/protection', '/verify', '/withdraw'])
def test_residents_read_short_sentences(client, address):
    """A sentence of a page for everybody is said in one breath, in both languages."""
    for language, size in (('zh', len), ('en', lambda text: len(text.split()))):
        page = client.get(f'{address}?lang={language}').get_data(as_text=True)
        main = page[page.index('<h1>') : page.index('</main>')]
        texts = re.findall(r'<(?:p|li|dd|h[1-3])\b[^>]*>([^<]+)', main)
        assert len(texts) > 3
        for sentence in re.split(r'[。！？]|[.!?:](?:\s|$)', '\n'.join(texts)):
            for part in sentence.split('\n'):
                assert size(part) <= {'zh': 50, 'en': 32}[language], part


def test_about_still_names_the_goals_and_who_is_asked(client):
    page = client.get('/about?lang=en').get_data(as_text=True)
    assert 'drawn by chance' in page
    assert 'Only totals are published' in page
