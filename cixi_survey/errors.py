"""The two kinds of fault that a person may meet.

::

    Problem          one thing wrong with what was given: collected, shown beside its field or line
    └─ ProblemsFound   raised when a whole input is refused because of its problems
    Refusal          a rule says no: raised, ends the transaction, has a page of its own

Everything else that is raised is a bug and gets a number.  The texts are English message ids
with ``%(name)s`` places; they are translated where they are shown, so this module and all that
uses it stay free of the web.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import ClassVar

_NO_VALUES: Mapping[str, object] = MappingProxyType({})


def N_(text: str) -> str:  # noqa: N802 - the name that message extraction looks for
    """Mark ``text`` as a message to be translated when it is shown."""
    return text


class Term(str):
    """A value of a message that is itself a message id, such as the name of a state."""


@dataclass(frozen=True)
class Problem:
    """One fault in something given.

    ``where`` is the field, variable or column; ``message`` says what is wrong and ``cure`` how to
    mend it, both as message ids filled from ``values``; ``line`` and ``column`` count from 1, in a
    file of text or in the ``sheet`` of a workbook.
    """

    where: str
    code: str
    message: str
    cure: str = ''
    values: Mapping[str, object] = field(default_factory=lambda: _NO_VALUES)
    line: int | None = None
    column: int | None = None
    sheet: str = ''

    @property
    def letters(self) -> str:
        """The column as spreadsheets name it: 3 is C, 28 is AB; empty when there is none."""
        letters, number = '', self.column or 0
        while number:
            number, rest = divmod(number - 1, 26)
            letters = chr(ord('A') + rest) + letters
        return letters

    def text(self) -> str:
        """Message and cure in English, with where it is."""
        place = f'line {self.line}' if self.line else ''
        if place and self.column:
            place += f', column {self.column}'
        if self.sheet:
            place = f'sheet “{self.sheet}”'
            place += f', row {self.line}, column {self.letters}' if self.line else ''
        said = ' '.join(part % dict(self.values) for part in (self.message, self.cure) if part)
        return f'{place}: {said}' if place else said


class ProblemsFound(Exception):
    """A whole input is refused; every problem found is in ``problems``."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__('\n'.join(problem.text() for problem in self.problems))


class Refusal(Exception):
    """A rule of the house says no.  Subclass it beside the code that raises it, one per fact."""

    status: ClassVar[int] = 409
    code: ClassVar[str] = 'refused'
    title: ClassVar[str] = N_('This is not possible')
    message: ClassVar[str] = ''
    cure: ClassVar[str] = ''

    def __init__(self, *, problems: Iterable[Problem] = (), **values: object) -> None:
        self.values = values
        self.problems: tuple[Problem, ...] = tuple(problems)
        super().__init__(self.text())

    def text(self) -> str:
        """Title, message and cure in English."""
        return ' '.join(
            part % self.values for part in (self.title, self.message, self.cure) if part
        )
