"""Makes a failing case smaller for as long as it still fails.

Objects go one by one, with what would dangle without them; what is left is what the
difference needs.
"""

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from itertools import takewhile
from operator import ne
from typing import Any

from logical_flow.packet import packet_from_match
from tests.differential.network.outside import is_gateway
from tests.differential.network.probe import Probe
from tests.differential.network.topologies import Document

Fails = Callable[[Document, Probe], bool]

_OPTIONAL = (
    "enabled",
    "chassis",
    "lb_force_snat_ips",
    "lb_force_snat_router_ip",
    "dnat_force_snat_ips",
    "always_learn_from_arp_request",
    "mac_binding_age_threshold",
    "reject",
    "neighbor_responder",
    "skip_snat",
)
"""What switches, routers and load balancers may have or not."""

_MEMBERS = ("ports", "acls", "static_routes", "policies", "nats", "vips", "addresses")

_PLAIN_STATE = "new"
_PLAIN_MATCHES = ("1", "ip")


def shrink(document: Document, probe: Probe, fails: Fails) -> tuple[Document, Probe]:
    """The smallest document and packet found that `fails` holds for, as it does for these."""
    plain = probe._replace(state=_PLAIN_STATE)
    if probe != plain and fails(document, plain):
        probe = plain
    smaller: Document | None = document
    while smaller is not None:
        document = smaller
        candidates = (_tidied(each) for each in _reductions(document))
        possible = (
            each for each in candidates if _has_input(each, probe) and _translates_at_gateways(each)
        )
        smaller = next((each for each in possible if fails(each, probe)), None)
    return document, probe


def _has_input(document: Document, probe: Probe) -> bool:
    """Whether there still is the port where the packet enters."""
    port = packet_from_match(probe.packet)["inport"]
    return any(port in switch["ports"] for switch in document["logical_switches"].values())


def _translates_at_gateways(document: Document) -> bool:
    """Whether only routers with a gateway have NATs and load balancers, as all that are drawn."""
    balancers = document.get("load_balancers", {}).values()
    balanced = {name for balancer in balancers for name in balancer.get("routers", ())}
    return all(
        is_gateway(router) or not (router.get("nats") or name in balanced)
        for name, router in document["logical_routers"].items()
    )


def _reductions(document: Document) -> Iterator[Document]:
    """The document without one of its parts, large parts first."""
    for path in _parts(document):
        reduced = deepcopy(document)
        owner: Any = reduced
        for key in path[:-1]:
            owner = owner[key]
        del owner[path[-1]]
        yield reduced
    yield from _plainer_matches(document)


def _plainer_matches(document: Document) -> Iterator[Document]:
    for kind in ("logical_switches", "port_groups"):
        for name, owner in document[kind].items():
            for number, acl in enumerate(owner.get("acls", ())):
                for match in takewhile(partial(ne, acl["match"]), _PLAIN_MATCHES):
                    reduced = deepcopy(document)
                    reduced[kind][name]["acls"][number]["match"] = match
                    yield reduced


def _parts(document: Document) -> Iterator[tuple[str | int, ...]]:
    """Where the parts are that can be left out."""
    kinds = ("logical_switches", "logical_routers", "port_groups", "address_sets", "load_balancers")
    for kind in (*kinds, "dhcp_options", "ha_chassis_groups"):
        yield from ((kind, name) for name in document.get(kind, ()))
    for kind in kinds:
        for name, owner in document.get(kind, {}).items():
            for member in _MEMBERS:
                yield from ((kind, name, member, key) for key in _keys(owner.get(member, ())))
            yield from ((kind, name, key) for key in _OPTIONAL if key in owner)
    for kind in ("logical_switches", "logical_routers"):
        for name, owner in document[kind].items():
            for port_name, port in owner["ports"].items():
                place = (kind, name, "ports", port_name)
                optional = (
                    "enabled",
                    "port_security",
                    "static_mac_bindings",
                    "gateway_chassis",
                    "ipv6_ra",
                    "route_table",
                    "tag",
                    "redirect_type",
                    "parent",
                    "reside_on_redirect_chassis",
                )
                needed = {"tag"} if "parent" in port else set()
                optional_here = (key for key in optional if key in port and key not in needed)
                yield from ((*place, key) for key in optional_here)
                for member in ("addresses", "port_security", "networks", "static_mac_bindings"):
                    found = _keys(port.get(member, ()))
                    yield from ((*place, member, key) for key in found if len(found) > 1)


def _keys(owner: Any) -> list[Any]:
    return list(owner) if isinstance(owner, dict) else list(reversed(range(len(owner))))


def _tidied(document: Document) -> Document:
    """The document without references to what it no longer has."""
    switches, routers = document["logical_switches"], document["logical_routers"]
    router_ports = {name for router in routers.values() for name in router["ports"]}
    for switch in switches.values():
        for name, port in list(switch["ports"].items()):
            if port.get("router_port", "") not in {"", *router_ports}:
                del switch["ports"][name]
    for router in routers.values():
        for name, port in list(router["ports"].items()):
            if port.get("peer", "") not in {"", *router_ports}:
                del router["ports"][name]
    for balancer in document.get("load_balancers", {}).values():
        for field, kept in (("switches", switches), ("routers", routers)):
            balancer[field] = [name for name in balancer.get(field, ()) if name in kept]
    ports = {name for switch in switches.values() for name in switch["ports"]}
    for port in (port for switch in switches.values() for port in switch["ports"].values()):
        if port.get("parent") not in ports and "type" not in port:
            for field in ("parent", "tag"):
                port.pop(field, None)
        for field in ("dhcpv4_options", "dhcpv6_options"):
            if port.get(field, "") not in {"", *document.get("dhcp_options", {})}:
                del port[field]
        if port.get("ha_chassis_group", "") not in {"", *document.get("ha_chassis_groups", {})}:
            del port["ha_chassis_group"]
    for group in document["port_groups"].values():
        group["ports"] = [name for name in group["ports"] if name in ports]
    return document
