"""The server as an operator meets it: it starts, stops, and says in one line what is wrong."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from cixi_survey.config import ROOT
from cixi_survey.database import Database

FLASK = str(Path(sys.executable).parent / 'flask')


def environment(tmp_path, **settings):
    kept = {name: value for name, value in os.environ.items() if not name.startswith('CIXI_')}
    return {
        **kept,
        'CIXI_DATA': str(tmp_path / 'data'),
        'CIXI_DEMO': '0',
        'LANG': 'C.UTF-8',
        **settings,
    }


def serve(tmp_path, **settings):
    return subprocess.run(
        [FLASK, '--app', 'app', 'serve'],
        cwd=ROOT,
        env=environment(tmp_path, **settings),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def started(tmp_path, **settings):
    with socket.socket() as probe:
        probe.bind(('127.0.0.1', 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [FLASK, '--app', 'app', 'serve'],
        cwd=ROOT,
        env=environment(tmp_path, CIXI_PORT=str(port), **settings),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    address = f'http://127.0.0.1:{port}'
    for _ in range(300):
        try:
            urllib.request.urlopen(f'{address}/readyz', timeout=5).read()
            return process, address
        except OSError:
            assert process.poll() is None, process.stdout.read()
            time.sleep(0.1)
    raise AssertionError('the server did not start')


@pytest.mark.parametrize('how', [signal.SIGINT, signal.SIGTERM])
def test_it_serves_and_stops_cleanly(tmp_path, how):
    process, address = started(tmp_path)
    assert b'html' in urllib.request.urlopen(f'{address}/', timeout=10).read()
    process.send_signal(how)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 0
    assert 'Traceback' not in said


def test_an_empty_site_says_how_the_first_administrator_is_made(tmp_path):
    process, _address = started(tmp_path)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=20)
    assert 'staff create-administrator NAME' in said
    command = [FLASK, '--app', 'app', 'staff', 'create-administrator', 'wang', '--generate']
    subprocess.run(command, cwd=ROOT, env=environment(tmp_path), check=True, timeout=60)
    process, _address = started(tmp_path)
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=20)
    assert 'create-administrator' not in said


def test_only_a_proxy_that_was_announced_may_say_who_is_asking(tmp_path):
    def protected(**settings):
        process, address = started(tmp_path, **settings)
        asked = urllib.request.Request(f'{address}/', headers={'X-Forwarded-Proto': 'https'})
        answer = urllib.request.urlopen(asked, timeout=10)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        return 'Strict-Transport-Security' in answer.headers

    assert protected(CIXI_PROXIES='1')
    assert not protected()


def test_a_file_that_is_too_large_is_refused_in_our_words(tmp_path):
    process, address = started(tmp_path)
    sent = urllib.request.Request(
        f'{address}/staff/sign-in', data=b'x' * (9 << 20), headers={'Accept-Language': 'en'}
    )
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(sent, timeout=20)
    assert refused.value.code == 413
    assert 'larger than this site accepts' in refused.value.read().decode()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=20)


def test_a_second_start_changes_no_data(tmp_path):
    def contents():
        database = Database(f'sqlite:///{tmp_path}/data/cixi_survey.db')
        with database.engine.connect() as connection:
            dump = list(connection.connection.iterdump())
        database.engine.dispose()
        return dump

    for before in (None, 'second'):
        kept = contents() if before else None
        process, _address = started(tmp_path)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=20)
        assert kept is None or contents() == kept


def one_line(finished):
    assert finished.returncode != 0
    assert 'Traceback' not in finished.stderr
    lines = finished.stderr.strip().splitlines()
    assert len(lines) == 1, finished.stderr
    return lines[0]


def test_an_occupied_port_is_said_in_one_line(tmp_path):
    with socket.socket() as taken:
        taken.bind(('127.0.0.1', 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert port in one_line(serve(tmp_path, CIXI_PORT=port))


def test_an_unwritable_folder_is_said_in_one_line(tmp_path):
    (tmp_path / 'file').write_text('not a folder')
    line = one_line(serve(tmp_path, CIXI_DATA=str(tmp_path / 'file' / 'data')))
    assert 'CIXI_DATA' in line


def test_an_unreachable_database_is_said_in_one_line(tmp_path):
    url = 'postgresql://nobody@127.0.0.1:1/none'
    line = one_line(serve(tmp_path, CIXI_DATABASE_URL=url, CIXI_PORT='18111'))
    assert '127.0.0.1' in line


@pytest.mark.parametrize(
    ('settings', 'named'),
    [
        ({'CIXI_PORT': 'eighty'}, 'CIXI_PORT'),
        ({'CIXI_DATABASE_URL': 'nonsense'}, 'CIXI_DATABASE_URL'),
        ({'CIXI_SECRET_KEY': 'short'}, 'CIXI_SECRET_KEY'),
        ({'CIXI_PROT': '8000'}, 'CIXI_PROT'),
    ],
)
def test_a_bad_setting_is_said_in_one_line(tmp_path, settings, named):
    assert named in one_line(serve(tmp_path, **settings))
