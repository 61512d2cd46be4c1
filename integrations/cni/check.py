"""CHECK: whether everything that ADD made is there and as it was.

What isn't kept by the plugin itself may lag a little behind (the agent's part), and is waited for.
"""

import ipaddress
from collections.abc import Iterable
from typing import Any

from integrations.cni import modes, ports
from integrations.cni.attachment import Attachment
from integrations.cni.configuration import Configuration
from integrations.cni.errors import INVALID_CONFIGURATION, NOT_AS_MADE, CniError
from integrations.cni.session import Session
from integrations.deadline import Deadline
from integrations.host import bridge, links
from integrations.host.links import Route

_CONVERGENCE = 5.0
"""Seconds in which the agent may still be at it."""


def check(session: Session) -> None:
    """Compare with what ADD told; raise a :class:`CniError` that names the first difference."""
    session = ports.know_router(session)
    invocation, configuration, deadline, client = session
    if configuration.previous is None:
        raise CniError(INVALID_CONFIGURATION, "prevResult: is needed")
    netns = invocation.netns or ""
    host = modes.know_host(configuration, deadline)
    attachment = Attachment(
        host.chassis, configuration.network, invocation.container, invocation.ifname
    )
    view = ports.find_port(client, attachment.port_id, deadline)
    if view is None:
        raise _differs(f"Treadle has no port {attachment.port_id}")
    mac, *ips = ports.addresses_of(view) or [""]
    _check_container(configuration.previous, attachment.ifname, netns, mac, ips, deadline)
    _check_routes(session)
    _check_groups(session, attachment, deadline)
    _check_bridge(configuration, attachment, deadline)


def _check_container(
    previous: dict[str, Any],
    ifname: str,
    netns: str,
    mac: str,
    ips: list[str],
    deadline: Deadline,
) -> None:
    link = links.find_link(ifname, deadline, namespace=netns)
    if link is None:
        raise _differs(f"{netns} has no interface {ifname}")
    if not link.up:
        raise _differs(f"{ifname} is down")
    if link.mac != mac:
        raise _differs(f"{ifname} has MAC {link.mac}, its port has {mac}")
    have = {str(ipaddress.ip_interface(each).ip) for each in link.addresses}
    for ip in ips:
        if ip not in have:
            raise _differs(f"{ifname} lacks the address {ip} of its port")
    interfaces = previous.get("interfaces") or []
    index = _index(interfaces, ifname, netns)
    if index is None:
        raise _differs(f"prevResult has no interface {ifname} in {netns}")
    told = str(interfaces[index].get("mac") or mac).lower()
    if told != mac:
        raise _differs(f"ADD gave {ifname} MAC {told}, its port has {mac}")
    for entry in previous.get("ips") or []:
        address = ipaddress.ip_interface(entry["address"])
        if entry.get("interface") == index and str(address) not in _canonical(link.addresses):
            raise _differs(f"{ifname} lacks the address {address} that ADD gave it")


def _index(interfaces: list[dict[str, Any]], ifname: str, netns: str) -> int | None:
    """Return which of the interfaces of a result is the container's."""
    for index, interface in enumerate(interfaces):
        if interface.get("name") == ifname and interface.get("sandbox") == netns:
            return index
    return None


def _canonical(addresses: Iterable[str]) -> set[str]:
    return {str(ipaddress.ip_interface(each)) for each in addresses}


def _check_routes(session: Session) -> None:
    """Compare the routes of the configuration with those of the container."""
    invocation, configuration, deadline, _ = session
    for route in configuration.routes:
        have = links.list_routes(
            invocation.ifname, deadline, namespace=invocation.netns, table=route.table
        )
        if not any(_same(each, route) for each in have):
            via = f" via {route.gateway}" if route.gateway is not None else ""
            raise _differs(f"{invocation.ifname} lacks the route to {route.destination}{via}")


def _same(have: Route, wanted: Route) -> bool:
    return (
        have.destination == wanted.destination
        and have.gateway == wanted.gateway
        and (wanted.priority is None or have.priority == wanted.priority)
        and (wanted.mtu is None or have.mtu == wanted.mtu)
    )


def _check_groups(session: Session, attachment: Attachment, deadline: Deadline) -> None:
    for group in session.configuration.port_groups:
        view = ports.find_group(session.client, group, deadline)
        if view is None:
            raise _differs(f"Treadle has no port group {group}")
        if attachment.port_id not in view.get("ports", []):
            raise _differs(f"port {attachment.port_id} is not in port group {group}")


def _check_bridge(configuration: Configuration, attachment: Attachment, deadline: Deadline) -> None:
    interface = modes.bridge_interface(configuration, attachment)
    if interface is None:
        return
    port = bridge.find_port(interface, deadline)
    if port is None:
        raise _differs(f"Open vSwitch has no interface {interface}")
    if port.iface_id != attachment.port_id:
        raise _differs(f"{interface} is an interface of port {port.iface_id}")
    if port.error:
        raise _differs(f"Open vSwitch can't use {interface}: {port.error}")
    bridge.wait_installed(interface, deadline.part(_CONVERGENCE))


def _differs(what: str) -> CniError:
    return CniError(NOT_AS_MADE, what)
