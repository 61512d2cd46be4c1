"""API tokens: made once, shown once, kept only as a hash.

A token's secret is ``treadle_`` and 256 random bits; so much chance needs no
slow hash. Tokens are no intent: they take no revision, and are written in
:meth:`~northbound.database.Database.maintain`.
"""

import hashlib
import ipaddress
import json
import re
import secrets
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, NamedTuple, get_args

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from northbound.errors import ConflictError, InvalidError, NotFoundError, Referent
from northbound.identity import is_id
from northbound.models import ApiToken
from northbound.specs.base import OBJECT_NAME
from northbound.transaction import Reader

Role = Literal["admin", "operator", "viewer", "chassis"]

PROJECT_ROLES = ("operator", "viewer")
"""The roles of which a token may be for one project."""

PREFIX = "treadle_"
_PROJECT = re.compile(OBJECT_NAME)

LONGEST_LIFE = 100 * 365 * 86_400.0
"""Seconds; what shall last for longer needs no end."""

_BY_DIGEST = select(ApiToken).where(ApiToken.digest == bindparam("digest"))


class Token(NamedTuple):
    """A token without its secret.

    One of role ``chassis`` is good for the chassis named in `chassis` alone. Where it names
    a `hostname` or `encap_ips` the chassis may register with these alone, and while the
    token is good no other chassis may have them. One of role ``operator`` or ``viewer`` may be
    for one `project`; all others are for all projects.
    """

    id: str
    name: str
    role: str
    chassis: str | None
    created_at: datetime
    expires_at: datetime | None
    hostname: str | None = None
    encap_ips: tuple[str, ...] = ()
    project: str | None = None

    @property
    def expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= datetime.now(UTC)


def create(
    session: Session,
    *,
    name: str,
    role: str,
    chassis: str | None = None,
    expires_at: datetime | None = None,
    hostname: str | None = None,
    encap_ips: Sequence[str] = (),
    project: str | None = None,
) -> tuple[Token, str]:
    """A new token and its secret, which cannot be had again."""
    _check(name, role, chassis, expires_at)
    _check_project(role, project)
    addresses = _pinned(role, hostname, encap_ips)
    holder = session.scalar(select(ApiToken).where(ApiToken.name == name))
    if holder is not None:
        raise ConflictError("api_token", "name", name, Referent("api_token", holder.id, name, ""))
    secret = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        id=str(uuid.uuid4()),
        name=name,
        role=role,
        chassis=chassis,
        digest=_digest(secret),
        created_at=datetime.now(UTC),
        expires_at=expires_at,
        hostname=hostname,
        encap_ips=json.dumps(addresses),
        project=project,
    )
    session.add(row)
    session.flush()
    return _token(row), secret


def end_of_life(seconds: float) -> datetime:
    """When a token ends that is made now and good for `seconds`."""
    if not 0 < seconds <= LONGEST_LIFE:
        reason = f"has to be more than 0 and at most {LONGEST_LIFE:.0f} seconds (100 years)"
        raise InvalidError.of("expires_in", reason=reason, value=seconds)
    return datetime.now(UTC) + timedelta(seconds=seconds)


def authenticate(reader: Reader, secret: str) -> Token | None:
    """The token with this secret; None if there is none or it has expired."""
    row = reader.session.scalar(_BY_DIGEST, {"digest": _digest(secret)})
    if row is None:
        return None
    token = _token(row)
    return None if token.expired else token


def expiries(reader: Reader) -> dict[str, datetime | None]:
    """When each token expires, by id; a token that isn't there was revoked."""
    rows = reader.session.execute(select(ApiToken.id, ApiToken.expires_at))
    return {id_: None if moment is None else _utc(moment) for id_, moment in rows}


def pinning(reader: Reader) -> list[Token]:
    """The tokens that are good and name a host name or tunnel addresses."""
    named = (ApiToken.hostname.is_not(None)) | (ApiToken.encap_ips != "[]")
    found = map(_token, reader.session.scalars(select(ApiToken).where(named)))
    return [token for token in found if not token.expired]


def every(reader: Reader) -> list[Token]:
    """Every token, by name, expired ones too."""
    return [_token(row) for row in reader.session.scalars(select(ApiToken).order_by(ApiToken.name))]


def get(reader: Reader, ref: str) -> Token:
    """The token with the id or name `ref`."""
    return _token(_find(reader.session, ref))


def delete(session: Session, ref: str) -> None:
    """End the token with the id or name `ref`."""
    session.delete(_find(session, ref))


def _check(name: str, role: str, chassis: str | None, expires_at: datetime | None) -> None:
    if not name:
        raise InvalidError.of("name", reason="must not be empty", value=name)
    if is_id(name):
        raise InvalidError.of("name", reason="looks like the id of another token", value=name)
    if role not in get_args(Role):
        known = ", ".join(get_args(Role))
        raise InvalidError.of("role", reason=f"must be one of {known}", value=role)
    if role == "chassis" and not chassis:
        reason = "a token of role 'chassis' is for one chassis: name it"
        raise InvalidError.of("chassis", reason=reason, value=chassis)
    if role != "chassis" and chassis is not None:
        reason = "only a token of role 'chassis' is for a chassis"
        raise InvalidError.of("chassis", reason=reason, value=chassis)
    if expires_at is not None and expires_at.tzinfo is None:
        reason = "needs a time zone"
        raise InvalidError.of("expires_at", reason=reason, value=expires_at.isoformat())


def _check_project(role: str, project: str | None) -> None:
    if project is None:
        return
    if role not in PROJECT_ROLES:
        reason = f"a token of role {role!r} is for all projects"
        raise InvalidError.of("project", reason=reason, value=project)
    if len(project) > 255 or not _PROJECT.fullmatch(project):
        reason = "letters, digits, and `_ . : -` make the name of a project"
        raise InvalidError.of("project", reason=reason, value=project)


def _pinned(role: str, hostname: str | None, encap_ips: Sequence[str]) -> list[str]:
    """The tunnel addresses in canonical form, each once."""
    if role != "chassis":
        for field, value in (("hostname", hostname), ("encap_ips", encap_ips)):
            if value:
                reason = "only a token of role 'chassis' is for a host"
                raise InvalidError.of(field, reason=reason, value=value)
    if hostname == "":
        raise InvalidError.of("hostname", reason="must not be empty", value=hostname)
    addresses: dict[str, None] = {}
    for number, text in enumerate(encap_ips):
        try:
            address = ipaddress.ip_address(text)
        except ValueError:
            reason = "is no IP address"
            raise InvalidError.of(f"encap_ips.{number}", reason=reason, value=text) from None
        if address.is_multicast or address.is_unspecified:
            reason = "is no address that a host can have"
            raise InvalidError.of(f"encap_ips.{number}", reason=reason, value=text)
        addresses[str(address)] = None
    return list(addresses)


def _find(session: Session, ref: str) -> ApiToken:
    by_id = session.get(ApiToken, ref.lower()) if is_id(ref) else None
    row = by_id or session.scalar(select(ApiToken).where(ApiToken.name == ref))
    if row is None:
        raise NotFoundError("api_token", ref)
    return row


def _token(row: ApiToken) -> Token:
    expires_at = None if row.expires_at is None else _utc(row.expires_at)
    created_at = _utc(row.created_at)
    return Token(
        id=row.id,
        name=row.name,
        role=row.role,
        chassis=row.chassis,
        created_at=created_at,
        expires_at=expires_at,
        hostname=row.hostname,
        encap_ips=tuple(json.loads(row.encap_ips)),
        project=row.project,
    )


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _utc(moment: datetime) -> datetime:
    """SQLite keeps no time zone; what was stored is UTC."""
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
