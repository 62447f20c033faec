"""What a page says outside of the brackets of the made-up language, and outside of known data."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from html.parser import HTMLParser
from typing import Any

VOID = frozenset(
    ['area', 'base', 'br', 'col', 'embed', 'hr', 'img', 'input', 'link', 'meta', 'source', 'wbr']
)
SILENT = frozenset({'style', 'code', 'kbd', 'pre', 'textarea'})  # the same in every language
SPOKEN_ATTRIBUTES = frozenset({'title', 'aria-label', 'alt', 'placeholder', 'label'})
WORDS = re.compile(r'[^\W\d_]+')
FINGERPRINT = re.compile(r'\b(?=[0-9a-f]*\d)[0-9a-f]{6,64}\b')
NUMERICAL = re.compile(r'\b\d+(?:[.,]\d+)?e-?\d+\b|\d{4}-\d\d-\d\d')
# Names of methods, formats and languages, and what the page says in Chinese and English on purpose.
NAMES = (
    *('SHA-256', 'CSV', 'JSON', 'YAML', 'UTF-8', 'GB18030', 'A4', 'RR1', 'RR3', 'deff', 'df'),
    *('Þséûdô', 'cixi_survey', 'Python', 'numpy', 'scipy', 'analysis'),
)
NAME = re.compile(rf'(?<!\w)(?:{"|".join(map(re.escape, NAMES))})(?!\w)')


class Reading(HTMLParser):
    """Every text of a page with where it stands: element, attribute, key of the script's data."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.lang = ''
        self.texts: list[tuple[str, str]] = []
        self._open: list[tuple[str, bool]] = []
        self._script = False
        self._spoken: list[str] = []
        self.feed(html)
        self.close()
        self.texts.append(('text', '\n'.join(self._spoken)))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or '' for name, value in attrs}
        lang = given.get('lang', '')
        if tag == 'html':
            self.lang = lang
        foreign = bool(lang) and lang != self.lang
        silent = tag in SILENT or foreign or given.get('translate') == 'no'
        inside = any(hush for _tag, hush in self._open)
        if tag not in VOID:
            self._open.append((tag, silent))
        self._script = tag == 'script'
        if silent or inside:
            return
        for name, value in given.items():
            if self._is_spoken(tag, name, given):
                self.texts.append((f'{tag} {name}', value))

    @staticmethod
    def _is_spoken(tag: str, name: str, given: dict[str, str]) -> bool:
        if tag == 'meta':
            return name == 'content' and given.get('name') == 'description'
        if tag == 'input':
            return name == 'value' and given.get('type') in {'submit', 'button'}
        return name in SPOKEN_ATTRIBUTES or (name.startswith('data-') and ' ' in given[name])

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            self._open.pop()
        self._script = False

    def handle_data(self, data: str) -> None:
        if self._script:
            if data.strip():
                self.texts += _sentences(json.loads(data).get('texts', {}), 'script')
        elif self._open and self._open[-1][0] == 'title' and len(self._open) < 4:
            self.texts.append(
                ('title', data)
            )  # it cannot be marked, so titles of waves stand in it
        elif data.strip() and not any(silent for _tag, silent in self._open):
            self._spoken.append(data)


def _sentences(value: Any, where: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _sentences(part, f'{where} {name}')
    elif isinstance(value, list):
        for part in value:
            yield from _sentences(part, where)
    elif isinstance(value, str):
        yield where, value


def untranslated(html: str, data: Sequence[str], titles: Sequence[str] = ()) -> list[str]:
    """What stands on a page outside of brackets and is no data; empty when all is translated.

    ``titles`` may stand in the title of the page, whose parts cannot be marked as foreign.
    """
    found = []
    for where, text in Reading(html).texts:
        allowed = [*titles, *data] if where == 'title' else data
        found += [f'{where}: {rest}' for rest in leftovers(text, allowed)]
    return found


def untranslated_json(value: Any, data: Sequence[str]) -> list[str]:
    """The same for what a program is told: titles, messages and cures."""
    spoken = {'title', 'message', 'cure'}
    texts: list[tuple[str, str]] = []
    if isinstance(value, dict):
        texts = [each for name in spoken & value.keys() for each in _sentences(value[name], name)]
        for problem in value.get('problems', []):
            texts.append(('problem', problem['message']))
    return [f'{where}: {rest}' for where, text in texts for rest in leftovers(text, data)]


def leftovers(text: str, data: Iterable[str]) -> list[str]:
    """The pieces of ``text`` outside of brackets that have letters and are not data."""
    outside, depth = [], 0
    for character in text:
        if character == '⟦':
            depth += 1
            outside.append('\n')
        elif character == '⟧':
            depth -= 1
        elif depth == 0:
            outside.append(character)
    found = []
    for piece in ''.join(outside).split('\n'):
        rest = FINGERPRINT.sub(' ', NUMERICAL.sub(' ', NAME.sub(' ', piece)))
        for known in data if WORDS.search(rest) else ():
            if known in rest:
                rest = rest.replace(known, ' ')
        if WORDS.search(rest):
            found.append(piece.strip())
    return found
