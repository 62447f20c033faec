"""The pages of a sample in two stages, as an organiser goes through them."""

import re

import pytest
import sqlalchemy as sa

from cixi_survey.models import AuditEntry, DrawnVillage, FrameUnit, Invitation, VillageFrame
from cixi_survey.waves import villages
from tests import factories
from tests.waves import conftest as make
from tests.waves.conftest import ACT, FUHAI, HUSHAN, SLUG
from tests.waves.test_views import confirm, hidden, post, text, upload

WAVE = f'/staff/waves/{SLUG}'
NUMBERS = {'villages': 10, 'all_up_to': 12, 'persons': 6, 'response': 50, 'rho': 0.05, 'seed': 7}


@pytest.fixture
def organiser(client, app_database):
    with app_database.transaction() as session:
        make.create(session)
        make.load_populations(session)
    factories.sign_in(client, app_database, 'organiser')
    client.get('/about?lang=en')
    return client


def test_a_sample_in_two_stages_from_the_first_press_to_the_repeated_draw(organiser, app_database):
    page = organiser.get(f'{WAVE}/villages/draw')
    assert page.status_code == 409
    assert 'First load the villages' in text(page)
    answer = post(organiser, f'{WAVE}/villages/shipped')
    page = text(organiser.get(answer.location))
    assert '35 villages and communities are stored' in page
    assert 'The sizes are invented' in page

    assert 'Draw the villages.' in text(organiser.get('/staff'))

    # What follows from the numbers, before anything is drawn.
    page = text(organiser.get(f'{WAVE}/villages/draw', query_string=NUMBERS))
    assert 'every village; persons by its size' in page
    rows = dict(re.findall(r'name="((?:villages|persons)_\d+)"[^>]* value="(\d+)"', page))
    assert rows == {
        f'villages_{HUSHAN}': '10',
        f'persons_{HUSHAN}': '6',
        f'villages_{FUHAI}': '8',
        f'persons_{FUHAI}': '6',
    }
    own = NUMBERS | {f'villages_{HUSHAN}': 12, f'persons_{HUSHAN}': 9}
    page = text(organiser.get(f'{WAVE}/villages/draw', query_string=own))
    assert f'name="villages_{HUSHAN}" form="asked" inputmode="numeric" value="12"' in page
    wrong = organiser.get(f'{WAVE}/villages/draw', query_string=own | {f'villages_{HUSHAN}': 28})
    assert wrong.status_code == 422
    assert 'Between 2 and 27 villages' in text(wrong)
    page = text(organiser.get(f'{WAVE}/villages/draw', query_string={**own, 'general': 1}))
    assert f'name="villages_{HUSHAN}" form="asked" inputmode="numeric" value="10"' in page

    answer = post(organiser, f'{WAVE}/villages/draw', **NUMBERS)
    page = text(organiser.get(answer.location))
    assert 'drawn with the seed 7' in page
    assert page.count('<td class="num">10.000</td>') == 1  # the chances of 27 villages
    file = text(organiser.get(f'{WAVE}/villages/drawn.csv'))
    assert len(file.splitlines()) == 1 + 18
    assert 'Load the lists of the drawn villages.' in text(organiser.get('/staff'))

    # Lists of some villages, then of the others; a village that was not drawn is not stored.
    with app_database.reading() as session:
        codes = list(session.scalars(sa.select(DrawnVillage.psu)))
        some = make.lists_text(session, only=set(codes[:5]))
        rest = make.lists_text(session, only=set(codes[5:]))
    unknown = f'{some}{HUSHAN},330282004999,x,1\n'
    assert '330282004999' in text(upload(organiser, f'{WAVE}/frame', unknown.encode(), source='x'))
    page = text(upload(organiser, f'{WAVE}/frame', some.encode(), source='x'))
    assert 'The lists of 5 drawn villages' in page
    assert '5 lists have less than half of the adults of their village' in page
    page = upload(organiser, f'{WAVE}/frame', rest.encode(), source='lists')
    answer = confirm(organiser, f'{WAVE}/frame', page)
    page = text(organiser.get(answer.location))
    assert '5 of the drawn villages have no list yet' in page
    assert '5 drawn villages have nobody on the list yet' in text(
        organiser.get(f'{WAVE}/persons/draw')
    )
    stopped = post(organiser, f'{WAVE}/persons/draw', seed='')
    assert stopped.status_code == 409
    assert 'A drawn village cannot be left out or replaced' in text(stopped)
    page = upload(organiser, f'{WAVE}/frame', some.encode(), source='x')
    confirm(organiser, f'{WAVE}/frame', page)
    assert organiser.get(f'{WAVE}/draw').location == f'{WAVE}/persons/draw'
    page = text(organiser.get(f'{WAVE}/persons/draw'))
    assert '18 lists have less than half of the adults of their village' in page
    assert re.search(r': 30 on the list, [\d,]+ adults in the village', page)
    given = int(re.search(r'20 per cent gives (\d+) units', page)[1])
    assert 30 < given < 45  # nearly two in each of 18 villages, not 22
    rule = {'replicates': 1, 'reserve_share': 20, 'reserve_from': '2026-12-01'}
    refused = post(organiser, f'{WAVE}/persons/draw', seed=11, **rule, reserve_below=109)
    assert 'Enter at most 108' in text(refused)
    answer = post(organiser, f'{WAVE}/persons/draw', seed=11)
    page = text(organiser.get(answer.location))
    assert '<td class="num">60.000</td>' in page
    assert '<td class="num">48.000</td>' in page
    assert 'Identical: the same units' in text(organiser.get(f'{WAVE}/draw/repeat'))
    with app_database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Invitation.id))) == 108
        acts = session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert acts[-5:] == [
        *('wave.villages', 'wave.villages_draw', 'wave.frame', 'wave.frame', 'wave.draw')
    ]
    # And back.
    assert text(organiser.get(f'{WAVE}/villages/discard')).count('A sample has already been drawn')
    post(organiser, f'{WAVE}/draw/discard')
    assert '540 units of the lists' in text(organiser.get(f'{WAVE}/villages/discard'))
    post(organiser, f'{WAVE}/villages/discard')
    with app_database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(FrameUnit.id))) == 0


def test_a_changed_list_is_told_on_the_page(organiser, app_database):
    with app_database.transaction() as session:
        villages.load_shipped(session, SLUG, **ACT)
        make.draw_villages(session)
        make.load_lists(session)
        make.draw_persons(session)
        session.execute(sa.update(FrameUnit).values(size=2))
    page = text(organiser.get(f'{WAVE}/draw/repeat'))
    assert 'Not the same any more: List of persons or addresses' in page


def test_a_list_of_villages_is_shown_before_it_is_stored(organiser, app_database):
    rows = ''.join(f'{FUHAI},3302821082{n:02},{1000 + n}\n' for n in range(1, 8))
    page = upload(organiser, f'{WAVE}/villages', f'stratum,psu,size\n{rows}'.encode(), source='x')
    assert '28 villages and communities of these towns are not in the file' in text(page)
    with app_database.reading() as session:
        assert session.scalars(sa.select(VillageFrame)).all() == []
    assert hidden(page)['confirmed']
    confirm(organiser, f'{WAVE}/villages', page)
    faulty = upload(organiser, f'{WAVE}/villages', b'stratum,psu,size\n1,2,0\n', source='x')
    assert faulty.status_code == 422
    assert 'could never be drawn' in text(faulty)
    with app_database.reading() as session:
        assert session.scalars(sa.select(VillageFrame.villages)).all() == [7]
