"""A contact left after answering: once, encrypted, apart from the answers, and gone when wished."""

from datetime import date, timedelta

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from cixi_survey import clock, codes, vault
from cixi_survey.access import NotFound
from cixi_survey.contacts import address, lists, prizes, sign_up
from cixi_survey.contacts.address import Vault
from cixi_survey.errors import ProblemsFound
from cixi_survey.models import AuditEntry, Contact, ContactGiven, ContactOffer, PrizeDraw
from cixi_survey.waves import lifecycle
from tests import factories
from tests.conftest import SECRET

VAULT = Vault(SECRET)


def offer(session, wave, *, news=True, prizes=2, keep_until=None):
    session.add(
        ContactOffer(
            wave_id=wave.id,
            news=news,
            prizes=prizes,
            rules_zh='抽奖规则',
            rules_en='Rules',
            keep_until=keep_until or date(2100, 1, 1),
        )
    )
    session.flush()


def answered(session, wave, *, invited=True, **changes):
    unit = factories.invitation(session, wave)[0] if invited else None
    return factories.response(session, wave, unit, **changes).reference


def leave(session, reference, contact='13800000001', *, news=True, prize=True, now=None):
    return sign_up.sign_up(
        session,
        reference,
        contact,
        news=news,
        prize=prize,
        vault=VAULT,
        now=now or clock.now(),
    )


@pytest.fixture
def site(database):
    """A database with an open wave that offers both, and the receipt of an invited person."""
    with database.transaction() as session:
        wave = factories.wave(session)
        offer(session, wave)
        reference = answered(session, wave)
    return database, reference


@pytest.mark.parametrize(
    ('typed', 'meant'),
    [
        ('138 0000 0001', '13800000001'),
        ('+86 138-0000-0001', '13800000001'),
        ('１３８００００００ ０１', '13800000001'),
        ('  Wang.Fang@Example.CN ', 'wang.fang@example.cn'),
    ],
)
def test_what_people_type_is_brought_into_one_form(typed, meant):
    assert address.normalise(typed) == meant


@pytest.mark.parametrize(
    ('typed', 'code'),
    [
        ('', 'contact_missing'),
        ('12345', 'contact_mobile'),
        ('0574-63000000', 'contact_mobile'),
        ('wang@', 'contact_email'),
        ('wang fang@example.cn', 'contact_email'),
        ('=cmd@example', 'contact_email'),
        ('x' * 300 + '@example.cn', 'contact_email'),
    ],
)
def test_what_cannot_reach_anybody_is_refused_with_a_cure(typed, code):
    with pytest.raises(ProblemsFound) as found:
        address.normalise(typed)
    assert [(problem.where, problem.code) for problem in found.value.problems] == [
        ('contact', code)
    ]


@given(st.from_regex(r'1[3-9][0-9]{9}', fullmatch=True))
@settings(deadline=None)  # the first call loads the cryptography library
def test_sealing_hides_and_opens_again(mobile):
    sealed = VAULT.seal(mobile)
    assert mobile not in sealed
    assert VAULT.open(sealed) == mobile
    assert mobile[-4:] in address.ending(mobile)
    assert mobile[:7] not in address.ending(mobile)


def test_another_key_opens_nothing_and_finds_nobody():
    other = Vault('another secret key, just as long as the first')
    with pytest.raises(vault.Unreadable):
        other.open(VAULT.seal('13800000001'))
    assert other.fingerprint(1, '13800000001') != VAULT.fingerprint(1, '13800000001')


def test_a_contact_is_left_once_for_each_receipt(site):
    database, reference = site
    with database.transaction() as session:
        leave(session, reference)
    with database.transaction() as session, pytest.raises(sign_up.AlreadyGiven):
        leave(session, reference, '13900000002')
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Contact.id))) == 1


def test_who_leaves_with_the_receipt_may_sign_up_again_and_takes_part_once(site):
    database, reference = site
    with database.transaction() as session:
        number = leave(session, reference)
        sign_up.remove(session, number, codes.grouped(reference).lower(), vault=VAULT)
        again = leave(session, reference, '13900000002')
        assert session.scalar(sa.select(sa.func.count(Contact.id))) == 1
        sign_up.remove(session, again, vault=VAULT)
        with pytest.raises(sign_up.AlreadyGiven):  # nobody can tell whose receipt it was
            leave(session, reference)


def test_a_removal_frees_no_receipt_but_one_that_signed_up_for_the_same_list(site):
    database, reference = site
    with database.transaction() as session:
        number = leave(session, reference)
        other = factories.wave(session, slug='other')
        offer(session, other)
        elsewhere = answered(session, other)
        leave(session, elsewhere, '13900000002')
    for wrong in (elsewhere, 'x', codes.new_reference()):
        with pytest.raises(sign_up.NotSignedUp), database.transaction() as session:
            sign_up.remove(session, number, wrong, vault=VAULT)
    with database.reading() as session:  # nothing was deleted on the way
        assert session.scalar(sa.select(sa.func.count(Contact.id))) == 2
        assert session.scalar(sa.select(sa.func.count(ContactGiven.response_id))) == 2


def test_the_same_contact_takes_part_once_however_many_answer(site):
    database, reference = site
    with database.transaction() as session:
        wave = session.scalars(sa.select(ContactOffer)).one().wave
        second = answered(session, wave)
        leave(session, reference, news=False)
        leave(session, second, '138-0000-0001', prize=False)
        kept = session.scalars(sa.select(Contact)).one()
    assert (kept.news, kept.prize) == (True, True)


def test_the_row_tells_neither_the_answer_nor_the_moment(site):
    database, reference = site
    with database.transaction() as session:
        leave(session, reference)
    columns = set(Contact.__table__.columns.keys())
    assert columns == {
        'id', 'wave_id', 'news', 'prize', 'sealed_contact', 'fingerprint', 'removal_hash',
    }  # fmt: skip
    with database.reading() as session:
        kept = session.scalars(sa.select(Contact)).one()
    assert '13800000001' not in ' '.join(str(getattr(kept, name)) for name in columns)


def test_prizes_are_for_the_sample_and_news_for_everybody(database):
    with database.transaction() as session:
        wave = factories.wave(session)
        offer(session, wave)
        visitor = answered(session, wave, invited=False)
        choice = sign_up.offered(session, visitor, clock.now())
        assert (choice.news, choice.prizes) == (True, 0)
        with pytest.raises(ProblemsFound) as found:
            leave(session, visitor, news=False)
        assert found.value.problems[0].where == 'purpose'


def test_nothing_is_offered_without_an_offer_after_the_end_or_to_who_was_screened_out(database):
    now = clock.now()
    with database.transaction() as session:
        plain = factories.wave(session, slug='plain')
        over = factories.wave(session, slug='over', closes_at=now - timedelta(hours=1))
        running = factories.wave(session, slug='running')
        offer(session, over)
        offer(session, running)
        receipts = [
            answered(session, plain),
            answered(session, over),
            answered(session, running, outcome='ineligible'),
        ]
        for reference in receipts:
            with pytest.raises(sign_up.NothingOffered):
                leave(session, reference)
        with pytest.raises(NotFound):
            leave(session, '2346789CD')


def test_the_removal_number_deletes_the_contact_and_only_it(site):
    database, reference = site
    with database.transaction() as session:
        wave = session.scalars(sa.select(ContactOffer)).one().wave
        number = leave(session, reference)
        leave(session, answered(session, wave), 'someone@example.cn')
    with database.transaction() as session:
        sign_up.remove(session, f' {number[:3]}-{number[3:].lower()}', vault=VAULT)
    with database.reading() as session:
        left = session.scalars(sa.select(Contact.sealed_contact)).all()
    assert [VAULT.open(one) for one in left] == ['someone@example.cn']
    for wrong in (number, '', 'nonsense'):
        with database.transaction() as session, pytest.raises(sign_up.NotOnTheList):
            sign_up.remove(session, wrong, vault=VAULT)


def test_closing_forgets_who_of_those_who_answered_signed_up(database):
    now = clock.now()
    with database.transaction() as session:
        wave = factories.wave(session)
        offer(session, wave)
        for number in range(30):
            leave(session, answered(session, wave), f'138000000{number:02}')
        order = session.scalars(sa.select(Contact.id)).all()
    with database.transaction() as session:
        lifecycle.close_wave(session, 'w2026', actor='zhang', now=now)
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(ContactGiven.response_id))) == 0
        after = session.scalars(sa.select(Contact.id)).all()
    assert set(after) == set(order)
    if database.is_sqlite:  # the order in the file is what a thief of the file would see
        with database.reading() as session:
            rows = session.execute(sa.text('SELECT id FROM contact ORDER BY rowid')).scalars().all()
        assert rows != order


def test_contacts_go_when_their_day_is_over_and_the_draw_stays(database):
    now = clock.now()
    with database.transaction() as session:
        wave = factories.wave(session)
        offer(session, wave, keep_until=clock.local(now).date())
        leave(session, answered(session, wave))
        first, second = (
            factories.staff(session, 'organiser'),
            factories.staff(session, 'organiser', username='li'),
        )
        lifecycle.close_wave(session, wave.slug, actor='zhang', now=now)
        prizes.draw(session, wave.slug, 7, vault=VAULT, actor='zhang', staff_id=first.id, now=now)
        prizes.confirm(session, wave.slug, actor='li', staff_id=second.id, now=now)
        assert lists.purge(session, now) == 0
    with database.transaction() as session:
        assert lists.purge(session, now + timedelta(days=1)) == 1
        assert lists.purge(session, now + timedelta(days=2)) == 0
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(Contact.id))) == 0
        kept = session.scalars(sa.select(PrizeDraw)).one()
        acts = session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert (kept.winners, kept.endings) == ([], ['…0001'])
    assert acts[-1] == 'contacts.purge'
