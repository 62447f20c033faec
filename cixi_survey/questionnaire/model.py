"""What a questionnaire consists of: frozen, and refusing every key that is not known.

Only form is checked here (see ``schema`` for the words); whether the parts fit together is the
matter of ``verify``.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PrivateAttr,
    Tag,
)

QuestionType = Literal[
    'single', 'multiple', 'scale', 'grid', 'integer', 'text', 'town', 'village'
]  # fmt: skip
Outcome = Literal['refusal', 'ineligible']
Keep = Literal['answers', 'outcome']
Family = Literal['knowledge', 'satisfaction', 'participation', 'behaviour', 'household']
Rule = Literal['share_right', 'top_two', 'mean_score', 'any_of', 'category_share']
DontKnow = Literal['wrong', 'out_of_base']
Basis = Literal['national', 'plan', 'chapter8', 'province', 'other']

Name = Annotated[str, Field(pattern=r'^[a-z][a-z0-9_]{0,31}$')]
Slug = Annotated[str, Field(pattern=r'^[a-z][a-z0-9-]{0,63}$')]
Language = Annotated[str, Field(pattern=r'^[a-z]{2,3}(-[A-Za-z]{2,4})?$')]
Line = Annotated[str, Field(min_length=1)]
Translated = dict[Language, str]
Finite = Annotated[float, Field(allow_inf_nan=False)]


def _number_as_text(value: object) -> object:
    # `value: 1` can only mean the text '1'; a truth value may be meant or not, so it is asked back.
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


Value = Annotated[
    str, BeforeValidator(_number_as_text), Field(pattern=r'^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$')
]


def _list_or_word(value: object) -> str:
    return 'many' if isinstance(value, list | tuple) else 'one'


class Part(BaseModel):
    """What all parts have in common."""

    model_config = ConfigDict(extra='forbid', frozen=True)


class Option(Part):
    """One answer to choose; ``apart`` is kept apart from the scale (don't know, hard to say)."""

    value: Value
    label: Translated
    apart: bool = False


class Row(Part):
    """One row of a grid: a variable of its own."""

    name: Name
    label: Translated


class Question(Part):
    """A question; which keys go with which type is checked by ``verify``.

    ``secret``: a knowledge item that is repeated in every wave; neither its answer nor its wording
    is given to the public.
    """

    name: Name
    type: QuestionType
    label: Translated
    hint: Translated | None = None
    options: (
        Annotated[
            Annotated[str, Tag('one')] | Annotated[tuple[Option, ...], Tag('many')],
            Discriminator(_list_or_word),
        ]
        | None
    ) = None
    rows: tuple[Row, ...] = ()
    required: bool = False
    relevant: Line | None = None
    constraint: Line | None = None
    constraint_message: Translated | None = None
    max_length: int | None = Field(default=None, ge=1, le=5000)
    right: (
        Annotated[
            Annotated[Value, Tag('one')] | Annotated[tuple[Value, ...], Tag('many')],
            Discriminator(_list_or_word),
        ]
        | None
    ) = None
    attention: Value | None = None
    explanation: Translated | None = None
    source: Line | None = None
    secret: bool = False


class Section(Part):
    """Questions that are shown together."""

    name: Name
    title: Translated
    introduction: Translated | None = None
    questions: tuple[Question, ...]


class Screening(Part):
    """A condition that ends the interview.

    ``keep`` says what is stored of it: the answers that led there, or the bare outcome, as for
    children, of whom nothing may be kept.
    """

    when: Line
    outcome: Outcome
    message: Translated
    keep: Keep = 'answers'


class Notice(Part):
    """The privacy notice, with its version."""

    version: Annotated[str, BeforeValidator(_number_as_text), Field(min_length=1, max_length=40)]
    text: Translated


class Baseline(Part):
    """An earlier value of an indicator."""

    year: int = Field(ge=1949, le=2100)
    value: Finite
    note: Translated | None = None
    source: Line | None = None


class Target(Part):
    """A value to reach, on which ground and from which year."""

    basis: Basis
    value: Finite
    from_year: int | None = Field(default=None, ge=1949, le=2100)
    label: Translated | None = None
    source: Line | None = None


class Indicator(Part):
    """How answers become one figure.  ``variables`` are its items with their options."""

    name: Name
    family: Family
    scale: Literal['share', 'score']
    rule: Rule
    items: tuple[Name, ...] = Field(min_length=1)
    label: Translated
    definition: Translated
    dont_know: DontKnow | None = None
    scores: dict[Value, Finite] | None = None
    positive: tuple[Value, ...] = ()
    household_size: Name | None = None
    baseline: Baseline | None = None
    targets: tuple[Target, ...] = ()
    source: Line | None = None

    _variables: tuple[Variable, ...] = PrivateAttr(default=())

    @property
    def variables(self) -> tuple[Variable, ...]:
        """The items as variables of the questionnaire, in the order of ``items``."""
        return self._variables

    @property
    def dont_know_rule(self) -> DontKnow:
        """What an answer kept apart counts as: said in the file, or the habit of the rule."""
        return self.dont_know or ('wrong' if self.rule == 'share_right' else 'out_of_base')


@dataclass(frozen=True)
class Variable:
    """One column of answers: a question, or one row of a grid."""

    name: str
    question: Question
    section: Section
    row: Row | None
    options: tuple[Option, ...]

    @property
    def field_id(self) -> str:
        """The id of the field in the page."""
        return f'f-{self.name}'

    @property
    def label(self) -> Mapping[str, str]:
        """The wording: that of the row in a grid."""
        return self.row.label if self.row else self.question.label

    @property
    def kind(self) -> Literal['single', 'multiple', 'integer', 'text', 'town', 'village']:
        """How it is answered: scales and grid rows are single choices."""
        kind = self.question.type
        return 'single' if kind == 'scale' or kind == 'grid' else kind

    @cached_property
    def values(self) -> tuple[str, ...]:
        """The values of the options, in order."""
        return tuple(option.value for option in self.options)

    @cached_property
    def apart(self) -> frozenset[str]:
        """The values kept apart from the scale."""
        return frozenset(option.value for option in self.options if option.apart)

    @property
    def right(self) -> tuple[str, ...]:
        """The right answer of a knowledge item, empty for any other."""
        right = self.question.right
        if right is None:
            return ()
        return (right,) if isinstance(right, str) else right

    def option(self, value: str) -> Option:
        """The option with this value; KeyError when there is none."""
        return self._by_value[value]

    @cached_property
    def _by_value(self) -> dict[str, Option]:
        return {option.value: option for option in self.options}


class Questionnaire(Part):
    """A whole questionnaire."""

    format: Literal[1]
    name: Slug
    languages: tuple[Language, ...] = Field(min_length=1)
    title: Translated
    introduction: Translated
    notice: Notice
    minutes: int = Field(ge=1, le=120)
    options: dict[Name, tuple[Option, ...]] = Field(default_factory=dict)
    sections: tuple[Section, ...]
    screening: tuple[Screening, ...] = ()
    indicators: tuple[Indicator, ...] = ()

    def model_post_init(self, _context: Any, /) -> None:
        """Tie the indicators to the questions that they score."""
        for indicator in self.indicators:
            indicator._variables = tuple(
                self._by_name[item] for item in indicator.items if item in self._by_name
            )

    def questions(self) -> tuple[Question, ...]:
        """Every question in the order of asking."""
        return tuple(question for section in self.sections for question in section.questions)

    def variables(self) -> tuple[Variable, ...]:
        """Every variable in the order of asking; each row of a grid is one."""
        return self._variables

    def variable(self, name: str) -> Variable:
        """The variable of this name; KeyError when there is none."""
        return self._by_name[name]

    def indicator(self, name: str) -> Indicator:
        """The indicator of this name; KeyError when there is none."""
        for indicator in self.indicators:
            if indicator.name == name:
                return indicator
        raise KeyError(name)

    def options_of(self, question: Question) -> tuple[Option, ...]:
        """The options of a question, from its own list or from the named one."""
        if isinstance(question.options, str):
            return self.options.get(question.options, ())
        return question.options or ()

    @property
    def default_language(self) -> str:
        """The first language."""
        return self.languages[0]

    @cached_property
    def _variables(self) -> tuple[Variable, ...]:
        found: list[Variable] = []
        for section in self.sections:
            for question in section.questions:
                options = self.options_of(question)
                rows = question.rows if question.type == 'grid' else (None,)
                found += (
                    Variable(row.name if row else question.name, question, section, row, options)
                    for row in rows
                )
        return tuple(found)

    @cached_property
    def _by_name(self) -> dict[str, Variable]:
        # The first of a name wins: a second one is refused by `verify`.
        return {variable.name: variable for variable in reversed(self._variables)}

    @cached_property
    def _canonical(self) -> str:
        # Without defaults: a key added to the format later leaves the hashes of today as they are.
        data = self.model_dump(mode='json', exclude_defaults=True)
        return json.dumps(data, ensure_ascii=False, sort_keys=True, separators=(',', ':'))

    def canonical(self) -> str:
        """The one spelling of this definition: JSON, keys sorted, nothing left to taste."""
        return self._canonical

    @cached_property
    def sha256(self) -> str:
        """The name of this version."""
        return hashlib.sha256(self._canonical.encode()).hexdigest()
