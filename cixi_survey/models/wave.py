"""A survey wave, its strata and its population margins."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from cixi_survey import clock, places
from cixi_survey.database import UtcDateTime
from cixi_survey.models.base import Base, Key, Moment, Sha256, TownCode, one_of
from cixi_survey.models.questionnaire import QuestionnaireVersion

STATES = ('planned', 'open', 'closed', 'estimated', 'published')
SCALES = ('share', 'score')
BASES = ('national', 'plan', 'chapter8')
LEGAL_BASES = ('', 'consent', 'statutory')


class Wave(Base):
    """One survey wave (调查批次).

    ``sealed`` is set when the wave closes and is mirrored on every response by a composite foreign
    key with ON UPDATE CASCADE; a CHECK there forbids a sealed response to name an invitation, so
    the database itself keeps identity and answers apart after closing.

    ``legal_basis`` says on which ground answers are handled, and so what a withdrawal does:
    ``consent`` (they are deleted) or ``statutory`` (they are locked until their time is over); it
    may be empty while the wave is planned.  Single answers are kept for ``retention_years`` after
    the planned end and then erased.  Triggers keep basis, retention and notice from changing once
    the wave is open, and forbid to erase answers early.
    """

    __tablename__ = 'wave'
    __table_args__ = (
        sa.UniqueConstraint('id', 'version_sha256'),
        sa.UniqueConstraint('id', 'sealed'),
        one_of('state', STATES),
        one_of('satisfaction_scale', SCALES),
        one_of('target_basis', BASES),
        one_of('legal_basis', LEGAL_BASES),
        sa.CheckConstraint('retention_years BETWEEN 2 AND 30', name='retention_years'),
        sa.CheckConstraint('closes_at > opens_at', name='order_of_times'),
        sa.CheckConstraint('target_n > 0', name='target_n'),
        sa.CheckConstraint(
            "state = 'planned' OR (form_number <> '' AND form_authority <> '' "
            "AND approval_number <> '' AND approval_valid_until IS NOT NULL)",
            name='approved_before_launch',
        ),
        sa.CheckConstraint(
            "sealed = (state IN ('closed', 'estimated', 'published'))", name='sealed'
        ),
    )

    id: Mapped[Key]
    slug: Mapped[str] = mapped_column(sa.String(40), unique=True)
    title_zh: Mapped[str] = mapped_column(sa.String(200))
    title_en: Mapped[str] = mapped_column(sa.String(200))
    version_sha256: Mapped[Sha256] = mapped_column(sa.ForeignKey('questionnaire_version.sha256'))
    state: Mapped[str] = mapped_column(sa.String(12), default='planned')
    sealed: Mapped[bool] = mapped_column(default=False)
    opens_at: Mapped[Moment]
    closes_at: Mapped[Moment]
    target_n: Mapped[int]
    operator: Mapped[str] = mapped_column(sa.String(200))
    contact: Mapped[str] = mapped_column(sa.String(200), default='')
    form_number: Mapped[str] = mapped_column(sa.String(60), default='')
    form_authority: Mapped[str] = mapped_column(sa.String(200), default='')
    approval_number: Mapped[str] = mapped_column(sa.String(100), default='')
    approval_valid_until: Mapped[date | None]
    satisfaction_scale: Mapped[str] = mapped_column(sa.String(8), default='share')
    target_basis: Mapped[str] = mapped_column(sa.String(12), default='national')
    legal_basis: Mapped[str] = mapped_column(sa.String(12), default='')
    retention_years: Mapped[int] = mapped_column(default=2)
    notice_sha256: Mapped[Sha256 | None] = mapped_column(sa.ForeignKey('notice.sha256'))
    population_source: Mapped[str] = mapped_column(sa.String(300), default='')
    open_link: Mapped[bool] = mapped_column(default=True)
    demonstration: Mapped[bool] = mapped_column(default=False)
    closed_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    erased_at: Mapped[datetime | None] = mapped_column(UtcDateTime())
    created_at: Mapped[Moment]
    created_by: Mapped[int | None] = mapped_column(sa.ForeignKey('staff.id'))

    version: Mapped[QuestionnaireVersion] = relationship()
    strata: Mapped[list[WaveStratum]] = relationship(
        order_by='WaveStratum.town_code', cascade='all, delete-orphan'
    )
    margins: Mapped[list[WaveMargin]] = relationship(cascade='all, delete-orphan')

    @property
    def title(self) -> dict[str, str]:
        return {'zh': self.title_zh, 'en': self.title_en}

    @property
    def ended_at(self) -> datetime:
        """When answers stopped being taken: the planned end, or the closing before it."""
        return min(self.closed_at or self.closes_at, self.closes_at)

    @property
    def answers_until(self) -> date:
        """The last day on which single answers are kept."""
        end = clock.local(self.closes_at).date()
        year = end.year + self.retention_years
        try:
            return end.replace(year=year)
        except ValueError:  # 29 February
            return date(year, 3, 1)

    def is_open(self, now: datetime) -> bool:
        """Whether answers are taken at ``now``: open, begun, and not past its end.

        The end is inclusive to the minute that is shown: a wave that closes at 18:30 takes
        answers until 18:30:59.  This is the only such rule.
        """
        end = self.closes_at.replace(second=59)
        return self.state == 'open' and self.opens_at <= now <= end


class WaveStratum(Base):
    """A town as a stratum of one wave, with the population figure used for weighting."""

    __tablename__ = 'wave_stratum'
    __table_args__ = (sa.CheckConstraint('population > 0', name='population'),)

    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'), primary_key=True)
    town_code: Mapped[TownCode] = mapped_column(primary_key=True)
    name_zh: Mapped[str] = mapped_column(sa.String(60))
    name_en: Mapped[str] = mapped_column(sa.String(60))
    population: Mapped[int]

    @property
    def name(self) -> Mapping[str, str]:
        """What the town is called in every language known today."""
        return places.town(self.town_code, self.kept_name)

    @property
    def kept_name(self) -> dict[str, str]:
        """The names kept with the wave, which no later file changes."""
        return {'zh': self.name_zh, 'en': self.name_en}


class WaveMargin(Base):
    """The population share of one category of one variable, a margin for raking."""

    __tablename__ = 'wave_margin'
    __table_args__ = (sa.CheckConstraint('share > 0 AND share < 1', name='share'),)

    wave_id: Mapped[int] = mapped_column(sa.ForeignKey('wave.id'), primary_key=True)
    variable: Mapped[str] = mapped_column(sa.String(32), primary_key=True)
    category: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    share: Mapped[float]
    source: Mapped[str] = mapped_column(sa.String(300))
