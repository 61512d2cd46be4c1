"""NAT and load balancers of one router: of Treadle, and of Debian's OVN in the same run.

    python -m benchmarks.router_services 1000

A router between a network with one workload and another one outside, on a chassis (`router`) or
with a gateway port (`port`), and as many floating IPs or load balancers of ten backends. Each load
balancer has backends of its own, or all have the same.

*Cold* is from the start of the processes, with intent stored and Open vSwitch empty, until all
flows are in Open vSwitch. Treadle's modules are there as bytecode, as pip leaves them. *Added* and
*removed* is one object more or less, from the request until the flows are there. CPU time is that
of all processes: of Open vSwitch, too, and with OVN of `ovn-northd`, both databases and
`ovn-controller`.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

import httpx

from benchmarks.hypervisors import (
    add_bridge,
    add_interfaces,
    as_installed,
    laboratory,
    write_bytecode,
)
from benchmarks.measure import cpu_seconds
from benchmarks.ovn import Ovn
from benchmarks.ovn_chassis import flow_count, start_controller, wait_up
from cli.testbed.hypervisor import Hypervisor
from cli.testbed.lab import Lab
from cli.testbed.process import Process
from cli.testbed.wait import until

TURNS: Final = 5
PLACES: Final = ("router", "port")
BACKENDS: Final = 10
_STABLE_SECONDS: Final = 2.0
_LIMIT_SECONDS: Final = 300.0
_PORT_MAC, _INSIDE, _OUTSIDE = "0a:00:00:00:00:10", "0a:00:00:00:00:01", "0a:00:00:00:00:02"

Json = dict[str, Any]


class Service(NamedTuple):
    """What a router has many of, and one of it as each side wants it, by its number."""

    name: str
    document: Callable[[int], Json]
    commands: Callable[[int], list[list[str]]]
    removal: Callable[[int], list[str]]
    path: Callable[[int], str]


def _low(number: int) -> str:
    return f"{number // 250}.{number % 250 + 2}"


def _floating_ip(number: int) -> Json:
    low = _low(number)
    return {"type": "dnat_and_snat", "external_ip": f"172.16.{low}", "logical_ip": f"10.0.{low}"}


def _backends(number: int) -> list[str]:
    first = BACKENDS * number
    return [f"10.0.{n // 250}.{n % 250 + 2}:8080" for n in range(first, first + BACKENDS)]


def _balancer(number: int, backends: list[str]) -> Json:
    vip = {"address": f"10.96.{_low(number)}", "port": 80, "backends": backends}
    return {"protocol": "tcp", "routers": ["r"], "vips": [vip]}


def _balancer_commands(number: int, backends: list[str]) -> list[list[str]]:
    vip = f"10.96.{_low(number)}:80"
    return [
        ["lb-add", f"lb{number}", vip, ",".join(backends), "tcp"],
        ["lr-lb-add", "r", f"lb{number}"],
    ]


def _balancers(name: str, backends: Callable[[int], list[str]]) -> Service:
    return Service(
        name,
        lambda number: _balancer(number, backends(number)),
        lambda number: _balancer_commands(number, backends(number)),
        lambda number: ["lb-del", f"lb{number}"],
        lambda number: f"/load-balancers/lb{number}",
    )


SERVICES: Final = (
    Service(
        "floating IPs",
        _floating_ip,
        lambda n: [["lr-nat-add", "r", "dnat_and_snat", f"172.16.{_low(n)}", f"10.0.{_low(n)}"]],
        lambda n: ["lr-nat-del", "r", "dnat_and_snat", f"172.16.{_low(n)}"],
        lambda n: f"/nats?external_ip=172.16.{_low(n)}",
    ),
    _balancers("load balancers, backends of their own", _backends),
    _balancers("load balancers, shared backends", lambda _: _backends(0)),
)


def measure(count: int) -> list[Json]:
    return [
        {
            "service": service.name,
            "place": place,
            "count": count,
            "treadle": _treadle(service, place, count),
            "ovn": _ovn(service, place, count),
        }
        for service in SERVICES
        for place in PLACES
    ]


# --- Treadle


def _treadle(service: Service, place: str, count: int) -> Json:
    with laboratory() as lab:
        environment = as_installed(lab.directory / "hidden")
        write_bytecode(environment)
        lab.start_server(environment=environment)
        with lab.server.client() as client:
            document = _document(service, place, count)
            client.post("/v1/apply", json=document).raise_for_status()
            lab.stop_process("server")
            hypervisor = _hypervisor(lab)
            found = _cold(lab, hypervisor, environment)
            found["logical_flows"] = _logical_flows(client)
            found.update(_changes(lab, client, service, count))
        return found


def _document(service: Service, place: str, count: int) -> Json:
    outside: Json = {"networks": ["172.16.0.1/16"], "mac": _OUTSIDE}
    if place == "port":
        outside["gateway_chassis"] = [{"chassis": "hv1", "priority": 10}]
    router: Json = {
        "ports": {
            "r-in": {"networks": ["10.0.0.1/16"], "mac": _INSIDE},
            "r-out": outside,
        },
        **({"chassis": "hv1"} if place == "router" else {}),
    }
    document: Json = {
        "document": "router-services",
        "logical_switches": {
            "in": {
                "ports": {
                    "vm": {"addresses": [f"{_PORT_MAC} 10.0.255.2"]},
                    "in-r": {"router_port": "r-in"},
                }
            },
            "out": {"ports": {"out-r": {"router_port": "r-out"}}},
        },
        "logical_routers": {"r": router},
    }
    objects = [service.document(number) for number in range(count)]
    if service is SERVICES[0]:
        router["nats"] = objects
    else:
        document["load_balancers"] = {f"lb{n}": each for n, each in enumerate(objects)}
    return document


def _hypervisor(lab: Lab) -> Hypervisor:
    hypervisor = lab.add_hypervisor("hv1", agent=False)
    add_bridge(hypervisor)
    add_interfaces(hypervisor, {"vif0": "vm"})
    return hypervisor


def _cold(lab: Lab, hypervisor: Hypervisor, environment: dict[str, str]) -> Json:
    """Start both processes; all flows are there when no more come and the port is up."""
    switch = _pids(lab)
    before = cpu_seconds(switch)
    began = time.perf_counter()
    lab.start_server(environment=environment)
    lab.start_agent("hv1", environment=environment)
    samples: list[tuple[float, float, int]] = []
    while True:
        now = time.perf_counter() - began
        flows = flow_count(hypervisor)
        if not samples or samples[-1][2] != flows:
            samples.append((now, cpu_seconds(_pids(lab)) - before, flows))
        elif flows > 0 and now - samples[-1][0] > _STABLE_SECONDS and _is_up(lab):
            wall, cpu, last = samples[-1]
            return {
                "flows": last,
                "cold": {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2)},
            }
        if now > _LIMIT_SECONDS:
            raise TimeoutError(f"flows are still coming after {now:.0f} s")
        time.sleep(0.05)


def _is_up(lab: Lab) -> bool:
    with lab.server.client() as client:
        return bool(client.get("/v1/port-bindings/vm").json()["up"])


def _pids(lab: Lab) -> list[int]:
    return [process.pid for process in lab.processes.values() if process.alive()]


def _logical_flows(client: httpx.Client) -> int:
    count = 0
    query = {"limit": "1000"}
    while True:
        page = client.get("/v1/logical-flows", params=query).raise_for_status().json()
        count += len(page["items"])
        if not page["next_cursor"]:
            return count
        query = {"limit": "1000", "cursor": page["next_cursor"]}


def _changes(lab: Lab, client: httpx.Client, service: Service, count: int) -> Json:
    """One more, and that one less, some times."""
    waiting = {"wait": "chassis", "timeout": "60"}
    is_nat = service is SERVICES[0]

    def call(method: str, path: str, body: Any = None) -> Any:
        answer = client.request(method, f"/v1{path}", params=waiting, json=body)
        return answer.raise_for_status().json() if answer.content else None

    def add() -> None:
        body = service.document(count)
        if is_nat:
            made = call("POST", "/logical-routers/r/nats", body)
            ids.append(made["id"])
        else:
            operations = [
                {"action": "create", "kind": "load_balancer", "values": _named(count, body)},
                *(
                    {
                        "action": "create",
                        "kind": "load_balancer_vip",
                        "values": {"load_balancer": f"lb{count}", **vip},
                    }
                    for vip in body["vips"]
                ),
            ]
            call("POST", "/transactions", {"operations": operations})

    def remove() -> None:
        call("DELETE", f"/nats/{ids.pop()}" if is_nat else service.path(count))

    ids: list[str] = []
    return _timed(_pids(lab), {"added": add, "removed": remove})


def _named(number: int, body: Json) -> Json:
    return {"name": f"lb{number}", **{key: value for key, value in body.items() if key != "vips"}}


def _timed(pids: list[int], steps: dict[str, Callable[[], object]]) -> Json:
    walls: dict[str, list[float]] = {name: [] for name in steps}
    cpus: dict[str, float] = dict.fromkeys(steps, 0.0)
    for _ in range(TURNS):
        for name, step in steps.items():
            before, began = cpu_seconds(pids), time.perf_counter()
            step()
            walls[name].append(time.perf_counter() - began)
            cpus[name] += cpu_seconds(pids) - before
    return {
        name: {
            "wall_ms": round(median(times) * 1000, 1),
            "cpu_ms": round(cpus[name] / TURNS * 1000, 1),
        }
        for name, times in walls.items()
    }


# --- OVN


def _ovn(service: Service, place: str, count: int) -> Json:
    with tempfile.TemporaryDirectory() as directory, laboratory() as lab:
        ovn = Ovn(Path(directory))
        controllers: list[Process] = []
        try:
            ovn.start_databases()
            ovn.load(_network(place))
            ovn.load(each for number in range(count) for each in service.commands(number))
            hypervisor = _hypervisor(lab)
            switch = [*_pids(lab), *ovn.pids]
            before, began = cpu_seconds(switch), time.perf_counter()
            ovn.start_northd()
            # ovn-controller 23.03 dies of a southbound database that is still empty.
            until(ovn.has_started, "ovn-northd")
            controllers.append(start_controller(ovn, hypervisor))
            wait_up(ovn, "vm")
            ovn.nbctl(["--wait=hv", "sync"])
            wall = time.perf_counter() - began
            pids = [*_pids(lab), *ovn.pids, controllers[0].pid]
            cpu = cpu_seconds(pids) - before
            with ovn.daemon():
                added = [word for each in service.commands(count) for word in (*each, "--")][:-1]
                changes = _timed(
                    pids,
                    {
                        "added": lambda: ovn.timed_change(*added, wait="hv"),
                        "removed": lambda: ovn.timed_change(*service.removal(count), wait="hv"),
                    },
                )
            return {
                "flows": flow_count(hypervisor),
                "cold": {"wall_s": round(wall, 2), "cpu_s": round(cpu, 2)},
                "logical_flows": ovn.logical_flow_count(),
                **changes,
            }
        finally:
            for process in controllers:
                process.stop()
            ovn.stop()


def _network(place: str) -> Iterator[list[str]]:
    yield ["lr-add", "r"]
    yield ["lrp-add", "r", "r-in", _INSIDE, "10.0.0.1/16"]
    yield ["lrp-add", "r", "r-out", _OUTSIDE, "172.16.0.1/16"]
    for switch in ("in", "out"):
        yield ["ls-add", switch]
        yield ["lsp-add", switch, f"{switch}-r"]
        yield ["lsp-set-type", f"{switch}-r", "router"]
        yield ["lsp-set-addresses", f"{switch}-r", "router"]
        yield ["lsp-set-options", f"{switch}-r", f"router-port=r-{switch}"]
    yield ["lsp-add", "in", "vm"]
    yield ["lsp-set-addresses", "vm", f"{_PORT_MAC} 10.0.255.2"]
    if place == "router":
        yield ["set", "logical_router", "r", "options:chassis=hv1"]
    else:
        yield ["lrp-set-gateway-chassis", "r-out", "hv1", "10"]


if __name__ == "__main__":
    print(json.dumps(measure(int(next(iter(sys.argv[1:]), "1000"))), indent=2))
