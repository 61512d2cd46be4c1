"""A small network in which everything may be there or not, and edits of it.

There are few ids, so that rows often meet, and for each table a fixed pool of rows
whose fields were drawn once: an edit is one choice from a pool, which keeps examples
cheap to draw and easy to shrink.
"""

import random
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

Image = dict[str, Any]
Choices = Mapping[str, tuple[Any, ...]]

POOL_SIZE = 60
"""Rows drawn for each table."""


class Edit(NamedTuple):
    table: str
    image: Image
    deletes: bool


SWITCHES, ROUTERS, GROUPS, SETS = ("s1", "s2"), ("r1", "r2"), ("g1", "g2"), ("n1", "n2")
DHCP_OPTIONS = ("d1", "d2")
PORTS, ROUTER_PORTS = ("p1", "p2", "p3", "p4"), ("q1", "q2", "q3")
KEYS, FLAGS, TRUE_MOSTLY = (1, 2), (False, True), (True, True, True, False)

ADDRESSES = (
    [],
    ["unknown"],
    ["dynamic"],
    ["0a:00:00:00:00:01 10.0.0.1"],
    ["0A:00:00:00:00:01 10.0.0.1"],
    ["0a:00:00:00:00:01 10.0.0.1 fd00::1"],
    ["0a:00:00:00:00:01 10.0.0.1 fd00:0:0::1"],
    ["0a:00:00:00:00:02 10.0.0.2", "0a:00:00:00:00:03"],
    ["0a:00:00:00:00:03 10.0.1.3 fd00:1::3", "unknown"],
)
NETWORKS = (
    [],
    ["10.0.0.254/24"],
    ["10.0.1.254/24", "10.0.0.254/16"],
    ["10.0.0.253/24", "fd00::fe/64"],
    ["fd00::fe/64"],
)
CHOICES: dict[str, Choices] = {
    "dhcp_options": {
        "id": DHCP_OPTIONS,
        "cidr": ("10.0.0.0/24", "10.0.1.0/24", "fd00::/64"),
        "dhcpv4": ({"routers": ["10.0.0.254"]}, {"server_id": "10.0.0.250", "hostname": "x"}),
        "dhcpv6": (None, {"stateless": True}, {"dns_servers": ["fd00::2"]}),
    },
    "logical_switch": {
        "id": SWITCHES,
        "tunnel_key": KEYS,
        "dhcpv4_options_id": (None, *DHCP_OPTIONS),
        "dhcpv6_options_id": (None, *DHCP_OPTIONS),
    },
    "logical_switch_port": {
        "id": PORTS,
        "logical_switch_id": SWITCHES,
        "tunnel_key": KEYS,
        "type": ("vif", "vif", "router"),
        "addresses": ADDRESSES,
        "dynamic_addresses": (None, "0a:00:00:00:00:09 10.0.0.9"),
        "port_security": (
            [],
            ["0a:00:00:00:00:01"],
            ["0a:00:00:00:00:01 10.0.0.0/24 fd00::1", "0a:00:00:00:00:02 10.0.0.2/24"],
        ),
        "enabled": TRUE_MOSTLY,
        "router_port": ROUTER_PORTS,
        "requested_chassis": ([],),
        "dhcp": TRUE_MOSTLY,
        "dhcpv4_options_id": (None, *DHCP_OPTIONS),
        "dhcpv6_options_id": (None, *DHCP_OPTIONS),
        "hostname": (None, "vm.example"),
    },
    "logical_router": {
        "id": ROUTERS,
        "tunnel_key": KEYS,
        "enabled": TRUE_MOSTLY,
        "dynamic_neigh_routers": (False, False, True),
        "always_learn_from_arp_request": (True, True, False),
        "mac_binding_age_threshold": (None, None, 60),
    },
    "logical_router_port": {
        "id": ROUTER_PORTS,
        "logical_router_id": ROUTERS,
        "tunnel_key": KEYS,
        "mac": ("0a:00:00:00:01:01", "0A:00:00:00:01:01", "0a:00:00:00:01:02"),
        "networks": NETWORKS,
        "peer": (None, *ROUTER_PORTS),
        "enabled": TRUE_MOSTLY,
        "route_table": ("main", "main", "guests"),
    },
    "static_route": {
        "id": ("t1", "t2", "t3"),
        "logical_router_id": ROUTERS,
        "ip_prefix": ("192.0.2.0/24", "192.0.2.9/24", "::/0"),
        "nexthop": ("10.0.0.9", "10.0.1.9", "fd00::9", "fe80::9", "discard"),
        "output_port": (None, *ROUTER_PORTS),
        "policy": ("dst-ip", "dst-ip", "src-ip"),
        "route_table": ("main", "main", "guests"),
        "origin": ("static", "static", "learned"),
        "override_connected": (False, False, True),
        "number": (1, 2, 3),
        "selection_fields": ([], [], ["ip_src"], ["ip_src", "tp_dst"]),
    },
    "port_group": {"id": GROUPS},
    "port_group_port": {"port_group_id": GROUPS, "logical_switch_port_id": PORTS},
    "address_set": {"id": SETS},
    "address_set_address": {"address_set_id": SETS, "address": ("10.0.0.1", "192.0.2.0/24")},
    "acl": {
        "id": ("a1", "a2", "a3", "a4"),
        "owner": (*SWITCHES, *GROUPS),
        "direction": ("from-lport", "to-lport"),
        "tier": (0, 3),
        "priority": (0, 1),
        "match": ("ip4", "outport == @g1", "ip4.src==$n1", "ip4.src == $n1", "not a match"),
        "action": ("allow", "allow-related", "allow-stateless", "drop", "reject", "pass"),
        "name": ("rule",),
        "log": FLAGS,
        "severity": ("info",),
        "meter": (None, "m"),
        "label": (0, 1),
        "apply_after_lb": FLAGS,
    },
}


def _with_name(image: Image) -> Image:
    return {"name": image["id"], **image}


def _with_owner(image: Image) -> Image:
    owner = image.pop("owner")
    return {
        **image,
        "logical_switch_id": owner if owner in SWITCHES else None,
        "port_group_id": owner if owner in GROUPS else None,
    }


_FINISHED: dict[str, Callable[[Image], Image]] = {
    "acl": _with_owner,
    "port_group_port": dict,
    "address_set_address": dict,
}


def pool(table: str) -> list[Image]:
    """Rows of a table, the same in every run."""
    draw = random.Random(table)
    finish = _FINISHED.get(table, _with_name)
    return [
        finish({name: draw.choice(values) for name, values in CHOICES[table].items()})
        for _ in range(POOL_SIZE)
    ]


POOLS = {table: pool(table) for table in CHOICES}

ROUTING = ("logical_router", "logical_router_port", "static_route", "static_route")
ATTACHING = ("logical_switch_port", "logical_switch_port", "logical_router_port")
FILTERING = ("logical_switch_port", "port_group", "port_group_port", "acl", "acl")
TOPICS = (ROUTING, ATTACHING, FILTERING, tuple(CHOICES))
"""Tables whose rows have much to do with each other; an example is about one topic."""


def _batches(tables: tuple[str, ...]) -> SearchStrategy[list[list[Edit]]]:
    edits = [
        Edit(table, image, deletes)
        for table in tables
        for image in POOLS[table]
        for deletes in (False, False, False, True)
    ]
    batch = st.lists(st.sampled_from(edits), min_size=1, max_size=12)
    return st.lists(batch, min_size=1, max_size=8)


BATCHES = st.one_of([_batches(tables) for tables in TOPICS])
