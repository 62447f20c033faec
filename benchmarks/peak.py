"""200 residents at once, each finishing the questionnaire.

    .venv/bin/python -m benchmarks.peak [--residents 200]

Prints, for each database, requests per second and waiting times of the form, the drafts and the
submissions, beside those of a page that does nothing, asked of the same server in the same run.
The residents share the machine with the server.
"""

from __future__ import annotations

import argparse
import threading
import time
from collections.abc import Callable

from benchmarks import site


def together(people: list[site.Resident], act: Callable[[site.Resident], None]) -> float:
    """Everybody acts at once; the seconds until the last has finished."""
    barrier = threading.Barrier(len(people) + 1)

    def run(resident: site.Resident) -> None:
        barrier.wait()
        try:
            act(resident)
        except Exception as error:  # noqa: BLE001 - counted and shown
            resident.errors.append(repr(error))

    threads = [threading.Thread(target=run, args=(resident,)) for resident in people]
    for thread in threads:
        thread.start()
    barrier.wait()
    begun = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begun


def hello(resident: site.Resident) -> None:
    for _ in range(5):
        resident.request('hello', 'GET', '/healthz')


def measure(kind: str, count: int) -> None:
    with site.database_of(kind) as url:
        server = site.Server(url)
        server.start()
        warm = site.residents(server.port, 8)
        together(warm, lambda resident: resident.answer())
        greeters = site.residents(server.port, count)
        greeting = together(greeters, hello)
        people = site.residents(server.port, count)
        seconds = together(people, lambda resident: resident.answer())
        server.stop()
        report(kind, greeters, greeting, people, seconds)
        acknowledged = [resident.reference for resident in people if resident.reference]
        stored = site.stored_references(url)
    errors = [error for resident in people for error in resident.errors]
    lost = set(acknowledged) - set(stored)
    print(
        f'{kind}: {len(acknowledged)} of {count} acknowledged, {len(stored) - len(warm)} stored, '
        f'{len(lost)} lost, {len(stored) - len(set(stored))} doubled, {len(errors)} errors '
        f'{errors[:3] or ""}'
    )


def report(
    kind: str,
    greeters: list[site.Resident],
    greeting: float,
    people: list[site.Resident],
    seconds: float,
) -> None:
    hellos = [wait for resident in greeters for wait in resident.waits['hello']]
    rate = len(hellos) / greeting
    print(f'\n{kind}: {len(people)} residents at once, all finished in {seconds:.1f} s')
    print('| request | count | per second | median ms | p95 ms | max ms | wait / hello |')
    print('|---|---|---|---|---|---|---|')
    middle = site.percentile(hellos, 0.5)
    print(row('hello', hellos, rate, middle))
    for what in ('page', 'draft', 'submit'):
        waits = [wait for resident in people for wait in resident.waits.get(what, [])]
        if waits:
            print(row(what, waits, len(waits) / seconds, middle))
    total = sum(len(waits) for resident in people for waits in resident.waits.values())
    print(f'all requests: {total / seconds:.0f} per second, {total / seconds / rate:.2f} of hello')


def row(what: str, waits: list[float], rate: float, hello_median: float) -> str:
    median, late = site.percentile(waits, 0.5), site.percentile(waits, 0.95)
    return (
        f'| {what} | {len(waits)} | {rate:.0f} | {median:.0f} | {late:.0f} '
        f'| {1000 * max(waits):.0f} | {median / hello_median:.1f} |'
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else '')
    parser.add_argument('--residents', type=int, default=200)
    parser.add_argument('--database', choices=site.DATABASES, action='append')
    given = parser.parse_args()
    for kind in given.database or site.DATABASES:
        measure(kind, given.residents)


if __name__ == '__main__':
    main()
