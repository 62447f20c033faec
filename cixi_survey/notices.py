"""The privacy notice of a wave: composed from its settings, kept word for word when it opens.

Who asks, on which ground, how long answers are kept and what a withdrawal does follow from the
wave, so no author can promise something else; what is asked and who handles it are the words of
the questionnaire.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

import sqlalchemy as sa
from babel.dates import format_date, format_datetime
from pydantic import BaseModel, ConfigDict
from sqlalchemy.orm import Session

from cixi_survey import access, clock, i18n, languages
from cixi_survey.config import ROOT
from cixi_survey.errors import N_
from cixi_survey.languages import Language
from cixi_survey.models import Notice, Wave
from cixi_survey.questionnaire.definition import Questionnaire, from_canonical

SHIPPED = ROOT / 'translations'
ADDRESS_LENGTH = 16  # characters of the SHA-256 that stand in the address of a notice


class Part(BaseModel):
    """What a notice is made of."""

    model_config = ConfigDict(frozen=True)


class Line(Part):
    """One line of the short form: what it is about, and one sentence."""

    about: str
    says: str


class Section(Part):
    """One section of the full text; ``language`` when it is not in that of the rest."""

    title: str
    paragraphs: tuple[str, ...]
    language: str = ''


class Text(Part):
    """The notice in one language."""

    lines: tuple[Line, ...]
    sections: tuple[Section, ...]


class PrivacyNotice(Part):
    """The notice of one survey, in every language of the site."""

    version: str
    survey: dict[str, str]
    texts: dict[str, Text]

    def canonical(self) -> str:
        """The one spelling of this notice."""
        # Without defaults: a key added later leaves the marks of today as they are.
        data = self.model_dump(mode='json', exclude_defaults=True)
        return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(',', ':'))

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.canonical().encode()).hexdigest()

    @property
    def address(self) -> str:
        """The last part of the address at which this notice stays readable."""
        return self.sha256[:ADDRESS_LENGTH]

    @property
    def text(self) -> Text:
        """In the reader's language, or in the nearest one there is."""
        return self.texts[_nearest(self.texts, i18n.reader())]


def freeze(
    session: Session, wave: Wave, now: datetime, *, translations: Path = SHIPPED
) -> PrivacyNotice:
    """Keep the notice of a wave as it is now, for good; from here on the wave shows this one."""
    composed = compose(wave, from_canonical(wave.version.definition), translations)
    if session.get(Notice, composed.sha256) is None:
        session.add(
            Notice(
                sha256=composed.sha256,
                version=composed.version,
                content=composed.canonical(),
                made_at=now,
            )
        )
        session.flush()
    wave.notice_sha256 = composed.sha256
    return composed


def of(session: Session, wave: Wave, *, translations: Path = SHIPPED) -> PrivacyNotice:
    """What residents read: the notice that was kept, or, while planned, what would be kept."""
    if wave.notice_sha256 is None:
        return compose(wave, from_canonical(wave.version.definition), translations)
    return read(session, wave.notice_sha256)


def read(session: Session, sha256: str) -> PrivacyNotice:
    """A kept notice by its SHA-256.  Raises KeyError."""
    found = _known.get(sha256)
    if found is None:
        kept = session.get(Notice, sha256)
        if kept is None:
            raise KeyError(sha256)
        found = _known[sha256] = PrivacyNotice.model_validate_json(kept.content)
    return found


_known: dict[str, PrivacyNotice] = {}


def find(session: Session, address: str) -> PrivacyNotice:
    """The notice at an address.  Raises NotFound."""
    if len(address) != ADDRESS_LENGTH or set(address) - set('0123456789abcdef'):
        raise access.NotFound
    sha256 = session.scalar(sa.select(Notice.sha256).where(Notice.sha256.startswith(address)))
    if sha256 is None:
        raise access.NotFound
    return read(session, sha256)


# --- composing ------------------------------------------------------------------------------------


def compose(
    wave: Wave, questionnaire: Questionnaire, translations: Path = SHIPPED
) -> PrivacyNotice:
    """The notice that the settings of a wave and its questionnaire give, in every language that has
    a folder in ``translations``.
    """
    return PrivacyNotice(
        version=questionnaire.notice.version,
        survey=wave.title,
        texts={
            code: _Composer(wave, questionnaire, spoken, translations).text()
            for code, spoken in _spoken(translations).items()
        },
    )


@cache
def _spoken(translations: Path) -> Mapping[str, Language]:
    return languages.load(translations)


def _nearest(texts: Mapping[str, object], spoken: Language) -> str:
    """The code of the text that a reader of this language gets."""
    wanted = (spoken.code, *spoken.fallback, *texts)
    return next(code for code in wanted if code in texts)


class _Composer:
    """The sentences of one language."""

    def __init__(
        self, wave: Wave, questionnaire: Questionnaire, spoken: Language, translations: Path
    ) -> None:
        self._speak = languages.speaker(spoken, translations)
        self._statutory = wave.legal_basis == 'statutory'
        own_words = questionnaire.notice.text
        nearest = _nearest(own_words, spoken)
        self._own_words = tuple(own_words[nearest].strip().split('\n\n'))
        self._own_language = '' if nearest == spoken.code else nearest
        ends = clock.local(wave.closes_at)
        locale = spoken.locale
        self._values: Mapping[str, object] = {
            'operator': wave.operator,
            'contact': wave.contact,
            'form': wave.form_number,
            'authority': wave.form_authority,
            'approval': wave.approval_number,
            'valid': (
                format_date(wave.approval_valid_until, spoken.date, locale=locale)
                if wave.approval_valid_until
                else ''
            ),
            'closes': format_datetime(ends, spoken.moment, locale=locale),
            'years': wave.retention_years,
            'until': format_date(wave.answers_until, spoken.date, locale=locale),
        }

    def _say(self, message: str) -> str:
        return self._speak(message) % self._values

    def text(self) -> Text:
        return Text(
            lines=tuple(Line(about=self._speak(a), says=self._say(b)) for a, b in self._lines()),
            sections=tuple(self._sections()),
        )

    def _lines(self) -> Iterator[tuple[str, str]]:
        yield N_('Who asks'), N_('%(operator)s. Questions? %(contact)s')
        yield (
            N_('What is asked'),
            N_('Your views and habits. Not your name, telephone or identity number.'),
        )
        yield (
            N_('What for'),
            N_('Statistics only. No answer leads to a penalty, a case or a reward.'),
        )
        yield (
            N_('How long'),
            N_('Your answers are kept until %(until)s, then deleted. Only totals are published.'),
        )
        yield (
            N_('Your rights'),
            N_(
                'It is your choice, and you can stop at any time. Until %(closes)s you can '
                'withdraw: your answers are then used no more, and stay locked away until '
                '%(until)s, as the law asks.'
            )
            if self._statutory
            else N_(
                'It is your choice, and you can stop at any time. Until %(closes)s you can '
                'withdraw: your answers are then deleted at once, from safety copies by the end '
                'of the survey.'
            ),
        )

    def _sections(self) -> Iterator[Section]:
        yield self._section(N_('Who is asking'), *_WHO)
        yield Section(
            title=self._speak(N_('What is asked, and what for')),
            paragraphs=self._own_words,
            language=self._own_language,
        )
        yield self._section(N_('On what ground'), *_GROUND[self._statutory])
        yield self._section(N_('How long it is kept'), *_KEPT)
        yield self._section(N_('Your rights'), *_RIGHTS[self._statutory])

    def _section(self, title: str, *messages: str) -> Section:
        said = tuple(self._say(message) for message in messages)
        return Section(title=self._speak(title), paragraphs=said)


_WHO = (
    N_(
        '%(operator)s carries out this survey. The form (number %(form)s) was drawn up by '
        '%(authority)s. It was approved or filed as %(approval)s and is valid until %(valid)s. If '
        'one of these is missing or out of date, you may refuse to answer.'
    ),
    N_('Questions and complaints: %(contact)s. You can also call 12345.'),
)
_STATISTICS_LAW = N_(
    'This is a survey under the Statistics Law of the People’s Republic of China. By its article '
    '28, what you answer may be used for statistics and for nothing else.'
)
_VOLUNTARY = N_(
    'Whether you take part is your own choice. If you do not, or if you stop halfway, nothing '
    'happens to you.'
)
_GROUND = {
    False: (
        _STATISTICS_LAW,
        N_(
            'Your answers are handled because you agree to it (Personal Information Protection '
            'Law, article 13, item 1). You can take your agreement back.'
        ),
        _VOLUNTARY,
    ),
    True: (
        _STATISTICS_LAW,
        N_(
            'Your answers are handled because statistics are a duty that the law gives to the '
            'bodies named above (Personal Information Protection Law, article 13, item 3).'
        ),
        _VOLUNTARY,
    ),
}
_KEPT = (
    N_(
        'Single answers are kept until %(until)s: %(years)s years after the survey ends. Then they '
        'are deleted. The rules on statistics ask for two years at least (article 22 of the '
        'regulation on the Statistics Law). Totals are kept for ten years at least.'
    ),
    N_(
        'When the survey ends, the link between letters and answers is cut. From then on nobody '
        'can tell which answers are yours, not even we. What was filled in and never sent is '
        'deleted on that day.'
    ),
)
_HOW_TO_WITHDRAW = N_(
    'When you send your answers you get a receipt number. With it you can withdraw them until '
    '%(closes)s: choose “Withdraw an answer” at the foot of any page. After that nobody can find '
    'your answers any more, so they cannot be withdrawn.'
)
_STAYS_KNOWN = N_(
    'We go on knowing that a questionnaire came, when, and how it ended, and for a letter its town '
    'and village, so that the count of people asked stays right.'
)
_SEE_AND_CORRECT = N_(
    'On this site the receipt number shows nobody what you answered. If you would like to see or '
    'correct your answers, ask the body named above and tell them the number.'
)
_RIGHTS = {
    False: (
        _HOW_TO_WITHDRAW,
        N_(
            'What you withdraw is deleted at once and is in no result. Safety copies of the site '
            'may hold it until the survey ends; they serve to repair it after an accident, and for '
            'nothing else.'
        ),
        _STAYS_KNOWN,
        _SEE_AND_CORRECT,
    ),
    True: (
        _HOW_TO_WITHDRAW,
        N_(
            'What you withdraw is in no result that is made afterwards, and nobody works with it '
            'any more. The rules on statistics ask that the record is kept, so it stays encrypted '
            'until %(until)s and is then deleted.'
        ),
        _STAYS_KNOWN,
        _SEE_AND_CORRECT,
    ),
}
