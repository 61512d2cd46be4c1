"""Ports of logical switches, and the addresses that they claim."""

from collections.abc import Sequence
from typing import Any, ClassVar, get_args

from sqlalchemy import select

from northbound.errors import ConflictError, InvalidError
from northbound.identity import new_id
from northbound.ipam import AddressBook, dynamic_addresses, effective
from northbound.models import (
    LogicalRouterPort,
    LogicalSwitch,
    LogicalSwitchPort,
    PortGroup,
)
from northbound.services.base import Filters, Service, by_choice, by_column, by_reference
from northbound.services.lookups import PORT_MODELS, referent, resolve, take_name
from northbound.services.members import PORTS_OF_GROUPS
from northbound.specs import LogicalSwitchPortSpec
from northbound.specs.switching import PortType
from northbound.transaction import Reader, Transaction
from northbound.tunnel_keys import TunnelKeys


class LogicalSwitchPortService(Service[LogicalSwitchPort, LogicalSwitchPortSpec]):
    """A deleted port leaves its port groups and gives up its addresses."""

    kind = "logical_switch_port"
    model = LogicalSwitchPort
    spec = LogicalSwitchPortSpec
    identifying = ("name", "logical_switch", "type")
    fixed = frozenset({"type"})
    filters: ClassVar[Filters] = {
        "name": by_column(LogicalSwitchPort.name),
        "type": by_choice(LogicalSwitchPort.type, get_args(PortType)),
        "logical_switch": by_reference(LogicalSwitchPort.logical_switch_id, LogicalSwitch),
        "router_port": by_column(LogicalSwitchPort.router_port),
    }

    def describe(self, reader: Reader, rows: Sequence[LogicalSwitchPort]) -> list[dict[str, Any]]:
        switches = reader.names(LogicalSwitch, (row.logical_switch_id for row in rows))
        return [
            {
                "name": row.name,
                "logical_switch": switches[row.logical_switch_id],
                "type": row.type,
                "addresses": row.addresses,
                "port_security": row.port_security,
                "enabled": row.enabled,
                "router_port": row.router_port,
                "requested_chassis": row.requested_chassis,
                "labels": row.labels,
                "external_ids": row.external_ids,
            }
            for row in rows
        ]

    def _new(self, tx: Transaction, spec: LogicalSwitchPortSpec) -> LogicalSwitchPort:
        switch = resolve(tx, LogicalSwitch, spec.logical_switch, "logical_switch")
        return LogicalSwitchPort(
            id=new_id(),
            logical_switch_id=switch.id,
            type=spec.type,
            tunnel_key=tx.helper(TunnelKeys).switch_port(switch),
        )

    def _assign(self, tx: Transaction, row: LogicalSwitchPort, spec: LogicalSwitchPortSpec) -> None:
        switch = resolve(tx, LogicalSwitch, spec.logical_switch, "logical_switch")
        if switch.id != row.logical_switch_id:
            raise InvalidError.of("logical_switch", reason="a port cannot move", value=switch.name)
        take_name(tx, row, spec.name, PORT_MODELS)
        row.enabled = spec.enabled
        row.port_security = spec.port_security
        row.requested_chassis = spec.requested_chassis
        row.labels, row.external_ids = spec.labels, spec.external_ids
        old = held_addresses(tx, row)
        row.router_port = self._router_port(tx, row, spec)
        row.addresses = spec.addresses
        claim_addresses(tx, switch, row, old)

    def _router_port(
        self, tx: Transaction, row: LogicalSwitchPort, spec: LogicalSwitchPortSpec
    ) -> str | None:
        if spec.router_port is None:
            return None
        port = resolve(tx, LogicalRouterPort, spec.router_port, "router_port")
        if port.peer is not None:
            raise InvalidError.of(
                "router_port", reason=f"has the peer {port.peer!r} already", value=port.name
            )
        other = switch_port_towards(tx, port)
        if other is not None and other is not row:
            raise ConflictError(self.kind, "router_port", port.name, referent(other))
        return port.name

    def _delete(self, tx: Transaction, row: LogicalSwitchPort, *, cascade: bool) -> None:  # noqa: ARG002
        delete_switch_ports(tx, [row])

    def _facts(self, row: LogicalSwitchPort) -> dict[str, Any]:
        return {"dynamic_addresses": row.dynamic_addresses, "tunnel_key": row.tunnel_key}


def delete_switch_ports(tx: Transaction, ports: Sequence[LogicalSwitchPort]) -> None:
    """Delete `ports`, their claims and their memberships."""
    for group_id in PORTS_OF_GROUPS.leave(tx, [port.id for port in ports]):
        group = tx.by_id(PortGroup, group_id)
        if group is not None:
            tx.touch(group)
    for port in ports:
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
    """Every MAC and IP address that `port` holds on its switch."""
    if port.router_port is not None:
        router_port = tx.named(LogicalRouterPort, port.router_port)
        if router_port is None:
            return []
        return [router_port.mac, *(network.split("/")[0] for network in router_port.networks)]
    held: dict[str, None] = {}
    for element in effective(port.addresses or [], port.dynamic_addresses):
        held.update(dict.fromkeys([str(element.mac), *element.ips]))
    return list(held)


def switch_port_towards(tx: Reader, port: LogicalRouterPort) -> LogicalSwitchPort | None:
    """The switch port that leads to a router port."""
    query = select(LogicalSwitchPort).where(LogicalSwitchPort.router_port == port.name)
    return tx.session.scalar(query)
