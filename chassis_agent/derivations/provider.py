"""What joins ports that lead outside to the bridges of this host that lead there."""

from collections.abc import Iterator
from typing import NamedTuple

from chassis_agent.derivations.templates import EVERYTHING
from chassis_agent.desired.wanted import Wanted
from chassis_agent.gateways.election import in_charge
from chassis_agent.inputs import LocalPort, OutsidePatch, ProviderBridge, ThisChassis
from chassis_agent.local.provider import PORT_ID
from chassis_agent.ovsdb.rows import Parent, Ref, WantedRow, wanted_row
from chassis_agent.physical.probes import fingerprint
from chassis_agent.physical.provider import MacExchange
from incremental import Read
from southbound.port_types import PATCH
from southbound.provider_macs import provider_macs_of
from southbound.rows import Chassis, PortBinding


class OutsidePort(NamedTuple):
    """A port of a datapath that leads to a provider network, on every chassis that can."""

    port_key: int
    name: str


class WayOut(NamedTuple):
    """The port through which a datapath's packets leave natively; `port_key` 0 is none here."""

    port_key: int
    name: str = ""


def outside_ports_of(name: str, row: PortBinding) -> Iterator[tuple[str, OutsidePort]]:
    """Yield the ports by which packets get outside and to other chassis, by datapath."""
    if row.kind.is_native:
        yield row.datapath, OutsidePort(row.tunnel_key, name)


def ports_leading_outside(name: str, row: PortBinding) -> Iterator[tuple[str, str]]:
    """Yield the ports that lead outside."""
    if row.kind.leads_outside:
        yield EVERYTHING, name


def way_out(read: Read, datapath: str) -> WayOut | None:
    """Return how packets of a datapath get to other chassis without a tunnel; None if they don't.

    Of several ports whose networks have a bridge here it is the one with the lowest key.
    """
    ports = read.members(outside_ports_of, datapath)
    if not ports:
        return None
    here = [port for port in ports if read(LocalPort, port.name) is not None]
    return WayOut(*min(here)) if here else WayOut(0)


class RouterMac(NamedTuple):
    """The MAC address of a router port behind a port of a switch, and what that port leads to."""

    port_key: int
    peer: str
    mac: str
    is_everywhere: bool


class ChassisMac(NamedTuple):
    """The MAC address that a chassis has on a provider network."""

    chassis: str
    mac: str


def router_macs(_name: str, row: PortBinding) -> Iterator[tuple[str, RouterMac]]:
    """Yield the addresses of routers behind a datapath, by that."""
    if row.joins_datapaths and row.peer and row.addresses:
        yield (
            row.datapath,
            RouterMac(row.tunnel_key, row.peer, row.addresses[0].split()[0], row.kind is PATCH),
        )


def redirects_of(name: str, row: PortBinding) -> Iterator[tuple[str, str]]:
    """Yield what stands for a gateway port, by that port, which is in one place at a time."""
    if row.distributed_port:
        yield row.distributed_port, name


def chassis_macs(name: str, row: Chassis) -> Iterator[tuple[str, ChassisMac]]:
    """Yield the addresses that chassis have on provider networks, by network."""
    for network, mac in provider_macs_of(row).items():
        yield network, ChassisMac(name, mac)


def mac_exchange(read: Read, row: PortBinding) -> MacExchange:
    """Return which MAC addresses are exchanged on the way through a port that leads outside.

    None are where all that is routed leaves in one place.
    """
    if not row.kind.is_native:
        return MacExchange()
    this = read(ThisChassis, "")
    known = sorted(read.members(router_macs, row.datapath))
    routers = [
        each.mac
        for each in known
        if each.is_everywhere and not read.members(redirects_of, each.peer)
    ]
    macs = read.members(chassis_macs, row.network)
    own = [each.mac for each in macs if this is not None and each.chassis == this.name]
    others = [each.mac for each in macs if this is None or each.chassis != this.name]
    return MacExchange(
        own=_bytes(own[0]) if own else b"",
        others=tuple(sorted(map(_bytes, others))),
        routers=tuple(map(_bytes, dict.fromkeys(routers))),
        gateways=tuple(_bytes(each.mac) for each in known if _is_bridged_elsewhere(read, each)),
        stand_in=fingerprint("" if this is None else this.name).to_bytes(6),
    )


def _is_bridged_elsewhere(read: Read, router: RouterMac) -> bool:
    """Whether what is for a gateway port goes by the provider network to another chassis."""
    this = read(ThisChassis, "")
    rows = (read(PortBinding, name) for name in read.members(redirects_of, router.peer))
    return any(
        row is not None and row.network and (this is None or in_charge(read, row) != this.name)
        for row in rows
    )


def _bytes(mac: str) -> bytes:
    return bytes.fromhex(mac.replace(":", ""))


def row_here(read: Read, name: str) -> PortBinding | None:
    """Return the row of a port that leads outside from this host; None if it is elsewhere."""
    row = read(PortBinding, name)
    if row is None or row.kind.is_native:
        return row
    this = read(ThisChassis, "")
    return row if this is not None and in_charge(read, row) == this.name else None


def provider_rows(read: Read, pair: tuple[str, str]) -> Wanted | None:
    """Return the patch ports that join a port to its bridge, once that is known.

    Those to another bridge are gone before: Open vSwitch goes on sending to that one if a patch
    port of the same name comes in the transaction in which the first one goes.
    """
    _, name = pair
    row = row_here(read, name)
    this = read(ThisChassis, "")
    provider = None if row is None else read(ProviderBridge, row.network)
    if row is None or this is None or provider is None or not this.bridge:
        return None
    inside = f"patch-{this.bridge}-to-{name}"
    outside = f"patch-{name}-to-{this.bridge}"
    standing = read(OutsidePatch, outside)
    if standing is not None and standing.bridge != provider.bridge:
        return None
    return Wanted(
        rows=(
            *_patch(this.bridge, inside, outside, owner=this.bridge, port=name),
            *_patch(provider.bridge, outside, inside, owner=this.bridge),
        )
    )


def _patch(bridge: str, name: str, peer: str, *, owner: str, port: str = "") -> list[WantedRow]:
    keys = {"external_ids": {PORT_ID: port}} if port else None
    return [
        wanted_row(
            "Interface",
            name,
            columns={"type": ["patch"]},
            maps={"options": {"peer": peer}},
            keys=keys,
            owner=owner,
        ),
        wanted_row(
            "Port",
            name,
            columns={"interfaces": [Ref("Interface", name)]},
            parent=Parent(Ref("Bridge", bridge), "ports"),
            owner=owner,
        ),
    ]
