"""Hashes of passwords: scrypt (RFC 7914), with the parameters beside the hash.

``scrypt$LOG2_N$R$P$SALT$HASH``, salt and hash in unpadded base64url. One check takes 16 MiB and
some 50 milliseconds with the parameters of new hashes, which is what guessing costs, too.
"""

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from typing import Final, NamedTuple

LOG2_N: Final = 14
R: Final = 8
P: Final = 1
SALT_BYTES: Final = 16
HASH_BYTES: Final = 32
LONGEST_PASSWORD: Final = 4096
"""Characters."""

_COSTLIEST_LOG2_N: Final = 17
_COSTLIEST_R: Final = 16
_COSTLIEST_P: Final = 4
_FORM: Final = re.compile(
    r"scrypt\$(\d{1,2})\$(\d{1,2})\$(\d)\$([\w-]{8,128})\$([\w-]{22,128})", re.ASCII
)


class _Parsed(NamedTuple):
    log2_n: int
    r: int
    p: int
    salt: bytes
    digest: bytes


def hash_password(password: str) -> str:
    """Return a new hash of `password`; its salt differs each time."""
    salt = secrets.token_bytes(SALT_BYTES)
    digest = _derive(password, _Parsed(LOG2_N, R, P, salt, b""), HASH_BYTES)
    return f"scrypt${LOG2_N}${R}${P}${_encode(salt)}${_encode(digest)}"


def check_password(password: str, password_hash: str) -> bool:
    """Tell whether `password` is the one that was hashed. It takes as long if it isn't."""
    if len(password) > LONGEST_PASSWORD:
        return False
    parsed = _parse(password_hash)
    derived = _derive(password, parsed, len(parsed.digest))
    return hmac.compare_digest(derived, parsed.digest)


def checked_hash(text: str) -> str:
    """Return a hash that passwords can be checked against, or raise ValueError."""
    _parse(text)
    return text


def _parse(text: str) -> _Parsed:
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("is no hash that `treadle hash-password` makes")
    log2_n, r, p = (int(match[number]) for number in (1, 2, 3))
    if not (1 <= log2_n <= _COSTLIEST_LOG2_N and 1 <= r <= _COSTLIEST_R and 1 <= p <= _COSTLIEST_P):
        raise ValueError("asks for more work than a check may take")
    try:
        return _Parsed(log2_n, r, p, _decode(match[4]), _decode(match[5]))
    except binascii.Error:
        raise ValueError("has a salt or hash that isn't base64url") from None


def _derive(password: str, parsed: _Parsed, length: int) -> bytes:
    n = 1 << parsed.log2_n
    needed = 128 * n * parsed.r + 128 * parsed.r * parsed.p
    return hashlib.scrypt(
        password.encode("utf-8", "surrogatepass"),
        salt=parsed.salt,
        n=n,
        r=parsed.r,
        p=parsed.p,
        maxmem=needed + (1 << 20),
        dklen=length,
    )


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
