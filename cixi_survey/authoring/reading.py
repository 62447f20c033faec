"""A draft as the editor sees it: its data, what is wrong with it, and the parts it consists of.

A draft may be anything, so nothing is taken for granted here: what is not as the format wants it
is passed over, and the checks say so.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache

from cixi_survey.errors import Problem
from cixi_survey.questionnaire import definition, references, source
from cixi_survey.questionnaire.source import Data, Path

NAME = re.compile(r'[a-z][a-z0-9_]{0,31}')
LANGUAGE = re.compile(r'[a-z]{2,3}(-[A-Za-z]{2,4})?')
_NUMBERED = re.compile(r'[0-9]{1,4}(\.[0-9]{1,4})?')
KINDS = ('general', 'section', 'question', 'list', 'screening', 'indicator')


@dataclass(frozen=True)
class Part:
    """What has a form of its own; ``key`` is its place in an address."""

    kind: str
    path: Path
    key: str = ''


@dataclass(frozen=True)
class Fault:
    """A problem with the part it is in and its path within."""

    part: Part
    path: Path
    problem: Problem


class Reading:
    """One state of a draft."""

    def __init__(self, text: str) -> None:
        read = source.read(text)
        self.text = text
        self.problems = definition.check_text(text)
        self.editable = isinstance(read.data, dict) and read.whole and not read.problems
        """Whether it can be changed part by part; else only the file can, by hand."""
        self.data: Mapping[str, Data] = read.data if isinstance(read.data, dict) else {}

    @cached_property
    def languages(self) -> tuple[str, ...]:
        """The languages of the texts, the default first; Chinese when none is named."""
        given = self.data.get('languages')
        found = [
            each
            for each in (given if isinstance(given, list) else ())
            if isinstance(each, str) and LANGUAGE.fullmatch(each)
        ]
        return tuple(dict.fromkeys(found)) or ('zh',)

    @cached_property
    def sections(self) -> tuple[tuple[Part, Mapping[str, Data]], ...]:
        """The sections in their order."""
        found = list(references.entries(dict(self.data), 'sections'))
        names = [each.get('name') for _index, each in found]
        return tuple(
            (Part('section', ('sections', index), _key(names, each.get('name'), str(index))), each)
            for index, each in found
        )

    @cached_property
    def questions(self) -> tuple[tuple[Part, Mapping[str, Data]], ...]:
        """The questions in the order of asking."""
        found = list(references.questions(dict(self.data)))
        names = [each.get('name') for _path, each in found]
        return tuple(
            (Part('question', path, _key(names, each.get('name'), f'{path[1]}.{path[3]}')), each)
            for path, each in found
        )

    @cached_property
    def lists(self) -> tuple[Part, ...]:
        """The named option lists."""
        given = self.data.get('options')
        names = list(given) if isinstance(given, dict) else []
        return tuple(
            Part('list', ('options', name), _key(names, name, str(index)))
            for index, name in enumerate(names)
        )

    @cached_property
    def indicators(self) -> tuple[tuple[Part, Mapping[str, Data]], ...]:
        """The indicators in their order."""
        found = list(references.entries(dict(self.data), 'indicators'))
        names = [each.get('name') for _index, each in found]
        return tuple(
            (
                Part('indicator', ('indicators', index), _key(names, each.get('name'), str(index))),
                each,
            )
            for index, each in found
        )

    @cached_property
    def parts(self) -> tuple[Part, ...]:
        """Every part, in the order in which an author comes to them."""
        return (
            Part('general', ()),
            *(part for part, _section in self.sections),
            *(part for part, _question in self.questions),
            *self.lists,
            Part('screening', ('screening',)),
            *(part for part, _indicator in self.indicators),
        )

    def part(self, kind: str, key: str = '') -> Part | None:
        """The part at an address."""
        return next((each for each in self.parts if (each.kind, each.key) == (kind, key)), None)

    def part_of(self, path: Path) -> Part:
        """The innermost part that a path lies in."""
        within = [each for each in self.parts if path[: len(each.path)] == each.path]
        return max(within, key=lambda each: len(each.path))

    @cached_property
    def faults(self) -> tuple[Fault, ...]:
        """The problems in the order of the lines, each with its part."""
        return tuple(self._fault(problem) for problem in self.problems)

    def faults_of(self, part: Part) -> tuple[Fault, ...]:
        """The problems in one part."""
        return tuple(fault for fault in self.faults if fault.part == part)

    def value(self, path: Path) -> Data:
        """What stands at a path; None when there is nothing."""
        found: Data = dict(self.data)
        for step in path:
            if isinstance(found, dict):
                found = found.get(str(step))
            elif isinstance(found, list) and isinstance(step, int) and 0 <= step < len(found):
                found = found[step]
            else:
                return None
        return found

    def content(self, part: Part) -> Data:
        """The data of a part without the parts within it."""
        found = self.value(part.path)
        if part.kind == 'general':
            apart = {'sections', 'options', 'screening', 'indicators'}
            return {key: each for key, each in self.data.items() if key not in apart}
        if part.kind == 'section' and isinstance(found, dict):
            return {key: each for key, each in found.items() if key != 'questions'}
        return found

    def digest(self, part: Part) -> str:
        """A short name of the part's content: it tells a form whether somebody else changed it."""
        text = json.dumps(self.content(part), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()[:16]

    def _fault(self, problem: Problem) -> Fault:
        path: Path = tuple(
            int(step) if step.isdigit() else step for step in problem.where.split('.') if step
        )
        part = self.part_of(path)
        return Fault(part, path[len(part.path) :], problem)


@lru_cache(maxsize=16)
def of(text: str) -> Reading:
    """The reading of a draft's file, kept for the next who asks."""
    return Reading(text)


def _key(names: list[Data] | list[str], name: object, place: str) -> str:
    """The name where it is one and there is no second, else the place."""
    unique = isinstance(name, str) and NAME.fullmatch(name) and list(names).count(name) == 1
    return str(name) if unique else place
