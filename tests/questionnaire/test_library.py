# Sentences and lines of files stand unbroken here, so that they are found.
# ruff: noqa: E501

"""The question library: what ships, how it is checked, found and put to use."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from cixi_survey.errors import ProblemsFound
from cixi_survey.questionnaire import definition, library
from cixi_survey.questionnaire.library import Bank
from tests import factories
from tests.questionnaire.xlsform.forms import form

FOLDER = factories.BASELINE.parent / 'library'
BASELINE = library.items_of(definition.load_file(factories.BASELINE), 'baseline')
BANK = """format: 1
name: parks
languages: [zh, en]
title: {zh: 公园题, en: Parks}
options:
  yesno:
    - {value: "yes", label: {zh: 是, en: "Yes"}}
    - {value: "no", label: {zh: 否, en: "No"}}
topics:
  - name: parks
    title: {zh: 公园, en: Parks}
    questions:
      - {name: been, type: single, options: yesno, label: {zh: 去过公园吗？, en: Have you been to a park?}}
      - name: k_open
        type: single
        secret: true
        label: {zh: 公园几点开门？, en: When does the park open?}
        options:
          - {value: six, label: {zh: 6点, en: At six}}
          - {value: nine, label: {zh: 9点, en: At nine}}
        right: six
        explanation: {zh: 早上6点开门。, en: It opens at six.}
        source: 公园公告
"""


def bank(name: str) -> Bank:
    return library.load((FOLDER / f'{name}.yaml').read_text(encoding='utf-8'), filename=name)


@pytest.mark.parametrize('path', sorted(FOLDER.glob('*.yaml')), ids=lambda path: path.stem)
def test_a_shipped_bank_has_no_fault(path: Path) -> None:
    text = path.read_text(encoding='utf-8')
    assert [problem.text() for problem in library.check(text)] == []
    loaded = library.load(text)
    assert loaded.name == path.stem
    assert all(set(item.question.label) == {'zh', 'en'} for item in loaded.items)


def test_there_are_three_times_the_knowledge_items_of_a_wave() -> None:
    items = [item for item in bank('knowledge').items if item.is_knowledge]
    asked = [item for item in BASELINE if item.is_knowledge]
    assert len(items) >= 3 * len(asked)
    assert not {item.key for item in items} & {item.key for item in asked}
    assert not {item.question.name for item in items} & {one.question.name for one in asked}


def test_a_knowledge_item_has_one_right_answer_of_four_and_dont_know() -> None:
    places = Counter()
    for item in bank('knowledge').items:
        question = item.question
        assert question.type == 'single'
        assert [option.apart for option in item.options] == [False] * 4 + [True]
        assert item.options[-1].label['zh'] == '不知道'
        assert isinstance(question.right, str)
        places[[option.value for option in item.options].index(question.right)] += 1
        assert question.source
        assert question.explanation
        assert not question.secret  # what ships is public
    assert min(places[place] for place in range(4)) >= len(bank('knowledge').items) / 8


def test_satisfaction_stands_on_the_scale_of_the_baseline() -> None:
    scale = next(item.options for item in BASELINE if item.question.name == 'sat_overall')
    for item in bank('satisfaction').items:
        assert item.question.type == 'scale'
        assert item.options == scale
        assert '满意不满意' in item.question.label['zh']


def test_no_name_stands_for_two_questions() -> None:
    items = [item for path in FOLDER.glob('*.yaml') for item in bank(path.stem).items]
    names: dict[str, set[str]] = {}
    for item in [*items, *BASELINE]:
        names.setdefault(item.question.name, set()).add(item.key)
    assert {name for name, keys in names.items() if len(keys) > 1} == set()


def test_the_same_question_is_known_wherever_it_is_asked() -> None:
    (been, _) = library.load(BANK).items
    elsewhere = library.load(BANK.replace('name: been', 'name: visited')).items[0]
    assert been.key == elsewhere.key
    for other in (
        BANK.replace('去过公园吗？', '去过公园没有？'),
        BANK.replace('{zh: 否, en: "No"}}', '{zh: 没有, en: "No"}}'),
        BANK.replace('type: single, options: yesno', 'type: multiple, options: yesno'),
    ):
        assert library.load(other).items[0].key != been.key
    others = library.load(BANK).items[1:]
    assert library.distinct([been, *others, elsewhere]) == (been, *others)


FAULTS = {
    'key without source': (
        BANK.replace('        source: 公园公告\n', ''),
        'line 14, column 9: The knowledge item “k_open” has no “source”. Say where the right answer is found (source) and why it is right.',
    ),
    'a key of questionnaires': (
        BANK.replace('topics:', 'minutes: 3\ntopics:'),
        'line 9, column 1: The key “minutes” is not known here. Possible are: format, name, languages, title, options, topics',
    ),
    'a text that is missing': (
        BANK.replace(', en: Have you been to a park?', ''),
        'line 13, column 52: The text in language “en” is missing. Add “en: …”.',
    ),
    'a list that is not there': (
        BANK.replace('options: yesno', 'options: yesnoo'),
        'line 13, column 45: There is no option list “yesnoo”. Did you mean “yesno”?',
    ),
    'no bank at all': (
        '- a\n',
        'line 1, column 1: This is not a file of the question library: “topics: …” is expected. See docs/questionnaire.md for an example.',
    ),
}


@pytest.mark.parametrize('name', FAULTS)
def test_a_fault_of_a_bank_is_said_with_its_line(name: str) -> None:
    text, said = FAULTS[name]
    assert [problem.text() for problem in library.check(text)] == [said]
    with pytest.raises(ProblemsFound):
        library.load(text)


def test_an_item_is_found_by_any_of_its_words() -> None:
    _, opening = library.load(BANK).items
    for words in ('公园', 'opens six', 'K_OPEN', '公告', '9点 公园'):
        assert opening.says(words)
    assert not opening.says('公园 飞机')
    assert opening.says('')


def test_an_item_as_a_file_says_it_has_the_languages_asked_for() -> None:
    been, opening = library.load(BANK).items
    assert been.data(['zh']) == {
        'name': 'been',
        'type': 'single',
        'label': {'zh': '去过公园吗？'},
        'options': [
            {'value': 'yes', 'label': {'zh': '是'}},
            {'value': 'no', 'label': {'zh': '否'}},
        ],
    }
    found = opening.data(['en', 'fr'])
    assert found['label'] == {'en': 'When does the park open?'}
    assert found['explanation'] == {'en': 'It opens at six.'}
    assert found['right'] == 'six'
    assert found['secret'] is True


def test_a_file_with_topics_means_to_be_a_bank() -> None:
    assert library.is_bank(BANK)
    assert not library.is_bank(factories.BASELINE.read_text(encoding='utf-8'))
    assert not library.is_bank('not: [yaml')


def test_the_check_command_takes_banks_questionnaires_and_workbooks(app, tmp_path) -> None:
    def check(name: str, content: bytes) -> tuple[int, str]:
        path = tmp_path / name
        path.write_bytes(content)
        done = app.test_cli_runner().invoke(args=['questionnaire', 'check', str(path)])
        return done.exit_code, done.output.replace(str(path), name).strip()

    assert check('bank.yaml', BANK.encode()) == (0, 'bank.yaml: no problems')
    faulty = BANK.replace('right: six', 'right: ten').encode()
    assert check('faulty.yaml', faulty) == (
        1,
        'faulty.yaml:21:16: “ten”不是“k_open”的选项。可以用：six, nine',
    )
    assert check('small.yaml', (factories.FIXTURES / 'small.yaml').read_bytes())[0] == 0
    code, said = check('form.xlsx', form(('decimal', 'a', 'A?'), ('text', 'b', 'B?')))
    assert code == 1
    assert said.startswith('form.xlsx:工作表“survey”第4行A列: ')
