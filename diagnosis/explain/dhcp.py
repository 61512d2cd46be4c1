"""What DHCP tells a workload, and why a client gets no answer, by what is declared of its port.

Port security and a disabled port end its messages earlier, and say so themselves. Port security
may also forbid the address that a client is given.
"""

import ipaddress
from collections.abc import Iterator
from dataclasses import replace

from sqlalchemy import select

from diagnosis.explain import packets
from diagnosis.explain.checks import Obstacle, ObstacleKind
from diagnosis.explain.reasons import reason
from diagnosis.explain.scene import Scene
from diagnosis.trace import discovery
from diagnosis.trace.addressing import hosts
from diagnosis.trace.endings import ending
from logical_flow.evaluate import Packet
from logical_flow.packet import format_value
from northbound.models import DhcpOptions, LogicalSwitch, LogicalSwitchPort
from northbound.transaction import Reader
from southbound.rows import PortBinding


def unserved(scene: Scene, packet: Packet) -> Obstacle | None:
    """Return why the client that sent `packet` is not answered; None if it is no client's."""
    version = packets.dhcp_version(packet)
    name = packet.get("inport")
    port = scene.ports.get(name) if isinstance(name, str) else None
    row = None if port is None else scene.reader.by_id(LogicalSwitchPort, port.id)
    if version is None or port is None or row is None:
        return None
    cause = scene.causes.of("logical_switch_port", port.id)
    why = _why(scene, port, row, packet, version)
    why = why.format(port=scene.authored(cause))
    text = f"not answered by the DHCP server of the network: {why}"
    return Obstacle(ObstacleKind.DHCP, text, cause, dict(packet), detail=str(version))


def useless_lease(scene: Scene, packet: Packet, *, is_heard: bool) -> Obstacle | None:
    """Return why the client that sent `packet` can't use the address that it is answered with.

    None if it can, or is no client of DHCP. What it would say from there is walked, so that
    port security tells itself what it lets pass. Port security keeps from the client what is for
    that address, also the answer unless it is a broadcast: then it isn't `is_heard`.
    """
    version = packets.dhcp_version(packet)
    name, mac = packet.get("inport"), packet.get("eth.src")
    port = scene.ports.get(name) if isinstance(name, str) else None
    row = None if port is None else scene.reader.by_id(LogicalSwitchPort, port.id)
    options = None if row is None or version is None else _options(scene.reader, row, version)
    if options is None or port is None or not isinstance(mac, int):
        return None
    network = ipaddress.ip_network(options.cidr)
    leased = (
        address
        for host in hosts(port)
        if host.mac == mac
        for address in host.addresses
        if address.version == network.version and address in network
    )
    address = next(leased, None)
    if address is None:
        return None
    walk = scene.walk(discovery.question(port.name, mac, address, address))
    end = ending(walk, port.name)
    if end.outcome != "dropped":
        return None
    refused = reason(scene, walk, end, "")
    if refused.kind is not ObstacleKind.PORT_SECURITY:
        return None
    useless = "is of no use" if is_heard else "gets to it by a broadcast at most, and is of no use"
    why = f"answered with {address}, which {useless}: what comes from there is {refused.text}"
    return replace(refused, text=why)


def fitting_options(scene: Scene, port: PortBinding, version: int) -> list[DhcpOptions]:
    """Return the DHCP options of the port's project that have one of its addresses."""
    row = scene.reader.by_id(LogicalSwitchPort, port.id)
    if row is None:
        return []
    query = select(DhcpOptions).where(DhcpOptions.project == row.project).order_by(DhcpOptions.name)
    return [
        options
        for options in scene.reader.session.scalars(query)
        if any(_addresses_in(port, options, version))
    ]


def _why(
    scene: Scene, port: PortBinding, row: LogicalSwitchPort, packet: Packet, version: int
) -> str:
    if not row.dhcp:
        return "for {port} it is switched off"
    options = _options(scene.reader, row, version)
    if options is None:
        return f"neither {{port}} nor its switch has options for DHCPv{version}"
    mac = packet.get("eth.src", 0)
    if all(host.mac != mac for host in hosts(port)):
        return f"{format_value('eth.src', mac)} is no MAC address of {{port}}"
    stateless = bool((options.dhcpv6 or {}).get("stateless"))
    if not stateless and not any(_addresses_in(port, options, version)):
        return f"{{port}} has no address in {options.cidr}, which {options.name} is for"
    return f"it is for another server than that of {options.name}"


def dns_server(reader: Reader, port: str) -> str | None:
    """Return the DNS server that DHCP tells the workload behind a port; None if it tells none.

    Of several it is the first, of those of both families that of IPv4.
    """
    row = reader.find(LogicalSwitchPort, port)
    if row is None or not row.dhcp:
        return None
    for version in (4, 6):
        options = _options(reader, row, version)
        values = (getattr(options, f"dhcpv{version}", None) or {}).get("dns_servers")
        if values:
            return str(values[0])
    return None


def _options(reader: Reader, row: LogicalSwitchPort, version: int) -> DhcpOptions | None:
    """Return the options that are for a port: its own, or those of its switch."""
    switch = reader.by_id(LogicalSwitch, row.logical_switch_id)
    column = f"dhcpv{version}_options_id"
    chosen = getattr(row, column) or (switch and getattr(switch, column))
    return reader.by_id(DhcpOptions, chosen) if chosen else None


def _addresses_in(port: PortBinding, options: DhcpOptions, version: int) -> Iterator[bool]:
    network = ipaddress.ip_network(options.cidr)
    for host in hosts(port):
        for address in host.addresses:
            yield network.version == version == address.version and address in network
