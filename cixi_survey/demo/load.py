"""The demonstration: the site as it looks in use, made by the same functions as the pages call.

One closed and published wave, one open one, staff accounts, everything simulated and labelled so.
It is loaded in one transaction: an interrupted load leaves the database empty.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
import sqlalchemy as sa
from numpy.random import Generator
from sqlalchemy.orm import Session

from cixi_survey import clock, codes, places, versions
from cixi_survey.config import ROOT
from cixi_survey.contacts import lists
from cixi_survey.demo import people
from cixi_survey.models import Invitation, Staff, Wave
from cixi_survey.questionnaire.definition import Questionnaire, from_canonical
from cixi_survey.respond.entrance import Entrance
from cixi_survey.respond.submit import Submission, submit
from cixi_survey.results import publish, run
from cixi_survey.staff import accounts
from cixi_survey.waves import approval, draw, frame, lifecycle, populations, printing

ACTOR, SECOND = 'demonstration', 'demonstration-2'
SEED = 20180521
QUESTIONNAIRE = ROOT / 'surveys' / 'cixi-eco-baseline.yaml'
POPULATIONS = places.FOLDER / 'demonstration-population.csv'
MARGINS = places.FOLDER / 'demonstration-margins.csv'
HOUSEHOLDS_PER_VILLAGE = 60
ACCOUNTS = (
    ('admin', '演示管理员', ('administrator',)),
    ('organiser', '演示组织者', ('organiser',)),
    ('statistician', '演示统计员', ('statistician',)),
)
CHANNELS = ('wechat', 'poster-hushan', 'poster-zhouxiang', '')


@dataclass(frozen=True)
class Loaded:
    """What the first start prints: (user name, password), the open wave, and a code to try."""

    passwords: tuple[tuple[str, str], ...]
    open_slug: str
    code: str
    responses: int


@dataclass(frozen=True)
class _Scene:
    """One wave of the demonstration; ``share_asked`` of its sample was reached by now."""

    slug: str
    season: tuple[str, str]
    opens_at: datetime
    closes_at: datetime
    sample: int
    open_responses: int
    seed: int
    share_asked: float = 1.0


def is_empty(session: Session) -> bool:
    """Whether nothing was ever kept in this database."""
    used = sa.or_(sa.exists(sa.select(Staff.id)), sa.exists(sa.select(Wave.id)))
    return not session.scalar(sa.select(used))


def load(session: Session, *, secret_key: str, now: datetime) -> Loaded:
    """Fill an empty database with the demonstration."""
    passwords = tuple(_account(session, *account, now=now) for account in ACCOUNTS)
    published = versions.publish(
        session,
        QUESTIONNAIRE.read_bytes(),
        filename=QUESTIONNAIRE.name,
        actor=ACTOR,
        now=now - timedelta(days=90),
    )
    past, present = _scenes(now)
    _codes, past_count = _collect(session, past, published.sha256, secret_key, now)
    lifecycle.close_wave(session, past.slug, actor=ACTOR, now=past.closes_at + timedelta(hours=1))
    _publish(session, past)
    left, present_count = _collect(session, present, published.sha256, secret_key, now)
    return Loaded(passwords, present.slug, left[0], past_count + present_count)


def _account(
    session: Session, username: str, name: str, roles: tuple[str, ...], *, now: datetime
) -> tuple[str, str]:
    password = accounts.generate_password()
    accounts.create(
        session,
        username=username,
        name=name,
        password=password,
        roles=roles,
        actor=ACTOR,
        now=now,
    )
    return username, password


def _scenes(now: datetime) -> tuple[_Scene, _Scene]:
    past_end = _evening(now - timedelta(days=45))
    present_end = _evening(now + timedelta(days=30))
    past_start, present_start = past_end - timedelta(days=30), now - timedelta(days=6)
    return (
        _Scene(
            slug=f'{clock.local(past_start):%Y-%m}',
            season=_names(past_start),
            opens_at=past_start,
            closes_at=past_end,
            sample=2960,
            open_responses=240,
            seed=SEED,
        ),
        _Scene(
            slug=f'{clock.local(now):%Y-%m}',
            season=_names(now),
            opens_at=present_start,
            closes_at=present_end,
            sample=2960,
            open_responses=35,
            seed=SEED + 1,
            share_asked=0.12,
        ),
    )


def _evening(moment: datetime) -> datetime:
    day = clock.local(moment).replace(hour=20, minute=0, second=0, tzinfo=None)
    return clock.from_local(day)


def _names(moment: datetime) -> tuple[str, str]:
    local = clock.local(moment)
    return f'{local.year}年{local.month}月', f'{local:%B %Y}'


def _collect(
    session: Session, scene: _Scene, sha256: str, secret_key: str, now: datetime
) -> tuple[list[str], int]:
    """Plan, sample and open a wave and let people answer; the unused codes and the count."""
    before = scene.opens_at - timedelta(days=20)
    lifecycle.create(session, _plan(scene, sha256), actor=ACTOR, now=before)
    wave = session.scalars(sa.select(Wave).where(Wave.slug == scene.slug)).one()
    wave.demonstration = True
    _prepare(session, scene, before)
    _offer(session, scene, before)
    batch = printing.make_codes(session, scene.slug, secret_key=secret_key, actor=ACTOR, now=before)
    slips = printing.slips(session, wave, key=batch.key, secret_key=secret_key)
    lifecycle.put_forward(session, scene.slug, actor=ACTOR, now=before)
    seen = approval.content_sha256(session, wave)
    approval.approve(session, scene.slug, seen=seen, actor=SECOND, now=before)
    lifecycle.open_wave(session, scene.slug, actor=ACTOR, now=scene.opens_at)
    questionnaire = from_canonical(wave.version.definition)
    rng = np.random.default_rng(scene.seed)
    moments = _moments(rng, scene, now)
    left, count = _invited(session, wave, slips, questionnaire, rng, moments, scene, secret_key)
    for _ in range(scene.open_responses):
        person = _visitor(rng)
        raw = people.answers(rng, person, questionnaire)
        channel = CHANNELS[rng.integers(len(CHANNELS))]
        _send(session, Entrance(slug=scene.slug), raw, next(moments), channel)
    return left, count + scene.open_responses


def _plan(scene: _Scene, sha256: str) -> lifecycle.Plan:
    chinese, english = scene.season
    return lifecycle.Plan(
        slug=scene.slug,
        title_zh=f'慈溪市生态文明公众调查（{chinese}，演示）',
        title_en=f'Cixi public survey on eco-civilisation ({english}, demonstration)',
        version_sha256=sha256,
        opens_at=scene.opens_at,
        closes_at=scene.closes_at,
        target_n=1800,
        operator='演示用独立调查机构 (demonstration operator)',
        contact='演示联系电话 0574-00000000',
        form_number='演示表1号',
        form_authority='慈溪市统计局（演示）',
        approval_number='演示批准〔2026〕1号',
        approval_valid_until=(scene.closes_at + timedelta(days=365)).date(),
        legal_basis='consent',
    )


def _offer(session: Session, scene: _Scene, now: datetime) -> None:
    """Word of the results and a draw of made-up prizes for those who answer."""
    offer = lists.Offer(
        news=True,
        prizes=10,
        rules_zh='演示：抽取10名参与者，各得环保购物袋一个。调查结束后一周内公开抽取，由组织单位电话通知。',
        rules_en='Demonstration: ten people win a shopping bag each. Drawn in public within a week '
        'of the end; the organiser calls the winners.',
        keep_until=clock.local(scene.closes_at + timedelta(days=120)).date(),
    )
    lists.offer(session, scene.slug, offer, actor=ACTOR, now=now)


def _prepare(session: Session, scene: _Scene, now: datetime) -> None:
    """Populations, margins, a frame of simulated households in the real villages, the sample."""
    slug = scene.slug
    adults, margins = POPULATIONS.read_bytes(), MARGINS.read_bytes()
    version = session.scalars(sa.select(Wave).where(Wave.slug == slug)).one().version
    populations.store(
        session, slug, adults, sha256=populations.parse(adults).sha256, actor=ACTOR, now=now
    )
    checked = populations.parse_margins(margins, from_canonical(version.definition))
    populations.store_margins(session, slug, margins, sha256=checked.sha256, actor=ACTOR, now=now)
    households = frame.template(HOUSEHOLDS_PER_VILLAGE)
    frame.store(
        session,
        slug,
        households,
        filename='demonstration-frame.csv',
        source='演示数据 / demonstration data: simulated households in the real villages',
        sha256=frame.parse(households, set(places.towns())).sha256,
        actor=ACTOR,
        now=now,
    )
    draw.draw(
        session,
        slug,
        method='power',
        total=scene.sample,
        minimum=110,
        seed=scene.seed,
        actor=ACTOR,
        now=now,
    )


def _moments(rng: Generator, scene: _Scene, now: datetime) -> Iterator[datetime]:
    """Moments of answering, in the waking hours of the field period so far."""
    end = min(scene.closes_at, now)
    days = max((end - scene.opens_at).days, 1)
    while True:
        day = scene.opens_at + timedelta(days=float(rng.integers(days)))
        hour = 7 + 14.5 * float(rng.beta(2.2, 1.6))
        moment = clock.from_local(
            clock.local(day).replace(hour=0, minute=0, second=0, tzinfo=None)
        ) + timedelta(seconds=int(hour * 3600))
        yield min(max(moment, scene.opens_at), end)


def _invited(
    session: Session,
    wave: Wave,
    slips: list[printing.Slip],
    questionnaire: Questionnaire,
    rng: Generator,
    moments: Iterator[datetime],
    scene: _Scene,
    secret_key: str,
) -> tuple[list[str], int]:
    units = sa.select(Invitation.unit, Invitation.size).where(Invitation.wave_id == wave.id)
    adults = {row.unit: row.size for row in session.execute(units)}
    left, count = [], 0
    for slip in slips:
        person = people.resident(rng, slip.town_code, slip.psu, adults[slip.unit])
        if rng.random() >= scene.share_asked or not people.responds(rng, person):
            left.append(slip.code)
            continue
        raw = people.answers(rng, person, questionnaire)
        fate = rng.random()
        if fate < 0.015:
            raw['consent'] = ['no']
        elif fate < 0.035:
            raw['resident'] = ['no']
        code_hash = codes.hashed(codes.normalise(slip.code), secret_key)
        _send(session, Entrance(code_hash=code_hash, given=slip.code), raw, next(moments))
        count += 1
    return left, count


def _visitor(rng: Generator) -> people.Resident:
    """Somebody who follows the open link: younger, better informed, more pleased."""
    villages = list(places.villages().items())
    code, (_name, town) = villages[rng.integers(len(villages))]
    return max(
        (people.resident(rng, town, code, int(rng.integers(1, 5))) for _ in range(2)),
        key=lambda person: person.knowing + person.content,
    )


def _send(
    session: Session, entrance: Entrance, raw: people.Raw, moment: datetime, channel: str = ''
) -> None:
    submission = Submission(
        submission_id=secrets.token_hex(16),
        raw=raw,
        started_at=moment - timedelta(minutes=7),
        language='zh',
        channel=channel,
    )
    submit(session, entrance, submission, moment)


def _publish(session: Session, scene: _Scene) -> None:
    wave = session.scalars(sa.select(Wave).where(Wave.slug == scene.slug)).one()
    made = run.estimate(
        session, wave, run.Options(), by=None, now=scene.closes_at + timedelta(days=2)
    )
    publish.publish(
        session, wave, made, by=None, now=scene.closes_at + timedelta(days=5), reason=''
    )
