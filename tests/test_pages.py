"""What every answer of the site carries, and how its files travel."""

import gzip

import brotli
import pytest
from flask import Flask
from flask.testing import FlaskClient

from cixi_survey.pages import HEADERS
from tests.client import CheckingClient
from tests.test_components import STATIC

UNPACKED = {'br': brotli.decompress, 'gzip': gzip.decompress, 'identity': bytes}


@pytest.mark.parametrize(('accepted', 'used'), [('gzip, br', 'br'), ('gzip', 'gzip'), ('', '')])
def test_a_script_travels_packed_once_and_is_not_asked_for_twice(
    app: Flask, accepted: str, used: str
) -> None:
    client = FlaskClient(app)
    address = '/static/respond.js?v=1'
    got = client.get(address, headers={'Accept-Encoding': accepted}, buffered=True)
    script = (STATIC / 'respond.js').read_bytes()
    assert got.headers.get('Content-Encoding', '') == used
    assert UNPACKED[used or 'identity'](got.data) == script
    assert len(got.data) == int(got.headers['Content-Length'])
    assert got.headers['Cache-Control'] == 'public, max-age=31536000'
    assert 'Accept-Encoding' in got.headers['Vary']
    again = {'Accept-Encoding': accepted, 'If-None-Match': got.headers['ETag']}
    assert client.get(address, headers=again, buffered=True).status_code == 304


def test_a_page_says_what_it_may_do_and_is_kept_nowhere(client: CheckingClient) -> None:
    page = client.get('/about')
    assert {name: page.headers[name] for name in HEADERS} == HEADERS
    assert page.headers['Cache-Control'] == 'no-store'
