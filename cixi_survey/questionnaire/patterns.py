"""Patterns for ``regex()``: what Python and browsers read alike.

A pattern is read piece by piece, and a piece that is not named here is refused: look-around, back
references, flags, repeated groups.  So the time for an answer grows with a small power of its
length and never explodes; whoever publishes a pattern over long texts should still try it.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Each of these is another loop within the one before: three of them over a whole answer is enough.
MAX_LOOPS = 3
MAX_OPTIONAL = 10

_ESCAPED = r'\\[\^$\\.*+?()\[\]{}|/]'
_IN_SET = rf'(?:{_ESCAPED}|\\-|[^\\\[\]^&~|-]|&(?!&)|~(?!~)|\|(?!\|))'
_PIECE = re.compile(
    rf"""
    (?: (?:
          \[\^?(?:\\[dDwW]|{_IN_SET}-{_IN_SET}|{_IN_SET})+-?\]
        | \\[dDwW]
        | {_ESCAPED}
        | [^\^$\\*+?()\[\]{{}}|]
        )
        (?: (?P<loop>[*+]|\{{[0-9]{{1,3}},[0-9]{{0,3}}\}})\??
          | (?P<optional>\?)\??
          | \{{[0-9]{{1,3}}\}}
        )?
    )
    | (?P<open>\((?:\?:)?(?!\?))
    | (?P<close>\)(?P<optional_group>\?)?)
    | \|
    | \A\^
    | \$\Z
    """,
    re.VERBOSE,
)


def fault(pattern: str) -> tuple[int, str] | None:
    """Where and what in the pattern cannot be used; None when it is right."""
    at = depth = loops = optional = 0
    while at < len(pattern):
        piece = _PIECE.match(pattern, at)
        if piece is None:
            return at, pattern[at : at + 2]
        depth += (piece['open'] is not None) - (piece['close'] is not None)
        loops += piece['loop'] is not None
        optional += bool(piece['optional'] or piece['optional_group'])
        if depth < 0 or loops > MAX_LOOPS or optional > MAX_OPTIONAL:
            return at, piece[0]
        at = piece.end()
    if depth:
        return pattern.index('('), '('
    try:
        compiled(pattern)
    except re.error as error:
        return error.pos or 0, pattern
    return None


@lru_cache(maxsize=256)
def compiled(pattern: str) -> re.Pattern[str]:
    """The pattern ready to match; digits and letters of ``\\d`` and ``\\w`` are ASCII."""
    return re.compile(pattern, re.ASCII)
