"""Four eyes: a wave opens only as a second person has seen it."""

import pytest
import sqlalchemy as sa

from cixi_survey.models import AuditEntry, Wave, WaveApproval
from cixi_survey.waves import approval, draw, lifecycle
from tests import factories
from tests.waves import conftest as make
from tests.waves.conftest import ACT, SLUG

LI = {**ACT, 'actor': 'li'}


def reasons(session):
    with pytest.raises(lifecycle.NotReady) as refused:
        lifecycle.open_wave(session, SLUG, **ACT)
    return [problem.code for problem in refused.value.problems]


@pytest.fixture
def put_forward(database):
    """A wave that ``zhang`` has put forward; the digest of what was."""
    with database.transaction() as session:
        make.prepared(session)
        return lifecycle.put_forward(session, SLUG, **ACT).sha256


def test_nothing_opens_before_a_second_person_has_approved(database, put_forward):
    with database.transaction() as session:
        assert reasons(session) == ['not_approved_asked']
        approval.approve(session, SLUG, seen=put_forward, **LI)
        assert lifecycle.open_wave(session, SLUG, **ACT).state == 'open'
        opened = sa.select(AuditEntry.details).where(AuditEntry.action == 'wave.open')
        assert session.scalar(opened)['approved_by'] == 'li'


def test_what_was_never_put_forward_cannot_be_approved(database):
    with database.transaction() as session:
        make.prepared(session)
        assert reasons(session) == ['not_approved_none']
        with pytest.raises(approval.NotAsked):
            approval.approve(session, SLUG, seen='', **LI)


def test_one_person_is_not_both(database, put_forward):
    with pytest.raises(approval.SamePerson), database.transaction() as session:
        approval.approve(session, SLUG, seen=put_forward, **ACT)
    values = {'decision': 'approved', 'decided_by': 'zhang', 'decided_at': ACT['now']}
    with pytest.raises(sa.exc.IntegrityError), database.transaction() as session:
        session.execute(sa.update(WaveApproval).values(**values))


def other_contact(session, wave):
    plan = make.plan(version_sha256=wave.version_sha256, contact='12345')
    lifecycle.edit(session, SLUG, plan, **ACT)


def other_questionnaire(session, wave):
    changed = factories.small().model_copy(update={'title': {'zh': '另一份', 'en': 'Another'}})
    wave.version_sha256 = factories.publish(session, changed).sha256


def no_sample(session, wave):
    draw.discard(session, SLUG, **ACT)


CHANGES = {
    'contact': (other_contact, {'contact'}),
    'questionnaire': (other_questionnaire, {'version_sha256'}),
    'sample': (no_sample, {'sample'}),
}


@pytest.mark.parametrize('change', list(CHANGES))
@pytest.mark.parametrize('approved', [False, True])
def test_whatever_is_changed_afterwards_asks_for_another_approval(
    database, put_forward, change, approved
):
    act, names = CHANGES[change]
    with database.transaction() as session:
        if approved:
            approval.approve(session, SLUG, seen=put_forward, **LI)
        wave = session.scalars(sa.select(Wave)).one()
        act(session, wave)
        session.flush()
        session.expire(wave)
        asked = approval.latest(session, wave)
        assert names & set(approval.changed(session, wave, asked))
        assert approval.standing(session, wave) == 'changed'
        assert 'not_approved_changed' in reasons(session)
        if not approved:
            with pytest.raises(approval.ChangedSince):
                approval.approve(session, SLUG, seen=put_forward, **LI)


def test_new_letters_for_the_same_sample_need_no_other_approval(database, put_forward):
    with database.transaction() as session:
        approval.approve(session, SLUG, seen=put_forward, **LI)
        make.make_codes(session, revoke=True)
        assert lifecycle.open_wave(session, SLUG, **ACT).state == 'open'


def test_sent_back_with_a_remark_it_is_put_forward_again(database, put_forward):
    with database.transaction() as session:
        approval.send_back(session, SLUG, seen=put_forward, remark='题目太长', **LI)
        wave = session.scalars(sa.select(Wave)).one()
        assert approval.latest(session, wave).remark == '题目太长'
        assert reasons(session) == ['not_approved_returned']
        with pytest.raises(approval.NotAsked):
            approval.approve(session, SLUG, seen=put_forward, **LI)
        make.open_wave(session)


def test_what_was_taken_back_is_not_approved(database, put_forward):
    with database.transaction() as session:
        approval.take_back(session, SLUG, **ACT)
        assert reasons(session) == ['not_approved_none']
        with pytest.raises(approval.NotAsked):
            approval.take_back(session, SLUG, **ACT)


def test_who_looked_at_an_earlier_request_does_not_decide_a_later_one(database, put_forward):
    with database.transaction() as session:
        approval.take_back(session, SLUG, **ACT)
        other_contact(session, session.scalars(sa.select(Wave)).one())
        session.expire_all()
        lifecycle.put_forward(session, SLUG, **ACT)
        with pytest.raises(approval.NotAsked):
            approval.approve(session, SLUG, seen=put_forward, **LI)


def test_a_wave_is_set_against_the_one_that_opened_before_it(database):
    with database.transaction() as session:
        wave = make.prepared(session)
        assert approval.opened_before(session, wave) is None
        earlier = factories.wave(session, slug='spring', now=wave.opens_at)
        assert approval.opened_before(session, wave) is earlier
