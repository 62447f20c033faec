"""Fields of the editor's forms: named by their path within the part, ``options.2.label.zh``.

``Fields`` is what a form shows: the values as they stand in the file, or as somebody typed them,
with what is wrong beside each.  ``Collector`` goes the other way: from what was typed to changes
of the file.  What was not altered makes no change, so the file keeps its own spelling.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from flask import request

from cixi_survey.authoring import wording
from cixi_survey.authoring.outline import Words
from cixi_survey.authoring.reading import Fault, Part, Reading
from cixi_survey.questionnaire.answers import clean
from cixi_survey.questionnaire.editing import REMOVED, Change
from cixi_survey.questionnaire.source import Data, Path

Typed = Mapping[str, Sequence[str]]
_DIGITS = str.maketrans('０１２３４５６７８９', '0123456789')


def typed() -> Typed:
    """The form of this request."""
    return dict(request.form.lists())


def name(*steps: str | int) -> str:
    """The name of the field for a path within the part."""
    return '.'.join(map(str, steps))


class Fields:
    """Values and faults of one part, for its form.

    With ``given`` the form stands as it was typed.  ``held`` says beside a field, by its name, why
    it could not be taken; ``theirs`` what somebody else saved there meanwhile.
    """

    def __init__(
        self,
        reading: Reading,
        part: Part,
        given: Typed | None = None,
        held: Mapping[str, str] | None = None,
        theirs: Mapping[str, str] | None = None,
    ) -> None:
        self.reading = reading
        self.part = part
        self.languages = reading.languages
        self.given = given
        self.held = held or {}
        self.theirs = theirs or {}
        self._faults = [] if theirs is not None else list(reading.faults_of(part))
        self._open: list[Path | None] = [_located(fault) for fault in self._faults]

    def data(self, *steps: str | int) -> Data:
        """What stands in the file."""
        return self.reading.value((*self.part.path, *steps))

    def value(self, *steps: str | int) -> str:
        """The text of a field."""
        if self.given is not None and name(*steps) in self.given:
            return self.given[name(*steps)][0]
        found = self.data(*steps)
        if found is None or isinstance(found, dict | list):
            return ''
        return str(found).strip('\n') if isinstance(found, str) else str(found)

    def written(self, *steps: str | int) -> Words:
        """A text in the languages that have it."""
        found = {language: self.value(*steps, language) for language in self.languages}
        return {language: text for language, text in found.items() if text}

    def on(self, *steps: str | int) -> bool:
        """Whether a box is ticked."""
        if self.given is not None:
            return name(*steps) in self.given
        return self.data(*steps) is True

    def count(self, *steps: str | int) -> int:
        """The number of entries of a list."""
        found = self.data(*steps)
        return len(found) if isinstance(found, list) else 0

    def error(self, *steps: str | int) -> str:
        """What is wrong with exactly this value."""
        return self._say(name(*steps), [path == steps for path in self._open])

    def below(self, *steps: str | int) -> str:
        """What is wrong here or further in, and was said beside no field yet."""
        inner = [path is not None and path[: len(steps)] == steps for path in self._open]
        return self._say(name(*steps), inner)

    def rest(self) -> str:
        """What was said beside no field at all."""
        return self._say('', [path is not None for path in self._open])

    def _say(self, field: str, fits: Sequence[bool]) -> str:
        said = [each[field] for each in (self.held, self.theirs) if field in each]
        for index, fault in enumerate(self._faults):
            if fits[index]:
                said.append(wording.text(fault.problem))
                self._open[index] = None
        return ' '.join(dict.fromkeys(said))


def _located(fault: Fault) -> Path:
    """The field that a fault is about, where the checks only know the part."""
    wanted: Mapping[str, Path] = {
        'key_without_source': ('source',),
        'key_without_explanation': ('explanation',),
        'no_options': ('options',),
        'no_rows': ('rows',),
        'village_without_town': ('type',),
    }
    return fault.path or wanted.get(fault.problem.code, ())


class Collector:
    """The changes that a form makes to its part."""

    def __init__(self, reading: Reading, part: Part, given: Typed) -> None:
        self.reading = reading
        self.part = part
        self.given = given
        self.changes: dict[Path, Change] = {}
        self.held: dict[str, str] = {}
        """Fields that could not be taken, with the reason; they are shown again as typed."""

    def has(self, *steps: str | int) -> bool:
        """Whether the form had such a field."""
        return name(*steps) in self.given

    def typed(self, *steps: str | int) -> str:
        """What was typed into a field, tidied; empty when there was none."""
        return clean(self.given.get(name(*steps), [''])[0])

    def ticked(self, *steps: str | int) -> list[str]:
        """The values of the boxes of one name."""
        return list(self.given.get(name(*steps), ()))

    def data(self, *steps: str | int) -> Data:
        """What stands in the file."""
        return self.reading.value((*self.part.path, *steps))

    def put(self, value: Change, *steps: str | int) -> None:
        """Change a value, unless it is the same."""
        if isinstance(value, list | dict) and not value:
            value = REMOVED
        same = value is REMOVED and self.data(*steps) is None
        if not same and self.data(*steps) != value:
            self.changes[*self.part.path, *steps] = value

    def touches(self, *steps: str | int) -> bool:
        """Whether something is changed at or below a value."""
        path = (*self.part.path, *steps)
        return any(each[: len(path)] == path for each in self.changes)

    def line(self, *steps: str | int, needed: bool = False) -> None:
        """A text without a language: empty takes the key away unless it is ``needed``."""
        if not self.has(*steps):
            return
        text, found = self.typed(*steps), self.data(*steps)
        if text == str('' if found is None else found).strip():
            return
        self.put(text if text or needed else REMOVED, *steps)

    def number(self, *steps: str | int, whole: bool = True) -> None:
        """A number; what is none is kept as it was typed, and the checks say so."""
        if not self.has(*steps):
            return
        text, found = self.typed(*steps).translate(_DIGITS), self.data(*steps)
        if text == str('' if found is None else found):
            return
        pattern = r'-?[0-9]{1,9}' if whole else r'-?[0-9]{1,9}(\.[0-9]{1,9})?'
        if not text:
            self.put(REMOVED, *steps)
        elif re.fullmatch(pattern, text):
            self.put(int(text) if '.' not in text else float(text), *steps)
        else:
            self.put(text, *steps)

    def flag(self, *steps: str | int) -> None:
        """A box: ticked is true, else the key is taken away."""
        on = self.has(*steps)
        if on != (self.data(*steps) is True):
            self.put(True if on else REMOVED, *steps)

    def texts(self, *steps: str | int, needed: bool = False) -> None:
        """A text in each language; taken away as a whole when it is empty in all of them."""
        languages = [each for each in self.reading.languages if self.has(*steps, each)]
        if not languages:
            return
        found = self.data(*steps)
        kept = (set(found) if isinstance(found, dict) else set()) - set(languages)
        if not needed and not kept and not any(self.typed(*steps, each) for each in languages):
            self.put(REMOVED, *steps)
            return
        for language in languages:
            self._text(self.typed(*steps, language), (*steps, language), needed)

    def _text(self, text: str, steps: Path, needed: bool) -> None:
        found = self.data(*steps)
        old = found if isinstance(found, str) else ''
        if text == old.strip():
            return
        if '\n' in text:
            text += '\n'
        self.put(text if text or needed else REMOVED, *steps)
