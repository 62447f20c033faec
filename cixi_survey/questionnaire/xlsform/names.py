"""Names of a foreign form as names that are allowed here, one for one.

XLSForm allows capitals, points and hyphens and names of any length; here they are small letters,
digits and ``_``.  Whoever made the form is told which names changed.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

from cixi_survey.questionnaire.source import Place

_NAME = re.compile(r'[a-z][a-z0-9_]{0,31}')
_REFERENCE = re.compile(r'\$\{\s*([^}]*?)\s*\}')


@dataclass
class Names:
    """The names of a form: of questions, of sections, of lists; each kind is its own."""

    questions: dict[str, str] = field(default_factory=dict)
    changed: dict[str, str] = field(default_factory=dict)
    """New name by old one, or by ``#row`` where there was none."""
    first: Place | None = None
    _sections: set[str] = field(default_factory=set)
    _lists: dict[str, str] = field(default_factory=dict)

    def question(self, name: str, place: Place) -> str:
        """The name of a question, grid or row of a grid."""
        if _NAME.fullmatch(name):  # a doubled one is left as it is, and reported as such
            self.questions.setdefault(name, name)
            return name
        found = _made(name or f'q{place.line}', self.questions.values())
        self.questions[name or found] = found
        return self._tell(name or f'#{place.line}', found, place)

    def section(self, name: str, place: Place) -> str:
        """The name of a section; an empty one is made up."""
        found = name
        if not _NAME.fullmatch(name):
            found = _made(name or f'part_{len(self._sections) + 1}', self._sections)
            if name:
                self._tell(name, found, place)
        self._sections.add(found)
        return found

    def list(self, name: str, place: Place) -> str:
        """The name of an option list."""
        if name not in self._lists:
            taken = self._lists.values()
            found = name
            if not _NAME.fullmatch(name) or name in taken:
                found = self._tell(name, _made(name, taken), place)
            self._lists[name] = found
        return self._lists[name]

    def referring(self, condition: str) -> str:
        """A condition with the names as they are here."""
        return _REFERENCE.sub(
            lambda match: f'${{{self.questions.get(match[1], match[1])}}}', condition
        )

    def _tell(self, old: str, new: str, place: Place) -> str:
        self.changed[old] = new
        self.first = self.first or place
        return new


def _made(name: str, taken: Collection[str]) -> str:
    """An allowed name as near to ``name`` as can be, and not one of ``taken``."""
    plain = re.sub('[^a-z0-9]+', '_', name.lower()).strip('_')[:28] or 'q'
    plain = plain if plain[0].isalpha() else f'q{plain}'
    found, number = plain, 1
    while found in taken:
        number += 1
        found = f'{plain}_{number}'
    return found
