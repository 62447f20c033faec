"""A mobile number or an e-mail address: what people type, brought into one form, and sealed."""

from __future__ import annotations

import hashlib
import hmac
import re
import unicodedata

from cixi_survey import vault
from cixi_survey.errors import N_, Problem, ProblemsFound

_MOBILE = re.compile(r'1[3-9][0-9]{9}')
_EMAIL = re.compile(r'[^@\s,;<>"()]{1,64}@[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+')
LONGEST = 200


def normalise(given: str) -> str:
    """The mobile number (11 digits) or e-mail address meant by ``given``.

    Raises ProblemsFound for the field ``contact``.
    """
    text = unicodedata.normalize('NFKC', given).strip()
    if not text:
        raise _problem(
            'contact_missing', N_('Please write a mobile number or an e-mail address.'), ''
        )
    digits = re.sub(r'[\s()-]', '', text)
    digits = re.sub(r'^(\+86|0086)', '', digits)
    if _MOBILE.fullmatch(digits):
        return digits
    address = text.lower()
    if len(address) <= LONGEST and _EMAIL.fullmatch(address):
        return address
    if '@' in text:
        raise _problem(
            'contact_email',
            N_('This is not a complete e-mail address.'),
            N_('It looks like name@example.cn, without spaces.'),
        )
    raise _problem(
        'contact_mobile',
        N_('This is not a mobile number.'),
        N_('A mobile number has 11 digits, such as 138 0000 0000.'),
    )


def _problem(code: str, message: str, cure: str) -> ProblemsFound:
    return ProblemsFound([Problem('contact', code, message, cure)])


def ending(contact: str) -> str:
    """What may be shown of a contact so that its owner knows it: the last characters."""
    name, at, domain = contact.partition('@')
    return f'{name[:1]}…@{domain}' if at else f'…{contact[-4:]}'


class Vault:
    """Seals contacts and finds them again; its keys come from the secret key of the site."""

    def __init__(self, secret_key: str) -> None:
        self._vault = vault.Vault(secret_key, 'contact sealing')
        self._finding = _key(secret_key, b'contact finding')

    def seal(self, contact: str) -> str:
        """``contact`` encrypted, without the moment at which somebody signed up."""
        return self._vault.lock(contact)

    def open(self, sealed: str) -> str:
        """What was sealed.  Raises vault.Unreadable when the secret key has changed."""
        return self._vault.open(sealed)

    def fingerprint(self, wave_id: int, contact: str) -> str:
        """The keyed hash by which the same contact is known again within a wave."""
        return self._hashed(f'{wave_id} {contact}')

    def removal(self, number: str) -> str:
        """The keyed hash of the number by which a contact is taken off the list."""
        return self._hashed(f'removal {number}')

    def _hashed(self, text: str) -> str:
        return hmac.new(self._finding, text.encode(), hashlib.sha256).hexdigest()


def _key(secret_key: str, purpose: bytes) -> bytes:
    return hmac.new(secret_key.encode(), purpose, hashlib.sha256).digest()
