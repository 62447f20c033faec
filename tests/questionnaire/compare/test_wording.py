"""Two texts side by side: which pieces differ, and whether that matters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cixi_survey.questionnaire.compare import wording

CLOSENESS = [
    ('您满意吗？', '您满意吗？', 'same'),
    ('您满意吗？', '您满意吗 ?', 'layout'),
    ('18—29岁', '18-29岁', 'layout'),
    ('１８岁及以上', '18岁及以上', 'layout'),
    ('Don’t know', "Don't know", 'layout'),
    ('对您住的这一带的环境满意嘛？', '对您住的这一带的环境满意吗？', 'small'),
    ('How many adults live in you home?', 'How many adults live in your home?', 'small'),
    ('您对环境满意吗？', '您对环境不满意吗？', 'large'),
    ('最近12个月里做过的事', '最近6个月里做过的事', 'large'),
    ('1.5公里以内怎么走？', '15公里以内怎么走？', 'large'),
    ('How satisfied are you?', 'How dissatisfied are you?', 'large'),
    ('满意', '比较满意', 'large'),
    ('总的来说，您满意吗？', '您满意吗？', 'large'),
    ('', '请照实回答。', 'large'),
]


@pytest.mark.parametrize(('old', 'new', 'closeness'), CLOSENESS)
def test_how_far_two_texts_are_apart(old: str, new: str, closeness: str) -> None:
    assert wording.closeness(old, new) == closeness
    assert wording.closeness(new, old) == closeness


def test_chinese_is_compared_sign_by_sign_and_english_word_by_word() -> None:
    chinese = wording.difference('您对空气满意吗？', '您对水质满意吗？')
    assert [(piece.kind, piece.text) for piece in chinese] == [
        ('same', '您对'),
        ('removed', '空气'),
        ('added', '水质'),
        ('same', '满意吗？'),
    ]
    english = wording.difference('How is the air here?', 'How is the water here?')
    assert [(piece.kind, piece.text) for piece in english] == [
        ('same', 'How is the '),
        ('removed', 'air'),
        ('added', 'water'),
        ('same', ' here?'),
    ]


@given(st.text(max_size=60), st.text(max_size=60))
def test_the_pieces_make_up_both_texts(old: str, new: str) -> None:
    pieces = wording.difference(old, new)
    assert ''.join(piece.text for piece in pieces if piece.kind != 'added') == old
    assert ''.join(piece.text for piece in pieces if piece.kind != 'removed') == new
    assert all(piece.text for piece in pieces)


def test_only_the_languages_that_differ_are_named() -> None:
    found = wording.text_changes({'zh': '水', 'en': 'Water'}, {'zh': '水', 'en': 'The water'})
    assert [(change.language, change.old, change.new) for change in found] == [
        ('en', 'Water', 'The water')
    ]
    assert wording.text_changes(None, {'zh': '水'})[0].pieces == (wording.Piece('added', '水'),)
