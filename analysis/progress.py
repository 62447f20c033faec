"""Signs of life on a terminal: what a command is doing, once it has taken two seconds."""

from __future__ import annotations

import threading
import time
from types import TracebackType
from typing import TextIO

AFTER, EVERY = 2.0, 0.25


class Progress:
    """A line on ``stream`` that is rewritten while work goes on and removed at its end.

    Nothing is written before ``after`` seconds, or ever when the stream is no terminal: logs
    and pipes stay clean.  Call it with the units done and in all.
    """

    def __init__(self, stream: TextIO, what: str, *, after: float = AFTER) -> None:
        self._stream, self._what, self._after = stream, what, after
        self._state = what
        self._done = threading.Event()
        self._thread: threading.Thread | None = None
        self._width = 0

    def __call__(self, done: int, total: int) -> None:
        self._state = f'{self._what}: {done:,} of {total:,}'

    def __enter__(self) -> Progress:
        if self._stream.isatty():
            self._thread = threading.Thread(target=self._show, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._done.set()
        if self._thread is not None:
            self._thread.join()
        if self._width:
            self._write('')

    def _show(self) -> None:
        begin = time.monotonic()
        wait = self._after
        while not self._done.wait(wait):
            self._write(f'{self._state} … {time.monotonic() - begin:.0f} s')
            wait = EVERY

    def _write(self, text: str) -> None:
        blank = ' ' * max(self._width - len(text), 0)
        self._stream.write(f'\r{text}{blank}' if text else f'\r{blank}\r')
        self._stream.flush()
        self._width = len(text)
