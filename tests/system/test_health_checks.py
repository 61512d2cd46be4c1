"""Backends of load balancers that are checked: they die, come back, and lose their hypervisor."""

import signal
from collections.abc import Iterator
from typing import Any

import pytest

from cli.testbed.wait import until
from tests.system import who
from tests.system.conftest import Scene, two_hypervisors

pytestmark = pytest.mark.system

SECONDS = 60
VMS = {"c1": "hv1", "b1": "hv1", "b2": "hv2", "c2": "hv2"}
"""All but `c2` are on one switch, which a router leads to."""
CHECK = {"interval": 1, "timeout": 1, "success_count": 1, "failure_count": 2}
VIP4, VIP6 = "10.96.0.1", "fd96::1"
SOURCES = ("10.3.1.250", "fd30:1::250")
"""Where backends are asked from: addresses of none."""
ROUTER = ("10.3.1.1", "fd30:1::1")
"""Of the router, on the switch of the backends."""


def ip4(name: str) -> str:
    return f"10.3.{_network_of(name)}.{11 + list(VMS).index(name)}"


def ip6(name: str) -> str:
    return f"fd30:{_network_of(name)}::{11 + list(VMS).index(name)}"


def _network_of(name: str) -> int:
    return 2 if name == "c2" else 1


@pytest.fixture(scope="module")
def scene(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Scene]:
    settings = {"TREADLE_SERVER__AGENTS__LEASE": "3"}
    with two_hypervisors(tmp_path_factory, settings) as scene:
        scene.expected_trouble.append(r"no response to inactivity probe")
        yield scene


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    net = scene.net
    net.router("r")
    net.switch("web")
    net.attach("r", "web", "0a:00:00:00:3f:01", f"{ROUTER[0]}/24", f"{ROUTER[1]}/64")
    net.switch("far")
    net.attach("r", "far", "0a:00:00:00:3f:02", "10.3.2.1/24", "fd30:2::1/64")
    for number, (name, hypervisor) in enumerate(VMS.items(), 1):
        net.port(
            "far" if name == "c2" else "web",
            name,
            f"0a:00:00:00:30:0{number} {ip4(name)} {ip6(name)}",
        )
        scene.lab.add_vm(name, hypervisor)
    scene.lab.wait_until_up()
    # Nothing that a tenant's ACLs say keeps backends from being checked.
    for direction, port in (("to-lport", "outport"), ("from-lport", "inport")):
        net.acl("ls:web", direction, 1, f'{port} == "b1" && ip', "drop")
        match = f'{port} == "b1" && (tcp || udp || icmp6 || icmp4)'
        net.acl("ls:web", direction, 9, f"{match} && ip4.src != {SOURCES[0]}", "allow-related")
        net.acl("ls:web", direction, 9, f"{match} && ip6", "allow-related")
    for name in ("b1", "b2"):
        who.serve(scene.lab, name, 8080)


@pytest.fixture(autouse=True)
def _no_balancers_left(scene: Scene) -> Iterator[None]:
    yield
    for each in scene.net.get("/load-balancers")["items"]:
        scene.net.delete(f"/load-balancers/{each['id']}")


def checked(
    scene: Scene,
    protocol: str = "tcp",
    address: str = VIP4,
    *,
    port: int = 8080,
    sources: tuple[str, str] = SOURCES,
    **fields: Any,
) -> str:
    """Make a virtual address whose two backends are checked; return its id."""
    is_ip4 = address == VIP4
    of, source = (ip4, sources[0]) if is_ip4 else (ip6, sources[1])
    body = {"name": "shop", "protocol": protocol, "switches": ["web"], **fields}
    scene.net.call("POST", "/load-balancers", body)
    for name in ("b1", "b2"):
        backend = {"address": of(name), "logical_port": name, "source_ip": source}
        scene.net.call("POST", "/load-balancers/shop/backends", backend)
    hosts = [of(name) if is_ip4 else f"[{of(name)}]" for name in ("b1", "b2")]
    vip = {
        "address": address,
        "port": 80,
        "backends": [f"{host}:{port}" for host in hosts],
        "health_check": CHECK,
    }
    return str(scene.net.call("POST", "/load-balancers/shop/vips", vip)["id"])


def health(scene: Scene, vip: str) -> dict[str, bool | None]:
    """Whether each backend is up, by the end of its address."""
    found = scene.net.get(f"/load-balancer-vips/{vip}/health")["backends"]
    names = {ip4(name): name for name in VMS} | {f"[{ip6(name)}]": name for name in VMS}
    return {names[each["backend"].rpartition(":")[0]]: each["up"] for each in found}


def reasons(scene: Scene, vip: str) -> set[str]:
    """Why backends are what they are."""
    found = scene.net.get(f"/load-balancer-vips/{vip}/health")["backends"]
    return {each["reason"] for each in found}


def becomes(scene: Scene, vip: str, **up: bool) -> None:
    until(lambda: health(scene, vip) == up, f"backends are {up}", SECONDS)
    scene.settle()


def answer(
    scene: Scene,
    *names: str,
    address: str = VIP4,
    protocol: str = "tcp",
    count: int = 24,
    source: str = "c1",
) -> None:
    """Wait until all of these answer, and no others.

    A check may take a backend for down for a moment on a busy machine, and then another gets all.
    """

    def do_they() -> bool:
        asked = [who.ask(scene.lab, source, address, 80, protocol) for _ in range(count)]
        return {each if isinstance(each, str) else each[0] for each in asked} == set(names)

    until(do_they, f"{names} answer", SECONDS)


def die(scene: Scene, name: str, port: int = 8080) -> None:
    scene.lab.stop_process(f"{name}/who-{port}", signal.SIGKILL)


@pytest.mark.parametrize(("protocol", "address"), [("tcp", VIP4), ("udp", VIP6)])
def test_a_backend_dies_and_comes_back(scene: Scene, protocol: str, address: str) -> None:
    vip = checked(scene, protocol, address, reject=True)
    becomes(scene, vip, b1=True, b2=True)
    answer(scene, "b1", "b2", address=address, protocol=protocol)
    die(scene, "b2")
    becomes(scene, vip, b1=True, b2=False)
    answer(scene, "b1", address=address, protocol=protocol)
    die(scene, "b1")
    becomes(scene, vip, b1=False, b2=False)
    answer(scene, "refused", address=address, protocol=protocol, count=2)
    scene.net.call("PATCH", "/load-balancers/shop", {"reject": False})
    until(lambda: who.is_silent(scene.lab, "c1", address, 80, protocol), "silence", SECONDS)
    for name in ("b1", "b2"):
        who.serve(scene.lab, name, 8080)
    becomes(scene, vip, b1=True, b2=True)
    answer(scene, "b1", "b2", address=address, protocol=protocol)


def test_connections_to_a_backend_that_fails_end(scene: Scene) -> None:
    """UDP is as good as unanswered for ever, unless it gets another backend."""
    vip = checked(scene, "udp")
    becomes(scene, vip, b1=True, b2=True)
    held = [who.connect(scene.lab, "c1", VIP4, 80, "udp") for _ in range(24)]
    try:
        until(lambda: {who.again(each)[0] for each in held} == {"b1", "b2"}, "both answer", SECONDS)
        die(scene, "b2")
        becomes(scene, vip, b1=True, b2=False)
        for each in held:
            until(lambda each=each: who.again(each)[0] == "b1", "b1 has taken over", SECONDS)  # type: ignore[misc]
    finally:
        for each in held:
            each.close()
        who.serve(scene.lab, "b2", 8080)


@pytest.mark.parametrize(
    ("chassis", "protocol", "address"), [(None, "udp", VIP4), ("hv1", "tcp", VIP6)]
)
def test_backends_behind_a_router(
    scene: Scene, chassis: str | None, protocol: str, address: str
) -> None:
    """Of a router that is everywhere, or a gateway; it is the router's address that asks them.

    None gets anything before it answers. What would get there were refused.
    """
    scene.net.call("PATCH", "/logical-routers/r", {"chassis": chassis})
    served: list[str] = []

    def serve(name: str) -> None:
        who.serve(scene.lab, name, 8090)
        served.append(name)

    try:
        places = {"switches": [], "routers": ["r"]}
        vip = checked(scene, protocol, address, port=8090, sources=ROUTER, **places)
        becomes(scene, vip, b1=False, b2=False)
        assert who.is_silent(scene.lab, "c2", address, 80, protocol)
        serve("b2")
        becomes(scene, vip, b1=False, b2=True)
        answer(scene, "b2", address=address, protocol=protocol, source="c2", count=12)
        serve("b1")
        becomes(scene, vip, b1=True, b2=True)
        answer(scene, "b1", "b2", address=address, protocol=protocol, source="c2")
    finally:
        for name in served:
            die(scene, name, 8090)
        scene.net.call("PATCH", "/logical-routers/r", {"chassis": None})


def test_a_backend_gets_nothing_until_it_answers(scene: Scene) -> None:
    """One whose port is nowhere never does; one of which no port is known isn't checked."""
    scene.net.port("web", "nowhere", "0a:00:00:00:30:99 10.3.1.99")
    body = {"name": "shop", "switches": ["web"]}
    scene.net.call("POST", "/load-balancers", body)
    for address, port in (("10.3.1.99", "nowhere"), (ip4("b1"), "b1")):
        backend = {"address": address, "logical_port": port, "source_ip": SOURCES[0]}
        scene.net.call("POST", "/load-balancers/shop/backends", backend)
    vip = {
        "address": VIP4,
        "port": 80,
        "backends": ["10.3.1.99:8080", f"{ip4('b1')}:8080", f"{ip4('b2')}:8080"],
        "health_check": CHECK,
    }
    made = scene.net.call("POST", "/load-balancers/shop/vips", vip)["id"]
    path = f"/load-balancer-vips/{made}/health"

    def reports() -> dict[str, tuple[bool, bool | None]]:
        found = scene.net.get(path)["backends"]
        return {each["backend"]: (each["checked"], each["up"]) for each in found}

    wanted = {
        "10.3.1.99:8080": (True, None),
        f"{ip4('b1')}:8080": (True, True),
        f"{ip4('b2')}:8080": (False, None),
    }
    until(lambda: reports() == wanted, "what is known of backends", SECONDS)
    scene.settle()
    answer(scene, "b1", "b2")


def test_the_server_is_away(scene: Scene) -> None:
    """What was known holds, and what comes to be is told when the server is there again."""
    vip = checked(scene)
    becomes(scene, vip, b1=True, b2=True)
    scene.lab.process("server").send(signal.SIGSTOP)
    try:
        answer(scene, "b1", "b2")
        die(scene, "b2")
    finally:
        scene.lab.process("server").send(signal.SIGCONT)
    becomes(scene, vip, b1=True, b2=False)
    answer(scene, "b1")
    who.serve(scene.lab, "b2", 8080)
    becomes(scene, vip, b1=True, b2=True)


def test_its_hypervisor_is_away(scene: Scene) -> None:
    vip = checked(scene)
    becomes(scene, vip, b1=True, b2=True)
    scene.lab.process("hv2/agent").send(signal.SIGSTOP)
    try:
        until(lambda: health(scene, vip) == {"b1": True, "b2": False}, "b2 is away", SECONDS)
        answer(scene, "b1", count=8)
        until(lambda: "its hypervisor is away" in reasons(scene, vip), "why b2 is down", SECONDS)
    finally:
        scene.lab.process("hv2/agent").send(signal.SIGCONT)
    becomes(scene, vip, b1=True, b2=True)
    answer(scene, "b1", "b2")


def test_its_port_is_unplugged_and_moves(scene: Scene) -> None:
    vip = checked(scene)
    becomes(scene, vip, b1=True, b2=True)
    die(scene, "b2")
    scene.lab.remove_vm("b2")
    becomes(scene, vip, b1=True, b2=False)
    reason = "its port is on no hypervisor"
    until(lambda: reason in reasons(scene, vip), "why b2 is down", SECONDS)
    scene.lab.add_vm("b2", "hv1")
    scene.lab.wait_until_up(["b2"])
    who.serve(scene.lab, "b2", 8080)
    becomes(scene, vip, b1=True, b2=True)
    answer(scene, "b1", "b2")
