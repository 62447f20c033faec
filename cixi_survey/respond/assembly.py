"""A page with a few changing values, put together without rendering or compressing it again.

Most of the time of a small answer goes into compressing a page that is nearly always the same.
Deflate allows to do that once: each fixed part is compressed alone and ends on a byte boundary
(a full flush), the values stand between them as stored blocks, and only the checksum over the whole
is made anew.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Mapping

from flask import Response
from werkzeug.datastructures import Accept

_MARK = re.compile('\x00([a-z]+)\x00')
_GZIP_HEADER = b'\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff'
_LAST_BLOCK = b'\x01\x00\x00\xff\xff'
_LONGEST_STORED = 65_535


class Parts:
    """The fixed parts of a page around its marks (``\\x00name\\x00``)."""

    def __init__(self, page: str) -> None:
        pieces = _MARK.split(page)
        self._fixed = [piece.encode() for piece in pieces[::2]]
        self._packed = [_packed(piece) for piece in self._fixed]
        self._names = pieces[1::2]
        self.fingerprint = hashlib.sha256('\x00'.join(pieces[::2]).encode()).hexdigest()[:24]

    def response(self, values: Mapping[str, str], accepted: Accept) -> Response:
        """The page with its values; they must be safe to stand in HTML."""
        between = [values[name].encode() for name in self._names]
        if accepted['gzip'] > 0:
            response = Response(self._gzip(between), mimetype='text/html')
            response.headers['Content-Encoding'] = 'gzip'
        else:
            response = Response(self._plain(between), mimetype='text/html')
        response.vary.add('Accept-Encoding')
        return response

    def _plain(self, between: list[bytes]) -> bytes:
        pieces = [self._fixed[0]]
        for value, piece in zip(between, self._fixed[1:], strict=True):
            pieces += (value, piece)
        return b''.join(pieces)

    def _gzip(self, between: list[bytes]) -> bytes:
        pieces = [_GZIP_HEADER, self._packed[0]]
        for value, packed in zip(between, self._packed[1:], strict=True):
            pieces += (_stored(value), packed)
        plain = self._plain(between)
        pieces += (_LAST_BLOCK, struct.pack('<II', zlib.crc32(plain), len(plain) & 0xFFFFFFFF))
        return b''.join(pieces)


def _packed(piece: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS, 9)
    return packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)


def _stored(value: bytes) -> bytes:
    assert len(value) <= _LONGEST_STORED
    return struct.pack('<BHH', 0, len(value), len(value) ^ 0xFFFF) + value
