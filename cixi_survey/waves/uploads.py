"""A file between preview and confirmation: it travels in the page, nothing is stored meanwhile."""

from __future__ import annotations

import base64
import binascii
import zlib

from cixi_survey.errors import N_, Problem, ProblemsFound

MAXIMUM_BYTES = 7 * 1024 * 1024


def pack(content: bytes) -> str:
    """``content`` as a text for a hidden field."""
    return base64.b64encode(zlib.compress(content, 9)).decode('ascii')


def unpack(text: str) -> bytes:
    """The file in a hidden field.  Raises ProblemsFound when the text was damaged."""
    inflating = zlib.decompressobj()
    try:
        content = inflating.decompress(base64.b64decode(text, validate=True), MAXIMUM_BYTES)
    except (binascii.Error, ValueError, zlib.error):
        content = b''
    if not content or not inflating.eof:
        raise ProblemsFound(
            [
                Problem(
                    'file',
                    'parcel_broken',
                    N_('The file did not arrive whole.'),
                    N_('Upload it once more.'),
                )
            ]
        )
    return content


def receive(content: bytes) -> bytes:
    """An uploaded file as it is.  Raises ProblemsFound when it is too large."""
    if len(content) > MAXIMUM_BYTES:
        raise ProblemsFound(
            [
                Problem(
                    'file',
                    'file_large',
                    N_('The file is larger than %(megabytes)s MB.'),
                    N_('Leave out columns that are not needed.'),
                    {'megabytes': MAXIMUM_BYTES // 1024 // 1024},
                )
            ]
        )
    return content
