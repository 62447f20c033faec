"""The office's own bank: a file of the question library that the editor puts questions into.

It is a file like the banks that come with the program, in the folder ``library`` of the data
folder, and people may write in it as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from cixi_survey.authoring import shelf
from cixi_survey.errors import N_, Refusal
from cixi_survey.questionnaire import editing, library, references, source, writer
from cixi_survey.questionnaire.library import Item
from cixi_survey.questionnaire.source import Data

FILE = 'office.yaml'
TITLES = {'zh': '本单位的题', 'en': 'The office’s own questions'}


class NotReady(Refusal):
    """The question would make the bank faulty."""

    code = 'question_not_ready'
    title = N_('The question cannot go into the library yet')
    message = N_('There is still something to mend in it.')
    cure = N_('Mend it in its form first; every text is needed in every language of the bank.')


class BankFaulty(Refusal):
    """Somebody wrote a fault into the bank's file."""

    code = 'bank_faulty'
    title = N_('The office’s own bank cannot be used')
    message = N_('Its file has a fault, so nothing can be put into it.')
    cure = N_('Have the file office.yaml in the folder “library” of the data folder mended.')


def keep(folder: Path, item: Item) -> None:
    """Add a question to the office's bank in ``folder``, under the topic that its section names.

    The caller sees to it that one does this at a time.  Raises NotReady, BankFaulty.
    """
    path = folder / FILE
    known = path.exists()
    text = editing.tidied(path.read_text(encoding='utf-8-sig')) if known else _empty(item)
    faults = library.check(text, filename=FILE) if known else ()
    if faults:
        raise BankFaulty(problems=faults)
    new = _with(text, item)
    faults = library.check(new, filename=FILE)
    if faults:
        raise NotReady(problems=faults)
    folder.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix('.new')
    fresh.write_text(new, encoding='utf-8')
    fresh.replace(path)


def _empty(item: Item) -> str:
    languages: list[Data] = list(item.languages)
    title: dict[str, Data] = {each: TITLES.get(each, TITLES['en']) for each in item.languages}
    head: dict[str, Data] = {
        'format': 1, 'name': 'office', 'languages': languages, 'title': title,
    }  # fmt: skip
    return writer.document(head)


def _with(text: str, item: Item) -> str:
    data = source.read(text).data
    assert isinstance(data, dict)  # a bank without fault
    languages = [str(each) for each in _list(data.get('languages'))]
    taken = {
        name
        for _index, topic in references.entries(data, 'topics')
        for _place, question in references.entries(dict(topic), 'questions')
        for name in (str(question.get('name')), *references.variables(question))
    }
    question: Data = dict(shelf.renamed(item.data(languages), taken))
    for index, topic in references.entries(data, 'topics'):
        if topic.get('name') == item.topic.name:
            end = len(_list(topic.get('questions')))
            return editing.insert(text, ('topics', index, 'questions', end), question)
    title: Mapping[str, str] = item.topic.title
    topic_data: Data = {
        'name': item.topic.name,
        'title': {each: title[each] for each in languages if each in title},
        'questions': [question],
    }
    return editing.insert(text, ('topics', len(_list(data.get('topics')))), topic_data)


def _list(found: Data) -> list[Data]:
    return found if isinstance(found, list) else []
