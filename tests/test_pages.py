"""What every answer of the site carries, and how its files travel."""

import gzip
from pathlib import Path

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
    script = (STATIC / 'respond.js').read_text(encoding='utf-8')
    assert got.headers.get('Content-Encoding', '') == used
    lines = [line.strip() for line in script.splitlines()]
    plain = '\n'.join(line for line in lines if line and not line.startswith('//')) + '\n'
    assert UNPACKED[used or 'identity'](got.data).decode() == (plain if used else script)
    assert len(got.data) == int(got.headers['Content-Length'])
    assert got.headers['Cache-Control'] == 'public, max-age=31536000'
    assert 'Accept-Encoding' in got.headers['Vary']
    again = {'Accept-Encoding': accepted, 'If-None-Match': got.headers['ETag']}
    assert client.get(address, headers=again, buffered=True).status_code == 304


def test_a_page_says_what_it_may_do_and_is_kept_nowhere(client: CheckingClient) -> None:
    page = client.get('/about')
    assert {name: page.headers[name] for name in HEADERS} == HEADERS
    assert page.headers['Cache-Control'] == 'no-store'


@pytest.mark.parametrize('script', sorted(STATIC.glob('*.js')), ids=lambda path: path.name)
def test_no_script_has_a_text_of_several_lines_that_packing_would_change(script: Path) -> None:
    lines = script.read_text(encoding='utf-8').splitlines()
    code = [line for line in lines if not line.strip().startswith('//')]
    assert all(line.split(' // ')[0].count('`') % 2 == 0 for line in code)
    assert not any(line.endswith('\\') for line in code)
