"""What a benchmark found, put into the docs by its own command."""

from __future__ import annotations

import os
import re
from datetime import UTC, datetime
from pathlib import Path

DOCS = Path(__file__).parent.parent / 'docs'


def put(document: str, name: str, text: str) -> None:
    """The text between the marks of this name in a document of docs/."""
    path, marks = DOCS / document, (f'<!-- {name}: start -->', f'<!-- {name}: end -->')
    before, start, rest = path.read_text().partition(marks[0])
    _, end, after = rest.partition(marks[1])
    if not start or not end:
        raise SystemExit(f'{path} has no marks {marks[0]} … {marks[1]}.')
    path.write_text(f'{before}{marks[0]}\n{text}\n{marks[1]}{after}')


def machine() -> str:
    """The processors of this machine, as they call themselves."""
    named = re.search(r'model name\s*: (.*)', Path('/proc/cpuinfo').read_text())
    return f'{os.cpu_count()} processors ({named[1] if named else "unknown"})'


def today() -> str:
    return f'{datetime.now(UTC):%-d %B %Y}'
