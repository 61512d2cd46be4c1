"""A generated network of N ports, as northbound rows.

N ports on N/50 switches, 20 switches to a distributed router. Each port has one
MAC address, one IPv4 address and port security; each switch has a port group with
5 ACLs: 3 of action ``allow-related``, and 2 that drop by default.

Rows are *images*: dictionaries with the column names as keys, by table, referents
before referrers. Ids are derived from names, so that two runs give equal rows.
"""

import ipaddress
import uuid
from collections.abc import Iterator
from typing import Any

PORTS_PER_SWITCH = 50
SWITCHES_PER_ROUTER = 20

Image = dict[str, Any]

_NAMESPACE = uuid.UUID("6f1cbf16-5f0c-4c0c-9a55-8d2f3a4c7f10")
_RESOURCE: Image = {"labels": {}, "external_ids": {}, "document": None}


def object_id(name: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, name))


def switch_count(ports: int) -> int:
    """How many switches a network of `ports` ports has."""
    return -(-ports // PORTS_PER_SWITCH)


def network(
    ports: int, switches_per_router: int = SWITCHES_PER_ROUTER
) -> Iterator[tuple[str, Image]]:
    """All rows of a network of `ports` ports, as (table, image)."""
    switches = switch_count(ports)
    for router in range(-(-switches // switches_per_router)):
        yield "logical_router", logical_router(router)
    for switch in range(switches):
        on_switch = min(PORTS_PER_SWITCH, ports - switch * PORTS_PER_SWITCH)
        yield from switch_with_ports(switch, on_switch, switches_per_router)


def logical_router(index: int) -> Image:
    return {
        "id": object_id(f"lr{index}"),
        "name": f"lr{index}",
        "enabled": True,
        "tunnel_key": (1 << 23) + index,
        **_RESOURCE,
    }


def switch_with_ports(
    index: int, ports: int, switches_per_router: int = SWITCHES_PER_ROUTER
) -> Iterator[tuple[str, Image]]:
    """A switch, attached to its router, with its ports, port group and ACLs."""
    yield "logical_switch", logical_switch(index)
    yield "logical_router_port", router_port(index, switches_per_router)
    yield "logical_switch_port", uplink(index)
    yield "port_group", {"id": object_id(f"pg{index}"), "name": f"pg{index}", **_RESOURCE}
    for port in range(ports):
        yield from port_in_group(index, port)
    for acl in range(5):
        yield "acl", default_acl(index, acl)


def logical_switch(index: int) -> Image:
    return {
        "id": object_id(f"ls{index}"),
        "name": f"ls{index}",
        "tunnel_key": 1 + index,
        "subnet4": None,
        "subnet6": None,
        "exclude_ips": [],
        **_RESOURCE,
    }


def router_port(switch: int, switches_per_router: int = SWITCHES_PER_ROUTER) -> Image:
    """The port of a switch's router that is the switch's gateway."""
    return {
        "id": object_id(f"lrp{switch}"),
        "logical_router_id": object_id(f"lr{switch // switches_per_router}"),
        "name": f"lrp{switch}",
        "mac": _mac(0x0A_01, switch),
        "networks": [f"{_subnet(switch)[1]}/24"],
        "peer": None,
        "enabled": True,
        "tunnel_key": 1 + switch % switches_per_router,
        "route_table": "main",
        **_RESOURCE,
    }


def uplink(switch: int) -> Image:
    """The port of a switch that leads to its router."""
    return {
        **port(switch, PORTS_PER_SWITCH),
        "id": object_id(f"ls{switch}-lr"),
        "name": f"ls{switch}-lr",
        "type": "router",
        "addresses": ["router"],
        "port_security": [],
        "router_port": f"lrp{switch}",
    }


def port(switch: int, index: int, **changes: Any) -> Image:
    """Port `index` of a switch."""
    address = f"{_mac(0x0A_02, switch << 16 | index)} {_subnet(switch)[10 + index]}"
    return {
        "id": object_id(f"ls{switch}-p{index}"),
        "logical_switch_id": object_id(f"ls{switch}"),
        "name": f"ls{switch}-p{index}",
        "type": "vif",
        "addresses": [address],
        "dynamic_addresses": None,
        "port_security": [address],
        "enabled": True,
        "router_port": None,
        "requested_chassis": [],
        "tunnel_key": 1 + index,
        **_RESOURCE,
        **changes,
    }


def port_in_group(switch: int, index: int) -> Iterator[tuple[str, Image]]:
    """Port `index` of a switch, and its membership in the switch's port group."""
    row = port(switch, index)
    yield "logical_switch_port", row
    yield (
        "port_group_port",
        {"port_group_id": object_id(f"pg{switch}"), "logical_switch_port_id": row["id"]},
    )


_ACLS = (
    ("from-lport", 1002, "allow-related", "inport == @{group} && ip4"),
    ("to-lport", 1002, "allow-related", "outport == @{group} && ip4 && ip4.src == ${group}_ip4"),
    ("to-lport", 1002, "allow-related", "outport == @{group} && ip4 && tcp.dst == 22"),
    ("from-lport", 1001, "drop", "inport == @{group} && ip"),
    ("to-lport", 1001, "drop", "outport == @{group} && ip"),
)


def default_acl(switch: int, index: int, **changes: Any) -> Image:
    """ACL `index` (0 to 4) of a switch's port group."""
    direction, priority, action, match = _ACLS[index]
    return {
        "id": object_id(f"pg{switch}-acl{index}"),
        "logical_switch_id": None,
        "port_group_id": object_id(f"pg{switch}"),
        "name": "",
        "direction": direction,
        "tier": 0,
        "priority": priority,
        "match": match.format(group=f"pg{switch}"),
        "action": action,
        "log": False,
        "severity": "info",
        "meter": None,
        "label": 0,
        **_RESOURCE,
        **changes,
    }


def static_route(router: int, index: int) -> Image:
    """Route `index` of a router, through the gateway port of its first switch."""
    prefix = ipaddress.IPv4Network((0xC0_00_00_00 + (index << 8), 24))
    return {
        "id": object_id(f"lr{router}-route{index}"),
        "logical_router_id": object_id(f"lr{router}"),
        "ip_prefix": str(prefix),
        "nexthop": str(_subnet(router * SWITCHES_PER_ROUTER)[250]),
        "output_port": None,
        "policy": "dst-ip",
        "route_table": "main",
        "origin": "static",
        "override_connected": False,
        "number": index + 1,
        **_RESOURCE,
    }


def _subnet(switch: int) -> ipaddress.IPv4Network:
    return ipaddress.IPv4Network((0x0A_00_00_00 + (switch << 8), 24))


def _mac(prefix: int, number: int) -> str:
    return (prefix << 32 | number).to_bytes(6).hex(":")
