"""QR codes of addresses, readable when a quarter of them is damaged."""

from __future__ import annotations

import io

import segno


def inline(address: str) -> str:
    """The code as SVG to stand in a page, without styles."""
    made = segno.make(address, error='q', micro=False)
    return made.svg_inline(scale=1, border=4, omitsize=True, svgclass='qr', lineclass=None)


def file(address: str) -> bytes:
    """The code as an SVG file for posters."""
    out = io.BytesIO()
    segno.make(address, error='q', micro=False).save(out, kind='svg', scale=10, border=4)
    return out.getvalue()
