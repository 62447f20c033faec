"""How the editor's views read and save a draft."""

from __future__ import annotations

from collections.abc import Callable

from cixi_survey import access, clock, database
from cixi_survey.authoring import drafts, reading
from cixi_survey.authoring.drafts import DraftMoved, Edit, Writer
from cixi_survey.authoring.reading import Reading
from cixi_survey.errors import N_, Refusal
from cixi_survey.models import QuestionnaireDraft

ATTEMPTS = 8


class FileUnreadable(Refusal):
    """The file has a fault of form, so no part of it can be found."""

    code = 'file_unreadable'
    title = N_('The file must be mended first')
    message = N_('Its parts cannot be told from each other, so the forms cannot change them.')
    cure = N_('Mend the file itself, or undo the last change.')


def writer() -> Writer:
    """The signed-in person as a writer."""
    person = access.signed_in()
    return Writer(person.username, person.staff_id)


def read(draft_id: int) -> QuestionnaireDraft:
    """A draft as it is now.  Raises access.NotFound."""
    with database.reading() as session:
        return drafts.find(session, draft_id)


def editable(draft: QuestionnaireDraft) -> Reading:
    """What a draft reads as, to be changed part by part.  Raises FileUnreadable."""
    found = reading.of(draft.source)
    if not found.editable:
        raise FileUnreadable
    return found


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
