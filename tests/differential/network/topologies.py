"""Random small networks, as declarative documents, within what OVN 23.03 can express.

Addresses follow from numbers, so that a reader of a failing case sees at once what
belongs where: host `n` of switch `s` is ``0a:00:00:00:0s:0n``, ``10.0.s.n`` and
``fd00:s::n``; router `r` has ``.25r`` and ``::fr`` there.
"""

from random import Random
from typing import Any

from tests.differential.network.acls import add_acls
from tests.differential.network.outside import (
    add_l2_gateways,
    add_outside,
    add_residence,
    groups_of_chassis,
)
from tests.differential.network.routes import (
    OUTSIDE4,
    OUTSIDE6,
    add_another_way,
    add_learning,
    add_policies,
    add_routes,
    bind_neighbours,
)
from tests.differential.network.services import (
    add_dhcp,
    add_load_balancers,
    add_router_advertisements,
)

Document = dict[str, Any]


def random_topology(rng: Random, *, services: bool = True) -> Document:
    """A network; without `services` only what labs without an outside can have."""
    switches = {f"ls{n}": _switch(rng, n) for n in range(1, rng.randint(1, 3) + 1)}
    routers = {f"lr{n}": _router(rng, n, switches) for n in range(1, rng.randint(0, 2) + 1)}
    if len(routers) == 2 and rng.random() < 0.6:
        _link(rng, routers)
    if services:
        _nest(rng, switches)
        add_l2_gateways(rng, switches)
    if services and routers and rng.random() < 0.4:
        add_outside(rng, switches, routers)
    for router in routers.values():
        add_routes(rng, router, routers)
        add_policies(rng, router)
    if services:
        add_another_way(rng, routers)
    document = {
        "document": "differential",
        "logical_switches": switches,
        "logical_routers": routers,
        "address_sets": _address_sets(rng, len(switches)),
        "port_groups": _port_groups(rng, switches),
    }
    add_acls(rng, document)
    if services:
        groups = groups_of_chassis(switches)
        document |= {"ha_chassis_groups": groups, "dhcp_options": {}, "load_balancers": {}}
        add_dhcp(rng, document)
        add_load_balancers(rng, document)
        add_router_advertisements(rng, routers)
    _disable(rng, routers)
    for router in routers.values():
        for port in router["ports"].values():
            bind_neighbours(rng, port)
    if services:
        add_residence(rng, routers)
        add_learning(rng, routers)
    return document


def _switch(rng: Random, number: int) -> Document:
    return {
        "ports": {
            f"ls{number}-p{n}": _workload(rng, number, n) for n in range(1, rng.randint(2, 4) + 1)
        }
    }


def _workload(rng: Random, switch: int, number: int) -> Document:
    port: Document = {"addresses": [_address(rng, switch, number)]}
    if rng.random() < 0.2:
        port["addresses"].append(_address(rng, switch, number + 100))
    if rng.random() < 0.3:
        port["port_security"] = [
            _secured(rng, switch, number + 100 * index) for index in range(len(port["addresses"]))
        ]
    if rng.random() < 0.15:
        port["addresses"].append("unknown")
    if rng.random() < 0.1:
        port["enabled"] = False
    return port


def _nest(rng: Random, switches: Document) -> None:
    """Some workloads are inside of another one, on any switch."""
    workloads = {
        name: port for switch in switches.values() for name, port in switch["ports"].items()
    }
    workloads = {name: port for name, port in workloads.items() if "type" not in port}
    parents = rng.sample(list(workloads), 2)
    for tag, (name, port) in enumerate(workloads.items(), 101):
        if name not in parents and rng.random() < 0.15:
            port |= {"parent": rng.choice(parents), "tag": tag}


def _address(rng: Random, switch: int, number: int) -> str:
    ip4, ip6 = f" 10.0.{switch}.{number}", f" fd00:{switch}::{number:x}"
    mac = f"0a:00:00:00:{switch:02x}:{number:02x}"
    return mac + rng.choice(["", ip4, ip6, ip4 + ip6, ip4 + ip6, ip4 + ip6])


def _secured(rng: Random, switch: int, number: int) -> str:
    """An address of the port or not; with a prefix length, a host in a subnet or all of it."""
    host4, host6 = f" 10.0.{switch}.{number}", f" fd00:{switch}::{number:x}"
    ip4 = rng.choice(["", host4, host4, f"{host4}/24", f" 10.0.{switch}.0/28", " 192.0.2.7"])
    ip6 = rng.choice(["", host6, host6, f"{host6}/64", f" fd00:{switch}::/64"])
    return f"0a:00:00:00:{switch:02x}:{number:02x}{ip4}{ip6}"


def _router(rng: Random, number: int, switches: Document) -> Document:
    router: Document = {"ports": {}, "static_routes": []}
    if rng.random() < 0.05:
        router["enabled"] = False
    for name in rng.sample(list(switches), rng.randint(1, len(switches))):
        switch = int(name[2:])
        port = f"lr{number}-{name}"
        networks = [f"10.0.{switch}.{250 + number}/24", f"fd00:{switch}::f{number}/64"]
        router["ports"][port] = {
            "mac": f"0a:00:00:01:{number:02x}:{switch:02x}",
            "networks": rng.choice([networks, networks, networks[:1], networks[1:]]),
        }
        switches[name]["ports"][f"{name}-lr{number}"] = {"type": "router", "router_port": port}
    return router


def _link(rng: Random, routers: Document) -> None:
    """A link between the two routers, without a switch."""
    ends = [f"{name}-link" for name in routers]
    networks = rng.choice([["10.9.0.{}/30", "fd09::{}/64"], ["10.9.0.{}/30"]])
    for number, (router, end, peer) in enumerate(
        zip(routers.values(), ends, reversed(ends), strict=True), 1
    ):
        router["ports"][end] = {
            "mac": f"0a:00:00:09:00:{number:02x}",
            "networks": [network.format(number) for network in networks],
            "peer": peer,
        }


def _disable(rng: Random, routers: Document) -> None:
    """One of the routers' ports in twenty."""
    for router in routers.values():
        for port in router["ports"].values():
            if rng.random() < 0.05:
                port["enabled"] = False


def _address_sets(rng: Random, switches: int) -> Document:
    members4 = [f"10.0.{switch}.{n}" for switch in range(1, switches + 1) for n in (1, 2, 3)]
    members6 = [f"fd00:{switch}::{n}" for switch in range(1, switches + 1) for n in (1, 2, 3)]
    return {
        "some4": {"addresses": rng.sample([*members4, "10.0.1.0/30", OUTSIDE4], 2)},
        "some6": {"addresses": rng.sample([*members6, "fd00:1::/126", OUTSIDE6], 2)},
        "empty": {"addresses": []},
    }


def _port_groups(rng: Random, switches: Document) -> Document:
    workloads = [
        name
        for switch in switches.values()
        for name, port in switch["ports"].items()
        if port.get("type") != "router"
    ]
    return {
        f"pg{n}": {"ports": sorted(rng.sample(workloads, rng.randint(1, len(workloads))))}
        for n in range(1, rng.randint(1, 2) + 1)
    }
