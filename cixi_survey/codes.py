"""Codes that people type, and references that they read out.

An invitation code has 12 characters of an alphabet of 24 without look-alikes and without vowels:
11 random ones (24^11 > 2^50) and a check character, written in three groups of four.  The check
(Luhn's of ISO/IEC 7812-1, carried to base 24; it needs an even base) tells a slip of the finger
from a code that does not exist.  Only a keyed hash is stored.

A check code is the other way round: the same on all letters and posters of a wave, and no secret.
It tells a resident that what is in hand belongs to a survey of this site.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata

from cixi_survey.errors import N_, Refusal

ALPHABET = '2346789CDFGHJKMNPQRTVWXY'
CODE_LENGTH = 12
REFERENCE_LENGTH = 9
CHECK_CODE_LENGTH = 6
_BASE = len(ALPHABET)
_VALUE = {character: value for value, character in enumerate(ALPHABET)}


class CodeMistyped(Refusal):
    """The text cannot be a code: wrong length, a wrong character, or the check fails."""

    status = 404
    code = 'code_mistyped'
    title = N_('This code is not complete or mistyped')
    message = N_('A code has 12 letters and digits, such as %(example)s; you entered “%(given)s”.')
    cure = N_('Please compare it with your letter, character by character, and enter it again.')

    def __init__(self, given: str) -> None:
        super().__init__(given=given[:40], example='7KQW-3MNP-X9DT')


def new_code() -> str:
    """An unguessable code with its check character, without separators."""
    return _with_check(CODE_LENGTH)


def derived_code(key: bytes, name: str) -> str:
    """The code that ``key`` (32 random bytes) gives to ``name``: as unguessable as the key.

    So a whole batch can be printed from a key that only the printing page knows.
    """
    return _derived(key, b'derived code\0' + name.encode(), CODE_LENGTH)


def check_code(slug: str, secret_key: str) -> str:
    """The code on letters and posters of a wave, which only this site can have made up."""
    return _derived(secret_key.encode(), b'check code\0' + slug.encode(), CHECK_CODE_LENGTH)


def _derived(key: bytes, message: bytes, length: int) -> str:
    number = int.from_bytes(hmac.new(key, message, hashlib.sha512).digest(), 'big')
    characters = []
    for _ in range(length - 1):
        number, value = divmod(number, _BASE)
        characters.append(ALPHABET[value])
    body = ''.join(characters)
    return body + _check_character(body)


def new_reference() -> str:
    """A receipt reference: 8 random characters and a check character."""
    return _with_check(REFERENCE_LENGTH)


def _with_check(length: int) -> str:
    body = ''.join(secrets.choice(ALPHABET) for _ in range(length - 1))
    return body + _check_character(body)


def normalise(given: str) -> str:
    """The code meant by what a person typed: any width, case and separators.

    Raises CodeMistyped.
    """
    text = _bare(given)
    if not _sound(text, CODE_LENGTH):
        raise CodeMistyped(given)
    return text


def is_code(given: str) -> bool:
    """Whether what was typed can be the code of a letter."""
    return _sound(_bare(given), CODE_LENGTH)


def normalise_reference(given: str) -> str | None:
    """The receipt reference meant, or None when it cannot be one."""
    text = _bare(given)
    return text if _sound(text, REFERENCE_LENGTH) else None


def normalise_check_code(given: str) -> str | None:
    """The check code meant, or None when it cannot be one."""
    text = _bare(given)
    return text if _sound(text, CHECK_CODE_LENGTH) else None


def grouped(code: str) -> str:
    """``7KQW-3MNP-X9DT``: as printed and shown; shorter ones in groups of three."""
    step = 4 if len(code) == CODE_LENGTH else 3
    return '-'.join(code[start : start + step] for start in range(0, len(code), step))


def hashed(code: str, secret_key: str) -> str:
    """The keyed hash (HMAC-SHA-256, hex) under which a normalised code is stored."""
    key = hashlib.sha256(b'invitation code\0' + secret_key.encode()).digest()
    return hmac.new(key, code.encode('ascii'), hashlib.sha256).hexdigest()


def _bare(given: str) -> str:
    text = unicodedata.normalize('NFKC', given).upper()
    return ''.join(character for character in text if character.isalnum())


def _sound(text: str, length: int) -> bool:
    if len(text) != length or any(character not in _VALUE for character in text):
        return False
    return _check_character(text[:-1]) == text[-1]


def _check_character(body: str) -> str:
    total = 0
    for position, character in enumerate(reversed(body)):
        addend = _VALUE[character] * (2 if position % 2 == 0 else 1)
        total += addend // _BASE + addend % _BASE
    return ALPHABET[-total % _BASE]
