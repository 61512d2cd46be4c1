"""A gateway router in both labs, with NAT and load balancers, that forces sources or doesn't.

Hosts are behind another router, which is on every chassis. The gateway router is on one, between
it and the provider network. Connections are as in
:mod:`outside`.
"""

from copy import deepcopy
from typing import Any

from tests.differential.lab.connecting import Beginning
from tests.differential.lab.outside import (
    GATEWAY,
    PING,
    PING6,
    TCP,
    UDP,
    Document,
    addressed,
    workload_switch,
)
from tests.differential.network.outside import LOCALNET, NETWORK, OUTSIDE_HOST

_MAC, _IP4, _IP6 = OUTSIDE_HOST
_INSIDE4, _INSIDE6 = "10.0.8.252", "fd00:8::f2"
_BEHIND4, _BEHIND6 = "10.0.8.251", "fd00:8::f1"


def _router_port(router: int, switch: int, mac: str = "") -> dict[str, Any]:
    return {
        "mac": mac or f"0a:00:00:01:0{router}:0{switch}",
        "networks": [f"10.0.{switch}.25{router}/24", f"fd00:{switch}::f{router}/64"],
    }


def _leading(switch: int, *routers: int) -> dict[str, Any]:
    return {
        f"ls{switch}-lr{n}": {"type": "router", "router_port": f"lr{n}-ls{switch}"} for n in routers
    }


def _route(prefix: str, nexthop: str) -> dict[str, str]:
    return {"ip_prefix": prefix, "nexthop": nexthop, "policy": "dst-ip"}


DOCUMENT: Document = {
    "document": "differential",
    "logical_switches": {
        "ls1": workload_switch(1),
        "ls2": workload_switch(2),
        "ls8": {"ports": _leading(8, 1, 2)},
        "ls9": {
            "ports": {
                LOCALNET: {
                    "type": "localnet",
                    "network_name": NETWORK,
                    "addresses": ["unknown"],
                },
                **_leading(9, 2),
            }
        },
    },
    "logical_routers": {
        "lr1": {
            "ports": {f"lr1-ls{switch}": _router_port(1, switch) for switch in (1, 2, 8)},
            "static_routes": [_route("0.0.0.0/0", _INSIDE4), _route("::/0", _INSIDE6)],
        },
        "lr2": {
            "chassis": "hv1",
            "ports": {
                "lr2-ls8": _router_port(2, 8),
                "lr2-ls9": {
                    **_router_port(2, 9, GATEWAY),
                    "static_mac_bindings": [{"ip": ip, "mac": _MAC} for ip in (_IP4, _IP6)],
                },
            },
            "static_routes": [
                *(_route(f"10.0.{switch}.0/24", _BEHIND4) for switch in (1, 2)),
                *(_route(f"fd00:{switch}::/64", _BEHIND6) for switch in (1, 2)),
            ],
            "nats": [
                {"type": "snat", "external_ip": "10.0.9.200", "logical_ip": "10.0.1.0/24"},
                {"type": "snat", "external_ip": "fd00:9::200", "logical_ip": "fd00:1::/64"},
                {
                    "type": "snat",
                    "external_ip": "10.0.9.204",
                    "logical_ip": "10.0.2.0/24",
                    "external_port_range": "30000",
                },
                {"type": "dnat", "external_ip": "10.0.9.201", "logical_ip": "10.0.1.2"},
                {"type": "dnat_and_snat", "external_ip": "10.0.9.202", "logical_ip": "10.0.2.1"},
            ],
        },
    },
    "address_sets": {},
    "port_groups": {},
    "dhcp_options": {},
    "load_balancers": {
        "lb-tcp": {
            "protocol": "tcp",
            "routers": ["lr2"],
            "vips": [
                {"address": "10.0.9.220", "port": 80, "backends": ["10.0.2.2:8080"]},
                {"address": "fd00:9::220", "port": 80, "backends": ["[fd00:2::2]:8080"]},
            ],
        },
        "lb-udp": {
            "protocol": "udp",
            "routers": ["lr2"],
            "vips": [{"address": "10.0.9.220", "port": 80, "backends": ["10.0.1.2:8053"]}],
        },
    },
}

FORCING = deepcopy(DOCUMENT)
"""The same router, which puts its address in place of clients'."""
FORCING["logical_routers"]["lr2"] |= {
    "lb_force_snat_ips": [_INSIDE4, _INSIDE6],
    "dnat_force_snat_ips": [_INSIDE4],
}

_FROM_OUTSIDE = {
    "DNAT, TCP": Beginning(LOCALNET, f"{addressed(LOCALNET, '10.0.9.201')} && {TCP}"),
    "DNAT, UDP": Beginning(LOCALNET, f"{addressed(LOCALNET, '10.0.9.201')} && {UDP}"),
    "floating IP, ping": Beginning(LOCALNET, f"{addressed(LOCALNET, '10.0.9.202')} && {PING}"),
    "VIP, TCP": Beginning(LOCALNET, f"{addressed(LOCALNET, '10.0.9.220')} && {TCP}"),
    "VIP, UDP": Beginning(LOCALNET, f"{addressed(LOCALNET, '10.0.9.220')} && {UDP}"),
    "VIP, IPv6": Beginning(LOCALNET, f"{addressed(LOCALNET, 'fd00:9::220')} && {TCP}"),
}
_FROM_INSIDE = {
    "SNAT, TCP": Beginning("ls1-p2", f"{addressed('ls1-p2', _IP4)} && {TCP}"),
    "SNAT, ping over IPv6": Beginning("ls1-p2", f"{addressed('ls1-p2', _IP6)} && {PING6}"),
    "SNAT to a range of ports": Beginning("ls2-p2", f"{addressed('ls2-p2', _IP4)} && {UDP}"),
    "floating IP, to outside": Beginning("ls2-p1", f"{addressed('ls2-p1', _IP4)} && {TCP}"),
}

CONNECTIONS = {
    **{name: (DOCUMENT, beginning) for name, beginning in (_FROM_OUTSIDE | _FROM_INSIDE).items()},
    **{f"{name}, forced": (FORCING, beginning) for name, beginning in _FROM_OUTSIDE.items()},
}
"""Connections, each with the network that it is in."""

INTENDED_STEPS: dict[str, set[int]] = {}
"""Steps at which the labs differ on purpose."""
