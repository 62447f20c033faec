"""One person at one draft, who opens and sends the forms of the editor."""

from __future__ import annotations

from cixi_survey import clock
from cixi_survey.authoring import beginnings, drafts, reading
from cixi_survey.authoring.drafts import Writer
from tests import factories
from tests.authoring.forms import Form

BASELINE = factories.BASELINE.read_text(encoding='utf-8')
BLANK = beginnings.blank()


def text(response):
    return response.get_data(as_text=True)


class Desk:
    """One person at one draft."""

    def __init__(self, client, database, staff, source):
        self.client, self.database = client, database
        with database.transaction() as session:
            writer = Writer(staff.username, staff.id)
            self.id = drafts.create(session, source, writer, clock.now()).id
        self.address = f'/staff/questionnaires/drafts/{self.id}'

    def source(self):
        with self.database.reading() as session:
            return drafts.find(session, self.id).source

    def data(self, *path):
        return reading.of(self.source()).value(path)

    def form(self, part):
        page = self.client.get(f'{self.address}/{part}?lang=en')
        assert page.status_code == 200, part
        return Form(text(page))

    def send(self, part, do='save', **changes):
        form = self.form(part)
        return self.client.post(form.action, data=form.sent(do, **changes))

    def saved(self, part, do='save', **changes):
        """Send the form of a part and return the form of where one is then."""
        done = self.send(part, do, **changes)
        assert done.status_code == 303, text(done)
        return Form(text(self.client.get(done.location)))
