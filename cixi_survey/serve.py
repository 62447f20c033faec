"""Serve the site with waitress: one process, threads, and slow phones do not block it."""

from __future__ import annotations

import resource
import signal
import socket
import sys
from types import FrameType

from flask import Flask
from waitress import create_server

from cixi_survey.config import Config
from cixi_survey.errors import N_, Refusal

CONNECTIONS = 2000


class PortTaken(Refusal):
    """Another program listens there, or the address is not of this machine."""

    code = 'port_taken'
    title = N_('The server cannot start')
    message = N_('Port %(port)s of %(host)s cannot be used: %(reason)s.')
    cure = N_('Stop the program that uses it, or choose another port with CIXI_PORT.')


def check_port(settings: Config) -> None:
    """Raise PortTaken unless the port can be listened on."""
    family = socket.AF_INET6 if ':' in settings.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise PortTaken(
                port=settings.port, host=settings.host, reason=error.strerror or str(error)
            ) from error


def run(app: Flask, settings: Config) -> None:
    """Serve until SIGINT or SIGTERM; requests in flight are finished."""
    _allow_open_files(CONNECTIONS + 200)
    server = create_server(
        app,
        host=settings.host,
        port=settings.port,
        threads=settings.threads,
        connection_limit=CONNECTIONS,
        asyncore_use_poll=True,
        # somewhat too much is let through, so that the application refuses it in its own words
        max_request_body_size=4 * app.config['MAX_CONTENT_LENGTH'],
        # waitress removes X-Forwarded-* by itself; with proxies set, create_app reads them
        clear_untrusted_proxy_headers=not settings.proxies,
        ident=None,
    )
    signal.signal(signal.SIGTERM, _stop)
    try:
        server.run()
    finally:
        server.close()


def _stop(_signal: int, _frame: FrameType | None) -> None:
    # waitress drops requests in flight on a bare SIGTERM; leaving by exception lets them finish
    sys.exit(0)


def _allow_open_files(wanted: int) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(wanted, hard), hard))
