"""Changes to the text of a questionnaire file that leave everything else byte for byte.

The file is the only truth, and people write in it too: comments, order, blank lines and the way
things are quoted are theirs.  So nothing is read in and written out again.  The node tree of the
YAML reader says from where to where each value stands, and only those characters are replaced.
Every change is proved before it is given out: the new text must read as the old data with just
this change.

Paths are those of ``source``: ``('sections', 0, 'questions', 2, 'label', 'zh')``.  A text is one
with line feeds only and no byte order mark (``tidied``).
"""

from __future__ import annotations

import copy
from bisect import bisect_right
from collections.abc import Mapping, Set
from dataclasses import dataclass

from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from cixi_survey.errors import ProblemsFound
from cixi_survey.questionnaire import source, writer
from cixi_survey.questionnaire.source import Data, Path


class Removed:
    """The value of a change that takes a key away."""


REMOVED = Removed()
Change = Data | Removed


def tidied(text: str) -> str:
    """The text with line feeds only, no byte order mark, and one line end at the end."""
    lines = text.removeprefix('\ufeff').replace('\r\n', '\n').replace('\r', '\n')
    return lines.rstrip('\n') + '\n'


def put(text: str, changes: Mapping[Path, Change]) -> str:
    """The text with a value at each path: replaced, added to its mapping, or taken away.

    No path may lie within another.  A mapping that loses its last key goes with it.
    Raises ProblemsFound when the text cannot be read, KeyError for a key or place that a list
    does not have.
    """
    data = _data(text)
    wanted = _grouped(data, _drained(data, {path: value for path, value in changes.items()
                                            if _at(data, path) != value}))  # fmt: skip
    if not wanted:
        return text
    for path in wanted:
        parent = _at(data, path[:-1])
        if isinstance(parent, list):
            _list(parent, _index(path))
    page = _Page(text)
    gone = {path for path, value in wanted.items() if isinstance(value, Removed)}
    order = sorted(wanted, key=lambda path: writer.place(str(path[-1])))
    splices = [page.put(path, wanted[path], gone) for path in order]
    expected = copy.deepcopy(data)
    for path, value in wanted.items():
        _change(expected, path, value)
    return _proved(page.spliced(splices), expected)


def insert(text: str, path: Path, value: Data) -> str:
    """The text with ``value`` put into a list, before the entry that is now at ``path``.

    The index may be one past the last.  A list that is not there yet is made.
    Raises ProblemsFound when the text cannot be read, KeyError when there is no such place.
    """
    data = _data(text)
    whole, index = path[:-1], _index(path)
    found = _at(data, whole)
    if not found:
        return put(text, {whole: [value]})
    entries = _list(found, index, past=True)
    expected = copy.deepcopy(data)
    page = _Page(text)
    splice = page.insert(whole, index, value)
    _change(expected, whole, [*entries[:index], value, *entries[index:]])
    return _proved(page.spliced([splice]), expected)


def remove(text: str, path: Path) -> str:
    """The text without an entry of a list or a key, and without the comment that belongs to it.

    Raises ProblemsFound when the text cannot be read, KeyError when there is nothing.
    """
    data = _data(text)
    if _at(data, path) is None:
        raise KeyError(path)
    if not isinstance(path[-1], int):
        return put(text, {path: REMOVED})
    whole, index = path[:-1], path[-1]
    entries = _list(_at(data, whole), index)
    if len(entries) == 1:
        return put(text, {whole: []})
    page = _Page(text)
    expected = copy.deepcopy(data)
    _change(expected, whole, entries[:index] + entries[index + 1 :])
    return _proved(page.spliced([page.remove(whole, index)]), expected)


def move(text: str, path: Path, target: Path) -> str:
    """The text with an entry taken out of its list and put before the entry now at ``target``.

    Both paths are those before the move.  The entry keeps its own spelling and its comment.
    Raises ProblemsFound when the text cannot be read, KeyError when there is no such place.
    """
    data = _data(text)
    entries = _list(_at(data, path[:-1]), _index(path))
    at, to = _index(path), _index(target)
    same = path[:-1] == target[:-1]
    if same and to in (at, at + 1):
        return text
    others = _list(_at(data, target[:-1]) or [], to, past=True)
    expected = copy.deepcopy(data)
    moved = entries[at]
    left = entries[:at] + entries[at + 1 :]
    if same:
        to = to - 1 if to > at else to
        _change(expected, path[:-1], [*left[:to], moved, *left[to:]])
    else:
        _change(expected, path[:-1], left)
        _change(expected, target[:-1], [*others[:to], moved, *others[to:]])
    page = _Page(text)
    splices = page.move(path, target) if left and others else None
    if splices is None:
        # A list is emptied or filled, or one stands in brackets: spelled anew in its new place.
        return _moved_as_data(text, path, target, moved)
    return _proved(page.spliced(splices), expected)


def _moved_as_data(text: str, path: Path, target: Path, moved: Data) -> str:
    if path[:-1] == target[:-1] and _index(target) < _index(path):
        without = remove(text, path)
        return insert(without, target, moved)
    # The later change first, so that the other path still holds.
    return remove(insert(text, target, moved), path)


def rename_key(text: str, path: Path, key: str) -> str:
    """The text with another name for the key at ``path``.

    Raises ProblemsFound when the text cannot be read, KeyError when there is no such key.
    """
    data = _data(text)
    expected = copy.deepcopy(data)
    parent = _at(expected, path[:-1])
    if not isinstance(parent, dict) or str(path[-1]) not in parent or key in parent:
        raise KeyError(path)
    parent[key] = parent.pop(str(path[-1]))
    page = _Page(text)
    return _proved(page.spliced([page.renamed(path, key)]), expected)


# --- plain data -----------------------------------------------------------------------------------


def _data(text: str) -> Data:
    read = source.read(text)
    if read.problems or not isinstance(read.data, dict):
        raise ProblemsFound(read.problems)
    return read.data


def _at(data: Data, path: Path) -> Data:
    """What stands at the path; None when there is nothing."""
    for step in path:
        if isinstance(data, dict):
            data = data.get(str(step))
        elif isinstance(data, list) and isinstance(step, int) and 0 <= step < len(data):
            data = data[step]
        else:
            return None
    return data


def _index(path: Path) -> int:
    if not isinstance(path[-1], int):
        raise KeyError(path)
    return path[-1]


def _list(found: Data, index: int, *, past: bool = False) -> list[Data]:
    """The list, if it has such an entry; ``past`` takes the place after the last as well."""
    if not isinstance(found, list) or not 0 <= index < len(found) + past:
        raise KeyError(index)
    return found


def _change(data: Data, path: Path, value: Change) -> None:
    parent = _at(data, path[:-1])
    step = path[-1]
    if isinstance(parent, list) and isinstance(step, int) and not isinstance(value, Removed):
        parent[step] = value
    elif isinstance(parent, dict) and isinstance(value, Removed):
        del parent[str(step)]
    elif isinstance(parent, dict) and not isinstance(value, Removed):
        parent[str(step)] = value
    else:
        raise KeyError(path)


def _drained(data: Data, changes: Mapping[Path, Change]) -> dict[Path, Change]:
    """The changes, with a mapping taken away as a whole when all of its keys are."""
    found = {
        path: value
        for path, value in changes.items()
        if not (isinstance(value, Removed) and _at(data, path) is None)
    }
    for path, value in list(found.items()):
        parent = _at(data, path[:-1])
        if not isinstance(value, Removed) or not isinstance(parent, dict) or len(path) < 2:
            continue
        own = {each for each in found if each[:-1] == path[:-1]}
        gone = {str(each[-1]) for each in own if isinstance(found[each], Removed)}
        if gone == set(parent) and len(gone) == len(own) and isinstance(path[-2], str):
            for each in own:
                del found[each]
            found[path[:-1]] = REMOVED
            return _drained(data, found)
    return found


def _grouped(data: Data, changes: Mapping[Path, Change]) -> dict[Path, Change]:
    """The changes with those to a mapping that is not there yet made one."""
    found: dict[Path, Change] = {}
    for path, value in changes.items():
        size = len(path) - 1
        while size and not isinstance(_at(data, path[:size]), dict | list):
            size -= 1
        base, steps = path[: size + 1], path[size + 1 :]
        if not steps:
            found[base] = value
        elif not isinstance(value, Removed):
            inner = found.setdefault(base, {})
            for step in steps[:-1]:
                assert isinstance(inner, dict)
                inner = inner.setdefault(str(step), {})
            assert isinstance(inner, dict)
            inner[str(steps[-1])] = value
    return found


def _proved(text: str, expected: Data) -> str:
    read = source.read(text)
    if read.problems or read.data != expected:
        raise AssertionError(f'the text was not changed as it should be: {read.problems}')
    return text


# --- places in the text ---------------------------------------------------------------------------


@dataclass(frozen=True)
class _Splice:
    start: int
    end: int
    text: str


@dataclass(frozen=True)
class _Found:
    """A value: its node, its key, its column of reference, whether it stands in brackets."""

    node: Node
    key: Node | None
    flow: bool
    column: int
    """Of the key or the dash."""


class _Page:
    """A text with the places of its values."""

    def __init__(self, text: str) -> None:
        self.text = text
        root = source.tree(text)
        assert root is not None  # only a text with data is changed
        self.root: Node = root
        self.starts = [0]
        while (end := text.find('\n', self.starts[-1])) >= 0:
            self.starts.append(end + 1)

    def spliced(self, splices: list[_Splice]) -> str:
        """The text with its pieces replaced; those at one place come in their given order."""
        text = self.text
        ordered = sorted(splices, key=lambda each: (each.start, each.end))
        for splice in reversed(ordered):
            text = text[: splice.start] + splice.text + text[splice.end :]
        return text

    # lines

    def line_of(self, place: int) -> int:
        return bisect_right(self.starts, place) - 1

    def line(self, number: int) -> str:
        """A line without its end; empty beyond the last."""
        if not 0 <= number < len(self.starts):
            return ''
        return self.text[self.starts[number] : self.start_of(number + 1)].removesuffix('\n')

    def start_of(self, number: int) -> int:
        return self.starts[number] if number < len(self.starts) else len(self.text)

    def end_of_line(self, place: int) -> int:
        end = self.text.find('\n', place)
        return len(self.text) if end < 0 else end

    def is_blank(self, number: int) -> bool:
        return 0 <= number < len(self.starts) and not self.line(number).strip()

    def comment_column(self, number: int) -> int | None:
        """The column of a line that is only a comment."""
        line = self.line(number)
        stripped = line.lstrip(' ')
        return len(line) - len(stripped) if stripped.startswith('#') else None

    # nodes

    def find(self, path: Path) -> _Found:
        node: Node = self.root
        key: Node | None = None
        flow, column = False, -writer.STEP
        for step in path:
            flow = flow or _in_brackets(node)
            if isinstance(node, MappingNode):
                key, node = next(pair for pair in node.value if str(pair[0].value) == step)
                column = key.start_mark.column
            else:
                assert isinstance(node, SequenceNode)
                assert isinstance(step, int)
                column = node.start_mark.column
                key, node = None, node.value[step]
        return _Found(node, key, flow, column)

    def end(self, node: Node) -> int:
        """Where the last character of a value ends."""
        if isinstance(node, ScalarNode) and node.style in ('|', '>'):
            return self._end_of_literal(node)
        if isinstance(node, ScalarNode) or _in_brackets(node):
            return int(node.end_mark.index)
        if isinstance(node, MappingNode):
            return self.end_of_entry(*node.value[-1])
        assert isinstance(node, SequenceNode)
        last = node.value[-1]
        return self._dash(node, len(node.value) - 1) + 1 if _is_void(last) else self.end(last)

    def _end_of_literal(self, node: ScalarNode) -> int:
        raw = self.text[node.start_mark.index : node.end_mark.index]
        lines = raw.split('\n')
        header = lines[0].partition('#')[0]
        while len(lines) > 1 and not lines[-1].strip() and '+' not in header:
            lines.pop()
        return int(node.start_mark.index) + len('\n'.join(lines))

    def colon(self, key: Node) -> int:
        """Where the colon after a key stands."""
        return self.text.index(':', int(key.end_mark.index))

    def end_of_entry(self, key: Node, value: Node) -> int:
        return self.colon(key) + 1 if _is_void(value) else self.end(value)

    def _dash(self, node: SequenceNode, index: int) -> int:
        """Where the dash of an entry stands."""
        column = node.start_mark.column
        if index == 0:
            return int(node.start_mark.index)
        before = node.value[index - 1]
        number = (
            self.line_of(self._dash(node, index - 1) if _is_void(before) else self.end(before)) + 1
        )
        while self.line(number)[: column + 1].strip() != '-':
            assert number < len(self.starts), 'the entry has no dash'
            number += 1
        return self.starts[number] + int(column)

    # one value

    def put(self, path: Path, value: Change, gone: Set[Path]) -> _Splice:
        """The change of one value; ``gone`` are the paths that are taken away at the same time."""
        whole = self.find(path[:-1])
        if isinstance(whole.node, MappingNode):
            keys = [str(key.value) for key, _value in whole.node.value]
            kept = {key for key in keys if (*path[:-1], key) not in gone}
            if path[-1] not in keys:
                assert not isinstance(value, Removed)
                return self._added(whole, str(path[-1]), value, kept)
            if isinstance(value, Removed):
                return self._taken(whole, keys.index(str(path[-1])), kept)
        assert not isinstance(value, Removed)
        return self._replaced(self.find(path), value)

    def _replaced(self, found: _Found, value: Data) -> _Splice:
        node = found.node
        if _is_void(node):
            after = self.colon(found.key) + 1 if found.key is not None else node.start_mark.index
            new = self._new(found, value)
            return _Splice(after, after, new)
        start, end = int(node.start_mark.index), self.end(node)
        new = self._new(found, value)
        line = self.end_of_line(end)
        remark = self.text[end:line]
        if found.flow or ('\n' not in new and not isinstance(node, MappingNode | SequenceNode)):
            return _Splice(start, end, new[1:])
        if found.key is not None:
            start = self.colon(found.key) + 1
        else:
            new = new.lstrip(' ')
        if '\n' not in new or not remark.strip():
            return _Splice(start, end, new)
        # A remark after the old value stays on its line.
        head, _end, rest = new.partition('\n')
        return _Splice(start, line, f'{head}{remark}\n{rest}')

    def _new(self, found: _Found, value: Data) -> str:
        """What follows the colon or the dash, with the blank or line end before it."""
        if found.flow:
            return ' ' + writer.inline(value)
        if found.key is None:
            return writer.item(value, found.column)[found.column + 1 :]
        return writer.spelled(value, found.column, key=str(found.key.value))

    def _added(self, whole: _Found, key: str, value: Data, kept: Set[str]) -> _Splice:
        node = whole.node
        assert isinstance(node, MappingNode)
        flow = whole.flow or _in_brackets(node)
        if not node.value:
            return self._replaced(whole, {key: value})
        entries = [pair for pair in node.value if pair[0].value in kept]
        before = [pair for pair in entries if writer.place(pair[0].value) <= writer.place(key)]
        known, old = before[-1] if before else entries[0]
        end = self.end_of_entry(known, old)
        if flow:
            return _Splice(end, end, f', {writer.inline(key)}: {writer.inline(value)}')
        column = node.value[0][0].start_mark.column
        end = self.end_of_line(end)
        gap = '\n' if column == 0 and key in writer.AIRY else ''
        return _Splice(end, end, f'\n{gap}{writer.entry(key, value, column)}')

    def _taken(self, whole: _Found, index: int, kept: Set[str]) -> _Splice:
        node = whole.node
        assert isinstance(node, MappingNode)
        entries = node.value
        this, value = entries[index]
        if not kept:
            return self._replaced(whole, {})
        start, end = int(this.start_mark.index), self.end_of_entry(this, value)
        leads = not any(pair[0].value in kept for pair in entries[:index])
        if whole.flow or _in_brackets(node):
            if leads:
                return _Splice(start, entries[index + 1][0].start_mark.index, '')
            return _Splice(self.end_of_entry(*entries[index - 1]), end, '')
        number, column = self.line_of(start), this.start_mark.column
        if leads and self.line(self.line_of(entries[0][0].start_mark.index))[:column].strip():
            # The first keys stand behind a dash: the one that is kept takes their place.
            return _Splice(start, entries[index + 1][0].start_mark.index, '')
        is_last = not any(pair[0].value in kept for pair in entries[index + 1 :])
        return self._without_lines(
            self._led_by_comments(number, column), self.line_of(end), is_last
        )

    def renamed(self, path: Path, key: str) -> _Splice:
        found = self.find(path).key
        assert found is not None
        return _Splice(found.start_mark.index, found.end_mark.index, writer.inline(key))

    # entries of a list

    def insert(self, whole: Path, index: int, value: Data) -> _Splice:
        found = self.find(whole)
        node = found.node
        assert isinstance(node, SequenceNode)
        if found.flow or _in_brackets(node):
            return self._inserted_in_brackets(node, index, writer.inline(value))
        column = node.start_mark.column
        key = str(found.key.value) if found.key is not None else ''
        return self._inserted(node, index, writer.item(value, column, key=key) + '\n', key)

    def _inserted(self, node: SequenceNode, index: int, lines: str, key: str) -> _Splice:
        gap = '\n' if self._is_airy(node, key) else ''
        if index < len(node.value):
            place = self.start_of(self._block(node, index)[0])
            return _Splice(place, place, lines + gap)
        place = self.start_of(self._block(node, index - 1)[1] + 1)
        if place == len(self.text) and not self.text.endswith('\n'):
            gap = '\n' + gap
        return _Splice(place, place, gap + lines)

    def _inserted_in_brackets(self, node: SequenceNode, index: int, text: str) -> _Splice:
        if index < len(node.value):
            place = node.value[index].start_mark.index
            return _Splice(place, place, f'{text}, ')
        place = self.end(node.value[-1])
        return _Splice(place, place, f', {text}')

    def remove(self, whole: Path, index: int) -> _Splice:
        found = self.find(whole)
        node = found.node
        assert isinstance(node, SequenceNode)
        if found.flow or _in_brackets(node):
            if index + 1 < len(node.value):
                following = node.value[index + 1].start_mark.index
                return _Splice(node.value[index].start_mark.index, following, '')
            return _Splice(self.end(node.value[index - 1]), self.end(node.value[index]), '')
        return self._without_lines(*self._block(node, index), index + 1 == len(node.value))

    def move(self, path: Path, target: Path) -> list[_Splice] | None:
        """The splices of a move between lists of lines; None when one of them is in brackets."""
        found, aim = self.find(path[:-1]), self.find(target[:-1])
        node, into = found.node, aim.node
        assert isinstance(node, SequenceNode)
        if not isinstance(into, SequenceNode) or _in_brackets(node) or _in_brackets(into):
            return None
        if found.flow or aim.flow:
            return None
        first, last = self._block(node, _index(path))
        lines = [self.line(number) for number in range(first, last + 1)]
        shift = into.start_mark.column - node.start_mark.column
        moved = '\n'.join(_shifted(line, shift) for line in lines) + '\n'
        key = str(aim.key.value) if aim.key is not None else ''
        return [
            self._without_lines(first, last, _index(path) + 1 == len(node.value)),
            self._inserted(into, _index(target), moved, key),
        ]

    def _block(self, node: SequenceNode, index: int) -> tuple[int, int]:
        """First and last line of an entry: its comment above, its remarks further in below."""
        column = node.start_mark.column
        dash = self.line_of(self._dash(node, index))
        value = node.value[index]
        end = self._dash(node, index) if _is_void(value) else self.end(value)
        last = self.line_of(end)
        while (found := self.comment_column(last + 1)) is not None and found > column:
            last += 1
        return self._led_by_comments(dash, column), last

    def _led_by_comments(self, number: int, column: int) -> int:
        while (found := self.comment_column(number - 1)) is not None and found <= column:
            number -= 1
        return number

    def _is_airy(self, node: SequenceNode, key: str) -> bool:
        """Whether a blank line stands between the entries of a list."""
        if len(node.value) == 1:
            return key in writer.AIRY
        return self.is_blank(self._block(node, 0)[1] + 1)

    def _without_lines(self, first: int, last: int, is_last: bool) -> _Splice:
        """The lines taken away, with the blank lines that part them from their neighbour."""
        after = last + 1
        if is_last:
            while self.is_blank(first - 1):
                first -= 1
        else:
            while self.is_blank(after):
                after += 1
        return _Splice(self.start_of(first), self.start_of(after), '')


def _in_brackets(node: Node) -> bool:
    return isinstance(node, MappingNode | SequenceNode) and bool(node.flow_style)


def _is_void(node: Node) -> bool:
    """Whether nothing is written for a value."""
    return isinstance(node, ScalarNode) and not node.style and node.value == ''


def _shifted(line: str, by: int) -> str:
    if by >= 0:
        return ' ' * by + line if line.strip() else line
    return line[-by:] if not line[:-by].strip() else line.lstrip(' ')
