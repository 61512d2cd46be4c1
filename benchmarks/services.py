"""What packets cost Open vSwitch on their ways through a network: of Treadle, and of Debian's OVN.

    python -m benchmarks.services

The same network twice, on one hypervisor each. On each way a client and a server exchange
datagrams of one connection, which the switch doesn't know before. Counted are

* the lookups in OpenFlow tables that a packet stands for (``dump-tables``; those of packets that
  a megaflow took count like those of the one that made it);
* the recirculations of a packet, by the packets of megaflows;
* the megaflows that the connection leaves behind.
"""

import json
import re
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.hypervisors import add_bridge, laboratory
from benchmarks.ovn import Ovn
from benchmarks.ovn_chassis import start_controller
from cli.testbed.hypervisor import INTEGRATION_BRIDGE, Hypervisor
from cli.testbed.lab import Lab
from cli.testbed.network_facts import VmFacts
from cli.testbed.wait import until

EXCHANGES = 100
PORT = 7
VIRTUAL, FLOATING, OWN = "10.8.0.80", "192.0.2.111", "192.0.2.1"
_PATIENCE = 1.0

NETWORKS = {"a": 1, "b": 2, "c": 3, "d": 4, "e": 5}
"""Switches with a number in their addresses; `c` has a load balancer, `d` and `e` have ACLs."""
VMS = {"a1": "a", "a2": "a", "b1": "b", "c1": "c", "d1": "d", "e1": "e", "out": "public"}


class Way(NamedTuple):
    """Who sends to whom, and the address that is sent to."""

    client: str
    server: str
    address: str


def _ip(name: str) -> str:
    if name == "out":
        return "192.0.2.9"
    return f"10.{NETWORKS[name[0]]}.0.1{name[1]}"


def _mac(name: str) -> str:
    number = list(VMS).index(name)
    return f"0a:00:00:00:00:1{number}"


WAYS = {
    "same switch": Way("a1", "a2", _ip("a2")),
    "routed": Way("a1", "b1", _ip("b1")),
    "routed, stateful ACLs": Way("d1", "e1", _ip("e1")),
    "SNAT": Way("a1", "out", _ip("out")),
    "floating IP": Way("out", "b1", FLOATING),
    "load balanced": Way("c1", "b1", VIRTUAL),
}


def measure() -> dict[str, Any]:
    return {"treadle": _measured(_treadle), "ovn": _measured(_ovn)}


def _measured(network: Callable[[Lab], Any]) -> dict[str, dict[str, float]]:
    with laboratory() as lab, network(lab):
        for name, switch in VMS.items():
            gateway = "192.0.2.1" if switch == "public" else f"10.{NETWORKS[switch]}.0.1"
            facts = VmFacts(_mac(name), (f"{_ip(name)}/24",), (gateway,))
            lab.add_vm(name, "hv1", facts)
        return {name: _cost(lab, way) for name, way in WAYS.items()}


@contextmanager
def _treadle(lab: Lab) -> Iterator[None]:
    lab.start_server()
    lab.add_hypervisor("hv1")
    with lab.server.client() as client:
        client.post("/v1/apply", json=_document()).raise_for_status()
        yield


def _document() -> dict[str, Any]:
    document: dict[str, Any] = {
        "document": "services",
        "logical_switches": {
            switch: {
                "ports": {
                    **{
                        name: {"addresses": [f"{_mac(name)} {_ip(name)}"]}
                        for name, home in VMS.items()
                        if home == switch
                    },
                    f"{switch}-r": {"router_port": f"r-{switch}"},
                },
                **({"acls": _acls()} if switch in ("d", "e") else {}),
            }
            for switch in (*NETWORKS, "public")
        },
        "logical_routers": {
            "r": {
                "ports": {
                    **{
                        f"r-{name}": {"networks": [f"10.{n}.0.1/24"], "mac": f"0a:00:00:00:01:0{n}"}
                        for name, n in NETWORKS.items()
                    },
                    "r-public": {
                        "networks": [f"{OWN}/24"],
                        "mac": "0a:00:00:00:01:09",
                        "gateway_chassis": [{"chassis": "hv1", "priority": 10}],
                    },
                },
                "nats": [
                    {"type": "snat", "external_ip": OWN, "logical_ip": "10.1.0.0/24"},
                    {"type": "dnat_and_snat", "external_ip": FLOATING, "logical_ip": _ip("b1")},
                ],
            }
        },
        "load_balancers": {
            "lb": {
                "protocol": "udp",
                "switches": ["c"],
                "vips": [{"address": VIRTUAL, "port": PORT, "backends": [f"{_ip('b1')}:{PORT}"]}],
            }
        },
    }
    return document


def _acls() -> list[dict[str, Any]]:
    return [
        {"direction": direction, "priority": 1000, "match": "ip4", "action": "allow-related"}
        for direction in ("from-lport", "to-lport")
    ]


@contextmanager
def _ovn(lab: Lab) -> Iterator[None]:
    with ExitStack() as stack:
        ovn = Ovn(Path(stack.enter_context(tempfile.TemporaryDirectory())))
        stack.callback(ovn.stop)
        ovn.start_databases()
        ovn.start_northd()
        ovn.load(_ovn_commands())
        hypervisor = lab.add_hypervisor("hv1", agent=False)
        add_bridge(hypervisor)
        stack.callback(start_controller(ovn, hypervisor).stop)
        yield


def _ovn_commands() -> Iterator[list[str]]:
    yield ["lr-add", "r"]
    for switch in (*NETWORKS, "public"):
        yield ["ls-add", switch]
        yield ["lsp-add", switch, f"{switch}-r"]
        yield ["lsp-set-type", f"{switch}-r", "router"]
        yield ["lsp-set-addresses", f"{switch}-r", "router"]
        yield ["lsp-set-options", f"{switch}-r", f"router-port=r-{switch}"]
    for name, n in NETWORKS.items():
        yield ["lrp-add", "r", f"r-{name}", f"0a:00:00:00:01:0{n}", f"10.{n}.0.1/24"]
    yield ["lrp-add", "r", "r-public", "0a:00:00:00:01:09", f"{OWN}/24"]
    yield ["lrp-set-gateway-chassis", "r-public", "hv1", "10"]
    for name, switch in VMS.items():
        yield ["lsp-add", switch, name]
        yield ["lsp-set-addresses", name, f"{_mac(name)} {_ip(name)}"]
    yield ["lr-nat-add", "r", "snat", OWN, "10.1.0.0/24"]
    yield ["lr-nat-add", "r", "dnat_and_snat", FLOATING, _ip("b1")]
    yield ["lb-add", "lb", f"{VIRTUAL}:{PORT}", f"{_ip('b1')}:{PORT}", "udp"]
    yield ["ls-lb-add", "c", "lb"]
    for switch in ("d", "e"):
        for acl in _acls():
            words = [acl["direction"], str(acl["priority"]), acl["match"], acl["action"]]
            yield ["acl-add", switch, *words]


def _cost(lab: Lab, way: Way) -> dict[str, float]:
    """The cost of a new connection, once everyone has been found."""
    hypervisor = lab.hypervisor("hv1")
    client, server = lab.vm(way.client).namespace, lab.vm(way.server).namespace
    with server.socket(socket.AF_INET, socket.SOCK_DGRAM) as answering:
        answering.bind(("0.0.0.0", PORT))
        answering.settimeout(_PATIENCE)

        def exchanges(count: int) -> bool:
            """Whether as many datagrams of a new connection, one by one, were all answered."""
            with client.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
                asking.settimeout(_PATIENCE)
                try:
                    for _ in range(count):
                        asking.sendto(b"?", (way.address, PORT))
                        _, whom = answering.recvfrom(16)
                        answering.sendto(b"!", whom)
                        asking.recvfrom(16)
                except TimeoutError:
                    return False
                return True

        until(lambda: exchanges(1), f"{way.client} reaches {way.address}", 60)
        hypervisor.switch.appctl("dpctl/flush-conntrack")
        hypervisor.switch.appctl("revalidator/purge")
        before = _lookups(hypervisor)
        if not exchanges(EXCHANGES):
            raise RuntimeError(f"{way.address} doesn't answer {way.client} any more")
        flows = _ip_flows(hypervisor)
        hypervisor.switch.appctl("revalidator/purge")  # which counts what megaflows took
        lookups = _lookups(hypervisor) - before
    first = sum(packets for recirculated, packets in flows if not recirculated)
    later = sum(packets for recirculated, packets in flows if recirculated)
    return {
        "lookups": round(lookups / (2 * EXCHANGES)),
        "recirculations": round(later / first, 1),
        "megaflows": len(flows),
    }


def _ip_flows(hypervisor: Hypervisor) -> list[tuple[bool, int]]:
    """Of each megaflow for IPv4 whether it is for recirculated packets, and how many it took."""
    listed = hypervisor.switch.appctl("dpctl/dump-flows")
    return [
        ("recirc_id(0)" not in line, int(packets[1]))
        for line in listed.splitlines()
        if "eth_type(0x0800)" in line and (packets := re.search(r"packets:(\d+)", line))
    ]


def _lookups(hypervisor: Hypervisor) -> int:
    switch = hypervisor.switch
    listed = switch.ofctl("dump-tables", switch.management(INTEGRATION_BRIDGE))
    return sum(map(int, re.findall(r"lookup=(\d+)", listed)))


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
