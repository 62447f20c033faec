"""Two texts compared line by line, as rows to be shown."""

from __future__ import annotations

import difflib
from dataclasses import dataclass

CONTEXT = 2


@dataclass(frozen=True)
class Line:
    """One line: ``gone``, ``came``, ``same`` or ``gap``; its number is that in its own text."""

    kind: str
    text: str = ''
    number: int = 0


def between(old: str, new: str) -> list[Line]:
    """The lines that differ with a little around them; empty when the texts are the same."""
    before, after = old.splitlines(), new.splitlines()
    found: list[Line] = []
    for group in difflib.SequenceMatcher(None, before, after, autojunk=False).get_grouped_opcodes(
        CONTEXT
    ):
        if found:
            found.append(Line('gap'))
        for tag, a, b, c, d in group:
            if tag == 'equal':
                found += (Line('same', text, c + i + 1) for i, text in enumerate(after[c:d]))
                continue
            found += (Line('gone', text, a + i + 1) for i, text in enumerate(before[a:b]))
            found += (Line('came', text, c + i + 1) for i, text in enumerate(after[c:d]))
    return found
