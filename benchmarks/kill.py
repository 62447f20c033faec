"""kill -9 under load: nothing acknowledged is lost, nothing is doubled.

    .venv/bin/python -m benchmarks.kill [--residents 200] [--kills 5]

Residents answer and try again when the connection breaks, with the same form, as a phone does.
Meanwhile a worker (gunicorn) or the whole server (waitress, which is then started again) is killed.
"""

from __future__ import annotations

import argparse
import threading
import time

from benchmarks import site


def measure(kind: str, server_kind: str, count: int, kills: int) -> bool:
    with site.database_of(kind) as url:
        server = site.Server(url, server_kind)
        server.start()
        people = site.residents(server.port, count)
        threads = [
            threading.Thread(target=resident.answer, kwargs={'persist': True})
            for resident in people
        ]
        begun = time.perf_counter()
        for thread in threads:
            thread.start()
        done = 0
        while done < kills and any(thread.is_alive() for thread in threads):
            time.sleep(0.4)
            server.kill()
            done += 1
            if server_kind == 'waitress':
                server.start()
        for thread in threads:
            thread.join()
        seconds = time.perf_counter() - begun
        server.stop()
        stored = site.stored_references(url)
    acknowledged = [resident.reference for resident in people if resident.reference]
    lost = set(acknowledged) - set(stored)
    doubled = len(stored) - len(acknowledged)
    errors = [error for resident in people for error in resident.errors]
    print(
        f'| {kind} | {server_kind} | {count} | {done} | {len(acknowledged)} | {len(stored)} '
        f'| {len(lost)} | {doubled} | {len(errors)} {errors[:2] or ""} | {seconds:.1f} |'
    )
    return not lost and doubled == 0 and not errors and len(acknowledged) == count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else '')
    parser.add_argument('--residents', type=int, default=200)
    parser.add_argument('--kills', type=int, default=5)
    given = parser.parse_args()
    print(
        '| database | server | residents | kills | acknowledged | stored | lost | doubled '
        '| errors | seconds |\n|---|---|---|---|---|---|---|---|---|---|'
    )
    good = [
        measure(kind, server, given.residents, given.kills)
        for kind in site.DATABASES
        for server in ('waitress', 'gunicorn')
    ]
    raise SystemExit(0 if all(good) else 1)


if __name__ == '__main__':
    main()
