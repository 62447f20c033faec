"""The site in a process of its own, for tests that kill it."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from cixi_survey.config import ROOT
from tests.conftest import SECRET


class Server:
    """A server process of its own, started again after each kill."""

    def __init__(self, url: str, data: Path) -> None:
        with socket.socket() as probe:
            probe.bind(('127.0.0.1', 0))
            self.port: int = probe.getsockname()[1]
        self.environment = {
            **os.environ,
            'CIXI_DATABASE_URL': url,
            'CIXI_DATA': str(data),
            'CIXI_DEMO': '0',
            'CIXI_PORT': str(self.port),
            'CIXI_SECRET_KEY': SECRET,
        }
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [sys.executable, '-m', 'flask', '--app', 'app', 'serve']
        self.process = subprocess.Popen(
            command, cwd=ROOT, env=self.environment, stdout=subprocess.DEVNULL
        )

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + 30
        while True:
            try:
                socket.create_connection(('127.0.0.1', self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < deadline, 'the server did not start'
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()

    def ask(self, method: str, path: str, cookie: str = '', body: str = '') -> tuple[int, str, str]:
        """Status, the address led to or the page, and the cookie."""
        connection = http.client.HTTPConnection('127.0.0.1', self.port, timeout=10)
        headers = {'Cookie': cookie, 'Content-Type': 'application/x-www-form-urlencoded'}
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            page = response.read().decode()
        finally:
            connection.close()
        given = (response.getheader('Set-Cookie') or '').split(';')[0]
        return response.status, response.getheader('Location') or page, given or cookie
