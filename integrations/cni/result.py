"""What runtimes are told of an interface, in the form of each version of the specification.

What plugins before this one in a chain told (`prevResult`) is passed on as it is, with ours after
it; indices of interfaces are shifted accordingly.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from integrations.cni.fields import Fields, parse_interface
from integrations.cni.versions import addresses_have_versions, has_metrics
from integrations.host.links import Route


class Interface(NamedTuple):
    """An interface on the host (`sandbox` None) or in the container."""

    name: str
    mac: str | None
    mtu: int | None
    sandbox: str | None


class Address(NamedTuple):
    """An address of the container, with its prefix length."""

    address: str
    gateway: str | None


class Result(NamedTuple):
    """What ADD made: the last of the interfaces is the container's, and has the addresses."""

    interfaces: Sequence[Interface]
    addresses: Sequence[Address]
    routes: Sequence[Route]
    dns: dict[str, Any]


def encode(result: Result, version: str, previous: dict[str, Any] | None) -> dict[str, Any]:
    """Return the document for a runtime, with what plugins before told."""
    before = previous or {}
    interfaces = list(before.get("interfaces") or [])
    ours = len(interfaces) + len(result.interfaces) - 1
    interfaces += [_interface(each, version) for each in result.interfaces]
    addresses = [
        *(before.get("ips") or []),
        *(_address(each, ours, version) for each in result.addresses),
    ]
    routes = [*(before.get("routes") or []), *(_route(each, version) for each in result.routes)]
    document: dict[str, Any] = {
        **before,
        "cniVersion": version,
        "interfaces": interfaces,
        "ips": addresses,
    }
    if routes:
        document["routes"] = routes
    dns = result.dns or before.get("dns")
    if dns:
        document["dns"] = dns
    return document


def _interface(interface: Interface, version: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"name": interface.name}
    if interface.mac is not None:
        entry["mac"] = interface.mac
    if interface.mtu is not None and has_metrics(version):
        entry["mtu"] = interface.mtu
    if interface.sandbox is not None:
        entry["sandbox"] = interface.sandbox
    return entry


def _address(address: Address, interface: int, version: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"address": address.address, "interface": interface}
    if address.gateway is not None:
        entry["gateway"] = address.gateway
    if addresses_have_versions(version):
        entry["version"] = "6" if ":" in address.address else "4"
    return entry


def _route(route: Route, version: str) -> dict[str, Any]:
    entry: dict[str, Any] = {"dst": route.destination}
    if route.gateway is not None:
        entry["gw"] = route.gateway
    if has_metrics(version):
        for name in ("mtu", "advmss", "priority", "table", "scope"):
            value = getattr(route, name)
            if value is not None:
                entry[name] = value
    return entry


def check_previous(previous: Fields) -> dict[str, Any]:
    """Return `prevResult`, of which all that is used here has the right types."""
    for interface in previous.objects("interfaces"):
        interface.needed_text("name")
        interface.text("mac")
        interface.text("sandbox")
    for address in previous.objects("ips"):
        parse_interface(address.needed_text("address"), address.where("address"))
        address.integer("interface", 0, 1000)
        address.text("gateway")
    for route in previous.objects("routes"):
        route.needed_text("dst")
        route.text("gw")
    previous.object("dns")
    return previous.raw()
