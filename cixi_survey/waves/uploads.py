"""A file between preview and confirmation: it travels in the page, nothing is stored meanwhile."""

from __future__ import annotations

import base64
import lzma

from cixi_survey.errors import N_, Problem, ProblemsFound

MAXIMUM_BYTES = 7 * 1024 * 1024
MAXIMUM_PARCEL = 900 * 1024  # the site takes forms of 1 MB


def pack(content: bytes) -> str:
    """``content`` as a text for a hidden field.  Raises ProblemsFound when it is too large."""
    parcel = base64.b85encode(lzma.compress(content)).decode('ascii')
    if len(parcel) > MAXIMUM_PARCEL:
        raise ProblemsFound([_too_large()])
    return parcel


def unpack(text: str) -> bytes:
    """The file in a hidden field.  Raises ProblemsFound when the text was damaged."""
    unpacking = lzma.LZMADecompressor(memlimit=64 * 1024 * 1024)
    try:
        content = unpacking.decompress(base64.b85decode(text), MAXIMUM_BYTES)
    except (ValueError, lzma.LZMAError):
        content = b''
    if not content or not unpacking.eof:
        message = N_('The file did not arrive whole.')
        cure = N_('Upload it once more.')
        raise ProblemsFound([Problem('file', 'parcel_broken', message, cure)])
    return content


def receive(content: bytes) -> bytes:
    """An uploaded file as it is.  Raises ProblemsFound when it is too large."""
    if len(content) > MAXIMUM_BYTES:
        raise ProblemsFound([_too_large()])
    return content


def _too_large() -> Problem:
    return Problem(
        'file',
        'file_large',
        N_('The file is too large to be checked in one piece (about 100,000 rows).'),
        N_('Leave out columns and rows that are not needed.'),
    )
