"""YAML 1.2 text to plain data, keeping the line and column of every key and value.

The node tree of the YAML reader is walked here rather than built by its constructors: so every
doubled key is reported and not only the first, nothing but text, numbers, truth values, lists and
mappings can come in, and each value's place is a simple look-up by path.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from cixi_survey.errors import N_, Problem

Path = tuple[str | int, ...]
Data = str | int | float | bool | None | list['Data'] | dict[str, 'Data']

MAX_CHARACTERS = 1_000_000
_TAG = 'tag:yaml.org,2002:'
_FULL_WIDTH_COLON = re.compile(r'^[ \t]*(?:- +|\{ *)*(?P<key>[a-z][a-z_]*) *(?P<colon>：)', re.M)


@dataclass(frozen=True)
class Place:
    """Where a value is written, counted from 1; ``inline`` text can be pointed into.

    ``sheet`` when it is a cell of a workbook and not a place in a text.
    """

    line: int
    column: int
    inline: bool = False
    sheet: str = ''


@dataclass
class Source:
    """What a file says, and where."""

    data: Data = None
    values: dict[Path, Place] = field(default_factory=dict)
    keys: dict[Path, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    whole: bool = True
    """Whether ``data`` is all that the file says."""

    def place(self, path: Path, *, key: bool = False) -> Place:
        """The place of the value at ``path`` (or of its key), or of the nearest thing around it."""
        for size in range(len(path), -1, -1):
            found = self.keys.get(path[:size]) if key or size < len(path) else None
            found = found or self.values.get(path[:size])
            if found:
                return found
        return Place(1, 1)


@lru_cache(maxsize=8)
def tree(text: str) -> Node | None:
    """The node tree of ``text``, kept for the next who asks; raises YAMLError."""
    root: Node | None = YAML(typ='safe', pure=True).compose(text)
    return root


@lru_cache(maxsize=16)
def read(text: str) -> Source:
    """Read ``text``; faults of YAML itself are collected in ``problems``.

    An editor asks for the same text again and again: what is given out is kept, do not change it.
    """
    source = Source()
    if len(text) > MAX_CHARACTERS:
        source.problems.append(
            Problem(
                '',
                'too_large',
                N_('The file is larger than %(most)s characters.'),
                N_('Divide it into several questionnaires.'),
                {'most': MAX_CHARACTERS},
                1,
                1,
            )
        )
        return source
    try:
        root = tree(text.removeprefix('\ufeff'))
        if root is not None:
            source.data = _Reader(source).value(root, ())
    except RecursionError:
        source.problems.append(
            Problem(
                '',
                'yaml',
                N_('The file is nested too deeply.'),
                N_('Remove brackets that are opened again and again.'),
                {},
                1,
                1,
            )
        )
    except YAMLError as error:
        source.problems += _syntax_problems(text, error)
    return source


def _syntax_problems(text: str, error: YAMLError) -> list[Problem]:
    colons = [
        _full_width_colon(match['key'], _place_at(text, match.start('colon')))
        for match in _FULL_WIDTH_COLON.finditer(text)
    ]
    line, column = 1, 1
    reason = str(error)
    if isinstance(error, MarkedYAMLError) and error.problem_mark is not None:
        line, column = error.problem_mark.line + 1, error.problem_mark.column + 1
        reason = error.problem or reason
    elif (position := getattr(error, 'position', None)) is not None:
        place = _place_at(text, position)
        line, column = place.line, place.column
        reason = getattr(error, 'reason', reason)
    if any(problem.line is not None and problem.line <= line for problem in colons):
        return colons
    cure = N_('Look at the indentation and at : - { } [ ] and quotation marks before this place.')
    if '\\t' in reason:
        cure = N_('Indent with blanks, not with tabs.')
    first = Problem('', 'yaml', N_('This is not YAML: %(reason)s.'), cure, {'reason': reason},
                    line, column)  # fmt: skip
    return [first, *colons]


def _place_at(text: str, offset: int) -> Place:
    line = text.count('\n', 0, offset)
    return Place(line + 1, offset - (text.rfind('\n', 0, offset) + 1) + 1)


def _full_width_colon(key: str, place: Place) -> Problem:
    return Problem(
        key,
        'full_width_colon',
        N_('After “%(key)s” stands a full-width colon “：”.'),
        N_('Write “%(key)s: ” with an ordinary colon and a blank.'),
        {'key': key},
        place.line,
        place.column,
    )


class _Reader:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.seen: set[int] = set()

    def report(self, node: Node, code: str, message: str, cure: str, **values: object) -> None:
        mark = node.start_mark
        self.source.problems.append(
            Problem('', code, message, cure, values, mark.line + 1, mark.column + 1)
        )

    def value(self, node: Node, path: Path) -> Data:
        mark = node.start_mark
        style = getattr(node, 'style', None)
        inline = isinstance(node, ScalarNode) and style not in ('|', '>')
        # An inline text begins after its quotation mark.
        column = mark.column + 1 + (1 if inline and style in ('"', "'") else 0)
        self.source.values[path] = Place(mark.line + 1, column, inline)
        if id(node) in self.seen:
            # Expanding references without limit is how a small file fills a large memory.
            self.source.whole = False
            self.report(
                node,
                'alias',
                N_('References within the file (&name, *name) are not used here.'),
                N_('Write the text again, or use a named list under “options”.'),
            )
            return None
        self.seen.add(id(node))
        if isinstance(node, MappingNode):
            return self.mapping(node, path)
        if isinstance(node, SequenceNode):
            return [self.value(each, (*path, index)) for index, each in enumerate(node.value)]
        assert isinstance(node, ScalarNode)  # the composer makes no fourth kind
        return self.scalar(node)

    def mapping(self, node: MappingNode, path: Path) -> dict[str, Data]:
        data: dict[str, Data] = {}
        for key_node, value_node in node.value:
            key = str(key_node.value) if isinstance(key_node, ScalarNode) else ''
            place = Place(key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            name, colon, rest = key.partition('：')
            if not key:
                self.report(
                    key_node, 'bad_key', N_('A key must be a word.'), N_('Write it as “word: …”.')
                )
                continue
            if colon and re.fullmatch('[a-z][a-z_]*', name.strip()):
                self.source.problems.append(_full_width_colon(name.strip(), place))
                # Read on as it was meant, so that this does not look like a missing key as well.
                key = name.strip()
                if rest and value_node.value == '':
                    value_node.value, value_node.tag = rest.strip(), f'{_TAG}str'
            if key in data:
                first = self.source.keys[(*path, key)]
                self.report(
                    key_node,
                    'duplicate_key',
                    N_('“%(key)s” stands twice here, first in line %(first)s.'),
                    N_('Remove one of them.'),
                    key=key,
                    first=first.line,
                )
            else:
                self.source.keys[(*path, key)] = place
                data[key] = self.value(value_node, (*path, key))
        return data

    def scalar(self, node: ScalarNode) -> Data:
        text = str(node.value)
        kind = str(node.tag).removeprefix(_TAG)
        try:
            if kind == 'int':
                return int(text, 0) if text.lstrip('+-').startswith(('0x', '0o')) else int(text)
            if kind == 'float':
                return float(text)
        except ValueError:
            return text
        if kind == 'bool':
            return text.lower() == 'true'
        # A date stays the text that it is: no key of ours takes anything else.
        return None if kind == 'null' else text
