"""Rate limits, counted in the database."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from cixi_survey.limits import DatabaseStorage
from cixi_survey.models import LimitCounter


@pytest.fixture
def storage(both_apps):
    with both_apps.app_context():
        yield DatabaseStorage()


def keys(app):
    with app.extensions['cixi_database'].reading() as session:
        return set(session.scalars(sa.select(LimitCounter.key)))


def long_ago(app, *names):
    with app.extensions['cixi_database'].transaction() as session:
        session.add_all(LimitCounter(key=name, count=3, expires_at=1.0) for name in names)


def test_uses_are_counted_within_a_window_and_anew_after_it(both_apps, storage):
    long_ago(both_apps, 'known')
    assert [storage.incr('known', 60) for _ in range(3)] == [1, 2, 3]
    assert storage.get('known') == 3
    assert storage.get('other') == 0


def test_windows_that_are_over_are_tidied_away(both_apps, storage):
    long_ago(both_apps, 'one', 'two')
    storage.incr('new', 60)
    assert keys(both_apps) == {'new'}


def test_tidying_up_waits_for_nobody(postgres_app):
    """Or two who are counted at once, each in a new window, would wait for each other."""
    long_ago(postgres_app, 'held', 'free')
    held = sa.update(LimitCounter).where(LimitCounter.key == 'held').values(count=4)

    def count():
        with postgres_app.app_context():
            return DatabaseStorage().incr('new', 60)

    with (
        ThreadPoolExecutor() as pool,
        postgres_app.extensions['cixi_database'].transaction() as session,
    ):
        session.execute(held)
        assert pool.submit(count).result(timeout=10) == 1
    assert keys(postgres_app) == {'held', 'new'}
