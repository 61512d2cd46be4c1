"""Which NAT of a router translates what: no two of them the same.

What comes in for an external address has one address behind it, and what leaves from an
address or network one external address, at each gateway port. There may be several if each is for
packets that match something; these have different priorities.
"""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import bindparam, exists, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from northbound.errors import ConflictError
from northbound.models import LogicalRouter, Resource
from northbound.models.nat import Nat
from northbound.services.lookups import referent
from northbound.transaction import Reader, Transaction

INCOMING, OUTGOING = ("dnat", "dnat_and_snat"), ("snat", "dnat_and_snat")
"""The types that translate the destination of what comes in, and the source of what leaves."""

_ROUTER: Any = bindparam("router")
_OF_ROUTER = select(Nat).where(Nat.logical_router_id == _ROUTER)
_OF_ADDRESS = _OF_ROUTER.where(Nat.external_ip == bindparam("address"))
_IDS: Any = bindparam("ids", expanding=True)
AT_GATEWAY_PORT = select(Nat.gateway_port_id, Nat.id).where(Nat.gateway_port_id.in_(_IDS))
"""Which NATs translate at which router ports (:mod:`northbound.services.ties`)."""

TRANSLATING = select(LogicalRouter.id, LogicalRouter.id).where(
    LogicalRouter.id == _ROUTER, exists().where(Nat.logical_router_id == _ROUTER)
)
"""The router, if it has NATs."""


class Claim(NamedTuple):
    """What one NAT only may translate; `column` of its row is what the claim is on."""

    column: str
    router: str
    address: str
    gateway_port: str | None
    priority: int | None
    """That of a NAT with a match."""


def claims_of(nat: Nat) -> Iterator[Claim]:
    """Yield what a NAT translates."""
    router, port = nat.logical_router_id, nat.gateway_port_id
    priority = None if nat.match is None else nat.priority
    if nat.type in INCOMING:
        yield Claim("external_ip", router, nat.external_ip, port, priority)
    if nat.type in OUTGOING:
        yield Claim("logical_ip", router, nat.logical_ip, port, priority)


class NatClaims:
    """Who has which claim; NATs of this transaction that are not yet in the database count too."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._known: dict[Claim, Nat] = {}
        self._complete = False

    def load(self) -> None:
        """Read all NATs in one query, before thousands of changes."""
        for nat in self._tx.session.scalars(select(Nat)):
            self._known.update(dict.fromkeys(claims_of(nat), nat))
        self._complete = True

    def take(self, nat: Nat) -> None:
        """Let a NAT have what it translates; ConflictError if another one translates it."""
        for claim in claims_of(nat):
            holder = self._holder(claim, nat)
            if holder is not None:
                raise ConflictError(
                    nat.__tablename__, claim.column, claim.address, referent(holder)
                )
            self._known[claim] = nat

    def _holder(self, claim: Claim, nat: Nat) -> Nat | None:
        known = self._known.get(claim)
        if known is not None and self._is_other(known, claim, nat):
            return known
        if self._complete:
            return None
        column: InstrumentedAttribute[Any] = getattr(Nat, claim.column)
        query = select(Nat).where(Nat.logical_router_id == claim.router, column == claim.address)
        with self._tx.session.no_autoflush:
            rows = self._tx.session.scalars(query).all()
        return next((row for row in rows if self._is_other(row, claim, nat)), None)

    def _is_other(self, row: Nat, claim: Claim, nat: Nat) -> bool:
        """Tell whether another NAT than `nat`, `row`, still has the claim."""
        return row is not nat and not self._tx.is_deleted(row) and claim in claims_of(row)


def nats_of(tx: Transaction, router_id: str, external_ip: str | None = None) -> list[Nat]:
    """Return the NATs of a router, all or those of one external address.

    Those of this transaction that are not yet in the database are among them.
    """
    query = _OF_ROUTER if external_ip is None else _OF_ADDRESS
    with tx.session.no_autoflush:
        rows = list(tx.session.scalars(query, {"router": router_id, "address": external_ip}))
    rows += [row for row in tx.session.new if isinstance(row, Nat)]
    return [
        row
        for row in rows
        if row.logical_router_id == router_id
        and external_ip in (None, row.external_ip)
        and not tx.is_deleted(row)
    ]


def nats_for(reader: Reader, address_set: Resource) -> Sequence[Nat]:
    """Return the NATs that are for, or not for, the addresses of a set."""
    sets = (Nat.allowed_external_ips_id, Nat.exempted_external_ips_id)
    query = select(Nat).where(or_(*(column == address_set.id for column in sets)))
    return reader.session.scalars(query.order_by(Nat.id)).all()
