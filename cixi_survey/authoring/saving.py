"""How the editor's views read and save a draft."""

from __future__ import annotations

from collections.abc import Callable

from cixi_survey import access, clock, database
from cixi_survey.authoring import drafts
from cixi_survey.authoring.drafts import DraftMoved, Edit, Writer
from cixi_survey.models import QuestionnaireDraft

ATTEMPTS = 8


def writer() -> Writer:
    """The signed-in person as a writer."""
    person = access.signed_in()
    return Writer(person.username, person.staff_id)


def read(draft_id: int) -> QuestionnaireDraft:
    """A draft as it is now.  Raises access.NotFound."""
    with database.reading() as session:
        return drafts.find(session, draft_id)


def save(draft_id: int, make: Callable[[QuestionnaireDraft], Edit]) -> QuestionnaireDraft:
    """Save what ``make`` makes of the newest state; made again when somebody else was faster.

    The file is changed and checked before the transaction, which then only compares the revision:
    residents who send their answers do not wait for an author's YAML.  Raises what ``make`` does.
    """
    for attempt in range(ATTEMPTS):
        draft = read(draft_id)
        edit = make(draft)
        try:
            with database.transaction() as session:
                return drafts.save(
                    session, draft_id, edit, writer(), clock.now(), seen=draft.revision
                )
        except DraftMoved:
            if attempt + 1 == ATTEMPTS:
                raise
    raise AssertionError('the last attempt returns or raises')
