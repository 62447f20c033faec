"""Our questionnaire made with SurveyJS: the same questions, options, conditions and languages.

Used by `first_view.py`; run that.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import Any

from cixi_survey import places
from cixi_survey.questionnaire import expressions
from cixi_survey.questionnaire.model import Option, Question, Questionnaire

VERSION = '2.5.38'
PACKAGES = (f'survey-core@{VERSION}', f'survey-js-ui@{VERSION}')
SCRIPTS = ('survey.core.min.js', 'simplified-chinese.min.js', 'survey-js-ui.min.js')
STYLES = ('survey-core.fontless.min.css',)
START = 'surveyjs-start.js'
START_SOURCE = """
const survey = new Survey.Model(JSON.parse(document.getElementById('definition').textContent));
survey.locale = document.documentElement.lang.toLowerCase();
survey.render(document.getElementById('survey'));
"""
LOCALES = {'zh': 'zh-cn', 'en': 'default'}

Json = dict[str, Any]
Texts = Mapping[str, str]


def install(folder: Path, into: Path) -> None:
    """Install the two packages with npm in ``folder``; copy what a page needs to ``into``."""
    command = ['npm', 'install', '--no-audit', '--no-fund', '--ignore-scripts', *PACKAGES]
    (folder / 'package.json').write_text('{}')
    subprocess.run(command, cwd=folder, check=True, stdout=subprocess.DEVNULL)
    core, ui = folder / 'node_modules' / 'survey-core', folder / 'node_modules' / 'survey-js-ui'
    files = (core / SCRIPTS[0], core / 'i18n' / SCRIPTS[1], ui / SCRIPTS[2], core / STYLES[0])
    for file in files:
        shutil.copy(file, into)
    (into / START).write_text(START_SOURCE)


def page(questionnaire: Questionnaire, title: str, static_url: Callable[[str], str]) -> str:
    """The leanest page that shows it: styles and scripts in the head, the definition inside."""
    definition = json.dumps(convert(questionnaire), ensure_ascii=False, separators=(',', ':'))
    scripts = ''.join(f'<script src="{static_url(s)}" defer></script>' for s in (*SCRIPTS, START))
    styles = ''.join(f'<link rel="stylesheet" href="{static_url(name)}">' for name in STYLES)
    return (
        '<!doctype html><html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{escape(title)}</title><link rel="icon" href="data:,">{styles}{scripts}</head>'
        '<body><div id="survey"></div><script type="application/json" id="definition">'
        + definition.replace('<', '\\u003c')
        + '</script></body></html>'
    )


def convert(questionnaire: Questionnaire) -> Json:
    """The definition in the format of SurveyJS.  Raises ValueError for what it cannot say."""
    cover = {
        'name': 'cover',
        'elements': [
            {'type': 'html', 'name': 'introduction', 'html': _texts(questionnaire.introduction)},
            {'type': 'html', 'name': 'notice', 'html': _paragraphs(questionnaire.notice.text)},
        ],
    }
    parts = [
        {
            'name': section.name,
            'title': _texts(section.title),
            'elements': [_question(questionnaire, each) for each in section.questions],
        }
        | ({'description': _texts(section.introduction)} if section.introduction else {})
        for section in questionnaire.sections
    ]
    ends = [(_written(rule.when), _texts(rule.message)) for rule in questionnaire.screening]
    return {
        'title': _texts(questionnaire.title),
        'firstPageIsStartPage': True,
        'showProgressBar': True,
        'showPreviewBeforeComplete': True,
        'pages': [cover, *parts],
        'triggers': [{'type': 'complete', 'expression': when} for when, _html in ends],
        'completedHtmlOnCondition': [{'expression': when, 'html': html} for when, html in ends],
    }


def _texts(texts: Texts) -> Json:
    return {LOCALES[language]: text for language, text in texts.items() if language in LOCALES}


def _paragraphs(texts: Texts) -> Json:
    def marked(text: str) -> str:
        return ''.join(f'<p>{escape(each)}</p>' for each in text.strip().split('\n\n'))

    return _texts({language: marked(text) for language, text in texts.items()})


def _question(questionnaire: Questionnaire, question: Question) -> Json:
    made: Json = {'name': question.name, 'title': _texts(question.label)}
    made |= _body(questionnaire, question)
    if question.hint:
        made['description'] = _texts(question.hint)
    if question.required:
        made['isRequired'] = True
    if question.relevant:
        made['visibleIf'] = _written(question.relevant)
    if question.constraint:
        validator: Json = {
            'type': 'expression',
            'expression': _written(question.constraint, question.name),
        }
        if question.constraint_message:
            validator['text'] = _texts(question.constraint_message)
        made['validators'] = [validator]
    return made


def _body(questionnaire: Questionnaire, question: Question) -> Json:
    choices = [_choice(option) for option in questionnaire.options_of(question)]
    if question.type in {'single', 'scale'}:
        return {'type': 'radiogroup', 'choices': choices}
    if question.type == 'multiple':
        return {'type': 'checkbox', 'choices': choices}
    if question.type == 'grid':
        rows = [{'value': row.name, 'text': _texts(row.label)} for row in question.rows]
        return {'type': 'matrix', 'columns': choices, 'rows': rows}
    if question.type == 'integer':
        return {'type': 'text', 'inputType': 'number'}
    if question.type == 'text':
        return {'type': 'comment', 'maxLength': question.max_length or 500}
    if question.type == 'town':
        towns = places.towns().items()
        return {
            'type': 'dropdown',
            'choices': [{'value': code, 'text': _texts(names)} for code, names in towns],
        }
    town = next(each.name for each in questionnaire.questions() if each.type == 'town')
    return {
        'type': 'dropdown',
        'choices': [
            {'value': code, 'text': name, 'visibleIf': f"{{{town}}} = '{of}'"}
            for code, (name, of) in places.villages().items()
        ],
    }


def _choice(option: Option) -> Json:
    return {'value': option.value, 'text': _texts(option.label)}


def _written(expression: str, current: str = '') -> str:
    return _node(expressions.parse(expression).as_json(), current)


_OPERATORS = {'=': '=', '!=': '<>', '<': '<', '<=': '<=', '>': '>', '>=': '>=', '+': '+', '-': '-'}
_OPERATORS |= {'*': '*', 'div': '/', 'mod': '%', 'and': 'and', 'or': 'or'}


def _node(tree: Any, current: str) -> str:
    if isinstance(tree, str):
        if "'" in tree:
            raise ValueError(f'a quotation mark in {tree!r}')
        return f"'{tree}'"
    if not isinstance(tree, list):
        return str(tree).lower()
    name, *operands = tree
    if name in {'ref', 'this'}:
        return f'{{{operands[0] if operands else current}}}'
    said = [_node(each, current) for each in operands]
    if name in _OPERATORS:
        return '(' + f' {_OPERATORS[name]} '.join(said) + ')'
    if name == 'not':
        return f'!({said[0]})'
    if name == 'selected':
        return f'({said[0]} contains {said[1]})'
    if name == 'count-selected' and re.fullmatch(r'\{\w+\}', said[0]):
        return f'{said[0][:-1]}.length}}'
    raise ValueError(f'no way to say {name} in SurveyJS')
