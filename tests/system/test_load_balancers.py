"""Load balancers: connections to virtual addresses get to backends, and back."""

import socket
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from cli.testbed.wait import until
from tests.system import frames, who
from tests.system.conftest import Scene
from tests.system.tap import Tap

pytestmark = pytest.mark.system

VMS = {"c1": ("lb1", "hv1"), "b1": ("lb1", "hv1"), "b2": ("lb1", "hv2"), "b3": ("lb2", "hv2")}
"""A client, and backends on its own hypervisor, on another, and on another switch."""
VIP4, VIP6 = "10.96.0.1", "fd96::1"
HERE4, HERE6 = "10.3.1.80", "fd30:1::80"
"""Of the network that the client is in itself, so that it asks who has them."""


def ip4(name: str) -> str:
    return f"10.3.{VMS[name][0][2]}.{11 + list(VMS).index(name)}"


def ip6(name: str) -> str:
    return f"fd30:{VMS[name][0][2]}::{11 + list(VMS).index(name)}"


def mac(name: str) -> str:
    return f"0a:00:00:00:30:0{1 + list(VMS).index(name)}"


def ask(scene: Scene, host: str, port: int, protocol: str = "tcp", *, source: str = "c1") -> Any:
    """Return who answers a new connection, and from where it saw that come."""
    return who.ask(scene.lab, source, host, port, protocol)


def balancer(scene: Scene, name: str, **fields: Any) -> None:
    scene.net.call("POST", "/load-balancers", {"name": name, "switches": ["lb1", "lb2"], **fields})


def vip(scene: Scene, owner: str, address: str, port: int | None, *backends: str) -> str:
    body = {"address": address, "port": port, "backends": list(backends)}
    return str(scene.net.call("POST", f"/load-balancers/{owner}/vips", body)["id"])


def backends(scene: Scene, vip_id: str, *wanted: str) -> None:
    scene.net.call("PATCH", f"/load-balancer-vips/{vip_id}", {"backends": list(wanted)})


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    net = scene.net
    net.router("r30")
    for switch in ("lb1", "lb2"):
        n = switch[2]
        net.switch(switch)
        net.attach("r30", switch, f"0a:00:00:00:3f:0{n}", f"10.3.{n}.1/24", f"fd30:{n}::1/64")
    for name, (switch, hypervisor) in VMS.items():
        net.port(switch, name, f"{mac(name)} {ip4(name)} {ip6(name)}")
        scene.lab.add_vm(name, hypervisor)
    scene.lab.wait_until_up()
    for name in VMS:
        who.serve(scene.lab, name, 8080)
    for name in VMS:
        until(lambda name=name: ask(scene, ip4(name), 8080)[0] == name, f"{name} answers")  # type: ignore[misc]


@pytest.fixture(autouse=True)
def _no_balancers_left(scene: Scene) -> Iterator[None]:
    yield
    for kind in ("acls", "load-balancer-groups", "load-balancers"):
        for each in scene.net.get(f"/{kind}")["items"]:
            scene.net.delete(f"/{kind}/{each['id']}")


@pytest.mark.parametrize(("address", "of"), [(VIP4, ip4), (VIP6, ip6)])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_connections_are_spread(scene: Scene, protocol: str, address: str, of: Any) -> None:
    balancer(scene, "shop", protocol=protocol)
    host = (lambda name: f"[{of(name)}]") if ":" in address else of
    vip(scene, "shop", address, 80, *(f"{host(name)}:8080" for name in ("b1", "b2", "b3")))
    answers = [ask(scene, address, 80, protocol) for _ in range(30)]
    assert {tuple(answer) for answer in answers} == {(b, of("c1")) for b in ("b1", "b2", "b3")}
    # Other ports of the virtual address have no backend, and other protocols neither.
    assert who.is_silent(scene.lab, "c1", address, 81, protocol)
    other = "udp" if protocol == "tcp" else "tcp"
    assert who.is_silent(scene.lab, "c1", address, 80, other)


@pytest.mark.parametrize(("address", "of"), [(VIP4, ip4), (VIP6, ip6)])
def test_fragments_of_a_known_connection_are_translated(
    scene: Scene, address: str, of: Any
) -> None:
    """Only the first fragment has ports; connection tracking puts them together."""
    balancer(scene, "shop", protocol="udp")
    host = (lambda name: f"[{of(name)}]") if ":" in address else of
    vip(scene, "shop", address, 80, *(f"{host(name)}:8080" for name in ("b1", "b2", "b3")))
    seen = set()
    for _ in range(12):
        with who.connect(scene.lab, "c1", address, 80, "udp") as client:
            first = who.again(client)
            assert who.again(client, bytes(3000)) == first
            seen.add(tuple(first))
    assert len(seen) > 1


@pytest.mark.parametrize(("address", "of"), [(VIP4, ip4), (VIP6, ip6)])
def test_a_connection_without_port_may_begin_with_fragments(
    scene: Scene, address: str, of: Any
) -> None:
    """All of them get to one backend, which its client's next datagrams get to as well."""
    balancer(scene, "shop", protocol="udp")
    vip(scene, "shop", address, None, *map(of, ("b1", "b2", "b3")))
    for _ in range(4):
        with who.connect(scene.lab, "c1", address, 8080, "udp") as client:
            first = who.again(client, bytes(3000))
            assert first in [[name, of("c1")] for name in ("b1", "b2", "b3")]
            assert who.again(client) == who.again(client, bytes(4000)) == first


def test_backends_change_under_a_connection(scene: Scene) -> None:
    """One that stays keeps it, in the midst of a talk; new ones notice at once."""
    b1, b2, b3 = (f"{ip4(name)}:8080" for name in ("b1", "b2", "b3"))
    balancer(scene, "shop")
    shop = vip(scene, "shop", VIP4, 80, b1)
    with who.connect(scene.lab, "c1", VIP4, 80) as held:
        with who.Talk(held) as talk:
            for wanted in ([b1, b2], [b2, b3, b1], [b3, b1], [b2, b1]):
                backends(scene, shop, *wanted)
                talk.goes_on()
        assert talk.answers == {("b1", ip4("c1"))}
        assert {ask(scene, VIP4, 80)[0] for _ in range(20)} == {"b1", "b2"}
        backends(scene, shop, b3)
        assert {ask(scene, VIP4, 80)[0] for _ in range(5)} == {"b3"}


@pytest.mark.parametrize(("address", "of"), [(VIP4, ip4), (VIP6, ip6)])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_connections_to_a_removed_backend_end(
    scene: Scene, protocol: str, address: str, of: Any
) -> None:
    """Those of this virtual address alone, and no others: of TCP by a reset, of UDP at another."""
    host = (
        (lambda name: f"[{of(name)}]:8080") if ":" in address else lambda name: f"{of(name)}:8080"
    )
    balancer(scene, "shop", protocol=protocol, affinity_timeout=0)
    shop = vip(scene, "shop", address, 80, host("b1"), host("b2"))
    other = vip(scene, "shop", address, 81, host("b1"))
    held = [who.connect(scene.lab, "c1", address, 80, protocol) for _ in range(24)]
    beside = who.connect(scene.lab, "c1", address, 81, protocol)
    direct = who.connect(scene.lab, "c1", of("b1"), 8080, protocol)
    try:
        before = [who.again(each)[0] for each in held]
        assert set(before) == {"b1", "b2"}
        assert who.again(beside)[0] == who.again(direct)[0] == "b1"
        backends(scene, shop, host("b2"))
        lost = held[before.index("b1")]
        ended = ("reset",) if protocol == "tcp" else (["b2", of("c1")],)
        who.until_ended(lost, None if protocol == "tcp" else ["b2", of("c1")])
        for each, name in zip(held, before, strict=True):
            if name == "b2":
                assert who.again(each) == ["b2", of("c1")]
            elif each is not lost:
                assert who.again(each) in ended
        assert who.again(beside)[0] == who.again(direct)[0] == "b1"
        # Without any other backend a client is told nothing more.
        backends(scene, other)
        beside.settimeout(1)
        until(lambda: who.again(beside) in ("timeout", "refused"), "the other one ends", 30)
        assert who.again(direct)[0] == "b1"
    finally:
        for each in (*held, beside, direct):
            each.close()


def test_connections_may_outlive_their_backend(scene: Scene) -> None:
    balancer(scene, "shop", end_connections=False)
    shop = vip(scene, "shop", VIP4, 80, f"{ip4('b1')}:8080")
    other = vip(scene, "shop", VIP4, 81, f"{ip4('b1')}:8080")
    scene.net.call("POST", "/load-balancers", {"name": "ending", "switches": ["lb1"]})
    gone = vip(scene, "ending", VIP4, 82, f"{ip4('b1')}:8080")
    with (
        who.connect(scene.lab, "c1", VIP4, 80) as held,
        who.connect(scene.lab, "c1", VIP4, 82) as ended,
    ):
        assert who.again(held)[0] == who.again(ended)[0] == "b1"
        for each in (shop, other, gone):
            backends(scene, each, f"{ip4('b2')}:8080")
        who.until_ended(ended)
        assert who.again(held)[0] == "b1"
        assert ask(scene, VIP4, 80)[0] == "b2"


def test_who_asked_before_there_was_an_address_gets_a_backend(scene: Scene) -> None:
    """Nothing answered, and the connection is known as one that is not translated."""
    balancer(scene, "shop", protocol="udp")
    vip(scene, "shop", VIP4, 81, f"{ip4('b1')}:8080")
    with who.connect(scene.lab, "c1", VIP4, 80, "udp", seconds=1) as asking:
        assert who.again(asking) == "timeout"
        vip(scene, "shop", VIP4, 80, f"{ip4('b2')}:8080")
        until(lambda: who.again(asking) == ["b2", ip4("c1")], "a backend answers")


def test_with_and_without_port_side_by_side(scene: Scene) -> None:
    balancer(scene, "shop")
    vip(scene, "shop", VIP4, 80, f"{ip4('b1')}:8080")
    vip(scene, "shop", VIP4, None, ip4("b2"))
    assert ask(scene, VIP4, 80) == ["b1", ip4("c1")]
    assert ask(scene, VIP4, 8080) == ["b2", ip4("c1")]
    assert scene.lab.vm("c1").reaches(VIP4)


@pytest.mark.parametrize(("address", "of"), [(VIP4, ip4), (VIP6, ip6)])
def test_icmp_errors_of_backends_reach_the_client(scene: Scene, address: str, of: Any) -> None:
    """Nobody listens there: the backend's host says so, and the client knows of what."""
    balancer(scene, "shop", protocol="udp")
    for port, name in ((80, "b1"), (81, "b2"), (82, "b3")):
        host = f"[{of(name)}]" if ":" in address else of(name)
        vip(scene, "shop", address, port, f"{host}:9999")
        assert ask(scene, address, port, "udp") == "refused"


def test_without_backends_clients_wait_or_are_told(scene: Scene) -> None:
    """Of any protocol where the address has no port."""
    balancer(scene, "shop")
    shop = vip(scene, "shop", VIP4, 80)
    vip(scene, "shop", VIP6, None)
    assert who.is_silent(scene.lab, "c1", VIP4, 80)
    scene.net.call("PATCH", "/load-balancers/shop", {"reject": True})
    assert ask(scene, VIP4, 80) == "refused"
    for protocol in ("tcp", "udp"):
        assert ask(scene, VIP6, 80, protocol) == "refused"
    scene.net.call("PATCH", "/load-balancers/shop", {"protocol": "udp"})
    assert ask(scene, VIP4, 80, "udp") == "refused"
    backends(scene, shop, f"{ip4('b2')}:8080")
    assert ask(scene, VIP4, 80, "udp")[0] == "b2"


@pytest.mark.parametrize(("address", "of"), [(VIP4, ip4), (VIP6, ip6)])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_client_that_is_its_own_backend(
    scene: Scene, protocol: str, address: str, of: Any
) -> None:
    """It sees the virtual address as who asks, and gets its answers from there."""
    balancer(scene, "shop", protocol=protocol)
    host = f"[{of('c1')}]" if ":" in address else of("c1")
    vip(scene, "shop", address, 80, f"{host}:8080")
    with who.connect(scene.lab, "c1", address, 80, protocol) as held:
        # A datagram may be in fragments.
        for question in (b"who", bytes(3000 if protocol == "udp" else 3), b"who"):
            assert who.again(held, question) == ["c1", address]


def test_a_client_that_is_its_own_backend_sees_the_address_for_that(scene: Scene) -> None:
    balancer(scene, "shop", hairpin_snat_ips=["10.97.0.1", "fd97::1"])
    vip(scene, "shop", VIP4, 80, f"{ip4('c1')}:8080")
    vip(scene, "shop", VIP6, 80, f"[{ip6('c1')}]:8080")
    assert ask(scene, VIP4, 80) == ["c1", "10.97.0.1"]
    assert ask(scene, VIP6, 80) == ["c1", "fd97::1"]


@pytest.mark.parametrize(("address", "of"), [(VIP4, ip4), (VIP6, ip6)])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_clients_with_affinity_keep_their_backend(
    scene: Scene, protocol: str, address: str, of: Any
) -> None:
    """From the first connection on, also while another backend goes; then it is another's turn."""
    host = (
        (lambda name: f"[{of(name)}]:8080") if ":" in address else lambda name: f"{of(name)}:8080"
    )
    everyone = {name: host(name) for name in ("b1", "b2", "b3")}
    balancer(scene, "shop", protocol=protocol, affinity_timeout=600)
    shop = vip(scene, "shop", address, 80, *everyone.values())
    together = [who.connect(scene.lab, "c1", address, 80, protocol) for _ in range(8)]
    try:
        (first,) = {who.again(each)[0] for each in together}
    finally:
        for each in together:
            each.close()
    others = [name for name in everyone if name != first]
    for gone in others:
        backends(scene, shop, *(each for name, each in everyone.items() if name != gone))
        assert {ask(scene, address, 80, protocol)[0] for _ in range(5)} == {first}
    backends(scene, shop, *(everyone[name] for name in others))
    (second,) = {ask(scene, address, 80, protocol)[0] for _ in range(8)}
    assert second in others


@pytest.mark.parametrize(("address", "of"), [(VIP4, ip4), (VIP6, ip6)])
def test_acls_see_the_virtual_address(scene: Scene, address: str, of: Any) -> None:
    """In every packet of a connection, and what they deny is over at once."""
    balancer(scene, "shop")
    host = f"[{of('b1')}]" if ":" in address else of("b1")
    vip(scene, "shop", address, 80, f"{host}:8080")
    family = "ip6" if ":" in address else "ip4"
    client = 'inport == "c1"'
    scene.net.acl("ls:lb1", "from-lport", 1, f"{client} && tcp", "drop")
    match = f"{client} && {family}.dst == {address} && tcp.dst == 80"
    allowed = scene.net.acl("ls:lb1", "from-lport", 9, match, "allow-related")
    assert who.is_silent(scene.lab, "c1", of("b1"), 8080)
    with who.connect(scene.lab, "c1", address, 80) as held:
        for _ in range(3):
            assert who.again(held) == ["b1", of("c1")]
        scene.net.call("PATCH", f"/acls/{allowed}", {"action": "reject"})
        held.settimeout(2.5)
        assert who.again(held) in ("timeout", "reset")
    assert ask(scene, address, 80) == "refused"


@pytest.mark.parametrize(("address", "of"), [(VIP4, ip4), (VIP6, ip6)])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_acls_after_load_balancing_see_the_backend(
    scene: Scene, protocol: str, address: str, of: Any
) -> None:
    """In every packet of a connection; what they deny is over at once, and told as was asked."""
    balancer(scene, "shop", protocol=protocol)
    host = (lambda name: f"[{of(name)}]") if ":" in address else of
    vip(scene, "shop", address, 80, *(f"{host(name)}:8080" for name in ("b1", "b2", "b3")))
    family = "ip6" if ":" in address else "ip4"

    def rule(priority: int, match: str, action: str) -> str:
        whole = f'inport == "c1" && {match}'
        return str(
            scene.net.acl("ls:lb1", "from-lport", priority, whole, action, apply_after_lb=True)
        )

    rule(1, f"{family} && {protocol}", "drop")
    rule(9, f"{family}.dst == {of('b1')} && {protocol}.dst == 8080", "allow-related")
    second = rule(9, f"{family}.dst == {of('b2')} && {protocol}.dst == 8080", "reject")
    # Of its three backends the client gets to one, is refused by one, and waits for the other.
    asked = (who.ask(scene.lab, "c1", address, 80, protocol, seconds=2.5) for _ in range(20))
    answers = {str(each) for each in asked}
    assert answers == {str(["b1", of("c1")]), "refused", "timeout"}
    scene.net.call("PATCH", f"/acls/{second}", {"action": "allow-related"})
    held: list[socket.socket] = []
    ports = count(41000)

    def is_with_second() -> bool:
        """Whether another connection is with the backend which may be reached now."""
        port = next(ports)
        try:
            held.append(
                who.connect(scene.lab, "c1", address, 80, protocol, local_port=port, seconds=2.5)
            )
        except TimeoutError:
            return False
        return who.again(held[-1])[0] == "b2"

    try:
        until(is_with_second, "a connection with the second backend", 60)
        assert who.again(held[-1]) == ["b2", of("c1")]
        scene.net.call("PATCH", f"/acls/{second}", {"action": "reject"})
        assert who.again(held[-1]) in ("reset", "refused", "timeout")
    finally:
        for each in held:
            each.close()


@pytest.mark.parametrize("change", ["deleted", "detached", "moved"])
@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_connections_to_an_address_that_is_gone_end(
    scene: Scene, protocol: str, change: str
) -> None:
    """Whether it is deleted, leaves the switch, or becomes another one; others don't notice."""
    balancer(scene, "shop", protocol=protocol)
    gone = vip(scene, "shop", VIP4, 80, f"{ip4('b1')}:8080")
    balancer(scene, "other", protocol=protocol)
    vip(scene, "other", VIP4, 81, f"{ip4('b1')}:8080")
    # What takes the rest takes what is sent next, so that the client is told that it is another.
    vip(scene, "other", VIP4, None, ip4("b2"))
    with (
        who.connect(scene.lab, "c1", VIP4, 80, protocol) as held,
        who.connect(scene.lab, "c1", VIP4, 81, protocol) as beside,
    ):
        assert who.again(held)[0] == who.again(beside)[0] == "b1"
        match change:
            case "deleted":
                scene.net.delete(f"/load-balancer-vips/{gone}")
            case "detached":
                scene.net.call("PATCH", "/load-balancers/shop", {"switches": []})
            case "moved":
                address = {"address": "10.96.0.9"}
                scene.net.call("PATCH", f"/load-balancer-vips/{gone}", address)
        who.until_ended(held)
        assert who.again(beside)[0] == "b1"


def test_connections_may_outlive_their_address(scene: Scene) -> None:
    balancer(scene, "shop", end_connections=False)
    gone = vip(scene, "shop", VIP4, 80, f"{ip4('b1')}:8080")
    balancer(scene, "other")
    ending = vip(scene, "other", VIP4, 81, f"{ip4('b1')}:8080")
    vip(scene, "other", VIP4, None, ip4("b2"))
    with (
        who.connect(scene.lab, "c1", VIP4, 80) as held,
        who.connect(scene.lab, "c1", VIP4, 81) as ended,
    ):
        assert who.again(held)[0] == who.again(ended)[0] == "b1"
        scene.net.delete(f"/load-balancer-vips/{gone}")
        scene.net.delete(f"/load-balancer-vips/{ending}")
        who.until_ended(ended)
        assert who.again(held)[0] == "b1"


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_groups_bring_load_balancers_to_their_switches(scene: Scene, protocol: str) -> None:
    """One joins and one leaves; a switch joins and leaves."""
    for name, port, backend in (("stays", 80, "b1"), ("leaves", 81, "b2")):
        balancer(scene, name, switches=[], protocol=protocol)
        vip(scene, name, VIP4, port, f"{ip4(backend)}:8080")
    # What takes the rest tells clients that it knows nothing of their connections.
    balancer(scene, "rest", protocol=protocol)
    vip(scene, "rest", VIP4, None, ip4("b3"))
    group = {"name": "services", "load_balancers": ["stays"], "switches": ["lb1"]}
    scene.net.call("POST", "/load-balancer-groups", group)

    def change(**fields: list[str]) -> None:
        scene.net.call("PATCH", "/load-balancer-groups/services", fields)

    assert ask(scene, VIP4, 80, protocol) == ["b1", ip4("c1")]
    assert ask(scene, VIP4, 81, protocol) == "refused"
    change(load_balancers=["stays", "leaves"])
    assert ask(scene, VIP4, 81, protocol) == ["b2", ip4("c1")]
    assert ask(scene, VIP4, 80, protocol, source="b3") == "refused"
    with (
        who.connect(scene.lab, "c1", VIP4, 80, protocol) as held,
        who.connect(scene.lab, "c1", VIP4, 81, protocol) as lost,
    ):
        assert [who.again(each)[0] for each in (held, lost)] == ["b1", "b2"]
        change(load_balancers=["stays"], switches=["lb1", "lb2"])
        who.until_ended(lost)
        assert ask(scene, VIP4, 80, protocol, source="b3") == ["b1", ip4("b3")]
        assert who.again(held) == ["b1", ip4("c1")]
        change(switches=["lb2"])
        who.until_ended(held)


@pytest.mark.parametrize(("protocol", "address", "of"), [("tcp", HERE4, ip4), ("udp", HERE6, ip6)])
def test_a_router_without_gateway(scene: Scene, protocol: str, address: str, of: Any) -> None:
    """It answers for its addresses, and its switches balance, wherever clients and backends are.

    Load balancers may name it, or a group of theirs.
    """
    host = (lambda name: f"[{of(name)}]") if ":" in address else of
    named = ["r30"] if protocol == "tcp" else []
    for name in ("shop", "rest"):
        balancer(scene, name, switches=[], routers=named, protocol=protocol)
    if not named:
        group = {"name": "services", "load_balancers": ["shop", "rest"], "routers": ["r30"]}
        scene.net.call("POST", "/load-balancer-groups", group)
    gone = vip(scene, "shop", address, 80, *(f"{host(name)}:8080" for name in ("b1", "b2", "b3")))
    vip(scene, "rest", address, None, of("b2"))
    for client, itself in (("c1", None), ("b3", "b3")):
        wanted = {(name, address if name == itself else of(client)) for name in ("b1", "b2", "b3")}
        assert who.answers(scene.lab, client, address, 80, protocol, wanted) == wanted
        with who.connect(scene.lab, client, address, 80, protocol) as held:
            assert who.again(held) == who.again(held)
    with who.connect(scene.lab, "c1", address, 80, protocol) as held:
        assert len(who.again(held)) == 2
        scene.net.delete(f"/load-balancer-vips/{gone}")
        who.until_ended(held)


def answered(tap: Tap, *addresses: str) -> set[str]:
    """Return which of these addresses somebody has who answers `c1`.

    The router's own are asked for last, and answered behind the others.
    """
    tap.received.clear()
    for address in (*addresses, "10.3.1.1", "fd30:1::1"):
        source = ip6("c1") if ":" in address else ip4("c1")
        tap.send(frames.who_has(tap.vm.mac, source, address))
    tap.expect(lambda frame: frame.told == "10.3.1.1", "the router's MAC address")
    tap.expect(lambda frame: frame.told == "fd30:1::1", "the router's MAC address by IPv6")
    return {frame.told for frame in tap.received} & set(addresses)


def test_whom_a_router_tells_that_an_address_is_its_own(scene: Scene) -> None:
    """Those in whose network it is, or all who ask, or nobody."""
    addresses = (HERE4, VIP4, HERE6, VIP6)
    balancer(scene, "shop", switches=[], routers=["r30"])
    for address in addresses:
        vip(scene, "shop", address, 80)
    told = {"reachable": {HERE4, HERE6}, "all": set(addresses), "none": set()}
    with Tap(scene.lab.vm("c1")) as tap:
        for responder, wanted in told.items():
            scene.net.call("PATCH", "/load-balancers/shop", {"neighbor_responder": responder})
            until(lambda wanted=wanted: answered(tap, *addresses) == wanted, f"{wanted} answered")  # type: ignore[misc]
