"""Texts under lock: encrypted with a key that comes from the secret key of the site.

Whoever has the database alone, or a copy of it, cannot read them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac

from cixi_survey.errors import N_, Refusal


class Unreadable(Refusal):
    """The text was locked with another secret key."""

    code = 'unreadable'
    title = N_('This cannot be unlocked')
    message = N_('It was locked with another secret key than the one of this site.')
    cure = N_('Start the site with the CIXI_SECRET_KEY that it had at that time.')


class Vault:
    """Locks and opens the texts of one ``purpose``; another purpose has another key."""

    def __init__(self, secret_key: str, purpose: str) -> None:
        digest = hmac.new(secret_key.encode(), purpose.encode(), hashlib.sha256).digest()
        self._key = base64.urlsafe_b64encode(digest)

    def lock(self, text: str) -> str:
        """``text`` encrypted and authenticated (Fernet: AES-128-CBC with HMAC-SHA-256)."""
        from cryptography.fernet import Fernet

        # Fernet writes a moment into what it locks; there is none to tell.
        return Fernet(self._key).encrypt_at_time(text.encode(), current_time=0).decode('ascii')

    def open(self, locked: str) -> str:
        """What was locked.  Raises Unreadable."""
        from cryptography.fernet import Fernet, InvalidToken

        try:
            return Fernet(self._key).decrypt(locked).decode()
        except InvalidToken as error:
            raise Unreadable from error
