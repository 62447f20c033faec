"""A resident with a phone in the hand: from the QR address to the receipt."""

import json
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from cixi_survey import clock
from tests import factories
from tests.browser.answering import (
    BACK,
    NEXT,
    SEND,
    answer_what_is_asked,
    choose,
    fill_small,
    open_site,
)

FIRST_VIEW_BYTES = 40 * 1024
FIRST_VIEW_REQUESTS = 7


@pytest.fixture
def site(served):
    return open_site(served)


@pytest.fixture
def real_site(served):
    return open_site(served, real=True)


def test_from_the_code_to_the_receipt_in_two_documents_and_forty_kilobytes(real_site, page):
    loaded = []
    page.on('requestfinished', lambda request: loaded.append(request))
    with page.expect_response(real_site.invitation) as answer:
        page.goto(real_site.invitation, wait_until='load')
    first_view = [request for request in loaded if not request.url.endswith('?empty')]
    sizes = {request.url: request.sizes() for request in first_view}
    total = sum(one['responseBodySize'] + one['responseHeadersSize'] for one in sizes.values())
    assert total <= FIRST_VIEW_BYTES, sizes
    head = answer.value.text().split('</head>')[0]
    addresses = {urlsplit(url)._replace(scheme='', netloc='').geturl() for url in sizes}
    assert len(addresses) <= FIRST_VIEW_REQUESTS
    named_later = [each for each in addresses if each not in head]
    assert named_later == [f'/i/{real_site.code}'], 'a third round trip, one after the other'
    parts = page.locator('section.part:has(.question)').count()
    page.click(NEXT)
    for _part in range(parts - 1):
        answer_what_is_asked(page)
        page.click(NEXT)
    page.fill('#f-suggestion', '希望河边多种些树。')
    page.click(NEXT)
    page.click(SEND)
    page.wait_for_url('**/receipt/*')
    assert '您答对了' in page.inner_text('main')
    documents = [request for request in loaded if request.resource_type == 'document']
    assert len(documents) == 2, [request.url for request in documents]
    assert {request.url.split('/')[2] for request in loaded} == {real_site.url.split('/')[2]}
    (stored,) = real_site.responses()
    assert (stored.stream, stored.outcome) == ('probability', 'complete')
    assert real_site.answers()['suggestion'] == '希望河边多种些树。'
    assert real_site.answers()['adults'] == 2


def test_without_javascript_it_is_one_long_complete_form(real_site, browser, browser_context_args):
    context = browser.new_context(**{**browser_context_args, 'java_script_enabled': False})
    page = context.new_page()
    page.goto(f'{real_site.url}/i')
    page.fill('#f-code', real_site.code.lower())
    page.click('button.large')
    page.click(SEND)
    assert '处需要您看一下' in page.inner_text('.error-summary')
    page.click('.error-summary a >> nth=0')
    assert page.evaluate('location.hash') == '#f-consent'
    choose(page, 'consent', 'yes')
    page.fill('#f-adults', 'two')
    page.press('#f-adults', 'Enter')
    page.click('header button:has-text("English")')
    assert '?lang=en' in page.url
    assert page.input_value('#f-adults') == 'two'
    assert page.is_checked('#f-consent')
    for name, value in {'age': 'a30_39', 'resident': 'yes', 'sat_overall': 'unsure'}.items():
        choose(page, name, value)
    page.select_option('#f-town', '330282108')
    page.select_option('#f-village', '330282004001')
    page.fill('#f-adults', '3')
    page.click(SEND)
    assert 'does not belong to the town chosen' in page.inner_text('.error-summary')
    page.select_option('#f-village', '330282108201')
    rest = page.locator('.error-summary a').evaluate_all(
        'links => links.map(link => link.hash.slice(1))'
    )
    for identifier in rest:
        if identifier != 'f-village':
            page.check(f'#{identifier}')
    page.click(SEND)
    page.wait_for_url('**/receipt/*')
    assert 'your answers have arrived' in page.inner_text('h1')
    assert real_site.answers()['village'] == '330282108201'
    context.close()


def test_the_page_decides_every_condition_as_the_server_does(site, page):
    path = Path(factories.FIXTURES / 'expression_cases.json')
    cases = json.loads(path.read_text(encoding='utf-8'))
    page.goto(site.open_link)
    results = page.evaluate(
        """cases => cases.map(each => {
          const value = window.cixi.evaluate(each.tree, each.values, each.current);
          return value !== value ? 'NaN' : value;
        })""",
        cases,
    )
    wrong = [
        (case['expression'], case['values'], result)
        for case, result in zip(cases, results, strict=True)
        if result != case['expected']
    ]
    assert len(cases) > 100
    assert wrong == []


def test_back_forward_and_reload_keep_the_answers_and_the_place(site, page):
    page.goto(site.invitation)
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    page.select_option('#f-town', '330282004')
    choose(page, 'age', 'a18_39')
    page.click(NEXT)
    expect(page.locator('#title-views')).to_be_focused()
    assert page.inner_text('#progress span >> nth=0') == '第2部分，共3部分'
    choose(page, 'overall', 'satisfied')
    page.go_back()
    expect(page.locator('#title-start')).to_be_visible()
    page.go_forward()
    expect(page.locator('#title-views')).to_be_visible()
    page.click(BACK)
    expect(page.locator('#title-start')).to_be_visible()
    page.click(NEXT)
    expect(page.locator('#kept')).to_have_text('已保存')
    page.reload()
    expect(page.locator('#title-views')).to_be_visible()
    assert page.is_checked('input[name=overall][value=satisfied]')
    page.click(NEXT)
    choose(page, 'k_one', 'june5')
    choose(page, 'k_two', 'walk')
    page.fill('#f-adults', '2')
    page.click(NEXT)
    page.click(SEND)
    page.wait_for_url('**/receipt/*')
    page.go_back()
    page.go_forward()
    page.reload()
    assert len(site.responses()) == 1


def test_another_phone_goes_on_with_the_same_code(site, page, browser, browser_context_args):
    page.goto(site.invitation)
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    page.select_option('#f-town', '330282108')
    choose(page, 'age', 'a40_up')
    page.click(NEXT)
    expect(page.locator('#kept')).to_have_text('已保存')
    page.context.close()
    other = browser.new_context(**browser_context_args).new_page()
    other.goto(site.invitation)
    expect(other.locator('#title-views')).to_be_visible()
    assert '欢迎回来' in other.inner_text('#anew')
    other.click(BACK)
    assert other.input_value('#f-town') == '330282108'
    other.context.close()


def test_questions_appear_when_they_matter_and_villages_follow_the_town(site, page):
    page.goto(site.open_link)
    page.click(NEXT)
    assert page.locator('#f-village optgroup').count() == 18
    page.select_option('#f-town', '330282108')
    assert page.locator('#f-village optgroup').count() == 1
    page.select_option('#f-village', '330282108201')
    page.select_option('#f-town', '330282004')
    assert page.input_value('#f-village') == ''
    choose(page, 'consent', 'yes')
    choose(page, 'age', 'a18_39')
    page.click(NEXT)
    expect(page.locator('#f-reason')).to_be_hidden()
    choose(page, 'overall', 'not_at_all')
    expect(page.locator('#f-reason')).to_be_visible()
    page.fill('#f-reason', '噪声')
    choose(page, 'overall', 'satisfied')
    expect(page.locator('#f-reason')).to_be_hidden()
    page.click(NEXT)
    choose(page, 'k_one', 'june5')
    choose(page, 'k_two', 'walk')
    page.fill('#f-adults', '2')
    page.click(NEXT)
    page.click(SEND)
    page.wait_for_url('**/receipt/*')
    assert 'reason' not in site.answers()


def test_problems_are_told_in_the_part_with_links_and_go_when_mended(site, page):
    page.goto(site.open_link)
    page.click(NEXT)
    page.click(NEXT)
    expect(page.locator('.error-summary')).to_be_focused()
    assert page.inner_text('.error-summary h2') == '有3处需要您看一下'
    assert page.text_content('#f-consent-error') == '错误：请选一项。'
    page.click('.error-summary a[href="#f-town"]')
    expect(page.locator('#f-town')).to_be_focused()
    page.select_option('#f-town', '330282004')
    assert page.locator('#f-town-error').count() == 0
    assert page.locator('.error-summary li').count() == 2
    choose(page, 'consent', 'yes')
    choose(page, 'age', 'a18_39')
    assert page.locator('.error-summary').count() == 0
    page.click(NEXT)
    choose(page, 'overall', 'satisfied')
    page.click(NEXT)
    choose(page, 'did', 'none')
    choose(page, 'did', 'sorted')
    page.fill('#f-adults', '99')
    page.press('#f-adults', 'Enter')
    told = page.inner_text('.error-summary')
    assert not page.is_checked('input[name=did][value=none]')  # it gave way
    assert '都没有' not in told
    assert '请填1到20。' in told
    assert site.responses() == []


def test_the_first_press_after_a_mended_text_goes_on(site, page):
    """A summary that went when the field is left moved the button away from under the finger."""
    page.goto(site.open_link)
    fill_small(page)
    page.click(BACK)
    page.fill('#f-adults', '99')
    page.click(NEXT)
    expect(page.locator('.error-summary')).to_be_focused()
    page.focus('#f-adults')
    page.keyboard.press('Backspace')
    assert page.locator('.error-summary').count() == 0
    assert page.locator('#f-adults-error').count() == 0
    button = page.locator(NEXT).bounding_box()
    page.mouse.click(button['x'] + button['width'] / 2, button['y'] + button['height'] / 2)
    page.click(SEND)
    page.wait_for_url('**/receipt/*')
    assert site.answers()['adults'] == 9


def test_who_is_not_asked_may_go_back_before_it_counts(site, page):
    page.goto(site.invitation)
    page.click(NEXT)
    choose(page, 'consent', 'no')
    page.select_option('#f-town', '330282004')
    choose(page, 'age', 'a18_39')
    page.click(NEXT)
    expect(page.locator('#ending-message')).to_have_text('谢谢。')
    assert site.responses() == []
    page.reload()
    assert page.is_checked('input[name=consent][value=no]') is False  # of a refusal nothing is kept
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    page.select_option('#f-town', '330282004')
    choose(page, 'age', 'under18')
    page.click(NEXT)
    expect(page.locator('#ending-message')).to_have_text('本调查面向成年人。')
    page.reload()
    expect(page.locator('#f-age')).to_be_visible()
    page.click(BACK)
    expect(page.locator('#part-cover')).to_be_visible()
    page.goto(site.invitation)
    expect(page.locator('#f-age')).to_be_visible()
    page.click(BACK)
    expect(page.locator('#part-cover')).to_be_visible()
    page.click(NEXT)
    expect(page.locator('#f-age')).to_be_visible()
    page.click(NEXT)
    page.click(BACK)
    expect(page.locator('#f-age')).to_be_visible()
    page.click(NEXT)
    expect(page.locator('#ending-message')).to_have_text('本调查面向成年人。')
    page.click(SEND)
    page.wait_for_url('**/receipt/*')
    assert site.responses()[0].outcome == 'ineligible'
    assert '本调查面向成年人。' in page.inner_text('main')


def test_a_choice_gives_way_and_comes_back_numbers_are_read_and_enter_presses(real_site, page):
    page.goto(real_site.open_link)
    page.click(NEXT)
    page.focus('#f-consent')
    page.keyboard.press('Enter')  # it presses the choice, and passes nothing by
    assert page.is_checked('#f-consent')
    choose(page, 'age', 'a40_49')
    choose(page, 'resident', 'yes')
    page.select_option('#f-town', '330282108')
    while not page.locator('#f-participation').is_visible():
        page.click(NEXT)
        answer_what_is_asked(page)
    ticked = page.locator('input[name=participation]:checked')
    for name in ticked.evaluate_all('all => all.map((each) => each.value)'):
        choose(page, 'participation', name)
    choose(page, 'participation', 'reporting')
    choose(page, 'participation', 'none')
    assert ticked.evaluate_all('all => all.map((each) => each.value)') == ['none']
    status = page.locator('.turn')
    expect(status).to_contain_text('再点一次“都没有做过”')
    choose(page, 'participation', 'none')
    expect(status).to_have_text('原来选的已经恢复。')
    assert ticked.evaluate_all('all => all.map((each) => each.value)') == ['reporting']
    choose(page, 'participation', 'none')
    choose(page, 'participation', 'consultation')
    expect(status).to_have_text('“都没有做过”已经取消。')
    while not page.locator('#f-adults').is_visible():
        page.click(NEXT)
        answer_what_is_asked(page)
    page.fill('#f-adults', '许多')
    page.press('#f-adults', 'Enter')
    assert '比如2' in page.inner_text('#f-adults-error')
    page.fill('#f-adults', '两个')
    assert page.locator('#f-adults-error').count() == 0


def test_the_language_changes_in_the_middle_and_the_place_is_kept(site, page):
    page.goto(f'{site.open_link}?c=poster-7')
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    page.select_option('#f-town', '330282004')
    choose(page, 'age', 'a18_39')
    page.click(NEXT)
    choose(page, 'overall', 'satisfied')
    page.click('header button:has-text("English")')
    page.wait_for_url('**lang=en**')
    expect(page.locator('#title-views')).to_have_text('Views')
    assert page.is_checked('input[name=overall][value=satisfied]')
    page.click('header button:has-text("Large print")')
    page.wait_for_url('**elder=1**')
    assert page.get_attribute('html', 'data-elder') == '1'
    expect(page.locator('#title-views')).to_be_visible()


def test_two_clicks_are_one_response(site, page):
    page.goto(site.open_link)
    fill_small(page)
    page.dblclick(SEND)
    page.wait_for_url('**/receipt/*')
    assert len(site.responses()) == 1


def test_sending_without_a_network_waits_honestly_and_arrives_once(site, page):
    page.goto(site.invitation)
    fill_small(page)
    page.context.set_offline(True)
    page.click(SEND)
    expect(page.locator('#title-waiting')).to_be_focused()
    assert '还没有提交' in page.inner_text('#waiting')
    assert site.responses() == []
    page.context.set_offline(False)
    page.wait_for_url('**/receipt/*')
    assert site.answers()['adults'] == 2
    assert page.evaluate('localStorage.length') == 0


def test_a_lost_answer_of_the_server_does_not_make_a_second_response(site, page):
    """The request arrived, the receipt did not: the same submission is sent again."""
    page.goto(site.open_link)
    fill_small(page)
    lost = []

    def lose(route):
        if lost or route.request.method != 'POST':
            route.continue_()
        else:
            lost.append(route.fetch(max_redirects=0))
            route.abort()

    page.route('**/s/w2026', lose)
    page.click(SEND)
    expect(page.locator('#waiting')).to_be_visible()
    page.click('#waiting button')
    page.wait_for_url('**/receipt/*')
    assert len(lost) == 1
    assert len(site.responses()) == 1


def test_what_the_server_does_not_have_yet_survives_a_closed_browser_window(site, page):
    page.goto(site.invitation)
    page.click(NEXT)
    choose(page, 'consent', 'yes')
    page.route('**/draft', lambda route: route.abort())
    choose(page, 'age', 'a18_39')
    page.select_option('#f-town', '330282004')
    page.click(NEXT)
    expect(page.locator('#kept')).to_contain_text('先存在这部手机上')
    page.unroute('**/draft')
    page.reload()
    expect(page.locator('#title-views')).to_be_visible()
    expect(page.locator('#kept')).to_have_text('已保存')
    page.click(BACK)
    assert page.input_value('#f-town') == '330282004'


@pytest.mark.parametrize(('button', 'kept'), [(0, 'a40_up'), (1, 'a18_39')])
def test_two_phones_show_both_versions_and_the_person_chooses(
    site, page, browser, browser_context_args, button, kept
):
    other = browser.new_context(**browser_context_args).new_page()
    page.goto(site.invitation)
    other.goto(site.invitation)
    fill_small(page)
    page.click(BACK)
    expect(page.locator('#kept')).to_have_text('已保存')
    other.click(NEXT)
    choose(other, 'consent', 'yes')
    choose(other, 'age', 'a40_up')
    other.select_option('#f-town', '330282108')
    other.click(NEXT)
    expect(other.locator('#title-conflict')).to_be_focused()
    expect(other.locator('#conflict [data-mine]')).to_have_text('答了3题')
    expect(other.locator('#conflict [data-theirs]')).to_have_text('答了7题')
    other.locator('#conflict button').nth(button).click()
    expect(other.locator('#title-views')).to_be_visible()
    other.click(BACK)
    assert other.is_checked(f'input[name=age][value={kept}]')
    other.context.close()


def test_a_second_window_overwrites_nothing_also_before_the_server_knows(site, page):
    page.goto(site.open_link)
    other = page.context.new_page()
    other.goto(site.open_link)
    page.context.set_offline(True)
    page.click(NEXT)
    choose(page, 'age', 'a18_39')
    other.click(NEXT)
    choose(other, 'age', 'a40_up')
    expect(other.locator('#title-conflict')).to_be_focused()
    assert '另一个窗口' in other.inner_text('#conflict')
    other.locator('#conflict button').nth(1).click()
    assert other.is_checked('input[name=age][value=a18_39]')


def test_an_expired_session_is_renewed_without_a_word(site, page):
    page.goto(site.open_link)
    fill_small(page)
    page.context.clear_cookies()
    page.click(SEND)
    page.wait_for_url('**/receipt/*')
    assert len(site.responses()) == 1


def test_a_wave_that_ends_meanwhile_has_its_page(site, page):
    page.route('**/draft', lambda route: route.abort())  # or saving would be told first
    page.goto(site.invitation)
    fill_small(page)
    site.change(closes_at=clock.now() - timedelta(minutes=2))
    page.click(SEND)
    expect(page.locator('#title-end')).to_have_text('这次调查已经结束')
    assert '没有收到' in page.inner_text('#end')
    assert '存在这部手机上的答案已经删除' in page.inner_text('#end')
    assert site.responses() == []
    assert page.evaluate('localStorage.length') == 0
