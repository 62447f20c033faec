"""Answers on their way: kept from part to part, found again on another phone, never overwritten."""

import re

import sqlalchemy as sa

from cixi_survey.models import Draft
from tests.respond.conftest import COMPLETE, database_of


def kept(place):
    with database_of(place.app).reading() as session:
        return list(session.scalars(sa.select(Draft)))


def test_another_phone_goes_on_where_the_first_one_stopped(both_places):
    first = both_places.form()
    saved = first.save({'consent': ['yes'], 'adults': ['３'], 'did': ['sorted', 'walked']})
    assert saved.json['revision'] == 1
    second = both_places.form()
    page = second.open().get_data(as_text=True)
    assert '欢迎回来' in page
    assert 'value="３"' in page
    assert page.count(' checked') == 3
    assert 'data-section="views"' in page
    assert second.hidden['_revision'] == '1'
    assert second.save({'consent': ['yes'], 'adults': ['4']}, 1).json['revision'] == 2
    assert len(kept(both_places)) == 1
    assert second.send().status_code == 303


def test_the_open_link_finds_its_draft_again_in_the_same_browser_only(both_places):
    form = both_places.form('/s/w2026?c=poster-7')
    assert form.save({'adults': ['3']}).status_code == 200
    assert 'value="3"' in form.open().get_data(as_text=True)
    assert 'value="3"' not in both_places.form('/s/w2026').open().get_data(as_text=True)
    assert kept(both_places)[0].channel == 'poster-7'


def test_a_stale_tab_overwrites_nothing_and_is_shown_both_versions(both_places):
    one, two = both_places.form(), both_places.form()
    assert one.save({'adults': ['3']}).status_code == 200
    conflict = two.save({'adults': ['4']})
    assert conflict.status_code == 409
    assert conflict.json['error'] == 'stale_draft'
    assert (conflict.json['revision'], conflict.json['answers']) == (1, {'adults': ['3']})
    assert kept(both_places)[0].answers == {'adults': ['3']}
    mine = two.save({'adults': ['4']}, conflict.json['revision'])
    assert mine.json['revision'] == 2
    assert kept(both_places)[0].answers == {'adults': ['4']}


def test_the_same_answers_again_are_no_conflict(both_places):
    one, two = both_places.form(), both_places.form()
    one.save({'adults': ['3']})
    assert two.save({'adults': ['3']}).json['revision'] == 1
    assert one.save({'adults': ['3']}, 1).json['revision'] == 1


def test_without_javascript_two_versions_have_a_page_to_choose_on(place):
    one, two = place.form(), place.form()
    one.save({'adults': ['3']})
    page = two.send({'adults': ['4'], 'consent': ['yes']}, do='save')
    assert page.status_code == 409
    text = page.get_data(as_text=True)
    versions = re.findall('<h2>(.*?)</h2><p>(.*?)</p>', text)
    assert versions == [('这一页', '答了2题'), ('另外保存的', '答了1题')]
    assert 'value="keep:1"' in text
    two.take(page)
    assert two.send({'adults': ['4']}, do='keep:1').status_code == 303
    assert kept(place)[0].answers == {'adults': ['4']}


def test_language_and_size_change_without_losing_what_was_typed(place):
    form = place.form('/s/w2026?c=poster-7')
    there = form.send({'adults': ['many'], 'reason': ['噪声']}, do='lang:en')
    assert (there.status_code, there.location) == (303, '/s/w2026?c=poster-7&lang=en')
    form.address = there.location
    page = form.open().get_data(as_text=True)
    assert 'lang="en"' in page
    assert 'value="many"' in page
    assert '噪声' in page
    assert '<details class="welcome" id="anew" hidden>' in page
    larger = form.send({'adults': ['many']}, do='elder:1')
    assert larger.location == '/s/w2026?c=poster-7&elder=1'


def test_keeping_for_later_says_how_to_come_back(place):
    form = place.form()
    kept_page = form.send({'adults': ['3']}, do='save')
    page = form.client.get(kept_page.location).get_data(as_text=True)
    assert '已经替您保存' in page
    assert 'value="3"' in page


def test_a_draft_holds_only_the_questionnaires_own_fields_and_no_novel(place):
    form = place.form()
    form.save({'adults': [' '], 'consent': ['yes'], 'other': ['x']})
    assert kept(place)[0].answers == {'consent': ['yes']}
    long = form.save({'reason': ['长' * 80_000]}, 1)
    assert (long.status_code, long.json['error']) == (413, 'draft_too_large')


def test_nothing_is_saved_after_sending(both_places):
    form = both_places.form('/s/w2026')
    form.send()
    late = form.save(COMPLETE)
    assert (late.status_code, late.json['error']) == (409, 'already_sent')
    invited = both_places.form()
    invited.send()
    spent = invited.save(COMPLETE)
    assert (spent.status_code, spent.json['error']) == (409, 'code_spent')
    assert kept(both_places) == []


def test_a_stale_token_is_exchanged_for_a_good_one_and_nothing_is_saved_with_it(place):
    form = place.form()
    form.client.delete_cookie('cixi')
    told = form.save({'adults': ['3']})
    assert (told.status_code, told.json['error']) == (400, 'stale_page')
    assert kept(place) == []
    form.hidden |= {'csrf_token': told.json['csrf_token'], '_ticket': told.json['ticket']}
    assert form.save({'adults': ['3']}).status_code == 200


def test_beginning_anew_deletes_the_draft_of_an_open_link(both_places):
    form = both_places.form('/s/w2026?c=poster-7')
    form.save({'adults': ['3']})
    anew = form.send({}, do='anew')
    assert (anew.status_code, anew.location) == (303, '/s/w2026?c=poster-7')
    assert kept(both_places) == []
    assert 'value="3"' not in form.open().get_data(as_text=True)


def test_a_letter_begins_anew_only_from_what_the_page_has_seen(both_places):
    letter = both_places.form()
    letter.save({'adults': ['3']})
    letter.send({'adults': ['3']}, do='anew')  # it has not seen what was saved since
    assert len(kept(both_places)) == 1
    page = letter.open().get_data(as_text=True)
    assert '<details class="welcome" id="anew">' in page
    anew = letter.send({'adults': ['3']}, do='anew')
    assert anew.location == letter.address
    assert kept(both_places) == []
    assert 'value="3"' not in letter.open().get_data(as_text=True)


def test_of_who_declines_no_draft_is_kept_and_nobody_elses_is_thrown_away(both_places):
    form = both_places.form()
    assert form.save({'consent': ['no'], 'adults': ['3']}).json == {'revision': 0, 'kept': False}
    assert kept(both_places) == []
    form.save({'consent': ['yes'], 'adults': ['3']})
    other = both_places.form()
    assert other.save({'consent': ['no']}, revision=0).json['error'] == 'stale_draft'
    assert kept(both_places)[0].answers == {'consent': ['yes'], 'adults': ['3']}
    assert form.save({'consent': ['no']}, revision=1).json['kept'] is False
    assert kept(both_places) == []


def test_the_form_for_a_phone_to_keep_has_no_answers_and_comes_only_once(both_places):
    for address in ('/s/w2026', f'/i/{both_places.code}'):
        form = both_places.form(address)
        form.save({'adults': ['3'], 'consent': ['yes']})
        assert 'value="3"' in form.open().get_data(as_text=True)
        empty = form.client.get(f'{address}?empty')
        page = empty.get_data(as_text=True)
        assert 'value="3"' not in page
        assert ' checked' not in page
        assert both_places.code not in page
        assert 'data-kept' in page
        assert empty.headers['Cache-Control'] == 'no-store'
        again = form.client.get(
            f'{address}?empty', headers={'If-None-Match': empty.headers['ETag']}
        )
        assert (again.status_code, again.data) == (304, b'')
        other = form.client.get(
            f'{address}?empty&lang=en', headers={'If-None-Match': empty.headers['ETag']}
        )
        assert other.status_code == 200
        assert 'data-kept' not in both_places.form(address).open().get_data(as_text=True)


def test_the_cookie_of_an_open_draft_is_for_its_own_wave_and_ends_with_it(place):
    form = place.form('/s/w2026')
    cookie = form.save({'adults': ['3']}).headers['Set-Cookie']
    assert 'Path=/s/w2026' in cookie
    seconds = int(cookie.split('Max-Age=')[1].split(';')[0])
    assert 9 * 86400 < seconds <= 10 * 86400


def test_characters_that_no_database_takes_do_not_stop_a_draft(both_places):
    form = both_places.form()
    typed = {**form.hidden, '_section': 'vie\0ws', 'reason': ['quiet\0er']}
    saved = form.client.post(f'{form.address}/draft', data=typed)
    assert (saved.status_code, saved.json['revision']) == (200, 1)
    assert both_places.form().open().status_code == 200
