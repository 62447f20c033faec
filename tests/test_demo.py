"""The demonstration: whole, labelled, loaded once."""

import csv
import io
import json
import re

import pytest
import sqlalchemy as sa

from cixi_survey import clock
from cixi_survey.demo import load as demo
from cixi_survey.models import Invitation, Publication, Response, Staff, Wave
from tests.conftest import SECRET, make_app

LABEL = '演示数据'


@pytest.fixture(scope='module')
def loaded(sqlite_template, tmp_path_factory):
    import shutil

    folder = tmp_path_factory.mktemp('demo')
    shutil.copy(sqlite_template, folder / 'demo.db')
    app = make_app(f'sqlite:///{folder}/demo.db', folder)
    with app.extensions['cixi_database'].transaction() as session:
        made = demo.load(session, secret_key=SECRET, now=clock.now())
    yield app, made
    app.extensions['cixi_database'].engine.dispose()


def counted(session, *conditions):
    return session.scalar(sa.select(sa.func.count()).select_from(Response).where(*conditions))


def test_a_closed_wave_of_about_1800_is_published_and_another_is_open(loaded):
    app, _made = loaded
    with app.extensions['cixi_database'].reading() as session:
        past, present = session.scalars(sa.select(Wave).order_by(Wave.opens_at)).all()
        complete = counted(
            session,
            Response.wave_id == past.id,
            Response.outcome == 'complete',
            Response.stream == 'probability',
        )
        assert 1650 <= complete <= 1950
        assert past.state == 'published'
        assert session.scalars(sa.select(Publication.wave_id)).all() == [past.id]
        assert present.is_open(clock.now())
        towns = sa.select(Response.stratum).where(Response.wave_id == past.id).distinct()
        assert len([town for town in session.scalars(towns) if town]) == 18
        # the outcome of every sampled unit is known to the collection side
        outcomes = dict(
            session.execute(
                sa.select(Invitation.outcome, sa.func.count())
                .where(Invitation.wave_id == past.id)
                .group_by(Invitation.outcome)
            ).all()
        )
        assert outcomes['complete'] == complete
        assert sum(outcomes.values()) == 2960


def test_no_answer_of_the_closed_wave_leads_to_a_household(loaded):
    app, _made = loaded
    with app.extensions['cixi_database'].reading() as session:
        sealed = sa.select(Response.invitation_id).where(Response.sealed)
        assert set(session.scalars(sealed)) == {None}


def test_every_page_and_file_is_labelled(loaded):
    app, made = loaded
    with app.extensions['cixi_database'].reading() as session:
        slug = session.scalars(sa.select(Wave.slug).where(Wave.state == 'published')).one()
    client = app.test_client()
    for address in (
        '/', '/about', '/i', f'/s/{made.open_slug}', f'/i/{made.code}', '/results',
        f'/results/{slug}', '/staff/sign-in', '/no/such/page',
    ):  # fmt: skip
        assert LABEL in client.get(address).get_data(as_text=True), address
    table = client.get(f'/results/{slug}.csv').get_data()
    assert table.startswith(b'\xef\xbb\xbf')
    text = table.decode('utf-8-sig')
    assert LABEL in text
    assert len(list(csv.reader(io.StringIO(text)))) > 18
    assert LABEL in json.dumps(client.get(f'/results/{slug}.json').json, ensure_ascii=False)


def test_the_passwords_are_generated_and_stored_only_as_argon2(loaded):
    app, made = loaded
    assert len({password for _name, password in made.passwords}) == 3
    with app.extensions['cixi_database'].reading() as session:
        for person in session.scalars(sa.select(Staff)):
            assert person.password_hash.startswith('$argon2id$')
    for _name, password in made.passwords:
        assert len(re.sub(r'\W', '', password)) >= 12


def test_it_is_loaded_only_into_an_empty_database(loaded):
    app, _made = loaded
    with app.extensions['cixi_database'].reading() as session:
        assert not demo.is_empty(session)
