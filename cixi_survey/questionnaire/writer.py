"""Plain data as YAML text, spelled as a careful author would: short things on one line.

``source.read`` gives the same data back.  What is written is decided by the data and by the key it
stands under; the place (column, within brackets or not) comes from the caller.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import ScalarNode

from cixi_survey.questionnaire.source import Data

STEP = 2
LINE_MOST = 100
# Keys whose entries are long: each key of an entry has a line of its own.
LONG_ENTRIES = frozenset({'sections', 'questions', 'screening', 'indicators'})
# Parted from what stands before them by a blank line.
AIRY = frozenset({'sections', 'indicators', 'notice', 'options', 'screening'})
# The order in which an author expects the keys, whatever the mapping.
ORDER = (
    *('format', 'name', 'basis', 'from_year', 'year', 'value', 'type', 'family', 'scale', 'rule'),
    *('items', 'positive', 'scores', 'dont_know', 'household_size', 'required', 'relevant', 'when'),
    *('outcome', 'keep', 'languages', 'title', 'introduction', 'minutes', 'notice', 'version'),
    *('text', 'label', 'definition', 'message', 'hint', 'options', 'rows', 'constraint'),
    *('constraint_message', 'max_length', 'right', 'attention', 'explanation', 'secret'),
    'baseline',
    *('targets', 'note', 'apart', 'sections', 'questions', 'screening', 'indicators', 'source'),
)
_PLACE = {key: place for place, key in enumerate(ORDER)}

_SPECIAL = frozenset({'', '~', 'null', 'true', 'false', 'yes', 'no', 'on', 'off', 'y', 'n', '='})
_PLAIN = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`=<~.+][^\r\n\t]*")
_UNSEEN = re.compile(
    '[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]'
)  # fmt: skip


def document(data: Mapping[str, Data]) -> str:
    """A whole file, with a blank line before each of its long parts."""
    entries = ((key, entry(key, data[key], 0)) for key in _ordered(data))
    return ''.join(('\n' if key in AIRY else '') + text + '\n' for key, text in entries)


def place(key: str) -> int:
    """The rank of a key within its mapping; unknown ones (languages, names) come last."""
    return _PLACE.get(key, len(_PLACE))


def spelled(data: Data, column: int, *, key: str = '') -> str:
    """What follows ``key:`` or ``-``, with the blank or line end before it.

    ``column`` (from 0) is that of the key or the dash.  No line end stands at the end.
    """
    if isinstance(data, str) and '\n' in data and _is_literal(data):
        return ' ' + _literal(data, column + STEP)
    if isinstance(data, dict) and data and not _is_short(data, LINE_MOST - column - len(key)):
        return '\n' + '\n'.join(_entries(data, column + STEP))
    if isinstance(data, list) and data and any(isinstance(each, dict | list) for each in data):
        return '\n' + '\n'.join(item(each, column + STEP, key=key) for each in data)
    return ' ' + inline(data, within=False)


def item(data: Data, column: int, *, key: str = '') -> str:
    """One entry of a list with its dash at ``column``, without a line end at the end.

    ``key`` is that of the list.
    """
    if isinstance(data, dict) and data and (key in LONG_ENTRIES or _has_lines(data)):
        lines = '\n'.join(_entries(data, column + STEP))
        return f'{" " * column}- {lines[column + STEP :]}'
    return f'{" " * column}- {inline(data, within=False)}'


def entry(key: str, data: Data, column: int) -> str:
    """One key with its value, the key at ``column``, without a line end at the end."""
    return f'{" " * column}{inline(key)}:{spelled(data, column, key=key)}'


def inline(data: Data, *, within: bool = True) -> str:
    """The data on one line; ``within`` brackets some signs need quotation marks."""
    if isinstance(data, dict):
        inner = ', '.join(f'{inline(key)}: {inline(data[key])}' for key in _ordered(data))
        return f'{{{inner}}}'
    if isinstance(data, list):
        return f'[{", ".join(map(inline, data))}]'
    if isinstance(data, bool):
        return 'true' if data else 'false'
    if data is None:
        return 'null'
    return _text(data, within) if isinstance(data, str) else repr(data)


def _entries(data: Mapping[str, Data], column: int) -> list[str]:
    return [entry(key, data[key], column) for key in _ordered(data)]


def _ordered(data: Mapping[str, Data]) -> list[str]:
    return sorted(data, key=place)


def _is_short(data: Mapping[str, Data], most: int) -> bool:
    """Whether a mapping is written between braces, as texts of a few words are."""
    nested = any(isinstance(each, dict | list) for each in data.values())
    return not nested and not _has_lines(dict(data)) and len(inline(dict(data))) <= most


def _has_lines(data: Data) -> bool:
    if isinstance(data, dict):
        return any(map(_has_lines, data.values()))
    if isinstance(data, list):
        return any(map(_has_lines, data))
    return isinstance(data, str) and '\n' in data


def _is_literal(text: str) -> bool:
    """Whether the text can stand as it is below a ``|``."""
    lines = text.split('\n')
    return (
        not text.endswith('\n\n')
        and bool(lines[0].strip())
        and lines[0][0] not in ' \t'
        and all(line == '' or line.strip() for line in lines)
        and not _UNSEEN.search(text)
    )


def _literal(text: str, column: int) -> str:
    body = text.removesuffix('\n')
    sign = '|' if text.endswith('\n') else '|-'
    lines = (f'{" " * column}{line}' if line else '' for line in body.split('\n'))
    return f'{sign}\n' + '\n'.join(lines)


def _text(text: str, within: bool) -> str:
    if _PLAIN.fullmatch(text) and text.lower() not in _SPECIAL and _stays(text, within):
        return text
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNSEEN.sub(lambda found: f'\\u{ord(found[0]):04x}', quoted)


def _stays(text: str, within: bool) -> bool:
    """Whether the text means itself without quotation marks."""
    signs = r'[,\[\]{}]|: |:$| #' if within else ': |:$| #'
    like_a_number = re.fullmatch(r'[0-9._:/+-]+', text)
    if text != text.strip() or like_a_number or _UNSEEN.search(text) or re.search(signs, text):
        return False
    try:
        found = YAML(typ='safe', pure=True).compose(f'[{text}]' if within else f'- {text}')
    except YAMLError:
        return False
    inner: Sequence[object] = found.value
    only = inner[0] if len(inner) == 1 else None
    return (
        isinstance(only, ScalarNode)
        and only.value == text
        and str(only.tag) == 'tag:yaml.org,2002:str'
    )
