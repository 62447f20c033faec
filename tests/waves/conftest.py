"""Files as staff upload them, and a wave prepared through the work functions."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from cixi_survey import access, clock
from cixi_survey.database import Database
from cixi_survey.waves import approval, draw, frame, lifecycle, populations, printing, two_stage
from cixi_survey.waves.stages import Asked
from tests import factories
from tests.conftest import SECRET

POPULATIONS = """town_code,adults,source
330282004,60000,yearbook 2025
330282108,20000,yearbook 2025
"""
MARGINS = """variable,category,share,source
age,under18,0.001,register
age,a18_39,0.449,register
age,a40_up,0.55,register
"""
HUSHAN, FUHAI = '330282004', '330282108'
SLUG = 'autumn-2026'
ACT = {'actor': 'zhang', 'now': clock.now()}


def frame_text(hushan: int = 300, fuhai: int = 100) -> str:
    rows = [f'{HUSHAN},33028200400{1 + n % 3},浒山{n}号,{1 + n % 4}' for n in range(hushan)]
    rows += [f'{FUHAI},330282108201,附海{n}号,{1 + n % 3}' for n in range(fuhai)]
    return 'stratum,psu,unit,size\n' + '\n'.join(rows) + '\n'


def plan(**changes):
    now = clock.now()
    values = {
        'slug': SLUG,
        'title_zh': '2026年秋季调查',
        'title_en': 'Autumn survey 2026',
        'version_sha256': '',
        'opens_at': now - timedelta(hours=1),
        'closes_at': now + timedelta(days=20),
        'target_n': 60,
        'operator': '慈溪市统计局',
        'contact': '0574-12345678',
        'form_number': '慈环调1号',
        'form_authority': '慈溪市统计局',
        'approval_number': '慈统审〔2026〕1号',
        'approval_valid_until': (clock.local(now) + timedelta(days=60)).date(),
        'legal_basis': 'consent',
    }
    return lifecycle.Plan(**{**values, **changes})


def create(session, questionnaire=None, **changes):
    version = factories.publish(session, questionnaire)
    changes = {'version_sha256': version.sha256, **changes}
    return lifecycle.create(session, plan(**changes), **ACT)


def load_populations(session, slug=SLUG, text=POPULATIONS):
    content = text.encode()
    sha256 = populations.parse(content).sha256
    return populations.store(session, slug, content, sha256=sha256, **ACT)


def load_frame(session, slug=SLUG, text=None):
    content = (text or frame_text()).encode()
    sha256 = frame.parse(content, {HUSHAN, FUHAI}).sha256
    return frame.store(
        session, slug, content, filename='frame.csv', source='list', sha256=sha256, **ACT
    )


def draw_sample(session, slug=SLUG, seed=2026, total=100, **changes):
    asked = {'method': 'power', 'total': total, 'minimum': 10, 'seed': seed, **changes}
    return draw.draw(session, slug, **asked, **ACT)


def draw_villages(session, slug=SLUG, seed=7, **asked):
    """The first stage: 10 of 27 villages and all 8, with 6 persons in each."""
    asked = {HUSHAN: Asked(10, 6), FUHAI: Asked(8, 6)} | asked
    return two_stage.draw_villages(session, slug, asked, seed=seed, **ACT)


def lists_text(session, slug=SLUG, each=30, only=None, every=1):
    """A list of ``each`` persons in every (or every second) drawn village, or in ``only`` these."""
    drawn = two_stage.of_wave(session, access.wave_for(session, slug))[::every]
    rows = [
        f'{village.stratum},{village.psu},{village.psu}-{number},1'
        for village in drawn
        if only is None or village.psu in only
        for number in range(each)
    ]
    return 'stratum,psu,unit,size\n' + '\n'.join(rows) + '\n'


def load_lists(session, slug=SLUG, text=None, **which):
    content = (text or lists_text(session, slug, **which)).encode()
    sha256 = frame.parse(content, frame.limits(session, access.wave_for(session, slug))).sha256
    return frame.store(
        session, slug, content, filename='lists.csv', source='lists', sha256=sha256, **ACT
    )


def draw_persons(session, slug=SLUG, seed=11):
    return two_stage.draw_persons(session, slug, seed=seed, **ACT)


def make_codes(session, slug=SLUG, **changes):
    return printing.make_codes(session, slug, secret_key=SECRET, **{**ACT, **changes})


def prepared(session, **changes):
    """A planned wave with populations, frame, sample and codes."""
    wave = create(session, **changes)
    load_populations(session)
    load_frame(session)
    draw_sample(session)
    make_codes(session)
    return wave


def approve(session, slug=SLUG, **changes):
    """The wave put forward by one person and approved by another."""
    asked = lifecycle.put_forward(session, slug, **{**ACT, **changes})
    approval.approve(session, slug, seen=asked.sha256, actor='li', now=ACT['now'])


def open_wave(session, slug=SLUG, **changes):
    """Put forward, approve, open."""
    approve(session, slug, **changes)
    return lifecycle.open_wave(session, slug, **ACT)


def opened(session, **changes):
    prepared(session, **changes)
    return open_wave(session)


@pytest.fixture
def app_database(app) -> Database:
    return app.extensions['cixi_database']


@pytest.fixture
def today() -> date:
    return clock.local(clock.now()).date()
