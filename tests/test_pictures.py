"""`make pictures` knows every page: a new one is noticed."""

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


def test_the_docs_show_what_the_command_took():
    """After a new page: `make pictures`."""
    assert pictures.LIST.read_text(encoding='utf-8') == pictures.page_list()
    taken = {path.stem for path in pictures.FOLDER.glob('*.webp')}
    assert taken == {shot.name for shot in pictures.shots()}
