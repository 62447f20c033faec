"""One response for one person, whatever the network, the phone and the person do."""

import json


def test_an_invited_answer_is_stored_once_with_its_design_and_gives_a_receipt(both_places):
    form = both_places.form()
    sent = form.send()
    assert sent.status_code == 303, sent.get_data(as_text=True)
    (stored,) = both_places.responses()
    assert sent.location == f'/receipt/{stored.reference}'
    assert (stored.stream, stored.outcome, stored.language) == ('probability', 'complete', 'zh')
    assert (stored.stratum, stored.base_weight) == ('330282004', 200)
    assert json.loads(stored.answers)['did'] == ['sorted']
    assert both_places.outcome() == 'complete'
    page = form.client.get(sent.location).get_data(as_text=True)
    assert stored.reference[:3] in page
