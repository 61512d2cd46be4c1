"""Connections that are translated, on their ways through both labs.

Of the state of connections that NAT and load balancers keep ``ovn-trace`` knows nothing. So here
is one network with all of it, and connections that begin at each end. Each virtual address has one
backend, and source ports stay as they are where they are free, so that nothing is left to chance.

The host outside is on a provider network, where the gateway port's chassis is the way in, but for
the floating IP that is translated where its workload is.
"""

from typing import Any

from tests.differential.lab.connecting import Beginning
from tests.differential.network.outside import LOCALNET, NETWORK, OUTSIDE_HOST

_MAC, _IP4, _IP6 = OUTSIDE_HOST
_FLOATING_MAC = "0a:00:00:02:01:01"
GATEWAY = "0a:00:00:01:01:09"

Document = dict[str, Any]


def workload_switch(number: int) -> Document:
    """A switch with two hosts, which router 1 leads to."""
    return {
        "ports": {
            **{
                f"ls{number}-p{n}": {
                    "addresses": [
                        f"0a:00:00:00:0{number}:0{n} 10.0.{number}.{n} fd00:{number}::{n}"
                    ]
                }
                for n in (1, 2)
            },
            f"ls{number}-lr1": {"type": "router", "router_port": f"lr1-ls{number}"},
        }
    }


DOCUMENT: Document = {
    "document": "differential",
    "logical_switches": {
        "ls1": workload_switch(1),
        "ls2": workload_switch(2),
        "ls9": {
            "ports": {
                LOCALNET: {
                    "type": "localnet",
                    "network_name": NETWORK,
                    "addresses": ["unknown"],
                },
                "ls9-lr1": {"type": "router", "router_port": "lr1-ls9"},
            }
        },
    },
    "logical_routers": {
        "lr1": {
            "ports": {
                "lr1-ls1": {
                    "mac": "0a:00:00:01:01:01",
                    "networks": ["10.0.1.251/24", "fd00:1::f1/64"],
                },
                "lr1-ls2": {
                    "mac": "0a:00:00:01:01:02",
                    "networks": ["10.0.2.251/24", "fd00:2::f1/64"],
                },
                "lr1-ls9": {
                    "mac": GATEWAY,
                    "networks": ["10.0.9.251/24", "fd00:9::f1/64"],
                    "gateway_chassis": [{"chassis": "hv1", "priority": 20}],
                    "static_mac_bindings": [{"ip": ip, "mac": _MAC} for ip in (_IP4, _IP6)],
                },
            },
            "static_routes": [],
            "nats": [
                {"type": "snat", "external_ip": "10.0.9.200", "logical_ip": "10.0.1.0/24"},
                {"type": "snat", "external_ip": "fd00:9::200", "logical_ip": "fd00:1::/64"},
                {"type": "dnat", "external_ip": "10.0.9.201", "logical_ip": "10.0.2.2"},
                {"type": "dnat_and_snat", "external_ip": "10.0.9.202", "logical_ip": "10.0.2.1"},
                {
                    "type": "dnat_and_snat",
                    "external_ip": "10.0.9.203",
                    "logical_ip": "10.0.1.1",
                    "logical_port": "ls1-p1",
                    "external_mac": _FLOATING_MAC,
                },
            ],
        }
    },
    "address_sets": {},
    "port_groups": {},
    "dhcp_options": {},
    "load_balancers": {
        "lb-ls1": {
            "protocol": "tcp",
            "switches": ["ls1"],
            "vips": [
                {"address": "10.96.0.1", "port": 80, "backends": ["10.0.2.1:8080"]},
                {"address": "10.96.0.2", "port": 80, "backends": ["10.0.1.2:8080"]},
                {"address": "fd96::1", "port": 80, "backends": ["[fd00:2::1]:8080"]},
            ],
        },
        "lb-lr1": {
            "protocol": "tcp",
            "routers": ["lr1"],
            "vips": [{"address": "10.0.9.220", "port": 80, "backends": ["10.0.2.2:8080"]}],
        },
        "lb-udp": {
            "protocol": "udp",
            "switches": ["ls1"],
            "routers": ["lr1"],
            "vips": [
                {"address": "10.96.0.1", "port": 80, "backends": ["10.0.2.1:8053"]},
                {"address": "10.0.9.220", "port": 80, "backends": ["10.0.2.2:8053"]},
            ],
        },
    },
}


def addressed(port: str, target: str, source: str = "", mac: str = "", gateway: str = "") -> str:
    """The addresses of what a workload, or by default the host outside, sends to an address."""
    six = ":" in target
    if port == LOCALNET:
        source, mac, gateway = _IP6 if six else _IP4, _MAC, gateway or GATEWAY
    else:
        switch, host = port[2], port[-1]
        source = f"fd00:{switch}::{host}" if six else f"10.0.{switch}.{host}"
        mac, gateway = f"0a:00:00:00:0{switch}:0{host}", f"0a:00:00:01:01:0{switch}"
    version = "ip6" if six else "ip4"
    return (
        f"eth.src == {mac} && eth.dst == {gateway} && {version}.src == {source} "
        f"&& {version}.dst == {target} && ip.ttl == 64"
    )


TCP, UDP = "tcp.src == 1000 && tcp.dst == 80", "udp.src == 1000 && udp.dst == 80"
PING, PING6 = "icmp4.type == 8 && icmp4.code == 0", "icmp6.type == 128 && icmp6.code == 0"
_FLOATING = addressed(LOCALNET, "10.0.9.203", gateway=_FLOATING_MAC)

CONNECTIONS = {
    "SNAT, TCP": Beginning("ls1-p2", f"{addressed('ls1-p2', _IP4)} && {TCP}"),
    "SNAT, UDP": Beginning("ls1-p2", f"{addressed('ls1-p2', _IP4)} && {UDP}"),
    "SNAT, ping": Beginning("ls1-p2", f"{addressed('ls1-p2', _IP4)} && {PING}"),
    "SNAT, TCP over IPv6": Beginning("ls1-p2", f"{addressed('ls1-p2', _IP6)} && {TCP}"),
    "SNAT, ping over IPv6": Beginning("ls1-p2", f"{addressed('ls1-p2', _IP6)} && {PING6}"),
    "DNAT, TCP": Beginning(LOCALNET, f"{addressed(LOCALNET, '10.0.9.201')} && {TCP}"),
    "DNAT, UDP": Beginning(LOCALNET, f"{addressed(LOCALNET, '10.0.9.201')} && {UDP}"),
    "floating IP, from outside": Beginning(
        LOCALNET, f"{addressed(LOCALNET, '10.0.9.202')} && {TCP}"
    ),
    "floating IP, ping": Beginning(LOCALNET, f"{addressed(LOCALNET, '10.0.9.202')} && {PING}"),
    "floating IP, to outside": Beginning("ls2-p1", f"{addressed('ls2-p1', _IP4)} && {TCP}"),
    "distributed floating IP, from outside": Beginning(LOCALNET, f"{_FLOATING} && {TCP}"),
    "distributed floating IP, UDP": Beginning(LOCALNET, f"{_FLOATING} && {UDP}"),
    "distributed floating IP, to outside": Beginning(
        "ls1-p1", f"{addressed('ls1-p1', _IP4)} && {TCP}"
    ),
    "floating IP, from inside": Beginning(
        "ls1-p2", f"{addressed('ls1-p2', '10.0.9.202')} && {TCP}"
    ),
    "VIP of a switch": Beginning("ls1-p1", f"{addressed('ls1-p1', '10.96.0.1')} && {TCP}"),
    "VIP of a switch, IPv6": Beginning("ls1-p1", f"{addressed('ls1-p1', 'fd96::1')} && {TCP}"),
    "VIP of a switch, on the same one": Beginning(
        "ls1-p1", f"{addressed('ls1-p1', '10.96.0.2')} && {TCP}"
    ),
    "VIP of a switch, its own backend": Beginning(
        "ls1-p2", f"{addressed('ls1-p2', '10.96.0.2')} && {TCP}"
    ),
    "VIP of a switch, UDP": Beginning("ls1-p1", f"{addressed('ls1-p1', '10.96.0.1')} && {UDP}"),
    "VIP at the gateway, UDP": Beginning(LOCALNET, f"{addressed(LOCALNET, '10.0.9.220')} && {UDP}"),
    "VIP at the gateway": Beginning(LOCALNET, f"{addressed(LOCALNET, '10.0.9.220')} && {TCP}"),
}


INTENDED_STEPS = {"VIP of a switch, its own backend": {3}}
"""Steps at which the labs differ on purpose: a client that is its own backend hears of its errors,
which OVN drops."""
