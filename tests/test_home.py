"""What the pages outside the rooms promise to a resident."""

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


def test_about_promises_withdrawing_only_as_long_as_it_is_possible(client):
    page = client.get('/about?lang=zh').get_data(as_text=True)
    assert '在调查结束以前，可以凭回执编号撤回' in page
