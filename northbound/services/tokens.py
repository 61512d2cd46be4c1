"""API tokens: made once, shown once, kept only as a hash.

A token is ``treadle_`` and 256 random bits; so much chance needs no slow hash.
"""

import hashlib
import secrets
import uuid
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, get_args

from sqlalchemy import select
from sqlalchemy.orm import Session

from northbound.errors import ConflictError, InvalidError, NotFoundError, Referent
from northbound.models import ApiToken

Role = Literal["admin", "operator", "viewer", "chassis"]

PREFIX = "treadle_"


class Identity(NamedTuple):
    """Who presents a token. `chassis` is set for the role ``chassis`` alone."""

    name: str
    role: Role
    chassis: str | None = None


def create(
    session: Session,
    *,
    name: str,
    role: Role,
    chassis: str | None = None,
    lifetime: timedelta | None = None,
) -> tuple[ApiToken, str]:
    """A new token, and its secret, which cannot be had again."""
    if role not in get_args(Role):
        known = ", ".join(get_args(Role))
        raise InvalidError.of("role", reason=f"must be one of {known}", value=role)
    if (role == "chassis") != bool(chassis):
        reason = "is needed for the role 'chassis'" if role == "chassis" else "is for that role"
        raise InvalidError.of("chassis", reason=reason, value=chassis)
    if not name:
        raise InvalidError.of("name", reason="must not be empty", value=name)
    holder = session.scalar(select(ApiToken).where(ApiToken.name == name))
    if holder is not None:
        raise ConflictError("api_token", "name", name, _referent(holder))
    secret = PREFIX + secrets.token_urlsafe(32)
    now = datetime.now(UTC)
    token = ApiToken(
        id=str(uuid.uuid4()),
        name=name,
        role=role,
        chassis=chassis or None,
        digest=_digest(secret),
        created_at=now,
        expires_at=None if lifetime is None else now + lifetime,
    )
    session.add(token)
    session.flush()
    return token, secret


def identify(session: Session, secret: str) -> Identity | None:
    """Whose token `secret` is; None if it is nobody's or has expired."""
    token = session.scalar(select(ApiToken).where(ApiToken.digest == _digest(secret)))
    if token is None or (token.expires_at is not None and _utc(token.expires_at) <= _now()):
        return None
    return Identity(token.name, _role(token.role), token.chassis)


def all_tokens(session: Session) -> list[ApiToken]:
    """Every token, by name, expired ones too."""
    return list(session.scalars(select(ApiToken).order_by(ApiToken.name)))


def delete(session: Session, ref: str) -> None:
    """End the token with the id or name `ref`."""
    query = select(ApiToken).where((ApiToken.id == ref) | (ApiToken.name == ref))
    token = session.scalar(query)
    if token is None:
        raise NotFoundError("api_token", ref)
    session.delete(token)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _referent(token: ApiToken) -> Referent:
    return Referent("api_token", token.id, token.name)


def _role(text: str) -> Role:
    for role in get_args(Role):
        if role == text:
            return role  # type: ignore[no-any-return]
    raise ValueError(f"the database has a token of unknown role {text!r}")


def _now() -> datetime:
    return datetime.now(UTC)


def _utc(moment: datetime) -> datetime:
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
