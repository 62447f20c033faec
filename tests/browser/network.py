"""A network between the phone and the site, as good or bad as a test wants it."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

WAYS = ('up', 'down', 'dead', 'deaf')


class Network:
    """Carries connections to a port of this machine.

    ``way`` may change at any time; connections that stand are cut then.  ``up``; ``down``: cut off
    at once; ``dead``: nothing comes through and nobody is told; ``deaf``: requests arrive, answers
    are lost.
    """

    def __init__(self, port: int) -> None:
        self._port = port
        self._way = 'up'
        self._ends: list[asyncio.StreamWriter] = []
        self._carriers: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._await(asyncio.start_server(self._accept, '127.0.0.1', 0))
        self.url = f'http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}'

    @property
    def way(self) -> str:
        return self._way

    @way.setter
    def way(self, way: str) -> None:
        assert way in WAYS
        self._way = way
        self._await(self._cut())

    def close(self) -> None:
        self.way = 'down'
        self._server.close()
        self._await(self._cut())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _await(self, coroutine):  # type: ignore[no-untyped-def]
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _cut(self) -> None:
        for end in self._ends:
            end.transport.abort()
        self._ends.clear()
        if self._carriers:
            await asyncio.wait(self._carriers)

    async def _accept(self, from_phone: asyncio.StreamReader, phone: asyncio.StreamWriter) -> None:
        self._ends.append(phone)
        if self._way == 'down':
            phone.transport.abort()
        elif self._way != 'dead':
            try:
                from_site, site = await asyncio.open_connection('127.0.0.1', self._port)
            except OSError:  # the server was killed
                phone.transport.abort()
                return
            self._ends.append(site)
            back = phone if self._way == 'up' else None
            for source, target in ((from_phone, site), (from_site, back)):
                task = asyncio.create_task(_carry(source, target))
                self._carriers.add(task)
                task.add_done_callback(self._carriers.discard)


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter | None) -> None:
    with suppress(OSError):
        while piece := await source.read(65536):
            if target is not None:
                target.write(piece)
                await target.drain()
    if target is not None:
        target.close()


@contextmanager
def network(port: int) -> Iterator[Network]:
    """A network to a port of this machine, gone at the end."""
    made = Network(port)
    yield made
    made.close()
