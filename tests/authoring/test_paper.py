"""The paper form: everything that is asked, with the codes of the data, and no key."""

from __future__ import annotations

import html
import re
from datetime import date

import pytest

from cixi_survey.questionnaire import definition
from tests import factories

BASELINE = definition.load_file(factories.BASELINE)


@pytest.fixture
def organiser(client, app_database):
    factories.sign_in(client, app_database, 'organiser')
    return client


@pytest.fixture
def address(app_database):
    with app_database.transaction() as session:
        return f'/staff/questionnaires/{factories.publish(session, BASELINE).sha256}/paper'


def form(client, address: str) -> str:
    """The mark-up of the form itself, without what is not printed."""
    page = client.get(address)
    assert page.status_code == 200
    return page.get_data(as_text=True).partition('<article class="paper')[2]


def words(markup: str) -> str:
    return ' '.join(html.unescape(re.sub(r'<[^>]+>', ' ', markup)).split())


def codes(markup: str) -> list[str]:
    return re.findall(r'<small class="data-code"[^>]*>([^<]*)</small>', markup)


def test_every_answer_has_its_box_and_the_code_of_the_data(organiser, address):
    markup = form(organiser, address)
    found = set(codes(markup))
    for variable in BASELINE.variables():
        assert variable.name in found
        assert variable.question.name in found
        assert set(variable.values) <= found
    boxes = markup.count('class="box"')
    grids = [one for one in BASELINE.questions() if one.type == 'grid']
    in_grids = sum(len(one.rows) * len(BASELINE.options_of(one)) for one in grids)
    lists = [one for one in BASELINE.questions() if one.type in ('single', 'multiple', 'scale')]
    in_lists = sum(len(BASELINE.options_of(one)) for one in lists)
    towns, filled_in_by = 18, 2
    assert boxes == in_grids + in_lists + towns + filled_in_by


def test_no_key_and_no_explanation_is_on_the_paper(organiser, address):
    text = words(form(organiser, address))
    for question in BASELINE.questions():
        for explanation in (question.explanation or {}).values():
            assert explanation not in text
        if question.source:
            assert question.source not in text


def test_the_head_is_that_of_the_wave_as_the_statistics_law_wants(organiser, app_database, address):
    assert '表号' in words(form(organiser, address))
    page = organiser.get(address).get_data(as_text=True)
    assert '还没有调查批次使用这个版本' in page
    with app_database.transaction() as session:
        factories.wave(
            session,
            slug='w1',
            questionnaire=BASELINE,
            form_number='慈环调7号',
            approval_number='慈统审〔2026〕9号',
            approval_valid_until=date(2027, 6, 30),
        )
    text = words(form(organiser, f'{address}?wave=w1'))
    for part in ('慈环调7号', '慈溪市统计局', '慈统审〔2026〕9号', '2027年6月30日', '测试批次'):
        assert part in text
    assert text.count('慈环调7号') == 2  # on every page, and in the head of the first
    assert set(codes(form(organiser, f'{address}?wave=w1'))) >= {'330282004', '330282108'}
    assert '330282110' not in codes(form(organiser, f'{address}?wave=w1'))  # not in this wave
    assert organiser.get(f'{address}?wave=none').status_code == 404


def test_an_incomplete_head_is_told_before_it_is_printed(organiser, app_database, address):
    with app_database.transaction() as session:
        factories.wave(session, questionnaire=BASELINE, state='planned', approval_number='')
    assert '表头不完整' in organiser.get(address).get_data(as_text=True)


def test_skips_and_ends_are_said_in_words(organiser, app_database):
    with app_database.transaction() as session:
        sha256 = factories.publish(session).sha256
    text = words(form(organiser, f'/staff/questionnaires/{sha256}/paper'))
    assert '7. 为什么不满意？ （选填） reason ▸ 只问第5题答“不太满意”或者“不满意”的人' in text
    assert '■ 第1题答“否”的，请到此为止。 谢谢。' in text
    assert '${' not in text


def test_the_form_is_there_in_english_and_in_large_print(organiser, address):
    english = form(organiser, f'{address}?lang=en&large=1')
    assert english.startswith(' large">')
    assert '1. Having read the privacy notice' in words(english)
    assert 'Tick one box for each question' in words(english)
