"""Typing a code: slips are told from unknown codes, and nobody holds up the village."""

import pytest

from cixi_survey import codes


def enter(client, code, **keywords):
    return client.post('/i', data={'csrf_token': client.token(), 'code': code}, **keywords)


def mistyped(code):
    return code[:-1] + ('C' if code[-1] != 'C' else 'D')


@pytest.mark.parametrize('way', [str, str.lower, codes.grouped, lambda code: ' '.join(code)])
def test_a_code_is_taken_in_any_spelling_and_leads_to_the_questionnaire(place, way):
    client = place.app.test_client()
    assert enter(client, way(place.code)).location == f'/i/{place.code}'
    assert client.get('/i', query_string={'code': way(place.code)}).location == f'/i/{place.code}'
    assert client.get(f'/i/{way(place.code)}').status_code == 200


def test_a_slip_of_the_finger_and_an_unknown_code_are_told_apart_and_stay_in_the_field(place):
    client = place.app.test_client()
    slip = enter(client, mistyped(place.code))
    assert slip.status_code == 422
    assert mistyped(place.code) in slip.get_data(as_text=True)
    assert '查不到' not in slip.get_data(as_text=True)
    unknown = client.get(f'/i/{codes.new_code()}')
    assert unknown.status_code == 404
    assert '查不到这个邀请码' in unknown.get_data(as_text=True)
    nothing = enter(client, '  ')
    assert nothing.status_code == 422
    assert '请输入邀请信上的邀请码' in nothing.get_data(as_text=True)


def test_guessing_is_slowed_down_by_address_and_a_good_code_never(place):
    client = place.app.test_client()
    for _ in range(10):
        assert client.get(f'/i/{codes.new_code()}').status_code == 404
    assert client.get(f'/i/{codes.new_code()}').status_code == 429
    assert enter(client, mistyped(place.code)).status_code == 429
    assert client.get(f'/i/{place.code}').status_code == 200
    assert place.form().send().status_code == 303
    elsewhere = client.get(f'/i/{codes.new_code()}', environ_base={'REMOTE_ADDR': '10.0.0.9'})
    assert elsewhere.status_code == 404


def test_good_codes_are_not_counted(place):
    client = place.app.test_client()
    for _ in range(15):
        assert client.get(f'/i/{place.code}').status_code == 200


def test_an_old_page_does_no_harm_where_nothing_is_written(place):
    assert place.app.test_client().post('/i', data={'code': place.code}).status_code == 303


def test_unknown_waves_have_a_page(client):
    assert client.get('/s/none').status_code == 404
