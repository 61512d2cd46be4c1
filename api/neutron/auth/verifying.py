"""Checks passwords and secrets of the directory's users.

A check is slow on purpose. It is done in threads of its own, two at a time, so that a flood of
wrong passwords takes neither the event loop nor the readers' threads; and a password that was
right isn't worked out again while its hash stays, since HTTP basic brings it with each request.
"""

import hashlib
import hmac
import secrets
from collections import OrderedDict
from typing import Final

from anyio import CapacityLimiter, to_thread

from api.neutron.auth.passwords import LONGEST_PASSWORD, check_password, hash_password

CHECKS: Final = 2
"""How many checks run at a time."""
KNOWN: Final = 1024
"""How many right passwords are recognised."""


class Passwords:
    """Belongs to one event loop."""

    def __init__(self) -> None:
        self._limiter = CapacityLimiter(CHECKS)
        self._key = secrets.token_bytes(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._no_user = hash_password(secrets.token_urlsafe())

    async def check(self, password: str, password_hash: str | None) -> bool:
        """Tell whether a password is right. None stands for a user who isn't there.

        What isn't there is found out as slowly as what is wrong, so that time doesn't tell who
        is there.
        """
        if len(password) > LONGEST_PASSWORD:
            return False
        mark = self._mark(password, password_hash or self._no_user)
        if mark in self._right:
            self._right.move_to_end(mark)
            return True
        is_right = await to_thread.run_sync(
            check_password, password, password_hash or self._no_user, limiter=self._limiter
        )
        if password_hash is None or not is_right:
            return False
        self._right[mark] = None
        while len(self._right) > KNOWN:
            self._right.popitem(last=False)
        return True

    def _mark(self, password: str, password_hash: str) -> bytes:
        """Return what stands for a password and its hash, and can't be guessed from outside."""
        said = f"{password_hash}\n{password}".encode("utf-8", "surrogatepass")
        return hmac.new(self._key, said, hashlib.sha256).digest()
