"""A picture of a survey to pass on: what it is, until when, and the code of its open link.

It is the same for everybody: nothing of the person who passes it on is in it.
"""

from __future__ import annotations

import io
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import segno

if TYPE_CHECKING:
    from PIL import ImageDraw, ImageFont

FONTS = Path(__file__).parent.parent / 'fonts'
WIDTH, HEIGHT, MARGIN = 750, 1000, 60
PAPER, DEEP, BRAND, TIDE, INK, MUTED, WHITE = (
    '#f4f8f5',
    '#0b4b43',
    '#0a5f54',
    '#7fc4b0',
    '#12241f',
    '#475a53',
    '#ffffff',
)
QUIET_MODULES = 4


def png(*, service: str, title: str, lines: tuple[str, ...], address: str) -> bytes:
    """The picture as PNG, 750 × 1000 pixels.

    ``service`` stands in the band at the top, ``title`` large below it, ``lines`` under it, the QR
    code of ``address`` and the address itself at the bottom.
    """
    from PIL import Image, ImageDraw

    image = Image.new('RGB', (WIDTH, HEIGHT), PAPER)
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 0, WIDTH, 130), fill=DEEP)
    for left, right, colour in ((0, 0.38, BRAND), (0.38, 0.82, TIDE), (0.82, 1, PAPER)):
        draw.rectangle((left * WIDTH, 130, right * WIDTH, 138), fill=colour)
    draw.text((MARGIN, 65), service, font=_font('Bold', 36), fill=WHITE, anchor='lm')
    below = _write(draw, title, 190, size=54, weight='Bold', fill=INK, most=3)
    for line in lines:
        below = _write(draw, line, below + 12, size=30, weight='Regular', fill=MUTED, most=2)
    _code(draw, address, top=HEIGHT - 440, size=320)
    shown = address.partition('://')[2]
    draw.text((WIDTH / 2, HEIGHT - 60), shown, font=_fitting(shown), fill=BRAND, anchor='mm')
    kept = io.BytesIO()
    image.quantize(64).save(kept, 'PNG', optimize=True)
    return kept.getvalue()


@cache
def _font(weight: str, size: int) -> ImageFont.FreeTypeFont:
    from PIL import ImageFont

    return ImageFont.truetype(str(FONTS / f'CixiSans-{weight}.otf'), size)


def _fitting(text: str) -> ImageFont.FreeTypeFont:
    """The largest type in which ``text`` fits between the margins."""
    for size in range(30, 14, -2):
        if _font('Regular', size).getlength(text) <= WIDTH - 2 * MARGIN:
            break
    return _font('Regular', size)


def _write(
    draw: ImageDraw.ImageDraw,
    text: str,
    top: float,
    *,
    size: int,
    weight: str,
    fill: str,
    most: int,
) -> float:
    """Write ``text`` on at most ``most`` lines; gives where the last one ends."""
    font = _font(weight, size)
    for line in _lines(text, font)[:most]:
        draw.text((MARGIN, top), line, font=font, fill=fill)
        top += size * 1.4
    return top


def _lines(text: str, font: ImageFont.FreeTypeFont) -> list[str]:
    """``text`` broken to the width: between words where there are blanks, else anywhere."""
    lines = ['']
    for piece in _pieces(text):
        if lines[-1] and font.getlength(lines[-1] + piece.rstrip()) > WIDTH - 2 * MARGIN:
            lines.append('')
        lines[-1] += piece
    return [line.strip() for line in lines]


def _pieces(text: str) -> list[str]:
    """What must stay together: words of letters with their blank, single Chinese characters."""
    pieces = ['']
    for character in text:
        together = pieces[-1] and character.isascii() and pieces[-1][-1].isascii()
        closing = character in '，。、；：！？）》”'
        if (together and pieces[-1][-1] != ' ') or closing:
            pieces[-1] += character
        else:
            pieces.append(character)
    return pieces


def _code(draw: ImageDraw.ImageDraw, address: str, *, top: int, size: int) -> None:
    matrix = [list(row) for row in segno.make(address, error='m', micro=False).matrix]
    module = size // (len(matrix) + 2 * QUIET_MODULES)
    side = module * (len(matrix) + 2 * QUIET_MODULES)
    left = (WIDTH - side) // 2
    draw.rectangle((left, top, left + side, top + side), fill=WHITE)
    for row, line in enumerate(matrix):
        for column, dark in enumerate(line):
            if dark:
                x = left + (column + QUIET_MODULES) * module
                y = top + (row + QUIET_MODULES) * module
                draw.rectangle((x, y, x + module - 1, y + module - 1), fill=INK)
