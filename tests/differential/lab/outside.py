"""Connections that are translated, on their ways through both labs.

Of the state of connections that NAT and load balancers keep ``ovn-trace`` knows nothing. So here
is one network with all of it, and connections that begin at each end: a packet, the answer of who
gets it, a further packet, and an ICMP error that quotes what arrived. What comes out of the labs at
each step has to be the same, byte for byte. Each virtual address has one backend, and source
ports stay as they are where they are free, so that nothing is left to chance.

The host outside is on a provider network, where the gateway port's chassis is the way in, but for
the floating IP that is translated where its workload is.
"""

import struct
from collections.abc import Container, Iterator
from typing import Any, NamedTuple

from logical_flow.packet import packet_from_match
from tests.differential.lab.canonical import canonical
from tests.differential.lab.conversation import Step, send_to_both
from tests.differential.lab.crafting import craft, reply_to
from tests.differential.lab.sides import Side
from tests.differential.lab.taps import OUTSIDE, Arrival
from tests.differential.network.outside import NETWORK, OUTSIDE_HOST
from tests.system import frames
from tests.system.agent.frame_fields import fields_of

_RARP = 0x8035
_MORE_ROUNDS = 10
"""A packet may go through agents more than once, and each time be overtaken by barriers."""
_UNREACHABLE = 3
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
                "ls9-net": {
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


class Beginning(NamedTuple):
    """Who begins a connection with which packet; its answers come from where it arrives."""

    port: str
    packet: str


def addressed(port: str, target: str, source: str = "", mac: str = "", gateway: str = "") -> str:
    """The addresses of what a workload, or by default the host outside, sends to an address."""
    six = ":" in target
    if port == OUTSIDE:
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
_FLOATING = addressed(OUTSIDE, "10.0.9.203", gateway=_FLOATING_MAC)

CONNECTIONS = {
    "SNAT, TCP": Beginning("ls1-p2", f"{addressed('ls1-p2', _IP4)} && {TCP}"),
    "SNAT, UDP": Beginning("ls1-p2", f"{addressed('ls1-p2', _IP4)} && {UDP}"),
    "SNAT, ping": Beginning("ls1-p2", f"{addressed('ls1-p2', _IP4)} && {PING}"),
    "SNAT, TCP over IPv6": Beginning("ls1-p2", f"{addressed('ls1-p2', _IP6)} && {TCP}"),
    "SNAT, ping over IPv6": Beginning("ls1-p2", f"{addressed('ls1-p2', _IP6)} && {PING6}"),
    "DNAT, TCP": Beginning(OUTSIDE, f"{addressed(OUTSIDE, '10.0.9.201')} && {TCP}"),
    "DNAT, UDP": Beginning(OUTSIDE, f"{addressed(OUTSIDE, '10.0.9.201')} && {UDP}"),
    "floating IP, from outside": Beginning(OUTSIDE, f"{addressed(OUTSIDE, '10.0.9.202')} && {TCP}"),
    "floating IP, ping": Beginning(OUTSIDE, f"{addressed(OUTSIDE, '10.0.9.202')} && {PING}"),
    "floating IP, to outside": Beginning("ls2-p1", f"{addressed('ls2-p1', _IP4)} && {TCP}"),
    "distributed floating IP, from outside": Beginning(OUTSIDE, f"{_FLOATING} && {TCP}"),
    "distributed floating IP, UDP": Beginning(OUTSIDE, f"{_FLOATING} && {UDP}"),
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
    "VIP at the gateway, UDP": Beginning(OUTSIDE, f"{addressed(OUTSIDE, '10.0.9.220')} && {UDP}"),
    "VIP at the gateway": Beginning(OUTSIDE, f"{addressed(OUTSIDE, '10.0.9.220')} && {TCP}"),
}


INTENDED_STEPS = {"VIP of a switch, its own backend": {3}}
"""Steps at which the labs differ on purpose: a client that is its own backend hears of its errors,
which OVN drops."""


def connect(
    beginning: Beginning, ours: Side, theirs: Side, differing: Container[int] = ()
) -> Iterator[Step]:
    """The steps of a connection. OVN's lab says where a packet arrives, to be answered there.

    At those of which the numbers are `differing`, from 0 on, the labs let out different frames.
    """
    port = beginning.port
    packet = packet_from_match(f'inport == "{port}" && {beginning.packet}')
    del packet["inport"]
    first = _step(port, craft(packet), ours, theirs, differs=0 in differing)
    yield first
    arrival = _arrival(first)
    if arrival is None:
        return
    further = [
        (port, craft(packet, tcp_flags=frames.ACK)),
        (arrival.port, _refusal(arrival.frame)),
    ]
    answer = reply_to(fields_of(arrival.frame))
    if answer is not None:
        further.insert(0, (arrival.port, craft(answer, tcp_flags=frames.SYN | frames.ACK)))
    for number, (sender, frame) in enumerate(further, 1):
        yield _step(sender, frame, ours, theirs, differs=number in differing)


def _step(port: str, frame: bytes, ours: Side, theirs: Side, *, differs: bool) -> Step:
    """Send a frame in both labs, and wait for what is known to come out of one of them or both."""
    step = send_to_both(port, frame, ours, theirs)
    for _ in range(_MORE_ROUNDS):
        if (step.ours or step.theirs) and bool(difference(step)) == differs:
            break
        step = step._replace(
            ours=step.ours + ours.taps.outcome(), theirs=step.theirs + theirs.taps.outcome()
        )
    return step


def difference(step: Step) -> str:
    """What came out of one lab alone; nothing where both let out the same."""
    ours = sorted(_compared(arrival, step.frame) for arrival in step.ours if _counts(arrival))
    theirs = sorted(_compared(arrival, step.frame) for arrival in step.theirs if _counts(arrival))
    if ours == theirs:
        return ""
    return (
        f"{step.port} sent {frames.parse(step.frame)}\n"
        f"  Treadle: {_told(ours)}\n  OVN:     {_told(theirs)}"
    )


def _arrival(step: Step) -> Arrival | None:
    found = [arrival for arrival in step.theirs if _counts(arrival)]
    return found[0] if len(found) == 1 else None


def _counts(arrival: Arrival) -> bool:
    """Whether it is no announcement of the gateway's, which come whenever they like."""
    if arrival.port != OUTSIDE:
        return True
    frame = frames.parse(arrival.frame)
    if frame.ethertype == frames.ARP:
        fields = fields_of(arrival.frame)
        return fields["arp.spa"] != fields["arp.tpa"]
    return frame.ethertype != _RARP and frame.icmp_type != frames.NA


def _compared(arrival: Arrival, sent: bytes) -> tuple[str, bytes]:
    return arrival.port, canonical(arrival.frame, sent)


def _told(arrivals: list[tuple[str, bytes]]) -> str:
    return "; ".join(f"{port}: {fields_of(frame)}" for port, frame in arrivals) or "nothing"


def _refusal(frame: bytes) -> bytes:
    """That a port is closed, as who received a packet says it, with the packet."""
    quoted = frames.parse(frame)
    target, source = quoted.ip_src, quoted.ip_dst
    packet = frame[14:]
    if quoted.ethertype == frames.IPV4:
        error = frames.icmp4(_UNREACHABLE, struct.pack("!I", 0) + packet, 3)
        body = frames.ipv4(source, target, frames.ICMP, error)
    else:
        error = frames.icmp6(source, target, 1, struct.pack("!I", 0) + packet, 4)
        body = frames.ipv6(source, target, frames.ICMPV6, error)
    return frames.ethernet(quoted.src, quoted.dst, quoted.ethertype, body)
