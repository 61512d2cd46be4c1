"""What a port costs in flows, and a packet in lookups: counts, reviewed when they change.

The network: ports with one address and port security, a port group with five ACLs a
switch, switches joined by a router. OVN needs 60 lookups for a packet on one switch
and host and 162 for one that is routed between hosts, 14 flows for a port that can be
reached and 64 more for one that is bound.
"""

import re
from typing import Any

from tests.realised import TUNNEL_OFPORT, Realised
from tests.system.agent.packet_lab import PacketLab
from tests.system.agent.private_switch import PrivateSwitch

FLOWS_A_REACHABLE_PORT = 4
FLOWS_A_BOUND_PORT = 34
LOOKUPS_SAME_SWITCH = 18
LOOKUPS_ROUTED = 47
RECIRCULATIONS = 2

_ACLS = [
    ("from-lport", 1002, "inport == @pg{0} && ip4", "allow-related"),
    ("to-lport", 1002, "outport == @pg{0} && ip4 && ip4.src == 10.0.0.0/8", "allow-related"),
    ("to-lport", 1002, "outport == @pg{0} && ip4 && tcp.dst == 22", "allow-related"),
    ("from-lport", 1001, "inport == @pg{0} && ip", "drop"),
    ("to-lport", 1001, "outport == @pg{0} && ip", "drop"),
]
_LOOKUP = re.compile(r"^\s*\d+\. ", re.MULTILINE)
_RECIRCULATION = re.compile(r"^recirc\(", re.MULTILINE)


def network(ports_a_switch: int) -> dict[str, Any]:
    return {
        "document": "budget",
        "logical_switches": {f"s{s}": {"ports": _ports(s, ports_a_switch)} for s in (1, 2)},
        "logical_routers": {
            "r": {
                "ports": {
                    f"r-s{s}": {"mac": f"0a:00:00:00:ff:0{s}", "networks": [f"10.0.{s}.1/24"]}
                    for s in (1, 2)
                }
            }
        },
        "port_groups": {
            f"pg{s}": {
                "ports": [f"s{s}p{n}" for n in range(1, ports_a_switch + 1)],
                "acls": [
                    {
                        "direction": direction,
                        "priority": priority,
                        "match": match.format(s),
                        "action": action,
                    }
                    for direction, priority, match, action in _ACLS
                ],
            }
            for s in (1, 2)
        },
    }


def _ports(switch: int, count: int) -> dict[str, Any]:
    ports: dict[str, Any] = {
        f"s{switch}-r": {"type": "router", "router_port": f"r-s{switch}"},
    }
    for n in range(1, count + 1):
        address = f"0a:00:00:00:0{switch}:{n:02x} 10.0.{switch}.{10 + n}"
        ports[f"s{switch}p{n}"] = {"addresses": [address], "port_security": [address]}
    return ports


def realised(ports_a_switch: int = 10, bound: int = 2) -> Realised:
    """The first ports of the first switch are on `hv1`, all others on `hv2`."""
    names = [f"s{s}p{n}" for s in (1, 2) for n in range(1, ports_a_switch + 1)]
    return Realised.of(network(ports_a_switch), {"hv1": names[:bound], "hv2": names[bound:]})


def test_flows_a_port() -> None:
    base = len(realised().state("hv1"))
    assert len(realised(ports_a_switch=15).state("hv1")) - base == 10 * FLOWS_A_REACHABLE_PORT
    assert len(realised(bound=7).state("hv1")) - base == 5 * FLOWS_A_BOUND_PORT


async def test_lookups_on_one_switch(switch: PrivateSwitch) -> None:
    lab = PacketLab(switch, realised(), "hv1")
    await lab.start()
    trace = lab.trace(
        "in_port=s1p1,tcp,dl_src=0a:00:00:00:01:01,dl_dst=0a:00:00:00:01:02,"
        "nw_src=10.0.1.11,nw_dst=10.0.1.12,nw_ttl=64,tp_src=1,tp_dst=80"
    )
    await lab.stop()
    assert "output:12" in trace, trace
    assert len(_LOOKUP.findall(trace)) == LOOKUPS_SAME_SWITCH, trace
    assert len(_RECIRCULATION.findall(trace)) == RECIRCULATIONS, trace


async def test_lookups_routed_between_hosts(
    switch: PrivateSwitch, other_switch: PrivateSwitch
) -> None:
    network = realised()
    sender, receiver = PacketLab(switch, network, "hv1"), PacketLab(other_switch, network, "hv2")
    await sender.start()
    await receiver.start()
    sent = sender.trace(
        "in_port=s1p1,tcp,dl_src=0a:00:00:00:01:01,dl_dst=0a:00:00:00:ff:01,"
        "nw_src=10.0.1.11,nw_dst=10.0.2.11,nw_ttl=64,tp_src=1,tp_dst=80"
    )
    received = receiver.trace(
        f"in_port=geneve,tun_src={network.address('hv1')},{tunnel_metadata(sent)},"
        "tcp,dl_src=0a:00:00:00:ff:02,dl_dst=0a:00:00:00:02:01,"
        "nw_src=10.0.1.11,nw_dst=10.0.2.11,nw_ttl=63,tp_src=1,tp_dst=80"
    )
    await sender.stop()
    await receiver.stop()
    both = sent + received
    assert f"output:{network.ofport('s2p1')}\n" in received, received
    assert len(_LOOKUP.findall(both)) == LOOKUPS_ROUTED, both
    assert len(_RECIRCULATION.findall(both)) == RECIRCULATIONS, both


def tunnel_metadata(trace: str) -> str:
    """What the packet of a trace carries into the tunnel."""
    assert f"output:{TUNNEL_OFPORT}\n" in trace, trace
    (tunnel_id,) = re.findall(r"set_field:(\w+)->tun_id", trace)
    option = re.findall(r"TUN_METADATA0\[16..30\] is now (\w+)", trace)
    outport = re.findall(r"TUN_METADATA0\[0..15\] is now (\w+)", trace)
    assert len(option) == len(outport) == 1, trace
    return f"tun_id={tunnel_id},tun_metadata0={int(option[0], 16) << 16 | int(outport[0], 16):#x}"
