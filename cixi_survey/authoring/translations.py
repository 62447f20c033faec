"""Translations side by side: every text of a draft in two languages, and what was typed into one.

A text is known by a name that outlives moves and other people's additions: its part, and the
codes of the answers and rows on the way to it.  With it the form finds the text again when the
draft was changed meanwhile, and a text is found in the version that was published before.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from flask_babel import gettext as _

from cixi_survey.authoring import fields, texts
from cixi_survey.authoring.fields import Collector, Typed
from cixi_survey.authoring.reading import Part, Reading
from cixi_survey.questionnaire import editing
from cixi_survey.questionnaire.answers import clean
from cixi_survey.questionnaire.compare.wording import Piece, difference
from cixi_survey.questionnaire.source import Data, Path

TYPED, SEEN = 'text.', 'seen.'
"""What the names of fields begin with: the translation, and what stood there when it was shown."""
FILTERS = ('all', 'missing', 'stale', 'changed')
_CODE = re.compile(r'[A-Za-z0-9_.-]{1,64}')


@dataclass(frozen=True)
class Pair:
    """One text in two languages, and how both were when the questionnaire was last published."""

    name: str
    part: Part
    path: Path
    source: str
    target: str
    elsewhere: str = ''
    """How the same words are translated at another place of the questionnaire."""
    known: bool = False
    """Whether there is a published version to compare with."""
    before: tuple[str, str] | None = None

    @property
    def inner(self) -> Path:
        """The path within the part."""
        return self.path[len(self.part.path) :]

    @property
    def seen(self) -> str:
        """A short name of what both texts are now."""
        return f'{_digest(self.source)}.{_digest(self.target)}'

    @property
    def missing(self) -> bool:
        """Whether there is no translation."""
        return not self.target

    @property
    def stale(self) -> bool:
        """Whether the source was changed since it was published and the translation was not."""
        if self.before is None or self.missing:
            return False
        return self.before[0] not in ('', self.source) and self.before[1] == self.target

    @property
    def changed(self) -> bool:
        """Whether one of them is not as it was published."""
        return self.known and self.before != (self.source, self.target)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The source as it was published and as it is."""
        return difference(self.before[0] if self.before else '', self.source)

    def fits(self, only: str) -> bool:
        """Whether it is shown with one of ``FILTERS``."""
        return bool(getattr(self, only)) if only in FILTERS[1:] else True


def pairs(
    reading: Reading, source: str, target: str, published: Reading | None = None
) -> tuple[Pair, ...]:
    """Every text of a draft in both languages, in the order in which an author comes to them."""
    before = _as_published(published, source, target) if published else {}
    found = [(text, *_placed(reading, text)) for text in texts.every(reading)]
    translated = {
        _said(text, source): _said(text, target) for text, _part, _inner in found
        if _said(text, target)
    }  # fmt: skip
    order = {part: index for index, part in enumerate(_reading_order(reading))}
    made = []
    for text, part, inner in sorted(found, key=lambda each: order[each[1]]):
        name = _name(reading, part, inner)
        now = _both(text, source, target)
        elsewhere = '' if now[1] else translated.get(now[0], '')
        old = before.get(name)
        made.append(Pair(name, part, text.path, *now, elsewhere, published is not None, old))
    return tuple(made)


def _as_published(published: Reading, source: str, target: str) -> dict[str, tuple[str, str]]:
    return {
        _name(published, *_placed(published, text)): _both(text, source, target)
        for text in texts.every(published)
    }


def _reading_order(reading: Reading) -> Iterator[Part]:
    """The parts with the questions behind their sections, as they are asked."""
    inner: dict[Path, list[Part]] = {}
    for part, _question in reading.questions:
        inner.setdefault(part.path[:2], []).append(part)
    for part in reading.parts:
        if part.kind != 'question':
            yield part
        if part.kind == 'section':
            yield from inner.get(part.path, ())


def _placed(reading: Reading, text: texts.Text) -> tuple[Part, Path]:
    part = reading.part_of(text.path)
    return part, text.path[len(part.path) :]


def _both(text: texts.Text, source: str, target: str) -> tuple[str, str]:
    return _said(text, source), _said(text, target)


def _said(text: texts.Text, language: str) -> str:
    return clean(text.by_language.get(language, ''))


def _name(reading: Reading, part: Part, inner: Path) -> str:
    """``question/age/options/young/label``; a place in a list without codes is its number."""
    steps = [part.kind, part.key] if part.key else [part.kind]
    path = part.path
    for step in inner:
        steps.append(_code(reading.value(path), step) if isinstance(step, int) else str(step))
        path = (*path, step)
    return '/'.join(steps)


def _code(entries: Data, index: int) -> str:
    codes = [
        str(each.get('value') or each.get('name') or '') if isinstance(each, dict) else ''
        for each in (entries if isinstance(entries, list) else ())
    ]
    own = codes[index]
    return own if _CODE.fullmatch(own) and codes.count(own) == 1 else f'#{index}'


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:10]


# --- saving ---------------------------------------------------------------------------------------


@dataclass
class Sent:
    """What a form of translations comes to when it meets the draft as it is now."""

    typed: dict[str, str] = field(default_factory=dict)
    """What was altered, by the names of the texts."""
    conflicts: dict[str, str] = field(default_factory=dict)
    """The texts that somebody else altered meanwhile, with what is to be said there."""
    homeless: list[str] = field(default_factory=list)
    """What was typed for texts that are not there any more."""

    @property
    def sound(self) -> bool:
        """Whether all of it can be stored."""
        return not self.conflicts and not self.homeless


def received(found: Sequence[Pair], given: Typed) -> Sent:
    """What was typed, apart from what is only sent along as it was shown."""
    by_name = {pair.name: pair for pair in found}
    sent = Sent()
    for key in given:
        name = key.removeprefix(TYPED)
        if name == key:
            continue
        text = clean(given[key][0])
        source, _dot, target = given.get(SEEN + name, ['.'])[0].partition('.')
        if _digest(text) == target:
            continue
        pair = by_name.get(name)
        if pair is None:
            sent.homeless += [text] if text else []
            continue
        sent.typed[name] = text
        if text == pair.target:
            continue
        if _digest(pair.target) != target:
            now = pair.target or _('(empty)')
            sent.conflicts[name] = _('Saved meanwhile: “%(text)s”', text=now)
        elif _digest(pair.source) != source:
            sent.conflicts[name] = _('Somebody changed the text to be translated meanwhile.')
    return sent


def stored(reading: Reading, found: Sequence[Pair], typed: Mapping[str, str], target: str) -> str:
    """The file with the translations that were typed."""
    by_name = {pair.name: pair for pair in found}
    given = {
        fields.name(*by_name[name].path, target): [text]
        for name, text in typed.items()
        if name in by_name
    }
    form = Collector(reading, Part('general', ()), given)
    for name in typed:
        if name in by_name:
            form.texts(*by_name[name].path, needed=True)
    return editing.put(reading.text, form.changes)
