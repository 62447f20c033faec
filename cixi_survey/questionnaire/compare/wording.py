"""Two texts: the pieces that differ, and how far apart they are.

Chinese is compared sign by sign, other scripts word by word.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Literal

Closeness = Literal['same', 'layout', 'small', 'large']
ORDER: tuple[Closeness, ...] = ('same', 'layout', 'small', 'large')

_TOKEN = re.compile(r"[^\W_\u3400-\u9fff]+(?:['’][^\W_\u3400-\u9fff]+)?|\s+|.", re.DOTALL)
_SMALL_TOKENS = 2
_SMALL_SHARE = 0.2
# A change of one of these can turn a sentence round, however short it is.
_WEIGHTY = frozenset(
    {
        *'不没无非未否别勿都只仅最每各全常总必须该可能会曾已更较很太',
        *('not', 'no', 'never', 'none', 'without', 'only', 'all', 'every', 'most', 'more', 'less'),
        *('always', 'often', 'must', 'should', 'may', 'can', 'could', 'would', 'will', 'very'),
        *('too', 'ever', 'already'),
    }
)


@dataclass(frozen=True)
class Piece:
    """A stretch of text: ``same`` in both, ``removed`` from the old or ``added`` in the new."""

    kind: Literal['same', 'removed', 'added']
    text: str


@dataclass(frozen=True)
class TextChange:
    """A text in one language before and after; an empty one was not there.

    ``closeness``: ``layout`` is punctuation, width and blanks; ``small`` is a word or two that
    carry no weight, such as a misspelling; all else is ``large``.
    """

    language: str
    old: str
    new: str

    @property
    def closeness(self) -> Closeness:
        return closeness(self.old, self.new)

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return difference(self.old, self.new)


def text_changes(
    old: Mapping[str, str] | None, new: Mapping[str, str] | None
) -> tuple[TextChange, ...]:
    """The languages in which two texts differ, those of ``new`` first."""
    before, after = old or {}, new or {}
    languages = dict.fromkeys([*after, *before])
    return tuple(
        TextChange(language, before.get(language, ''), after.get(language, ''))
        for language in languages
        if before.get(language, '') != after.get(language, '')
    )


def difference(old: str, new: str) -> tuple[Piece, ...]:
    """The pieces of both texts in order: joined without the added ones they are ``old``."""
    before, after = _TOKEN.findall(old), _TOKEN.findall(new)
    found: list[Piece] = []
    for a_from, a_to, b_from, b_to, same in _stretches(before, after):
        if same:
            found.append(Piece('same', ''.join(before[a_from:a_to])))
            continue
        if a_to > a_from:
            found.append(Piece('removed', ''.join(before[a_from:a_to])))
        if b_to > b_from:
            found.append(Piece('added', ''.join(after[b_from:b_to])))
    return tuple(found)


def _stretches(
    before: Sequence[str], after: Sequence[str]
) -> list[tuple[int, int, int, int, bool]]:
    """Where the texts agree and where not; a single sign between two changes is no agreement."""
    codes = SequenceMatcher(None, before, after, autojunk=False).get_opcodes()
    found: list[tuple[int, int, int, int, bool]] = []
    for place, (tag, *ends) in enumerate(codes):
        same = tag == 'equal' and not (
            0 < place < len(codes) - 1 and ends[1] - ends[0] == 1 and not before[ends[0]].isalnum()
        )
        if found and not same and not found[-1][4]:
            last = found.pop()
            found.append((last[0], ends[1], last[2], ends[3], False))
        else:
            found.append((ends[0], ends[1], ends[2], ends[3], same))
    return found


def closeness(old: str, new: str) -> Closeness:
    """How far two texts are apart."""
    if old == new:
        return 'same'
    before, after = _words(old), _words(new)
    if before == after:
        return 'layout'
    gone, come = _only(before, after)
    changed = {*gone, *come}
    most = min(_SMALL_TOKENS, _SMALL_SHARE * max(len(before), len(after)))
    weighty = any(word in _WEIGHTY or any(map(str.isdigit, word)) for word in changed)
    small = max(len(gone), len(come)) <= most and not weighty
    return 'small' if before and after and small else 'large'


def _words(text: str) -> list[str]:
    """What is said, without punctuation; a sign between two digits stays, as in 1.5 and 18–29."""
    plain = unicodedata.normalize('NFKC', text).casefold()
    plain = re.sub(r'(?<=\d)\s*[-–—~～至到]+\s*(?=\d)', '–', plain)
    kept = re.findall(r"(?<=\d)[.:,/–](?=\d)|[^\W_]+(?:['’][^\W_]+)?", plain)
    return [token for word in kept for token in _TOKEN.findall(word.replace('’', "'"))]


def _only(before: Sequence[str], after: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words that only the one has and those that only the other has."""
    gone: list[str] = []
    come: list[str] = []
    for tag, *ends in SequenceMatcher(None, before, after, autojunk=False).get_opcodes():
        if tag != 'equal':
            gone += before[ends[0] : ends[1]]
            come += after[ends[2] : ends[3]]
    return gone, come


def furthest(found: Sequence[TextChange]) -> Closeness:
    """The largest of some changes."""
    return max((each.closeness for each in found), key=ORDER.index, default='same')
