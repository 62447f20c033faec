"""Drafts in the database: saved, guarded, undone, deleted; on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
import sqlalchemy as sa

from cixi_survey import access, clock
from cixi_survey.authoring import beginnings, drafts
from cixi_survey.authoring.drafts import DraftMoved, Edit, NothingToUndo, Writer
from cixi_survey.models import AuditEntry, QuestionnaireDraft, QuestionnaireDraftSave
from cixi_survey.questionnaire import definition
from tests import factories

NOW = clock.now()


@pytest.fixture
def zhang(database):
    with database.transaction() as session:
        return Writer('zhang', factories.staff(session, 'organiser').id)


@pytest.fixture
def wang(database):
    with database.transaction() as session:
        return Writer('wang', factories.staff(session, 'organiser', username='wang').id)


def create(database, writer, text=None):
    with database.transaction() as session:
        return drafts.create(session, text or beginnings.blank(), writer, NOW)


def save(database, draft, source, writer, *, seen, now=NOW, **named):
    with database.transaction() as session:
        edit = Edit(source, named.pop('act', 'edit'), **named)
        return drafts.save(session, draft.id, edit, writer, now, seen=seen)


def undo(database, draft, writer):
    with database.transaction() as session:
        return drafts.undo(session, draft.id, writer, NOW)


def states(database, draft):
    with database.reading() as session:
        return [(each.revision, each.source) for each in drafts.saves(session, draft.id)]


def source_of(database, draft):
    with database.reading() as session:
        return drafts.find(session, draft.id).source


def test_the_template_has_no_fault():
    assert definition.check_text(beginnings.blank()) == ()


def test_a_draft_keeps_its_file_as_it_was_given(database, zhang):
    draft = create(database, zhang, '\ufeff# 注\r\nformat: 1\r\ntitle: {zh: 公园}')
    assert source_of(database, draft) == '# 注\nformat: 1\ntitle: {zh: 公园}\n'
    assert draft.title == '公园'


def test_the_later_of_two_saves_neither_overwrites_nor_is_lost(database, zhang, wang):
    draft = create(database, zhang)
    save(database, draft, 'title: {zh: first}\n', zhang, seen=1)
    with pytest.raises(DraftMoved):
        save(database, draft, 'title: {zh: second}\n', wang, seen=1)
    assert source_of(database, draft) == 'title: {zh: first}\n'


def test_of_many_saves_at_once_each_is_stored_or_told(database, zhang):
    draft = create(database, zhang)

    def one(number):
        try:
            return save(database, draft, f'title: {{zh: t{number}}}\n', zhang, seen=1).revision
        except DraftMoved:
            return None

    with ThreadPoolExecutor(6) as pool:
        results = list(pool.map(one, range(6)))
    assert sorted(result or 0 for result in results) == [0, 0, 0, 0, 0, 2]


def test_undo_goes_back_step_by_step_and_can_itself_be_looked_up(database, zhang):
    draft = create(database, zhang, 'title: {zh: a}\n')
    save(database, draft, 'title: {zh: b}\n', zhang, seen=1)
    save(database, draft, 'title: {zh: c}\n', zhang, seen=2)
    assert undo(database, draft, zhang).source == 'title: {zh: b}\n'
    assert undo(database, draft, zhang).source == 'title: {zh: a}\n'
    with pytest.raises(NothingToUndo):
        undo(database, draft, zhang)
    assert states(database, draft)[0] == (5, 'title: {zh: a}\n')
    assert len(states(database, draft)) == 5


def test_a_change_after_an_undo_is_undone_to_where_it_began(database, zhang):
    draft = create(database, zhang, 'title: {zh: a}\n')
    save(database, draft, 'title: {zh: b}\n', zhang, seen=1)
    undo(database, draft, zhang)
    save(database, draft, 'title: {zh: d}\n', zhang, seen=3)
    assert undo(database, draft, zhang).source == 'title: {zh: a}\n'


def test_an_earlier_state_can_be_restored(database, zhang):
    draft = create(database, zhang, 'title: {zh: a}\n')
    save(database, draft, 'title: {zh: b}\n', zhang, seen=1)
    with database.transaction() as session:
        restored = drafts.restore(session, draft.id, 1, zhang, NOW)
    assert (restored.source, restored.title) == ('title: {zh: a}\n', 'a')
    assert undo(database, draft, zhang).source == 'title: {zh: b}\n'


def test_what_is_typed_in_one_go_is_one_step(database, zhang, wang):
    draft = create(database, zhang, 'title: {zh: a}\n')
    typing = {'subject': 'title', 'typing': True}
    save(database, draft, 'title: {zh: ab}\n', zhang, seen=1, **typing)
    save(database, draft, 'title: {zh: abc}\n', zhang, seen=2, **typing)
    later = NOW + timedelta(minutes=10)
    save(database, draft, 'title: {zh: abcd}\n', zhang, seen=3, now=later, **typing)
    save(database, draft, 'title: {zh: abcde}\n', wang, seen=4, now=later, **typing)
    assert [number for number, _text in states(database, draft)] == [5, 4, 3, 1]
    found = [undo(database, draft, zhang).source for _ in range(3)]
    assert found == ['title: {zh: abcd}\n', 'title: {zh: abc}\n', 'title: {zh: a}\n']


def test_a_save_without_a_change_is_none(database, zhang):
    draft = create(database, zhang)
    assert save(database, draft, draft.source, zhang, seen=1).revision == 1


def test_only_the_last_states_are_kept(database, zhang, monkeypatch):
    monkeypatch.setattr(drafts, 'SAVES_KEPT', 3)
    draft = create(database, zhang, 'title: {zh: a}\n')
    for number in range(1, 6):
        save(database, draft, f'title: {{zh: t{number}}}\n', zhang, seen=number)
    assert [number for number, _text in states(database, draft)] == [6, 5, 4]
    assert undo(database, draft, zhang).source == 'title: {zh: t4}\n'
    with pytest.raises(NothingToUndo):
        undo(database, draft, zhang)


def test_a_deleted_draft_leaves_a_record_and_its_number_to_nobody(database, zhang):
    draft = create(database, zhang)
    save(database, draft, 'title: {zh: b}\n', zhang, seen=1)
    with database.transaction() as session:
        drafts.delete(session, draft.id, zhang, NOW)
    with database.reading() as session:
        assert session.scalar(sa.select(sa.func.count(QuestionnaireDraft.id))) == 0
        assert session.scalars(sa.select(QuestionnaireDraftSave)).all() == []
        acts = session.scalars(sa.select(AuditEntry.action).order_by(AuditEntry.id)).all()
        with pytest.raises(access.NotFound):
            drafts.find(session, draft.id)
    assert acts == ['draft.create', 'draft.delete']
    assert create(database, zhang).id != draft.id


def test_the_number_of_faults_is_kept_with_each_state(database, zhang):
    draft = create(database, zhang)
    save(database, draft, draft.source.replace('name: age', 'name: Age'), zhang, seen=1)
    with database.reading() as session:
        faults = [each.faults for each in drafts.saves(session, draft.id)]
    assert faults[1] == 0
    assert faults[0] > 0
