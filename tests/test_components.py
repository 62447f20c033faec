"""The macros that every page is made of, and the frame around them."""

from __future__ import annotations

import gzip
import re
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, get_template_attribute, render_template_string
from wtforms import (
    BooleanField,
    DateTimeLocalField,
    FileField,
    Form,
    IntegerField,
    PasswordField,
    RadioField,
    SelectField,
    SelectMultipleField,
    StringField,
    TextAreaField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, NumberRange

from cixi_survey.errors import Problem
from tests.client import CheckingClient, Page

STATIC = Path(__file__).parent.parent / 'static'
TOWNS = [SelectChoice('hushan', '浒山街道'), SelectChoice('guanhaiwei', '观海卫镇')]


class EveryKind(Form):  # type: ignore[misc]
    """One field of each kind, none of them answered."""

    name = StringField('Name', [InputRequired('Give a name.')], description='As printed')
    people = IntegerField('People', [InputRequired('How many?'), NumberRange(min=1)])
    secret = PasswordField('Password', [InputRequired('Give a password.')])
    opens = DateTimeLocalField('Opens', [InputRequired('When?')])
    words = TextAreaField('Words', [InputRequired('Write something.')])
    file = FileField('File', [InputRequired('Choose a file.')])
    town = SelectField('Town', [InputRequired('Choose a town.')], choices=TOWNS)
    home = RadioField('Home', [InputRequired('Choose a home.')], choices=TOWNS)
    areas = SelectMultipleField('Areas', [InputRequired('Choose areas.')], choices=TOWNS)
    agreed = BooleanField('I agree', [InputRequired('Agree first.')])


def component(app: Flask, file: str, macro: str, *arguments: Any, **named: Any) -> str:
    with app.test_request_context('/?lang=en'):
        render = get_template_attribute(f'components/{file}.html', macro)
        return str(render(*arguments, **named))


def page_of(fragment: str) -> Page:
    return Page(f'<html lang="en"><title>x</title>{fragment}</html>')


@pytest.mark.parametrize('name', [field.name for field in EveryKind()])
def test_a_field_in_error_says_so_to_the_eye_the_ear_and_the_summary(app: Flask, name: str) -> None:
    form = EveryKind()
    form.validate()
    shown = component(app, 'fields', 'field', form[name])
    page = page_of(shown)
    assert page.faults == []
    assert form[name].errors[0] in shown
    assert 'aria-invalid="true"' in shown
    assert f'f-{name}-error' in page.references
    summary = component(app, 'messages', 'form_errors', form)
    assert f'href="#f-{name}"' in summary
    assert page.ids[f'f-{name}'] == 1


def test_hint_and_error_are_both_read_out(app: Flask) -> None:
    form = EveryKind()
    form.validate()
    assert 'aria-describedby="f-name-hint f-name-error"' in component(
        app, 'fields', 'field', form.name
    )


def test_a_field_keeps_what_was_typed(app: Flask) -> None:
    form = EveryKind(data={'name': '<b>', 'home': 'guanhaiwei', 'areas': ['hushan']})
    assert 'value="&lt;b&gt;"' in component(app, 'fields', 'field', form.name)
    home = component(app, 'fields', 'field', form.home)
    assert re.search(r'value="guanhaiwei"[^>]* checked', home)
    areas = component(app, 'fields', 'field', form.areas)
    assert re.search(r'value="hushan"[^>]* checked', areas)
    assert areas.count('checked') == 1


def test_what_need_not_be_answered_is_marked_optional(app: Flask) -> None:
    class Loose(Form):  # type: ignore[misc]
        note = StringField('Note')

    assert '(optional)' in component(app, 'fields', 'field', Loose().note)
    assert '(optional)' not in component(app, 'fields', 'field', EveryKind().name)


def test_problems_of_a_form_link_to_their_field_and_those_of_a_file_name_the_line(
    app: Flask,
) -> None:
    problems = [
        Problem('age', 'range', 'At least %(least)s.', values={'least': 18}),
        Problem('size', 'number', 'Not a number.', line=7),
    ]
    shown = component(app, 'messages', 'error_summary', problems)
    assert '<a href="#f-age">At least 18.</a>' in shown
    assert '#f-size' not in shown
    assert 'Line 7' in shown
    assert 'role="alert"' in shown


def test_do_not_know_stands_apart_from_the_scale(app: Flask) -> None:
    options = [
        {'value': '1', 'label': '满意'},
        {'value': '0', 'label': '说不清', 'apart': True},
        {'value': '2', 'label': '不满意'},
    ]
    shown = component(app, 'fields', 'scale', 'water', 'Water?', options, value='0')
    chips, beside = shown.split('<div class="aside">')
    assert '说不清' not in chips
    assert '说不清' in beside
    assert 'checked' in beside


def test_a_figure_stands_beside_its_interval_and_n(app: Flask) -> None:
    shown = component(app, 'data', 'stat', 'Knowledge', '82.4%', '80.6–84.1%', '1,804')
    assert '80.6–84.1%' in shown
    assert 'n = 1,804' in shown


@pytest.mark.parametrize('query', ['lang=zh', 'lang=en', 'elder=1', 'elder=3&lang=en'])
def test_the_style_guide_holds_together(client: CheckingClient, query: str) -> None:
    page = client.get(f'/styleguide?{query}').get_data(as_text=True)
    for target in re.findall(r'href="#(f-[^"]+)"', page):
        assert f'id="{target}"' in page


def test_switches_keep_the_address_and_what_it_carries(client: CheckingClient) -> None:
    page = client.get('/about?c=poster-12&lang=zh').get_data(as_text=True)
    assert 'href="/about?c=poster-12&amp;lang=en"' in page
    assert 'href="/about?c=poster-12&amp;lang=zh&amp;elder=1"' in page


@pytest.mark.parametrize(('asked', 'size'), [('1', '1'), ('3', '3'), ('0', None), ('9', None)])
def test_large_print_is_a_mark_on_the_page_and_remembered(
    client: CheckingClient, asked: str, size: str | None
) -> None:
    client.get(f'/about?elder={asked}')
    marked = re.search(r'<html[^>]* data-elder="(\d)"', client.get('/about').get_data(as_text=True))
    assert (marked and marked[1]) == size


def test_the_questionnaire_loads_one_style_sheet_and_no_script_of_the_frame(app: Flask) -> None:
    with app.test_request_context('/s/x'):
        page = render_template_string(
            "{% extends 'layout.html' %}{% block body_class %}respond{% endblock %}"
        )
    assert 'style.css' in page
    assert 'pages.css' not in page
    assert 'site.js' not in page


def test_style_sheets_stay_light_and_plain() -> None:
    base, rest = ((STATIC / name).read_bytes() for name in ('style.css', 'pages.css'))
    assert len(gzip.compress(base, 9)) <= 5_000
    assert len(gzip.compress(base, 9)) + len(gzip.compress(rest, 9)) <= 8_192
    for too_new in (':has(', 'oklch(', 'subgrid', '@layer', '@import', 'url(', ':is(', 'clamp('):
        rules = re.sub(r'/\*.*?\*/', '', (base + rest).decode(), flags=re.S)
        assert too_new not in rules, f'{too_new} is not for the browsers we serve'
