"""Ports of logical switches, and the addresses that they claim."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import bindparam, select

from northbound.allocation import CURSORS, forget_cursors
from northbound.errors import ConflictError, InvalidError
from northbound.ipam import AddressBook, dynamic_addresses, effective
from northbound.models import (
    LoadBalancerBackend,
    LogicalRouterPort,
    LogicalSwitch,
    LogicalSwitchPort,
)
from northbound.models.nat import Nat
from northbound.services.applying import Plan
from northbound.services.base import Referents, Service
from northbound.services.dhcp import check_dhcp_references
from northbound.services.gateways import refuse_redirect_name
from northbound.services.lookups import referent
from northbound.services.members import PORTS_OF_GROUPS
from northbound.services.nat_claims import nats_of
from northbound.services.nesting import (
    NESTED,
    leave_parents,
    let_parent_go,
    nest,
    part_from_unwanted,
    pool_of,
)
from northbound.services.ties import Ties
from northbound.services.virtual_ports import named_parents
from northbound.specs import LogicalSwitchPortSpec
from northbound.specs.switching import ANY_TAG
from northbound.transaction import Reader, Transaction
from northbound.tunnel_keys import TunnelKeys

_MANY = 200
"""From so many ports on, all claims are read at once."""

_TOWARDS = select(LogicalSwitchPort).where(
    LogicalSwitchPort.router_port == bindparam("name"),
    LogicalSwitchPort.project == bindparam("project"),
)

_TIES = Ties({"nested": NESTED, "tags": CURSORS, "groups": PORTS_OF_GROUPS.ties})


class LogicalSwitchPortService(Service[LogicalSwitchPort, LogicalSwitchPortSpec]):
    """A deleted port leaves its port groups and gives up its addresses."""

    model = LogicalSwitchPort
    spec = LogicalSwitchPortSpec
    assigned_apart = frozenset({"parent", "virtual_parents"})

    def _new(
        self,
        tx: Transaction,
        spec: LogicalSwitchPortSpec,  # noqa: ARG002
        referents: Referents,
    ) -> LogicalSwitchPort:
        key = tx.helper(TunnelKeys).switch_port(referents["logical_switch"])
        return LogicalSwitchPort(tunnel_key=key)

    def _assign(
        self,
        tx: Transaction,
        row: LogicalSwitchPort,
        spec: LogicalSwitchPortSpec,
        referents: Referents,
    ) -> None:
        old = held_addresses(tx, row) if row in tx.session else []
        router_port: LogicalRouterPort | None = referents["router_port"]
        if router_port is not None:
            self._check_is_free(tx, row, router_port)
        check_dhcp_references(referents)
        old_name = row.name
        super()._assign(tx, row, spec, referents)
        refuse_redirect_name(tx, row)
        row.virtual_parents = named_parents(tx, row, spec.virtual_parents)
        nest(tx, row, referents["parent"], spec.tag)
        if old_name is not None and old_name != row.name:
            _follow_name(tx, row, old_name)
        claim_addresses(tx, referents["logical_switch"], row, old)

    def _check_is_free(
        self, tx: Transaction, row: LogicalSwitchPort, router_port: LogicalRouterPort
    ) -> None:
        """Refuse a router port that another port leads to already."""
        if router_port.peer is not None:
            raise InvalidError.of(
                "router_port",
                reason=f"has the peer {router_port.peer!r} already",
                value=router_port.name,
            )
        other = switch_port_towards(tx, router_port)
        if other is not None and other is not row:
            raise ConflictError(self.kind, "router_port", router_port.name, referent(other))

    def load_ahead(self, tx: Transaction) -> None:
        super().load_ahead(tx)
        tx.helper(AddressBook).load()

    def let_go(self, tx: Transaction, row: LogicalSwitchPort, values: Mapping[str, Any]) -> None:
        """Release the port's addresses and its router port: other ports may be given them."""
        release_addresses(tx, row)
        if row.router_port != values["router_port"]:
            row.router_port = None
        let_parent_go(tx, row, values["parent"], values["tag"])

    def turn(self, values: Mapping[str, Any]) -> int:
        """Parents come before what is nested in them, and tags that are said before others."""
        if values["parent"] is None:
            return 1 if values["virtual_parents"] else 0
        return 2 if values["tag"] == ANY_TAG else 1

    def let_unwanted_go(self, tx: Transaction, plan: Plan) -> None:  # noqa: ARG002
        part_from_unwanted(plan, self.kind)

    def remove(
        self,
        tx: Transaction,
        rows: Sequence[LogicalSwitchPort],
        *,
        cascade: bool = False,  # noqa: ARG002
    ) -> None:
        ids = [port.id for port in rows]
        ties = _TIES.of(tx, [*ids, *map(pool_of, ids)])
        leave_parents(tx, rows, ties["nested"])
        forget_cursors(tx, [pool for pool, _ in ties["tags"]])
        PORTS_OF_GROUPS.leave(tx, ties["groups"])
        if len(rows) >= _MANY:
            tx.helper(AddressBook).load()
        for port in rows:
            release_addresses(tx, port)
            tx.delete(port)


def release_addresses(tx: Transaction, port: LogicalSwitchPort) -> None:
    """Give up the claims of `port`."""
    book = tx.helper(AddressBook)
    book.release(port.logical_switch_id, port.id, held_addresses(tx, port))


def readdress(tx: Transaction, switch: LogicalSwitch, port: LogicalSwitchPort) -> None:
    """Bring the dynamic addresses and the claims of `port` up to date."""
    claim_addresses(tx, switch, port, held_addresses(tx, port))


def claim_addresses(
    tx: Transaction, switch: LogicalSwitch, port: LogicalSwitchPort, old: Sequence[str]
) -> None:
    """Claim what `port` now holds and release what it held before, `old`."""
    book = tx.helper(AddressBook)
    port.dynamic_addresses = dynamic_addresses(book, switch, port, port.addresses)
    new = held_addresses(tx, port)
    book.release(switch.id, port.id, set(old) - set(new))
    taken = book.claim(switch.id, port.id, new)
    if taken is not None:
        address, holder_id = taken
        holder = tx.by_id(LogicalSwitchPort, holder_id)
        other = port if holder is None else holder
        raise ConflictError(port.__tablename__, "addresses", address, referent(other))


def held_addresses(tx: Transaction, port: LogicalSwitchPort) -> list[str]:
    """Every MAC and IP address that `port` holds on its switch.

    A port that leads to a router holds what that is asked for there: its own addresses, and those
    that it translates.
    """
    if port.router_port is not None:
        router_port = tx.named(LogicalRouterPort, port.router_port, port.project)
        if router_port is None:
            return []
        own = [network.split("/")[0] for network in router_port.networks]
        return [router_port.mac, *own, *_translated_addresses(tx, router_port)]
    held: dict[str, None] = {}
    for element in effective(port.addresses or [], port.dynamic_addresses):
        held.update(dict.fromkeys([str(element.mac), *element.ips]))
    if port.virtual_ip is not None:
        held[port.virtual_ip] = None
    return list(held)


def _translated_addresses(tx: Transaction, port: LogicalRouterPort) -> list[str]:
    """Return the external addresses of a router's NATs that are in the networks of a port."""
    networks = [ipaddress.ip_interface(text).network for text in port.networks]
    found = {nat.external_ip: None for nat in nats_of(tx, port.logical_router_id)}
    return [ip for ip in found if any(ipaddress.ip_address(ip) in each for each in networks)]


def switch_port_towards(tx: Reader, port: LogicalRouterPort) -> LogicalSwitchPort | None:
    """The switch port that leads to a router port."""
    return tx.session.scalar(_TOWARDS, {"name": port.name, "project": port.project})


def _follow_name(tx: Transaction, port: LogicalSwitchPort, old: str) -> None:
    """Let all that name a port whose name was `old` name it by the new one."""
    nats = select(Nat).where(Nat.logical_port == old, Nat.project == port.project)
    backends = select(LoadBalancerBackend).where(
        LoadBalancerBackend.logical_port == old, LoadBalancerBackend.project == port.project
    )
    for row in (*tx.session.scalars(nats), *tx.session.scalars(backends)):
        row.logical_port = port.name
