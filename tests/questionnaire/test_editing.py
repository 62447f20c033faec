"""Changes to a file leave every other byte alone, and read back as what was asked for."""

from __future__ import annotations

import copy
import difflib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cixi_survey.errors import ProblemsFound
from cixi_survey.questionnaire import editing, source, writer
from cixi_survey.questionnaire.editing import REMOVED

ROOT = Path(__file__).parent.parent
SHIPPED = (ROOT.parent / 'surveys' / 'cixi-eco-baseline.yaml').read_text(encoding='utf-8')
FILES = {
    **{
        path.stem: path.read_text(encoding='utf-8')
        for path in sorted((ROOT / 'fixtures').glob('*.yaml'))
    },
    'valid': (ROOT / 'fixtures' / 'questionnaires' / 'valid.yaml').read_text(encoding='utf-8'),
}
TEXTS = st.text(st.characters(exclude_categories=['Cs']), min_size=1, max_size=40)
LINES = st.lists(TEXTS.filter(str.strip), min_size=1, max_size=3).map('\n'.join)
FAST = settings(max_examples=40, deadline=None)


def walk(data, path=()):
    """Every path of the data."""
    yield path, data
    inner = data.items() if isinstance(data, dict) else ()
    inner = enumerate(data) if isinstance(data, list) else inner
    for step, each in inner:
        yield from walk(each, (*path, step))


def paths(text, kind):
    return [
        path for path, value in walk(source.read(text).data) if path and isinstance(value, kind)
    ]


SCALARS = {name: paths(text, str | int | float | bool) for name, text in FILES.items()}
LISTS = {name: paths(text, list) for name, text in FILES.items()}


def at(data, path):
    for step in path:
        data = data[step]
    return data


def changed_lines(old, new):
    """The lines that went and those that came."""
    lines = list(difflib.ndiff(old.splitlines(), new.splitlines()))
    gone = [line[2:] for line in lines if line.startswith('- ')]
    came = [line[2:] for line in lines if line.startswith('+ ')]
    return gone, came


@st.composite
def places(draw, found):
    name = draw(st.sampled_from(sorted(name for name in found if found[name])))
    return FILES[name], draw(st.sampled_from(found[name]))


@FAST
@given(places(SCALARS), TEXTS | LINES | st.integers(-99, 9999) | st.booleans())
def test_a_value_is_replaced_and_nothing_else(place, value):
    text, path = place
    new = editing.put(text, {path: value})
    data = copy.deepcopy(source.read(text).data)
    at(data, path[:-1])[path[-1]] = value
    assert source.read(new).data == data
    old_lines, new_lines = text.splitlines(), new.splitlines()
    first = source.read(text).values[path].line - 1
    same = 0
    while old_lines[-1 - same :][:1] == new_lines[-1 - same :][:1] and same < len(old_lines):
        same += 1
    assert old_lines[:first] == new_lines[:first]
    before = at(source.read(text).data, path)
    height = str(before).rstrip('\n').count('\n') + 2
    assert len(old_lines) - same <= first + height


@FAST
@given(places(SCALARS))
def test_what_does_not_change_is_not_written_anew(place):
    text, path = place
    assert editing.put(text, {path: at(source.read(text).data, path)}) == text


@FAST
@given(places(LISTS), st.data())
def test_an_entry_put_in_and_taken_out_leaves_no_trace(place, data):
    text, path = place
    entries = at(source.read(text).data, path)
    index = data.draw(st.integers(0, len(entries)))
    entry = data.draw(st.sampled_from(entries))
    new = editing.insert(text, (*path, index), entry)
    assert at(source.read(new).data, path) == [*entries[:index], entry, *entries[index:]]
    gone, _came = changed_lines(text, new)
    assert not gone or '[' in gone[0]  # a list within brackets is one line
    assert editing.remove(new, (*path, index)) == text


@FAST
@given(places(LISTS), st.data())
def test_an_entry_is_moved_with_its_comment_and_no_line_is_lost(place, data):
    text, path = place
    entries = at(source.read(text).data, path)
    index = data.draw(st.integers(0, len(entries) - 1))
    to = data.draw(st.integers(0, len(entries)))
    new = editing.move(text, (*path, index), (*path, to))
    assert sorted(at(source.read(new).data, path), key=str) == sorted(entries, key=str)
    if '[' not in ''.join(changed_lines(text, new)[0]):
        assert sorted(text.splitlines()) == sorted(new.splitlines())
        back = editing.move(
            new,
            (*path, to if to <= index else to - 1),
            (*path, index if index < to else index + 1),
        )
        assert back == text


QUESTIONS = [
    ('sections', s, 'questions', q)
    for s, section in enumerate(source.read(SHIPPED).data['sections'])
    for q in range(len(section['questions']))
]


@settings(max_examples=8, deadline=None)
@given(st.sampled_from(QUESTIONS), st.sampled_from(QUESTIONS))
def test_a_question_moves_to_another_section(path, target):
    new = editing.move(SHIPPED, path, target)
    question = at(source.read(SHIPPED).data, path)
    sections = source.read(new).data['sections']
    assert sum(question in section['questions'] for section in sections) == 1
    if at(source.read(SHIPPED).data, path[:-1])[1:]:
        assert sorted(SHIPPED.splitlines()) == sorted(new.splitlines())


@settings(max_examples=10, deadline=None)
@given(st.data())
def test_the_comments_of_the_shipped_questionnaire_stay(data):
    content = source.read(SHIPPED).data
    found = [path for path, value in walk(content) if path and isinstance(value, str | list)]
    path = data.draw(st.sampled_from(found))
    value = at(content, path)
    if isinstance(value, list):
        new = editing.insert(SHIPPED, (*path, data.draw(st.integers(0, len(value)))), value[0])
    else:
        new = editing.put(SHIPPED, {path: data.draw(TEXTS | LINES)})
    comments = [line for line in SHIPPED.splitlines() if line.strip().startswith('#')]
    assert [line for line in new.splitlines() if line in comments] == comments
    gone, _came = changed_lines(SHIPPED, new)
    assert len(gone) <= max(1, str(value).count('\n') + 1 if isinstance(value, str) else 1)


@settings(max_examples=12, deadline=None)
@given(st.data())
def test_many_changes_in_a_row_never_break_the_file(data):
    """Whatever a busy author does: the text always reads as what was asked for."""
    text = FILES[data.draw(st.sampled_from(sorted(FILES)))]
    for _ in range(6):
        content = source.read(text).data
        found = [path for path, value in walk(content) if path and isinstance(value, list)]
        path = data.draw(st.sampled_from(found))
        entries = at(content, path)
        index = data.draw(st.integers(0, len(entries)))
        match data.draw(st.sampled_from(('insert', 'remove', 'move', 'put'))):
            case 'insert':
                entry = data.draw(st.sampled_from(entries or ['x']))
                text = editing.insert(text, (*path, index), entry)
            case 'remove' if index < len(entries):
                text = editing.remove(text, (*path, index))
            case 'move' if index < len(entries):
                text = editing.move(text, (*path, index), (*path, 0))
            case _:
                leaves = [each for each, value in walk(content) if each and value == str(value)]
                text = editing.put(text, {data.draw(st.sampled_from(leaves)): data.draw(LINES)})


SMALL = """\
# The head
format: 1
name: park   # the park
title: {zh: 公园, en: Park}
options:
  # Four points
  points:
    - {value: a, label: {zh: 好, en: Good}}
    - {value: b, label: {zh: 不好, en: Bad}}   # the worst

sections:
  # First of all
  - name: one
    questions:
      # About age
      - name: age
        type: integer
        hint: {zh: 周岁}
        # no more than 120
        constraint: ". <= 120"
      - name: why   # open
        type: text
        max_length: 200

  - name: two
    questions:
      - {name: last, type: text}
# The end
"""


def test_a_remark_stays_on_its_line_when_a_text_becomes_long():
    new = editing.put(SMALL, {('name',): 'two\nlines'})
    assert 'name: |-   # the park\n  two\n  lines\ntitle:' in new


def test_a_key_is_added_where_an_author_looks_for_it():
    path = ('sections', 0, 'questions', 0)
    new = editing.put(SMALL, {(*path, 'required'): True, (*path, 'label', 'zh'): '多大？'})
    assert new == SMALL.replace(
        '        type: integer\n',
        '        type: integer\n        required: true\n        label: {zh: 多大？}\n',
    )


def test_a_language_is_added_within_braces():
    path = ('sections', 0, 'questions', 0, 'hint')
    new = editing.put(SMALL, {(*path, 'en'): 'In years, please: completed'})
    assert 'hint: {zh: 周岁, en: "In years, please: completed"}' in new


def test_a_key_goes_with_the_comment_above_it():
    new = editing.put(SMALL, {('sections', 0, 'questions', 0, 'constraint'): REMOVED})
    assert new == SMALL.replace('        # no more than 120\n        constraint: ". <= 120"\n', '')


def test_a_mapping_that_loses_its_last_key_goes_with_it():
    new = editing.put(SMALL, {('sections', 0, 'questions', 0, 'hint', 'zh'): REMOVED})
    assert new == SMALL.replace('        hint: {zh: 周岁}\n', '')


def test_keys_come_and_go_in_one_change():
    path = ('sections', 0, 'questions', 1)
    new = editing.put(
        SMALL,
        {
            (*path, 'type'): 'single',
            (*path, 'max_length'): REMOVED,
            (*path, 'options'): [{'value': 'a', 'label': {'zh': '好'}}],
            (*path, 'required'): True,
        },
    )
    assert new == SMALL.replace(
        '        type: text\n        max_length: 200\n',
        '        type: single\n        required: true\n        options:\n'
        '          - {value: a, label: {zh: 好}}\n',
    )


def test_an_entry_moves_with_its_comment():
    new = editing.move(SMALL, ('sections', 0, 'questions', 0), ('sections', 0, 'questions', 2))
    assert '- name: why   # open' in new.partition('# About age')[0]
    assert '      # About age\n      - name: age\n' in new


def test_the_last_entry_of_a_list_can_move_away():
    new = editing.move(SMALL, ('sections', 1, 'questions', 0), ('sections', 0, 'questions', 0))
    data = source.read(new).data
    assert [each['name'] for each in data['sections'][0]['questions']] == ['last', 'age', 'why']
    assert data['sections'][1]['questions'] == []


def test_a_list_that_was_emptied_takes_entries_again():
    empty = editing.remove(SMALL, ('sections', 1, 'questions', 0))
    filled = editing.insert(empty, ('sections', 1, 'questions', 0), {'name': 'x', 'type': 'text'})
    assert '    questions:\n      - name: x\n        type: text\n# The end' in filled


def test_a_section_moves_with_its_comment_and_blank_lines():
    new = editing.move(SMALL, ('sections', 1), ('sections', 0))
    assert new.index('name: two') < new.index('# First of all') < new.index('name: one')
    assert editing.move(new, ('sections', 0), ('sections', 2)) == SMALL


def test_a_new_section_is_parted_by_a_blank_line():
    new = editing.insert(SMALL, ('sections', 2), {'name': 'three', 'questions': []})
    assert new.endswith(
        '- {name: last, type: text}\n\n  - name: three\n    questions: []\n# The end\n'
    )


def test_a_list_at_the_top_is_made_when_it_is_first_needed():
    rule = {'when': '${age} < 18', 'outcome': 'ineligible'}
    new = editing.insert(SMALL, ('screening', 0), rule)
    assert '\nscreening:\n  - when: ${age} < 18\n    outcome: ineligible\n' in new
    assert editing.put(new, {('screening',): REMOVED}) == SMALL


def test_a_key_is_renamed_in_its_place():
    new = editing.rename_key(SMALL, ('options', 'points'), 'steps')
    assert new == SMALL.replace('  points:', '  steps:')


def test_several_keys_leave_a_pair_of_braces():
    text = 'a: {x: 1, y: 2, z: 3}\n'
    assert editing.put(text, {('a', 'y'): REMOVED, ('a', 'z'): REMOVED}) == 'a: {x: 1}\n'
    assert editing.put(text, {('a', 'x'): REMOVED, ('a', 'y'): REMOVED}) == 'a: {z: 3}\n'
    mixed = {('a', 'x'): REMOVED, ('a', 'z'): REMOVED, ('a', 'q'): 5}
    assert source.read(editing.put(text, mixed)).data == {'a': {'y': 2, 'q': 5}}


def test_a_file_that_cannot_be_read_is_not_changed():
    with pytest.raises(ProblemsFound, match='not YAML'):
        editing.put('a: [1\n', {('a',): 2})


@pytest.mark.parametrize('path', [('sections', 9), ('sections', -1), ('nothing', 0), ('name',)])
def test_what_is_not_there_cannot_be_moved_or_removed(path):
    with pytest.raises(KeyError):
        editing.move(SMALL, path, ('sections', 0))
    if path != ('name',):
        with pytest.raises(KeyError):
            editing.remove(SMALL, path)


def test_line_ends_and_marks_of_other_systems_are_tidied():
    assert editing.tidied('\ufeffa: 1\r\nb: 2') == 'a: 1\nb: 2\n'


DATA = st.recursive(
    TEXTS
    | LINES
    | st.integers()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from([*writer.ORDER, 'zh', 'en']), inner, max_size=3)
    ),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(st.sampled_from(writer.ORDER), DATA, min_size=1, max_size=4))
def test_whatever_is_written_reads_as_it_was(data):
    text = '\n'.join(writer.entry(key, value, 0) for key, value in data.items()) + '\n'
    read = source.read(text)
    assert read.problems == []
    assert read.data == data


@pytest.mark.parametrize('word', ['yes', 'No', 'null', '~', '12', '1_000', '2026-11', '0x1', '1e3'])
def test_words_that_yaml_could_take_for_something_else_are_quoted(word):
    assert writer.entry('label', word, 0) == f'label: "{word}"'
