"""Accounts: passwords, roles, and that nobody is locked out."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from cixi_survey import access, audit
from cixi_survey.errors import ProblemsFound
from cixi_survey.models import AuditEntry, Staff, StaffSession
from cixi_survey.staff import accounts

GOOD = 'otter rides the 4 o’clock tram'


def make(session, now, username='li.wei', roles=('administrator',), password=GOOD):
    return accounts.create(
        session,
        username=username,
        name='李伟',
        password=password,
        roles=roles,
        actor='test',
        now=now,
    )


def sign_in(session, username, password, now):
    verified = accounts.verify(session, username=username, password=password)
    return accounts.sign_in(session, verified, now=now)


def codes(found):
    return [problem.code for problem in found.value.problems]


@pytest.mark.parametrize(
    ('password', 'code'),
    [
        ('short 1 too', 'password_short'),
        ('x' * 201, 'password_long'),
        ('my name is li.wei!', 'password_username'),
        ('111111111111', 'password_common'),
        ('123456789012', 'password_common'),
        ('abcabcabcabcabc', 'password_common'),
        ('Password12345!', 'password_common'),
        ('P@ssw0rd!2026', 'password_common'),
        ('cixi2026cixi2026', 'password_common'),
        ('qwertyuiopas', 'password_common'),
        ('Xuanchuanbu-2026', 'password_common'),
    ],
)
def test_a_weak_password_is_refused_with_its_cure(password, code):
    problems = accounts.password_problems(password, 'li.wei')
    assert [problem.code for problem in problems] == [code]
    assert problems[0].cure


def test_an_account_asked_for_twice_at_once_is_made_once(database, now):
    def ask(_number):
        try:
            with database.transaction() as session:
                return make(session, now).username
        except ProblemsFound as found:
            return found.problems[0].code

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, range(4))) == ['li.wei', *['username_taken'] * 3]


@pytest.mark.parametrize('password', [GOOD, '慈溪的潮水每天来两次真好啊', 'kT7-vv2-Qx9-pLm'])
def test_a_long_password_of_ones_own_is_taken(password):
    assert accounts.password_problems(password, 'li.wei') == []


def test_a_generated_password_is_strong_and_never_the_same():
    made = {accounts.generate_password() for _ in range(50)}
    assert len(made) == 50
    assert all(accounts.password_problems(password, 'li.wei') == [] for password in made)


def test_the_password_is_kept_only_as_an_argon2_hash(database, now):
    with database.transaction() as session:
        make(session, now)
    with database.reading() as session:
        stored = session.scalars(sa.select(Staff.password_hash)).one()
        details = [str(entry.details) for entry in session.scalars(sa.select(AuditEntry))]
    assert stored.startswith('$argon2id$')
    assert GOOD not in stored
    assert not any(GOOD in text for text in details)


def test_a_user_name_exists_only_once_in_whatever_case(database, now):
    with database.transaction() as session:
        make(session, now)
    with pytest.raises(ProblemsFound) as found, database.transaction() as session:
        make(session, now, username='LI.WEI ')
    assert codes(found) == ['username_taken']


def test_every_fault_of_a_new_account_is_told_at_once(database, now):
    with pytest.raises(ProblemsFound) as found, database.transaction() as session:
        make(session, now, username='1', roles=(), password='short')
    assert codes(found) == ['username_form', 'password_short', 'role_missing']


def test_wrong_password_unknown_name_and_deactivated_account_are_one_and_the_same(database, now):
    with database.transaction() as session:
        make(session, now)
        make(session, now, username='left', roles=['organiser'])
        accounts.deactivate(session, username='left', actor='li.wei', now=now)
    for username, password in [('li.wei', 'wrong'), ('nobody', GOOD), ('left', GOOD)]:
        with pytest.raises(accounts.WrongPassword), database.reading() as session:
            accounts.verify(session, username=username, password=password)


def test_each_sign_in_has_a_session_of_its_own_that_can_be_ended(database, now):
    with database.transaction() as session:
        make(session, now)
        first, second = (sign_in(session, 'li.wei', GOOD, now).id for _ in range(2))
    assert first != second
    assert len(first) == 43
    with database.transaction() as session:
        accounts.sign_out(session, session_id=first)
    with database.reading() as session:
        assert session.scalars(sa.select(StaffSession.id)).all() == [second]


def test_sessions_that_were_left_open_are_cleared_away_at_the_next_sign_in(database, now):
    with database.transaction() as session:
        make(session, now)
        left = sign_in(session, 'li.wei', GOOD, now).id
        sign_in(session, 'li.wei', GOOD, now + timedelta(hours=access.IDLE_HOURS, minutes=1))
    with database.reading() as session:
        assert session.get(StaffSession, left) is None


def test_a_new_password_ends_every_other_session(database, now):
    with database.transaction() as session:
        make(session, now)
        here, there = (sign_in(session, 'li.wei', GOOD, now).id for _ in range(2))
        accounts.change_password(
            session,
            username='li.wei',
            old=GOOD,
            new='a heron waits at Shanglin lake',
            session_id=here,
            now=now,
        )
    with database.reading() as session:
        assert session.get(StaffSession, here)
        assert session.get(StaffSession, there) is None


def test_a_password_changed_between_comparing_and_signing_in_does_not_open(database, now):
    with database.transaction() as session:
        make(session, now)
    with database.reading() as session:
        verified = accounts.verify(session, username='li.wei', password=GOOD)
    with database.transaction() as session:
        accounts.reset_password(
            session, username='li.wei', password=accounts.generate_password(), actor='x', now=now
        )
    with pytest.raises(accounts.WrongPassword), database.transaction() as session:
        accounts.sign_in(session, verified, now=now)


def test_an_old_hash_is_renewed_at_the_next_sign_in(database, now):
    from argon2 import PasswordHasher

    with database.transaction() as session:
        make(session, now).password_hash = PasswordHasher(time_cost=1, memory_cost=1024).hash(GOOD)
    with database.transaction() as session:
        sign_in(session, 'li.wei', GOOD, now)
    with database.reading() as session:
        renewed = session.scalars(sa.select(Staff.password_hash)).one()
    assert not PasswordHasher().check_needs_rehash(renewed)


def test_changing_the_password_wants_the_present_one_and_another_new_one(database, now):
    with database.transaction() as session:
        make(session, now)
    tries = [('wrong', 'a heron waits at the lake', ['password_wrong'])]
    tries += [(GOOD, GOOD, ['password_same']), (GOOD, 'short', ['password_short'])]
    for old, new, expected in tries:
        with pytest.raises(ProblemsFound) as found, database.transaction() as session:
            accounts.change_password(
                session, username='li.wei', old=old, new=new, session_id='', now=now
            )
        assert codes(found) == expected


def test_the_last_administrator_stays(database, now):
    with database.transaction() as session:
        make(session, now)
    with pytest.raises(accounts.LastAdministrator), database.transaction() as session:
        accounts.set_roles(session, username='li.wei', roles=['organiser'], actor='li.wei', now=now)
    with pytest.raises(accounts.LastAdministrator), database.transaction() as session:
        accounts.deactivate(session, username='li.wei', actor='wang', now=now)
    with database.transaction() as session:
        make(session, now, username='wang')
        accounts.deactivate(session, username='li.wei', actor='wang', now=now)
    with pytest.raises(accounts.LastAdministrator), database.transaction() as session:
        accounts.set_roles(session, username='wang', roles=['organiser'], actor='wang', now=now)


def test_nobody_deactivates_himself(database, now):
    with database.transaction() as session:
        make(session, now)
        make(session, now, username='wang')
    with pytest.raises(accounts.OwnAccount), database.transaction() as session:
        accounts.deactivate(session, username='wang', actor='wang', now=now)


def test_who_is_deactivated_is_signed_out_and_can_come_back(database, now):
    with database.transaction() as session:
        make(session, now)
        make(session, now, username='wang', roles=['organiser'])
        opened = sign_in(session, 'wang', GOOD, now).id
        accounts.deactivate(session, username='wang', actor='li.wei', now=now)
    with database.reading() as session:
        assert session.get(StaffSession, opened) is None
    with database.transaction() as session:
        accounts.reactivate(session, username='wang', actor='li.wei', now=now + timedelta(days=1))
        sign_in(session, 'wang', GOOD, now)


def test_roles_can_be_exchanged_and_the_change_is_recorded(database, now):
    with database.transaction() as session:
        make(session, now)
        make(session, now, username='wang', roles=['organiser'])
        roles = ['organiser', 'statistician']
        accounts.set_roles(session, username='wang', roles=roles, actor='li.wei', now=now)
    with database.reading() as session:
        person = accounts.account(session, 'wang')
        assert {role.role for role in person.roles} == set(roles)
        entry = session.scalars(
            sa.select(AuditEntry).where(AuditEntry.action == 'staff.roles')
        ).one()
        assert (entry.actor, entry.subject) == ('li.wei', 'staff:wang')
        assert entry.details == {'before': ['organiser'], 'after': roles}
        assert audit.broken_at(session) is None
