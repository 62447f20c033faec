"""The reserve: whole random replicates, fixed with the draw, released by the rule that was set."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from cixi_survey import clock
from cixi_survey.database import Database
from cixi_survey.models import AuditEntry, Invitation, Response, SampleDraw, Wave
from cixi_survey.results import dataset, run
from cixi_survey.waves import (
    approval,
    draw,
    frame,
    lifecycle,
    printing,
    repeat,
    reserve,
    two_stage,
    villages,
)
from cixi_survey.waves.reserve import Rule
from tests import factories
from tests.conftest import SECRET
from tests.waves import conftest as make
from tests.waves.conftest import ACT, FUHAI, HUSHAN, SLUG

NOW = ACT['now']
TODAY = clock.local(NOW).date()
RULE = Rule(2, 25, TODAY, 50)
LATER = NOW + timedelta(days=7)


def wave_of(session):
    return session.scalars(sa.select(Wave)).one()


def one_stage(session, rule=RULE):
    make.create(session)
    make.load_populations(session)
    make.load_frame(session)
    return make.draw_sample(session, reserve=rule.kept() if rule else None)


def two_stages(session, rule=RULE):
    make.create(session)
    make.load_populations(session)
    villages.load_shipped(session, SLUG, **ACT)
    make.draw_villages(session)
    make.load_lists(session)
    kept = rule.kept() if rule else None
    return two_stage.draw_persons(session, SLUG, seed=11, reserve=kept, **ACT)


@pytest.fixture(params=[one_stage, two_stages])
def opened(request, sqlite_url):
    """An open wave with a sample of either kind and its reserve."""
    database = Database(sqlite_url)
    with database.transaction() as session:
        request.param(session)
        make.make_codes(session)
        make.open_wave(session)
    yield database
    database.engine.dispose()


def release(session, now=NOW):
    return reserve.release(session, SLUG, actor='zhang', now=now)


def names(session):
    return set(session.scalars(sa.select(Invitation.unit)))


def place_of(made, unit):
    return unit.psu if made.two_stage else unit.stratum


def codes_of_problems(session, now=NOW):
    return [problem.code for problem in reserve.state(session, wave_of(session), now).problems]


@pytest.mark.parametrize('make_sample', [one_stage, two_stages])
def test_a_reserve_does_not_change_the_sample(make_sample, sqlite_url, tmp_path):
    database = Database(sqlite_url)
    with database.transaction() as session:
        without = make_sample(session, rule=None).sample_sha256
        draw.discard(session, SLUG, **ACT)
        session.expire_all()
        kept = RULE.kept()
        if make_sample is one_stage:
            made = make.draw_sample(session, reserve=kept)
        else:
            made = two_stage.draw_persons(session, SLUG, seed=11, reserve=kept, **ACT)
        assert made.sample_sha256 == without
        assert Rule.of(made) == RULE
    database.engine.dispose()


def test_a_released_replicate_makes_the_sample_that_a_larger_draw_had_given(opened):
    with opened.transaction() as session:
        made = session.scalars(sa.select(SampleDraw)).one()
        before = names(session)
        count = release(session)
        places = made.released['places']
        assert count == sum(more for _n, more in places.values()) > 0
        assert all(more == RULE.size(n, 10**6) for n, more in places.values())
        assert len(names(session)) == len(before) + count
        listed = frame.ordered(
            session,
            frame.stored_frame(session, wave_of(session)),
            by_village=made.two_stage,
        )
        sizes = {place: n + more for place, (n, more) in places.items()}
        column = 'psu' if made.two_stage else 'stratum'
        again = draw.sampling.draw_stratified(
            [getattr(row, column) for row in listed], sizes, made.seed
        )[0]
        assert names(session) == {listed[row].unit for row in again}


def test_who_was_drawn_keeps_the_code_and_only_new_units_get_one(opened):
    with opened.transaction() as session:
        old = dict(session.execute(sa.select(Invitation.unit, Invitation.code_hash)).all())
        count = release(session)
        batch = make.make_codes(session)
        assert (batch.count, batch.revoked) == (count, 0)
        found = dict(session.execute(sa.select(Invitation.unit, Invitation.code_hash)).all())
        assert all(found[unit] == code for unit, code in old.items())
        assert None not in found.values()
        fresh = printing.slips(session, wave_of(session), key=batch.key, secret_key=SECRET)
        assert {slip.unit for slip in fresh} == set(found) - set(old)


def test_the_rule_says_when_and_why_not(opened):
    with opened.transaction() as session:
        assert codes_of_problems(session) == []
        assert codes_of_problems(session, NOW - timedelta(days=1)) == ['not_running', 'too_early']
        release(session)
        assert codes_of_problems(session) == ['too_early']  # a week between two
        with pytest.raises(reserve.NotReleased):
            release(session)
        units = session.scalars(sa.select(Invitation).limit(50)).all()
        for unit in units:
            unit.outcome = 'complete'
        session.flush()
        assert codes_of_problems(session, LATER) == ['enough']
        units[0].outcome = 'refusal'
        session.flush()
        release(session, LATER)
        assert codes_of_problems(session, LATER + timedelta(days=8)) == ['all_released']
        acts = session.scalars(
            sa.select(AuditEntry.details).where(AuditEntry.action == 'wave.reserve')
        ).all()
    assert [entry['replicate'] for entry in acts] == [1, 2]


def test_a_changed_list_releases_nothing(opened):
    with opened.transaction() as session:
        session.execute(sa.update(frame.FrameUnit).values(size=frame.FrameUnit.size + 1))
        with pytest.raises(reserve.NotReleased) as refused:
            release(session)
    assert [problem.code for problem in refused.value.problems] == ['list_changed']


def test_a_sample_without_a_reserve_has_none(sqlite_url):
    database = Database(sqlite_url)
    with database.transaction() as session:
        one_stage(session, rule=None)
        with pytest.raises(reserve.NoReserve):
            reserve.state(session, wave_of(session), NOW)
    database.engine.dispose()


def test_the_draw_is_repeated_with_what_was_released(opened):
    with opened.transaction() as session:
        release(session)
        assert repeat.repeat(session, wave_of(session)).identical
        session.execute(sa.delete(Invitation).where(Invitation.unit == min(names(session))))
        assert repeat.repeat(session, wave_of(session)).changed == ('units',)


def test_weights_are_those_of_the_whole_sample_for_whoever_answered_when(opened):
    with opened.transaction() as session:
        wave = wave_of(session)
        early = session.scalars(sa.select(Invitation).order_by(Invitation.id)).first()
        factories.response(session, wave, early)
        release(session)
        made = session.scalars(sa.select(SampleDraw)).one()
        make.make_codes(session)
        late = session.scalars(sa.select(Invitation).order_by(Invitation.id.desc())).first()
        factories.response(session, wave, late)
        chances = {}
        for unit in (early, late):
            n, more = made.released['places'][place_of(made, unit)]
            first = 1.0
            if made.two_stage:
                first = {v.psu: v.probability for v in two_stage.of_wave(session, wave)}[unit.psu]
            chances[unit.stratum] = unit.size / (first * (n + more) / unit.frame_count)
        lifecycle.close_wave(session, SLUG, **ACT)
        assert run._wave(session, wave)['draw']['released'] == 1
        sample = dataset.load(session, wave, 'probability')
        towns = [sample.sampling.stratum.labels[code] for code in sample.sampling.stratum.codes]
        for town, weight in zip(towns, sample.sampling.base_weight, strict=True):
            assert weight == pytest.approx(chances[town])
        # The nameless units have the same, and they stand for everybody on the lists.
        if not made.two_stage:
            units = session.execute(
                sa.select(Invitation.stratum, sa.func.sum(1 / Invitation.probability)).group_by(
                    Invitation.stratum
                )
            ).all()
            assert dict(units) == {HUSHAN: pytest.approx(300), FUHAI: pytest.approx(100)}
        assert session.scalar(sa.select(sa.func.max(Invitation.probability))) <= 1
        assert session.scalar(sa.select(sa.func.count(Response.id))) == 2


def test_the_page_of_the_reserve_says_the_rule_and_releases_it(client, app_database):
    with app_database.transaction() as session:
        one_stage(session)
        make.make_codes(session)
        make.open_wave(session)
    factories.sign_in(client, app_database, 'organiser')
    client.get('/about?lang=en')
    page = client.get(f'/staff/waves/{SLUG}/reserve').get_data(as_text=True)
    assert 'Release replicate 1' in page
    assert '26 more units get a code and a letter' in page
    answer = client.post(
        f'/staff/waves/{SLUG}/reserve', data={'csrf_token': client.token()}, follow_redirects=True
    )
    assert '26 units have come from the reserve' in answer.get_data(as_text=True)
    for address in (f'/staff/waves/{SLUG}', f'/staff/waves/{SLUG}/reserve'):
        assert 'Make codes for the 26 units without one' in client.get(address).text
    assert 'Units of the reserve have no code yet' in client.get('/staff').text
    with app_database.transaction() as session:
        make.make_codes(session)
    assert 'units without one' not in client.get(f'/staff/waves/{SLUG}').text
    assert 'Units of the reserve have no code yet' not in client.get('/staff').text
    page = client.get(f'/staff/waves/{SLUG}/reserve').get_data(as_text=True)
    assert 'Nothing can be released now' in page


def test_a_reserve_needs_the_whole_rule(client, app_database):
    with app_database.transaction() as session:
        make.create(session)
        make.load_populations(session)
        make.load_frame(session)
    factories.sign_in(client, app_database, 'organiser')
    client.get('/about?lang=en')
    asked = {'method': 'power', 'total': 100, 'minimum': 10, 'response': 60, 'preview': 1}
    address = f'/staff/waves/{SLUG}/draw'
    page = client.get(address, query_string={**asked, 'replicates': 2, 'reserve_share': 25})
    assert page.status_code == 422
    assert page.get_data(as_text=True).count('A reserve needs this, too.') >= 2
    assert client.get(address, query_string={**asked, 'replicates': ''}).status_code == 200
    rule = {'replicates': 2, 'reserve_share': 25, 'reserve_from': TODAY, 'reserve_below': 50}
    always = {'csrf_token': client.token(), **asked, **rule, 'reserve_below': 101}
    page = client.post(address, data=always)
    assert page.status_code == 422
    assert 'Enter at most 100; else the rule would never say no.' in page.text
    page = client.get(address, query_string={**asked, **rule})
    assert 'Units of a replicate of the reserve: 26 (26.0% of the sample of 100).' in page.text
    client.post(address, data={'csrf_token': client.token(), **asked, **rule})
    with app_database.reading() as session:
        assert Rule.of(session.scalars(sa.select(SampleDraw)).one()) == RULE


def test_another_rule_asks_for_another_approval(sqlite_url):
    database = Database(sqlite_url)
    with database.transaction() as session:
        made = one_stage(session)
        before = approval.content_sha256(session, wave_of(session))
        made.reserve = Rule(2, 25, TODAY, 60).kept()
        session.flush()
        assert approval.content_sha256(session, wave_of(session)) != before
    database.engine.dispose()
