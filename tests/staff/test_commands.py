"""The first administrator and a forgotten password, at the shell."""

import re

import pytest
import sqlalchemy as sa

from cixi_survey.models import Staff
from cixi_survey.staff import accounts
from tests.conftest import make_app

GOOD = 'otter rides the 4 o’clock tram'


@pytest.fixture
def run(app):
    def run(*words, typed=''):
        return app.test_cli_runner().invoke(args=['staff', *words], input=typed)

    return run


def people(app):
    with app.extensions['cixi_database'].reading() as session:
        return session.scalars(sa.select(Staff)).all()


def matches(app, username, password):
    with app.extensions['cixi_database'].reading() as session:
        try:
            accounts.verify(session, username=username, password=password)
        except accounts.WrongPassword:
            return False
        return True


def test_the_first_administrator_types_the_password_twice_unseen(app, run):
    done = run('create-administrator', 'li.wei', typed=f'{GOOD}\n{GOOD}\n')
    assert done.exit_code == 0, done.output
    assert GOOD not in done.output
    (person,) = people(app)
    assert [role.role for role in person.roles] == ['administrator']
    assert not person.must_change_password
    assert matches(app, 'li.wei', GOOD)


def test_a_generated_password_is_printed_once_and_works(app, run):
    done = run('create-administrator', 'li.wei', '--generate', '--name', '李伟')
    password = re.search(r'shown only now: (\S+)', done.output).group(1)
    assert matches(app, 'li.wei', password)
    assert people(app)[0].must_change_password


def test_the_first_command_on_an_empty_disk_makes_the_database(tmp_path):
    app = make_app(f'sqlite:///{tmp_path}/new.db', tmp_path / 'data')
    args = ['staff', 'create-administrator', 'li.wei', '--generate']
    assert app.test_cli_runner().invoke(args=args).exit_code == 0
    assert len(people(app)) == 1


def test_a_second_run_makes_no_second_account_and_changes_no_password(app, run):
    run('create-administrator', 'li.wei', typed=f'{GOOD}\n{GOOD}\n')
    again = run('create-administrator', 'li.wei', '--generate')
    assert again.exit_code == 2
    assert 'li.wei' in again.output
    assert 'Traceback' not in again.output
    assert len(people(app)) == 1
    assert matches(app, 'li.wei', GOOD)


def test_a_weak_password_is_refused_in_a_line(app, run):
    done = run('create-administrator', 'li.wei', typed='short\nshort\n')
    assert done.exit_code == 2
    assert people(app) == []


def test_a_forgotten_password_is_replaced(app, run):
    run('create-administrator', 'li.wei', typed=f'{GOOD}\n{GOOD}\n')
    done = run('reset-password', 'li.wei', '--generate')
    password = re.search(r'shown only now: (\S+)', done.output).group(1)
    assert matches(app, 'li.wei', password)
    assert not matches(app, 'li.wei', GOOD)


def test_resetting_the_password_of_nobody_says_so(run):
    done = run('reset-password', 'nobody', '--generate')
    assert done.exit_code == 2
    assert 'nobody' in done.output
    assert 'shown only now' not in done.output
