"""Questionnaires without faults, made by hypothesis: every type, every key, every use of one."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from cixi_survey.questionnaire.model import Questionnaire

Data = dict[str, Any]

# Signs that files, sheets and conditions have a use for, beside the letters of both languages.
SIGNS = '\n\r\t 　"\'“”：:=+-@${}[]#&*!|>%`~_x000D_,；。？😀é0123'
TEXTS = st.text(
    st.one_of(
        st.sampled_from(SIGNS),
        st.characters(min_codepoint=0x4E00, max_codepoint=0x4E80),
        st.characters(min_codepoint=0x41, max_codepoint=0x7A),
    ),
    min_size=1,
    max_size=30,
).filter(lambda text: text.strip() != '')
VALUES = st.from_regex(r'[A-Za-z0-9][A-Za-z0-9_.-]{0,8}', fullmatch=True)
LANGUAGES = (['zh'], ['zh', 'en'], ['en', 'zh'], ['en', 'zh-Hant'])
NAMES = ('q', 'knowledge_', 'sat', 'a_long_name_of_a_question')
YEARS = st.integers(1949, 2100)
NUMBERS = st.one_of(st.integers(2, 100), st.floats(2, 100))


class _Maker:
    """Draws one questionnaire; names count up, so that no two are alike."""

    def __init__(self, draw: Any) -> None:
        self.draw = draw
        self.languages = draw(st.sampled_from(LANGUAGES))
        self.names = 0
        self.choices: list[tuple[str, list[Data], str]] = []
        self.lists: dict[str, list[Data]] = {}
        self.town = False

    def some(self, strategy: Any) -> Any:
        return self.draw(strategy)

    def maybe(self) -> bool:
        return bool(self.draw(st.booleans()))

    def texts(self) -> Data:
        return {language: self.some(TEXTS) for language in self.languages}

    def name(self) -> str:
        self.names += 1
        return f'{self.some(st.sampled_from(NAMES))}{self.names}'

    def optional(self, part: Data, **makers: Any) -> Data:
        return part | {key: make() for key, make in makers.items() if self.maybe()}

    def options(self) -> list[Data]:
        values = self.some(st.lists(VALUES, min_size=2, max_size=5, unique=True))
        options = [{'value': value, 'label': self.texts()} for value in values]
        for option in options[2:]:
            if self.maybe():
                option['apart'] = True
        return options

    def option_list(self) -> tuple[list[Data], Any]:
        """The options, and what the file says of them: themselves or the name of a list."""
        if self.lists and self.maybe():
            name = self.some(st.sampled_from(sorted(self.lists)))
            return self.lists[name], name
        options = self.options()
        if self.maybe():
            name = self.name()
            self.lists[name] = options
            return options, name
        return options, options

    def relevant(self) -> Data:
        earlier = [each for each in self.choices if each[2] in ('single', 'multiple')]
        if not earlier or not self.maybe():
            return {}
        name, options, kind = self.some(st.sampled_from(earlier))
        value = options[0]['value']
        plain = (
            f"${{{name}}} = '{value}'" if kind == 'single' else f"selected(${{{name}}}, '{value}')"
        )
        return {'relevant': self.some(st.sampled_from((plain, f'({plain}) or\n {plain}')))}

    def question(self) -> Data:
        kinds = ['single', 'multiple', 'scale', 'grid', 'integer', 'text', 'town']
        kind = self.some(st.sampled_from([*kinds, *(['village'] if self.town else [])]))
        self.town = self.town or kind == 'town'
        question = (
            self.optional(
                {'name': self.name(), 'type': kind, 'label': self.texts()},
                hint=self.texts,
                required=lambda: True,
            )
            | self.relevant()
        )
        if kind in ('single', 'multiple', 'scale', 'grid'):
            self.choice(question, kind)
        if kind == 'integer' and self.maybe():
            question |= {'constraint': '. >= 0 and . <= 9', 'constraint_message': self.texts()}
        if kind == 'text' and self.maybe():
            question['max_length'] = self.some(st.integers(1, 5000))
        return question

    def choice(self, question: Data, kind: str) -> None:
        options, question['options'] = self.option_list()
        if kind == 'grid':
            count = self.some(st.integers(1, 3))
            question['rows'] = [{'name': self.name(), 'label': self.texts()} for _ in range(count)]
        elif kind in ('single', 'multiple') and self.maybe():
            right = options[0]['value']
            question['right'] = right if kind == 'single' else [right]
            question |= {'explanation': self.texts(), 'source': self.some(TEXTS)}
            question |= {'secret': True} if self.maybe() else {}
        elif kind == 'scale' and self.maybe():
            question['attention'] = options[1]['value']
        if 'relevant' not in question:
            self.choices.append((question['name'], options, kind))

    def indicators(self) -> list[Data]:
        found = []
        for name, options, kind in self.choices:
            scored = [each['value'] for each in options if not each.get('apart')]
            if kind == 'single' and self.maybe():
                found.append(self.indicator([name], 'share') | {'positive': scored[:1]})
            elif kind == 'single' and self.maybe():
                scores = {value: float(self.some(NUMBERS)) for value in scored}
                score = self.indicator([name], 'score') | {'scores': scores}
                found.append(self.optional(score, baseline=self.baseline))
        return found

    def indicator(self, items: list[str], scale: str) -> Data:
        rule = 'mean_score' if scale == 'score' else 'top_two'
        part = {
            'name': self.name(),
            'family': 'satisfaction',
            'scale': scale,
            'rule': rule,
            'items': items,
            'label': self.texts(),
            'definition': self.texts(),
        }
        return self.optional(
            part,
            dont_know=lambda: self.some(st.sampled_from(('wrong', 'out_of_base'))),
            source=lambda: self.some(TEXTS),
            targets=lambda: [self.target()],
        )

    def target(self) -> Data:
        basis = self.some(st.sampled_from(('national', 'other')))
        part = {'basis': basis, 'value': float(self.some(NUMBERS))}
        return self.optional(
            part,
            from_year=lambda: self.some(YEARS),
            label=self.texts,
            source=lambda: self.some(TEXTS),
        )

    def baseline(self) -> Data:
        part = {'year': self.some(YEARS), 'value': float(self.some(NUMBERS))}
        return self.optional(part, note=self.texts, source=lambda: self.some(TEXTS))

    def section(self) -> Data:
        count = self.some(st.integers(1, 4))
        section = self.optional(
            {'name': self.name(), 'title': self.texts()}, introduction=self.texts
        )
        return section | {'questions': [self.question() for _ in range(count)]}

    def screening(self) -> list[Data]:
        name, options, kind = self.choices[0] if self.choices else ('', [], '')
        if kind != 'single' or not self.maybe():
            return []
        when = f"${{{name}}} = '{options[1]['value']}'"
        return [{'when': when, 'outcome': 'ineligible', 'message': self.texts()}]

    def whole(self) -> Data:
        sections = [self.section() for _ in range(self.some(st.integers(1, 3)))]
        return {
            'format': 1,
            'name': self.some(st.from_regex(r'[a-z][a-z0-9-]{0,20}', fullmatch=True)),
            'languages': self.languages,
            'title': self.texts(),
            'introduction': self.texts(),
            'notice': {'version': self.some(TEXTS), 'text': self.texts()},
            'minutes': self.some(st.integers(1, 120)),
            'options': self.lists,
            'sections': sections,
            'screening': self.screening(),
            'indicators': self.indicators(),
        }


@st.composite
def questionnaires(draw: Any) -> Questionnaire:
    """Questionnaires in which nothing is wrong."""
    return Questionnaire.model_validate(_Maker(draw).whole())
