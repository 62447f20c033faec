"""What does not keep a wave from opening but has to be known by those who decide.

Invented figures, lists that cannot be complete, a sample too small for the answers wanted.
"""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa
from sqlalchemy.orm import Session

from cixi_survey.errors import N_, Problem
from cixi_survey.models import Invitation, Wave, WavePlan
from cixi_survey.waves import draw, planner, two_stage, villages

SHOWN = 10


def of(session: Session, wave: Wave) -> list[Problem]:
    """The cautions of a planned wave, each with its cure."""
    return [
        *_invented(session, wave),
        *_short_lists(session, wave),
        *_too_few_expected(session, wave),
    ]


def _invented(session: Session, wave: Wave) -> Iterable[Problem]:
    if wave.demonstration:  # every page of it says so
        return
    message = N_('The populations of the towns are marked as demonstration figures, not real.')
    cure = N_('Load real figures before residents are asked; results would be weighted to these.')
    if villages.invented(wave.population_source):
        yield Problem('population_source', 'population_invented', message, cure)
    if any(villages.invented(margin.source) for margin in wave.margins):
        message = N_('The margins are marked as demonstration figures, not real.')
        yield Problem('margins', 'margins_invented', message, cure)
    stored = villages.stored_frame(session, wave)
    if stored is not None and stored.demonstration:
        message = N_('The sizes of the villages are marked as demonstration figures, not real.')
        cure = N_('Load real sizes and draw again: the chances of being drawn come from them.')
        yield Problem('villages', 'villages_invented', message, cure)


def _short_lists(session: Session, wave: Wave) -> Iterable[Problem]:
    short = two_stage.short_lists(session, wave)
    if short:
        shown = [f'{one.name} ({one.listed} / {one.size})' for one in short[:SHOWN]]
        yield Problem(
            'frame',
            'lists_short',
            N_('In %(count)s drawn villages the list has less than half of the adults: %(lists)s.'),
            N_('Ask for complete lists: who is not on a list can never be drawn.'),
            {'count': len(short), 'lists': shown + ['…'] * (len(short) > SHOWN)},
        )


def _too_few_expected(session: Session, wave: Wave) -> Iterable[Problem]:
    query = sa.select(sa.func.count(Invitation.id)).where(Invitation.wave_id == wave.id)
    units = session.scalar(query) or 0
    plan = session.get(WavePlan, wave.id)
    response = planner.asked_before(plan).response if plan else draw.DEFAULT_RESPONSE / 100
    expected = int(units * response)
    if units and expected < wave.target_n:
        yield Problem(
            'draw',
            'too_few_expected',
            N_(
                'Of %(units)s sampled units about %(expected)s complete answers are to be expected '
                '(if %(percent)s per cent respond), fewer than the %(wanted)s wanted.'
            ),
            N_('Draw a larger sample, or want fewer answers.'),
            {
                'units': units,
                'expected': expected,
                'percent': round(100 * response),
                'wanted': wave.target_n,
            },
        )
