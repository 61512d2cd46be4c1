"""What a packet costs Open vSwitch: lookups, recirculations, megaflows; what a port costs.

    python -m benchmarks.lookups

By ``ofproto/trace``, for the first packet of a TCP connection: between two ports of one
switch on one hypervisor, and routed between hypervisors (both sides together).
"""

import json
import re
from typing import Any, NamedTuple

from benchmarks import topology
from benchmarks.hypervisors import add_interfaces, laboratory
from benchmarks.network import write_network
from chassis_agent.bridge.tunnels import PORT_NAME
from cli.testbed.hypervisor import Hypervisor
from cli.testbed.lab import Lab

PORTS = 1000
MORE = 5

PLUGGED = {"hv1": {"vif0": "ls0-p0", "vif1": "ls0-p1"}, "hv2": {"vif0": "ls1-p0"}}
"""The ports that traces are between, with their interfaces."""

_LOOKUP = re.compile(r"^\s*\d+\. ", re.MULTILINE)
_RECIRCULATION = re.compile(r"^recirc\(", re.MULTILINE)
_MEGAFLOW = re.compile(r"^Megaflow: ", re.MULTILINE)


class Path(NamedTuple):
    """Two hypervisors, and the name of the tunnel port on the second."""

    sender: Hypervisor
    receiver: Hypervisor
    tunnel: str


def measure() -> dict[str, Any]:
    with laboratory() as lab:
        write_network(lab.server.database, PORTS)
        lab.start_server()
        for name, ports in PLUGGED.items():
            add_interfaces(lab.add_hypervisor(name), ports)
        lab.server.wait_until_up(
            [port for ports in PLUGGED.values() for port in ports.values()], 30
        )
        path = Path(lab.hypervisor("hv1"), lab.hypervisor("hv2"), PORT_NAME)
        return {"packets": packets(path), "flows": _flows_a_port(lab)}


def packets(path: Path) -> dict[str, dict[str, int]]:
    """What the two packets cost."""
    same = path.sender.trace(_packet("vif0", "10.0.0.10", _mac(0, 0), "10.0.0.11", _mac(0, 1)))
    _expect(same, "Datapath actions: ct(", "the packet is not committed to a connection")
    sent = path.sender.trace(
        _packet("vif0", "10.0.0.10", _mac(0, 0), "10.0.1.10", topology.router_port(0)["mac"])
    )
    received = path.receiver.trace(
        _packet(
            f"{path.tunnel},tun_src={path.sender.tunnel_ip},tun_dst={path.receiver.tunnel_ip},"
            + _tunnel_metadata(sent),
            "10.0.0.10",
            topology.router_port(1)["mac"],
            "10.0.1.10",
            _mac(1, 0),
            ttl=63,
        )
    )
    return {"same_switch": _counts(same), "routed": _counts(sent + received)}


def _packet(
    in_port: str, source: str, source_mac: str, target: str, target_mac: str, *, ttl: int = 64
) -> str:
    return (
        f"in_port={in_port},tcp,dl_src={source_mac},dl_dst={target_mac},"
        f"nw_src={source},nw_dst={target},nw_ttl={ttl},tp_src=1,tp_dst=22"
    )


def _mac(switch: int, port: int) -> str:
    address: str = topology.port(switch, port)["addresses"][0]
    return address.split()[0]


def _tunnel_metadata(trace: str) -> str:
    tunnel_ids = re.findall(r"set_field:(\w+)(?:/\w+)?->tun_id", trace)
    inports = re.findall(r"TUN_METADATA0\[16..30\] is now (\w+)", trace)
    outports = re.findall(r"TUN_METADATA0\[0..15\] is now (\w+)", trace) or re.findall(
        r"set_field:(\w+)(?:/\w+)?->tun_metadata0", trace
    )
    if not (tunnel_ids and inports and outports):
        raise RuntimeError(f"the packet does not go into a tunnel:\n{trace}")
    option = int(inports[-1], 16) << 16 | int(outports[-1], 16)
    return f"tun_id={tunnel_ids[-1]},tun_metadata0={option:#x}"


def _counts(trace: str) -> dict[str, int]:
    return {
        "lookups": len(_LOOKUP.findall(trace)),
        "recirculations": len(_RECIRCULATION.findall(trace)),
        "megaflows": len(_MEGAFLOW.findall(trace)),
    }


def _expect(trace: str, text: str, otherwise: str) -> None:
    if text not in trace:
        raise RuntimeError(f"{otherwise}:\n{trace}")


def _flows_a_port(lab: Lab) -> dict[str, float]:
    """Flows that a port costs a hypervisor: one that can be reached, one that is bound."""
    hypervisor = lab.hypervisor("hv1")
    before = _flow_count(hypervisor)
    with lab.server.client() as client:
        for number in range(MORE):
            address = f"0a:09:00:00:00:{number:02x} 10.0.0.{200 + number}"
            client.post(
                "/v1/logical-switches/ls0/ports",
                params={"wait": "chassis", "timeout": 20},
                json={
                    "name": f"new-{number}",
                    "addresses": [address],
                    "port_security": [address],
                },
            ).raise_for_status()
            client.post(
                "/v1/port-groups/pg0/ports",
                params={"wait": "chassis", "timeout": 20},
                json={"add": [f"new-{number}"]},
            ).raise_for_status()
    reachable = _flow_count(hypervisor)
    add_interfaces(hypervisor, {f"new{n}": f"new-{n}" for n in range(MORE)})
    lab.server.wait_until_up([f"new-{n}" for n in range(MORE)], 30)
    bound = _flow_count(hypervisor)
    return {
        "a_reachable_port": (reachable - before) / MORE,
        "a_bound_port_more": (bound - reachable) / MORE,
    }


def _flow_count(hypervisor: Hypervisor) -> int:
    return int(hypervisor.agent("status")["flows"])


if __name__ == "__main__":
    print(json.dumps(measure(), indent=2))
