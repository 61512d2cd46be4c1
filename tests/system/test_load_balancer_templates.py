"""Load balancers that are templates: one for all hypervisors, with other addresses on each.

As for services of a cluster that every node offers at its own address: a gateway router for each
hypervisor, all with the same load balancer.
"""

from typing import Any

import pytest

from cli.testbed.wait import until
from tests.system import frames, who
from tests.system.conftest import Scene
from tests.system.frames import Frame
from tests.system.tap import Tap

pytestmark = pytest.mark.system

HYPERVISORS = ("hv1", "hv2")
NODE = {"hv1": "172.30.0.1", "hv2": "172.30.0.2"}
"""What `^NODE` is on each."""
OUTSIDE = {"hv1": "192.0.2.1", "hv2": "192.0.2.2"}
"""The address of each gateway router, in the network of the host `o1`."""
CLIENTS = {"c1": "hv1", "c2": "hv2"}
BACKENDS = {"b1": "hv1", "b2": "hv2"}
PORTS = [*CLIENTS, *BACKENDS]


def ip(name: str) -> str:
    return f"10.81.0.{11 + PORTS.index(name)}"


def backend(name: str) -> str:
    return f"{ip(name)}:8080"


def ask(scene: Scene, source: str, address: str, port: int, seconds: float = 3.0) -> Any:
    """Return who answers a new connection."""
    answer = who.ask(scene.lab, source, address, port, seconds=seconds)
    return answer[0] if isinstance(answer, list) else answer


def gets(scene: Scene, source: str, address: str, port: int, *names: str) -> None:
    """Wait until all these answer, and none else does for a dozen times."""
    seen: set[Any] = set()

    def all_answer() -> bool:
        seen.add(ask(scene, source, address, port))
        return seen >= set(names)

    until(all_answer, f"{names} answer {source} at {address}:{port}")
    assert {ask(scene, source, address, port) for _ in range(12)} <= set(names)


def variables(scene: Scene, hypervisor: str, **values: str | None) -> None:
    """Change variables; None takes one away."""
    path = "/chassis-template-vars"
    found = scene.net.get(f"{path}?chassis={hypervisor}")["items"]
    if found:
        change = {"variables": values}
        scene.net.call("PATCH", f"{path}/{found[0]['id']}", change)
    else:
        body = {"chassis": hypervisor, "variables": values}
        scene.net.call("POST", f"{path}", body)


def unset(scene: Scene, hypervisor: str) -> list[str]:
    """Return what the agent says of its variables."""
    status = scene.lab.hypervisor(hypervisor).agent("status")
    return list(status["variables"])


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    lab, net = scene.lab, scene.net
    lab.add_provider_network("physnet1")
    lab.add_outside("o1", "physnet1", "192.0.2.9/24")
    net.router("tp-r")
    net.switch("tp-in")
    net.switch("tp-out")
    net.port("tp-out", "tp-phys", type="localnet", network_name="physnet1")
    net.attach("tp-r", "tp-in", "0a:00:00:00:81:fe", "10.81.0.254/24")
    for number, hypervisor in enumerate(HYPERVISORS, 1):
        router = f"tp-{hypervisor}"
        net.router(router, chassis=hypervisor)
        net.attach(router, "tp-in", f"0a:00:00:00:81:0{number}", f"10.81.0.{number}/24")
        net.attach(router, "tp-out", f"0a:00:00:00:82:0{number}", f"{OUTSIDE[hypervisor]}/24")
        # Backends answer to where connections come from.
        body = {"lb_force_snat_router_ip": True}
        scene.net.call("PATCH", f"/logical-routers/{router}", body)
    for number, name in enumerate(PORTS):
        net.port("tp-in", name, f"0a:00:00:00:80:0{number} {ip(name)}")
        lab.add_vm(name, {**CLIENTS, **BACKENDS}[name])
    for hypervisor, name in (("hv1", "b1"), ("hv2", "b2")):
        variables(scene, hypervisor, NODE=NODE[hypervisor], WEB=backend(name))
    made = {"name": "tp", "template": True, "address_family": "ipv4", "switches": ["tp-in"]}
    net.call("POST", "/load-balancers", {**made, "reject": True})
    vip = {"address": "^NODE", "port": 80, "backends": ["^WEB"]}
    net.call("POST", "/load-balancers/tp/vips", vip)
    lab.wait_until_up()
    for name in PORTS:
        who.serve(lab, name, 8080)
    for source in CLIENTS:
        for name in BACKENDS:
            until(lambda s=source, n=name: ask(scene, s, ip(n), 8080) == n, f"{name} answers")  # type: ignore[misc]


def test_each_hypervisor_has_its_own_address_and_backends(scene: Scene) -> None:
    gets(scene, "c1", NODE["hv1"], 80, "b1")
    gets(scene, "c2", NODE["hv2"], 80, "b2")
    # That of the other one is nobody's here.
    assert ask(scene, "c1", NODE["hv2"], 80, 2.5) not in BACKENDS
    assert ask(scene, "c2", NODE["hv1"], 80, 2.5) not in BACKENDS
    assert unset(scene, "hv1") == unset(scene, "hv2") == []


def test_a_variable_that_changes_concerns_one_hypervisor(scene: Scene) -> None:
    both = f"{backend('b1')}, {backend('b2')}"
    try:
        variables(scene, "hv2", NODE="172.30.0.22", WEB=both)
        gets(scene, "c2", "172.30.0.22", 80, "b1", "b2")
        gets(scene, "c1", NODE["hv1"], 80, "b1")
        assert ask(scene, "c2", NODE["hv2"], 80, 2.5) not in BACKENDS
    finally:
        variables(scene, "hv2", NODE=NODE["hv2"], WEB=backend("b2"))
    gets(scene, "c2", NODE["hv2"], 80, "b2")


def test_what_a_variable_is_not_is_told(scene: Scene) -> None:
    try:
        variables(scene, "hv1", NODE="web.example.org")
        until(
            lambda: unset(scene, "hv1") == ["^NODE: 'web.example.org' is no address"],
            "the agent tells",
        )
        assert ask(scene, "c1", NODE["hv1"], 80, 2.5) not in BACKENDS
        variables(scene, "hv1", NODE=NODE["hv1"], WEB=None)
        until(lambda: unset(scene, "hv1") == ["^WEB: is not set"], "the agent tells")
        # The address is there without a backend: the client is told.
        until(lambda: ask(scene, "c1", NODE["hv1"], 80) == "refused", "the client is told")
        gets(scene, "c2", NODE["hv2"], 80, "b2")
    finally:
        variables(scene, "hv1", NODE=NODE["hv1"], WEB=backend("b1"))
    gets(scene, "c1", NODE["hv1"], 80, "b1")
    until(lambda: unset(scene, "hv1") == [], "the agent has nothing to tell")


def test_ports_of_variables_and_the_addresses_of_gateway_routers(scene: Scene) -> None:
    """Hosts outside ask each node at its own address, and port."""
    for hypervisor, port in (("hv1", "30080"), ("hv2", "30081")):
        variables(scene, hypervisor, NODE_OUT=OUTSIDE[hypervisor], NODE_PORT=port, TARGET="8080")
    made = {"name": "tp-nodes", "template": True, "address_family": "ipv4"}
    routers = [f"tp-{each}" for each in HYPERVISORS]
    # The switch of the backends goes on balancing: what the routers give it is tracked again.
    scene.net.call("POST", "/load-balancers", {**made, "routers": routers})
    try:
        vip = {
            "address": "^NODE_OUT",
            "port_variable": "^NODE_PORT",
            "backends": [f"{ip('b1')}:^TARGET", f"{ip('b2')}:^TARGET"],
        }
        scene.net.call("POST", "/load-balancers/tp-nodes/vips", vip)
        gets(scene, "o1", OUTSIDE["hv1"], 30080, "b1", "b2")
        gets(scene, "o1", OUTSIDE["hv2"], 30081, "b1", "b2")
        # Elsewhere the router refuses, as it does with any port of its own.
        assert ask(scene, "o1", OUTSIDE["hv1"], 30081) == "refused"
        assert ask(scene, "o1", OUTSIDE["hv2"], 30080) == "refused"
    finally:
        scene.net.delete("/load-balancers/tp-nodes")


def test_routers_answer_for_addresses_that_are_variables(scene: Scene) -> None:
    """Each for that of its hypervisor, which isn't its own address."""
    told = {"hv1": "192.0.2.101", "hv2": "192.0.2.102"}
    macs = {told[f"hv{number}"]: f"0a:00:00:00:82:0{number}" for number in (1, 2)}
    for hypervisor, address in told.items():
        variables(scene, hypervisor, NODE_TOLD=address)
    made = {"name": "tp-told", "template": True, "address_family": "ipv4"}
    made |= {"routers": [f"tp-{each}" for each in HYPERVISORS], "neighbor_responder": "all"}
    scene.net.call("POST", "/load-balancers", made)
    try:
        vip = {"address": "^NODE_TOLD", "port": 80, "backends": [backend("b1")]}
        scene.net.call("POST", "/load-balancers/tp-told/vips", vip)
        for address in told.values():
            gets(scene, "o1", address, 80, "b1")
        o1 = scene.lab.outside("o1")
        with Tap(o1) as tap:
            for address, mac in macs.items():
                tap.send(frames.arp_request(o1.mac, o1.ip4, address))
                tap.expect(lambda frame, a=address: frame.arp_spa == a, "the answer")
                seen = tap.matching(lambda frame, a=address: frame.arp_spa == a)
                assert {frame.src for frame in seen} == {mac}
        variables(scene, "hv2", NODE_TOLD="192.0.2.103")
        gets(scene, "o1", "192.0.2.103", 80, "b1")
        gets(scene, "o1", told["hv1"], 80, "b1")
    finally:
        scene.net.delete("/load-balancers/tp-told")


def test_first_packets_get_there(scene: Scene) -> None:
    """Not only what clients send again: each is tracked in six places on its way.

    Those of a connection all have the router's address as their source, answered or not.
    """
    o1, b1 = scene.lab.outside("o1"), scene.lab.vm("b1")
    made = {"name": "tp-one", "protocol": "udp", "routers": ["tp-hv1"]}
    scene.net.call("POST", "/load-balancers", made)
    try:
        vip = {"address": OUTSIDE["hv1"], "port": 5300}
        scene.net.call("POST", "/load-balancers/tp-one/vips", {**vip, "backends": [f"{b1.ip4}:99"]})
        scene.settle()

        def datagram(source: int) -> bytes:
            payload = frames.udp(o1.ip4, OUTSIDE["hv1"], source, 5300)
            packet = frames.ipv4(o1.ip4, OUTSIDE["hv1"], frames.UDP, payload)
            return frames.ethernet("0a:00:00:00:82:01", o1.mac, frames.IPV4, packet)

        def arrives(source: int) -> Any:
            ends = source.to_bytes(2) + (99).to_bytes(2)
            return lambda frame: frame.protocol == frames.UDP and frame.l4[:4] == ends

        with Tap(o1) as outside, Tap(b1) as inside:
            outside.reach(inside, datagram(4000), arrives(4000), "a datagram")
            for source in (4001, 4002):
                seen: list[Frame] = []
                for _ in range(2):
                    outside.send(datagram(source))
                    seen.append(inside.expect(arrives(source), "the datagram"))
                assert {frame.ip_src for frame in seen} == {"10.81.0.1"}
    finally:
        scene.net.delete("/load-balancers/tp-one")
