"""The tokens that the identity service issues: signed, and remembered nowhere.

A token says whose it is, for which project, and when it ends, and carries a signature by a key
that the server makes when it starts. So there is no store of tokens that could be filled, and
all tokens end with the server; clients then show their password again. What its bearer may do
isn't in a token but looked up each time: who is taken out of the file, has lost a role or got
another password is concerned at once.

Tokens that were revoked are remembered until they would have ended anyway.
"""

import base64
import binascii
import hashlib
import hmac
import secrets
from collections import OrderedDict
from typing import Final

import msgspec

LONGEST_TOKEN: Final = 4096
"""Characters."""
REVOKED_OF_ONE: Final = 1000
"""How many revoked tokens of a user are remembered one by one."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What a token says. `project` is None for one that is for no project yet.

    `secret` is a digest of what the user proved to be who it is with: with another password
    the token is over. Times are seconds since 1970.
    """

    user: str
    project: str | None
    methods: tuple[str, ...]
    issued_at: float
    expires_at: float
    audit_id: str
    secret: str
    credential: str | None = None


def new_audit_id() -> str:
    """Return an id by which logs and revocations speak of a token."""
    return secrets.token_urlsafe(16)


def secret_digest(password_hash: str) -> str:
    """Return what a token remembers of the hash of a password or secret."""
    return hashlib.sha256(password_hash.encode()).hexdigest()[:16]


class Tokens:
    """Issues tokens and reads them. `key` signs them."""

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)
        self._revoked: dict[str, _Revoked] = {}

    def issue(self, grant: Grant) -> str:
        """Return the token that says `grant`."""
        body = _encode(msgspec.json.encode(grant))
        return f"{body}.{self._signature(body)}"

    def read(self, token: str, now: float) -> Grant | None:
        """Return what a token says; None if it isn't one of ours, is over, or was revoked."""
        if len(token) > LONGEST_TOKEN:
            return None
        body, _, signature = token.partition(".")
        if not hmac.compare_digest(signature.encode(), self._signature(body).encode()):
            return None
        try:
            grant = msgspec.json.decode(_decode(body), type=Grant)
        except (msgspec.DecodeError, binascii.Error):
            return None
        revoked = self._revoked.get(grant.user)
        if grant.expires_at <= now or (revoked is not None and revoked.has(grant)):
            return None
        return grant

    def revoke(self, grant: Grant, now: float) -> None:
        """End a token now.

        What is remembered of a user is bounded: who revokes very many ends all of its tokens.
        """
        self._revoked.setdefault(grant.user, _Revoked()).add(grant, now)

    def _signature(self, body: str) -> str:
        return _encode(hmac.new(self._key, body.encode(), hashlib.sha256).digest())


class _Revoked:
    """The revoked tokens of one user: when each would have ended, in the order of revocation."""

    def __init__(self) -> None:
        self._ends: OrderedDict[str, float] = OrderedDict()
        self._until = 0.0
        """Tokens that were issued before are all revoked."""

    def has(self, grant: Grant) -> bool:
        return grant.audit_id in self._ends or grant.issued_at <= self._until

    def add(self, grant: Grant, now: float) -> None:
        for audit_id in [each for each, end in self._ends.items() if end <= now]:
            del self._ends[audit_id]
        self._ends[grant.audit_id] = grant.expires_at
        if len(self._ends) > REVOKED_OF_ONE:
            self._ends.clear()
            self._until = now


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
