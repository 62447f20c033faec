"""The docs show every page: a new one without a picture is noticed."""

from cixi_survey.config import ROOT
from tests.browser import pictures


def test_every_page_has_its_picture(app, client):
    pictured = {shot.endpoint for shot in pictures.shots()}
    pages = {
        rule.endpoint
        for rule in app.url_map.iter_rules()
        if 'GET' in rule.methods and rule.endpoint not in pictures.NOT_PAGES
    }
    assert pages - pictured == set()
    assert pictured - pages == set()


def test_the_list_in_the_docs_is_the_one_that_was_made():
    assert pictures.LIST.read_text() == pictures.page_list()
    for shot in pictures.shots():
        assert (pictures.FOLDER / f'{shot.name}.webp').exists(), f'make pictures: {shot.name}'
    assert (ROOT / 'Makefile').read_text().count('tests.browser.pictures') == 1
