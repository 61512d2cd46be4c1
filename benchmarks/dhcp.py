"""Answers to DHCP clients: CPU time and how many a second, of Treadle's agent and ovn-controller.

    python -m benchmarks.dhcp [PORTS [ANSWERS]]

One hypervisor with PORTS ports of one switch, each of which in turn sends a DISCOVER. The answers
are the same: router, DNS servers, MTU, lease.

CPU time is that of ANSWERS of them, at a pace at which no limit in front of the agent is reached.
How many are answered a second is measured in bursts, each as fast as answers come: `BURST` messages
are fewer than what the agent's limits let through at once, and `REFILL` is how long these take to
let as many through again. The limits themselves are Treadle's choice and not what is measured.
"""

import json
import socket
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from benchmarks.hypervisors import add_interfaces, laboratory
from benchmarks.measure import cpu_seconds
from benchmarks.ovn import Ovn
from benchmarks.ovn_chassis import hypervisor_with, start_controller
from cli.testbed.hypervisor import Hypervisor
from cli.testbed.namespace import run
from cli.testbed.wait import until

PORTS = 40
ANSWERS = 4000
IN_FLIGHT = 8
PAUSE = 0.0125
"""Between two messages of one port with `PORTS` of them: below its share of the agent."""
BURST = 800
"""Fewer than `chassis_agent.punt.meters` lets through at once, of one opcode and of each port."""
BURSTS = 7
AT_ONCE = 32
"""How many messages of a burst are on their way."""
REFILL = 2.0
_PATIENCE = 2.0
_ALL_PROTOCOLS = 0x0003
_OUTGOING = 4
_COOKIE = bytes((99, 130, 83, 99))


def mac(index: int) -> str:
    return f"0a:00:00:00:{index >> 8:02x}:{index & 0xFF:02x}"


def address(index: int) -> str:
    return f"10.0.{(index + 10) >> 8}.{(index + 10) & 0xFF}"


def measure(ports: int = PORTS, answers: int = ANSWERS) -> dict[str, Any]:
    return {
        "ports": ports,
        "treadle": _treadle(ports, answers),
        "ovn": _ovn(ports, answers),
    }


def _treadle(ports: int, answers: int) -> dict[str, float]:
    with laboratory() as lab:
        lab.start_server()
        hypervisor = lab.add_hypervisor("hv1")
        said = {
            "routers": ["10.0.0.1"],
            "dns_servers": ["10.0.0.2", "10.0.0.3"],
            "mtu": 1442,
            "server_mac": "02:00:00:00:00:01",
            "lease_time": 3600,
        }
        document = {
            "document": "dhcp",
            "dhcp_options": {"all": {"cidr": "10.0.0.0/16", "dhcpv4": said}},
            "logical_switches": {
                "lan": {
                    "dhcpv4_options": "all",
                    "ports": {
                        f"p{n}": {"addresses": [f"{mac(n)} {address(n)}"]} for n in range(ports)
                    },
                }
            },
        }
        with lab.server.client() as client:
            client.post("/v1/apply", json=document).raise_for_status()
        add_interfaces(hypervisor, {f"vif{n}": f"p{n}" for n in range(ports)})
        with lab.server.client() as client:
            until(lambda: _all_up(client, ports), "all ports up", 60)
        return _answered(hypervisor, lab.process("hv1/agent").pid, ports, answers)


def _all_up(client: httpx.Client, ports: int) -> bool:
    bindings = client.get("/v1/port-bindings").json()["items"]
    return sum(binding["up"] for binding in bindings) == ports


def _ovn(ports: int, answers: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as directory, laboratory() as lab:
        ovn = Ovn(Path(directory))
        controller = None
        try:
            ovn.start_databases()
            ovn.start_northd()
            options = ovn.nbctl(["create", "DHCP_Options", "cidr=10.0.0.0/16"]).strip()
            said = ["router=10.0.0.1", "dns_server={10.0.0.2,10.0.0.3}", "mtu=1442"]
            server = ["server_id=10.0.0.1", "server_mac=02:00:00:00:00:01", "lease_time=3600"]
            ovn.nbctl(["dhcp-options-set-options", options, *said, *server])
            ovn.nbctl(["ls-add", "lan"])
            for n in range(ports):
                ovn.nbctl(
                    [
                        *("lsp-add", "lan", f"p{n}", "--"),
                        *("lsp-set-addresses", f"p{n}", f"{mac(n)} {address(n)}", "--"),
                        *("lsp-set-dhcpv4-options", f"p{n}", options),
                    ]
                )
            interfaces = {f"vif{n}": f"p{n}" for n in range(ports)}
            hypervisor = hypervisor_with(lab, "hv1", interfaces)
            controller = start_controller(ovn, hypervisor)
            for n in range(ports):
                db = [f"--db={ovn.northbound}", "--no-leader-only", "--timeout=60"]
                run(["ovn-nbctl", *db, "wait-until", "logical_switch_port", f"p{n}", "up=true"])
            return _answered(hypervisor, controller.pid, ports, answers)
        finally:
            if controller is not None:
                controller.stop()
            ovn.stop()


def _answered(hypervisor: Hypervisor, pid: int, ports: int, answers: int) -> dict[str, float]:
    """CPU time of so many answers to clients behind the first ports, and the rate in bursts."""
    clients = [_client(hypervisor, n) for n in range(ports)]
    until(lambda: _exchange(clients, 1, mac(0)) == 1, "the first answer", 30)
    cpu = cpu_seconds([pid])
    came = _exchange(clients, answers, "")
    spent = cpu_seconds([pid]) - cpu
    rates, in_bursts = [], 0
    for _ in range(BURSTS):
        time.sleep(REFILL)
        began = time.perf_counter()
        burst = _exchange(clients, BURST, "", AT_ONCE, pause=0)
        rates.append(burst / (time.perf_counter() - began))
        in_bursts += burst
    for client in clients:
        client.close()
    return {
        "answers": came + in_bursts,
        "lost": answers + BURSTS * BURST - came - in_bursts,
        "answers_per_s": round(statistics.median(rates)),
        "cpu_us_per_answer": round(spent / max(came, 1) * 1e6),
    }


def _client(hypervisor: Hypervisor, index: int) -> socket.socket:
    hypervisor.namespace.ip("link", "set", f"vif{index}", "address", mac(index), "up")
    found = hypervisor.namespace.socket(
        socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS)
    )
    found.bind((f"vif{index}", _ALL_PROTOCOLS))
    found.settimeout(_PATIENCE)
    return found


def _exchange(
    clients: list[socket.socket],
    count: int,
    only: str,
    in_flight: int = IN_FLIGHT,
    pause: float = PAUSE,
) -> int:
    """Send so many messages, some in flight at a time; how many were answered."""
    waiting: list[socket.socket] = []
    came = 0
    for number in range(count):
        index = 0 if only else number % len(clients)
        clients[index].send(_discover(mac(index)))
        waiting.append(clients[index])
        if len(waiting) >= in_flight:
            came += _is_answered(waiting.pop(0))
        if pause and not only and index == len(clients) - 1:
            time.sleep(pause)
    return came + sum(map(_is_answered, waiting))


def _is_answered(client: socket.socket) -> bool:
    try:
        while True:
            frame, where = client.recvfrom(2048)
            if where[2] != _OUTGOING and frame[12:14] == b"\x08\0" and frame[36:38] == b"\0\x44":
                return True
    except TimeoutError:
        return False


def _discover(source: str) -> bytes:
    own = bytes.fromhex(source.replace(":", ""))
    message = bytes((1, 1, 6, 0)) + b"bnch" + bytes(20) + own.ljust(16, b"\0") + bytes(192)
    message += _COOKIE + bytes((53, 1, 1, 55, 4, 1, 3, 6, 26, 255))
    udp = (68).to_bytes(2) + (67).to_bytes(2) + (8 + len(message)).to_bytes(2) + bytes(2) + message
    head = bytearray(bytes((0x45, 0)) + (20 + len(udp)).to_bytes(2) + bytes(4) + bytes((64, 17)))
    head += bytes(2) + bytes(4) + b"\xff" * 4
    total = sum(int.from_bytes(head[at : at + 2]) for at in range(0, 20, 2))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    head[10:12] = (~total & 0xFFFF).to_bytes(2)
    return b"\xff" * 6 + own + b"\x08\0" + bytes(head) + udp


if __name__ == "__main__":
    print(json.dumps(measure(*map(int, sys.argv[1:])), indent=2))
