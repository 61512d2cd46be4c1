"""Load balancers of routers: hosts outside get to backends inside, and back.

The gateway is on `hv1`: the whole router, or the port of it that leads to the provider network.
"""

import json
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from typing import Any

import pytest

from cli.testbed.wait import until
from tests.system import frames, who
from tests.system.conftest import Scene
from tests.system.frames import IPV4, IPV6, SCTP, ethernet, ipv4, ipv6
from tests.system.hops import assert_hops
from tests.system.network import RefusedError
from tests.system.tap import Tap

pytestmark = pytest.mark.system

BACKENDS = {"b1": "hv1", "b2": "hv2"}
OUTSIDE = {4: "192.0.2.9", 6: "2001:db8::9"}
VIP = {4: "192.0.2.80", 6: "2001:db8::80"}
"""In the network that the router has outside."""
ROUTED = {4: "198.51.100.7", 6: "2001:db8:7::7"}
"""In none: hosts outside know the router as the way there."""
OWN = {4: "192.0.2.1", 6: "2001:db8::1"}
GATEWAY_MAC = "0a:00:00:00:75:01"
"""Of the router, to backends."""
VERSIONS = pytest.mark.parametrize("version", [4, 6])


def inside(name: str, version: int) -> str:
    """Return the address of a backend."""
    number = 10 + int(name[1])
    return f"10.75.0.{number}" if version == 4 else f"fd75::{number}"


def backend(name: str, version: int, port: int = 8080) -> str:
    address = inside(name, version)
    return f"{address}:{port}" if version == 4 else f"[{address}]:{port}"


def ask(
    scene: Scene, address: str, port: int = 80, protocol: str = "tcp", *, source: str = "o1"
) -> Any:
    """Return who answers a new connection, and from where it saw that come."""
    return who.ask(scene.lab, source, address, port, protocol)


def answers(scene: Scene, address: str, protocol: str, wanted: set[Any]) -> set[Any]:
    """Return who answers, and from where he saw the question come, until all `wanted` did."""
    return who.answers(scene.lab, "o1", address, 80, protocol, wanted)


def balancer(scene: Scene, name: str = "shop", **fields: Any) -> None:
    scene.net.call("POST", "/load-balancers", {"name": name, "routers": ["lb-r"], **fields})


def vip(scene: Scene, address: str, port: int | None, *backends: str, owner: str = "shop") -> str:
    body = {"address": address, "port": port, "backends": list(backends)}
    return str(scene.net.call("POST", f"/load-balancers/{owner}/vips", body)["id"])


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    lab, net = scene.lab, scene.net
    lab.add_provider_network("physnet1")
    lab.add_outside(
        "o1",
        "physnet1",
        *(f"{OUTSIDE[4]}/24", f"{OUTSIDE[6]}/64"),
        gateways=list(OWN.values()),
    )
    net.router("lb-r", chassis="hv1")
    net.switch("lb-in")
    net.switch("lb-out")
    net.port("lb-out", "lb-phys", type="localnet", network_name="physnet1")
    net.attach("lb-r", "lb-in", GATEWAY_MAC, "10.75.0.1/24", "fd75::1/64")
    net.attach("lb-r", "lb-out", "0a:00:00:00:75:02", f"{OWN[4]}/24", f"{OWN[6]}/64")
    for name, hypervisor in BACKENDS.items():
        addresses = f"0a:00:00:00:76:0{name[1]} {inside(name, 4)} {inside(name, 6)}"
        net.port("lb-in", name, addresses)
        lab.add_vm(name, hypervisor)
    lab.wait_until_up()
    for name in (*BACKENDS, "o1"):
        who.serve(lab, name, 8080)


@pytest.fixture(scope="module", autouse=True, params=["router", "port"])
def gateway(request: pytest.FixtureRequest, _network: None, scene: Scene) -> str:
    """Everything is the same, whether the router is on a chassis or its port has one."""
    if request.param == "port":
        scene.net.call("PATCH", "/logical-routers/lb-r", {"chassis": None})
        gateway = [{"chassis": "hv1", "priority": 10}]
        path = "/logical-router-ports/lb-r-lb-out"
        scene.net.call("PATCH", path, {"gateway_chassis": gateway})
    for name in BACKENDS:
        for version in (4, 6):
            until(
                lambda name=name, version=version: (
                    ask(scene, inside(name, version), 8080)[0]  # type: ignore[misc]
                    == name
                ),
                f"{name} answers by IPv{version}",
                30,
            )
    return str(request.param)


@pytest.fixture(autouse=True)
def _no_balancers_left(scene: Scene) -> Iterator[None]:
    yield
    kept = {"lb_force_snat_ips": [], "lb_force_snat_router_ip": False}
    scene.net.call("PATCH", "/logical-routers/lb-r", kept)
    for nat in scene.net.get("/nats")["items"]:
        scene.net.delete(f"/nats/{nat['id']}")
    for kind in ("load-balancer-groups", "load-balancers"):
        for each in scene.net.get(f"/{kind}")["items"]:
            scene.net.delete(f"/{kind}/{each['id']}")


@VERSIONS
@pytest.mark.parametrize(
    ("address", "protocol"), [(VIP, "tcp"), (ROUTED, "udp")], ids=["in-network", "routed"]
)
def test_connections_from_outside_are_spread(
    scene: Scene, address: dict[int, str], protocol: str, version: int
) -> None:
    balancer(scene, protocol=protocol)
    vip(scene, address[version], 80, *(backend(name, version) for name in BACKENDS))
    wanted = {(name, OUTSIDE[version]) for name in BACKENDS}
    assert answers(scene, address[version], protocol, wanted) == wanted


@VERSIONS
def test_what_no_load_balancer_takes(scene: Scene, version: int) -> None:
    """The virtual address itself answers pings, and nothing else."""
    balancer(scene)
    vip(scene, VIP[version], 80, backend("b2", version))
    assert ask(scene, VIP[version], 80)[0] == "b2"
    assert scene.lab.outside("o1").tcp_outcome(VIP[version], 81, timeout=1) == "timeout"
    assert scene.lab.outside("o1").reaches(VIP[version])


@VERSIONS
def test_an_address_of_the_router_itself(scene: Scene, version: int) -> None:
    balancer(scene)
    vip(scene, OWN[version], 80, backend("b2", version))
    assert ask(scene, OWN[version], 80) == ["b2", OUTSIDE[version]]
    assert ask(scene, OWN[version], 81) == "refused"
    assert scene.lab.outside("o1").reaches(OWN[version])


@VERSIONS
def test_an_address_without_port(scene: Scene, version: int) -> None:
    """It takes the rest where the address has one with a port, too."""
    balancer(scene)
    vip(scene, VIP[version], None, inside("b2", version))
    vip(scene, VIP[version], 80, backend("b1", version))
    assert ask(scene, VIP[version], 8080) == ["b2", OUTSIDE[version]]
    assert ask(scene, VIP[version], 80) == ["b1", OUTSIDE[version]]
    assert scene.lab.outside("o1").reaches(VIP[version])


@VERSIONS
def test_without_backends_clients_wait_or_are_told(scene: Scene, version: int) -> None:
    balancer(scene)
    shop = vip(scene, VIP[version], 80)
    assert who.is_silent(scene.lab, "o1", VIP[version], 80)
    vip(scene, ROUTED[version], None)
    scene.net.call("PATCH", "/load-balancers/shop", {"reject": True})
    assert ask(scene, VIP[version]) == "refused"
    assert ask(scene, ROUTED[version], 80) == ask(scene, ROUTED[version], 80, "udp") == "refused"
    scene.net.call("PATCH", "/load-balancers/shop", {"protocol": "udp"})
    assert ask(scene, VIP[version], 80, "udp") == "refused"
    change = {"backends": [backend("b1", version)]}
    scene.net.call("PATCH", f"/load-balancer-vips/{shop}", change)
    assert ask(scene, VIP[version], 80, "udp")[0] == "b1"


@VERSIONS
def test_an_error_of_a_backend_is_about_the_virtual_address(scene: Scene, version: int) -> None:
    """Nothing listens there: the client's host takes the ICMP error for its own connection's."""
    balancer(scene, protocol="udp")
    vip(scene, VIP[version], 53, backend("b2", version, 9999))
    assert ask(scene, VIP[version], 53, "udp") == "refused"


@pytest.mark.parametrize(("protocol", "version"), [("tcp", 6), ("udp", 4)])
def test_a_client_keeps_its_backend(scene: Scene, protocol: str, version: int) -> None:
    """From the first connection on, also of several that it makes at once."""
    balancer(scene, protocol=protocol, affinity_timeout=60)
    shop = vip(scene, VIP[version], 80, *(backend(name, version) for name in BACKENDS))
    with ExitStack() as held:
        together = [
            held.enter_context(who.connect(scene.lab, "o1", VIP[version], 80, protocol))
            for _ in range(8)
        ]
        (first,) = {who.again(each)[0] for each in together}
    # Sources differ in their ports alone, which would spread them.
    scene.net.call("PATCH", "/load-balancers/shop", {"affinity_timeout": 0})
    wanted = {(name, OUTSIDE[version]) for name in BACKENDS}
    assert answers(scene, VIP[version], protocol, wanted) == wanted
    scene.net.call("PATCH", "/load-balancers/shop", {"affinity_timeout": 60})
    change = {"backends": [backend(name, version) for name in BACKENDS if name != first]}
    scene.net.call("PATCH", f"/load-balancer-vips/{shop}", change)
    assert ask(scene, VIP[version], 80, protocol)[0] != first


def test_backends_change_under_a_connection(scene: Scene) -> None:
    """One that stays keeps it, in the midst of a talk."""
    balancer(scene)
    b1, b2 = (backend(name, 4) for name in BACKENDS)
    shop = vip(scene, VIP[4], 80, b1)
    with who.connect(scene.lab, "o1", VIP[4], 80) as held:
        with who.Talk(held) as talk:
            for wanted in ([b2, b1], [b1], [b1, b2]):
                scene.net.call("PATCH", f"/load-balancer-vips/{shop}", {"backends": wanted})
                talk.goes_on()
        assert talk.answers == {("b1", OUTSIDE[4])}
        both = {(name, OUTSIDE[4]) for name in BACKENDS}
        assert answers(scene, VIP[4], "tcp", both) == both


@pytest.mark.parametrize(("protocol", "version"), [("tcp", 4), ("udp", 6)])
def test_connections_end_with_their_backend_or_address(
    scene: Scene, protocol: str, version: int
) -> None:
    """Those to other backends and addresses, and to the backend itself, go on.

    The address without a port beside takes what is asked next, and tells that it knows nothing.
    """
    balancer(scene, protocol=protocol)
    b1, b2 = (backend(name, version) for name in BACKENDS)
    shop = vip(scene, VIP[version], 80, b1)
    gone = vip(scene, VIP[version], 81, b1)
    vip(scene, VIP[version], 82, b1)
    vip(scene, VIP[version], None, inside("b2", version))
    ask_of = partial(who.connect, scene.lab, "o1", protocol=protocol)
    with (
        ask_of(VIP[version], 80) as removed,
        ask_of(VIP[version], 81) as deleted,
        ask_of(VIP[version], 82) as beside,
        ask_of(VIP[version], 8080) as rest,
        ask_of(inside("b1", version), 8080) as direct,
    ):
        held = (removed, deleted, beside, rest, direct)
        assert [who.again(each)[0] for each in held] == ["b1", "b1", "b1", "b2", "b1"]
        scene.net.call("PATCH", f"/load-balancer-vips/{shop}", {"backends": [b2]})
        # Of UDP the other backend takes over what is asked next.
        who.until_ended(removed, None if protocol == "tcp" else ["b2", OUTSIDE[version]])
        scene.net.delete(f"/load-balancer-vips/{gone}")
        who.until_ended(deleted)
        assert [who.again(each)[0] for each in (beside, rest, direct)] == ["b1", "b2", "b1"]
        assert ask(scene, VIP[version], 80, protocol) == ["b2", OUTSIDE[version]]


def test_groups_bring_load_balancers_to_their_routers(scene: Scene) -> None:
    """One joins and one leaves, and the router leaves."""
    for name, port in (("stays", 80), ("leaves", 81)):
        balancer(scene, name, routers=[], protocol="udp")
        vip(scene, VIP[4], port, backend("b1", 4), owner=name)
    balancer(scene, "rest", protocol="udp")
    vip(scene, VIP[4], None, inside("b2", 4), owner="rest")
    group = {"name": "services", "load_balancers": ["stays"], "routers": ["lb-r"]}
    scene.net.call("POST", "/load-balancer-groups", group)

    def change(**fields: list[str]) -> None:
        scene.net.call("PATCH", "/load-balancer-groups/services", fields)

    assert ask(scene, VIP[4], 80, "udp") == ["b1", OUTSIDE[4]]
    assert ask(scene, VIP[4], 81, "udp") == "refused"
    change(load_balancers=["stays", "leaves"])
    with (
        who.connect(scene.lab, "o1", VIP[4], 80, "udp") as held,
        who.connect(scene.lab, "o1", VIP[4], 81, "udp") as lost,
    ):
        assert who.again(held) == who.again(lost) == ["b1", OUTSIDE[4]]
        change(load_balancers=["stays"])
        who.until_ended(lost)
        assert who.again(held) == ["b1", OUTSIDE[4]]
        change(routers=[])
        who.until_ended(held)


def test_a_load_balancer_that_goes(scene: Scene) -> None:
    balancer(scene)
    vip(scene, VIP[4], 80, backend("b1", 4))
    assert ask(scene, VIP[4])[0] == "b1"
    scene.net.call("PATCH", "/load-balancers/shop", {"routers": []})
    assert not scene.lab.outside("o1").ping(VIP[4], timeout=1)


def test_a_stream(scene: Scene) -> None:
    """iperf3 counts what arrives."""
    balancer(scene)
    vip(scene, VIP[4], 5201, backend("b2", 4, 5201))
    server = scene.lab.vm("b2").namespace
    listener = subprocess.Popen(
        server.argv(["iperf3", "-s", "-1", "-p", "5201"]), stdout=subprocess.DEVNULL
    )
    try:
        until(lambda: ":5201" in server.run("ss", "-ltn"), "iperf3 listens")
        client = scene.lab.outside("o1").namespace
        argv = ("iperf3", "-J", "-c", VIP[4], "-p", "5201", "-n", "2M")
        end = json.loads(client.run(*argv, timeout=90))["end"]
    finally:
        listener.terminate()
        listener.wait()
    assert end["sum_sent"]["bytes"] >= 2 << 20
    assert end["sum_received"]["bytes"] > 0


# --- sources


@VERSIONS
def test_backends_see_an_address_of_the_router(scene: Scene, gateway: str, version: int) -> None:
    if gateway == "port":
        with pytest.raises(RefusedError, match="has no chassis"):
            scene.net.call("PATCH", "/logical-routers/lb-r", {"lb_force_snat_router_ip": True})
        return
    balancer(scene)
    vip(scene, VIP[version], 80, *(backend(name, version) for name in BACKENDS))
    inner, apart = {4: ("10.75.0.1", "10.75.0.200"), 6: ("fd75::1", "fd75::200")}[version]
    for forced, seen in (
        ({"lb_force_snat_router_ip": True}, inner),
        ({"lb_force_snat_ips": [inner]}, inner),
        ({"lb_force_snat_ips": [apart]}, apart),
    ):
        cleared = {"lb_force_snat_router_ip": False, "lb_force_snat_ips": []}
        scene.net.call("PATCH", "/logical-routers/lb-r", {**cleared, **forced})
        for protocol in ("tcp", "udp"):
            scene.net.call("PATCH", "/load-balancers/shop", {"protocol": protocol})
            with who.connect(scene.lab, "o1", VIP[version], 80, protocol) as held:
                name = who.again(held)[0]
                assert [who.again(held) for _ in range(3)] == [[name, seen]] * 3
    # Who is inside asks by the router as well, and the answer comes back that way.
    assert ask(scene, VIP[version], 80, "udp", source="b1")[1] == apart
    scene.net.call("PATCH", "/load-balancers/shop", {"skip_snat": True})
    assert ask(scene, VIP[version], 80, "udp")[1] == OUTSIDE[version]


@VERSIONS
def test_a_load_balancer_may_leave_clients_their_address(
    scene: Scene, gateway: str, version: int
) -> None:
    """Where a SNAT of a gateway router would be for them, too."""
    nat = {"type": "snat", "external_ip": OWN[version], "logical_ip": f"{OUTSIDE[version]}"}
    scene.net.call("POST", "/logical-routers/lb-r/nats", nat)
    balancer(scene)
    vip(scene, VIP[version], 80, *(backend(name, version) for name in BACKENDS))
    seen = OWN[version] if gateway == "router" else OUTSIDE[version]
    assert ask(scene, VIP[version])[1] == seen
    scene.net.call("PATCH", "/load-balancers/shop", {"skip_snat": True})
    with who.connect(scene.lab, "o1", VIP[version], 80) as held:
        name = who.again(held)[0]
        assert [who.again(held) for _ in range(3)] == [[name, OUTSIDE[version]]] * 3
    # What isn't balanced is translated as before.
    assert ask(scene, inside("b1", version), 8080)[1] == seen


@VERSIONS
def test_backends_go_out_by_snat(scene: Scene, gateway: str, version: int) -> None:
    """Beside a load balancer at the same address, which is the router's own."""
    network = {4: "10.75.0.0/24", 6: "fd75::/64"}[version]
    nat = {"type": "snat", "external_ip": OWN[version], "logical_ip": network}
    scene.net.call("POST", "/logical-routers/lb-r/nats", nat)
    balancer(scene)
    vip(scene, OWN[version], 80, backend("b2", version))
    who_outside = ask(scene, OUTSIDE[version], 8080, source="b1")
    assert who_outside == ["o1", OWN[version]]
    assert ask(scene, OWN[version]) == ["b2", OUTSIDE[version]]
    # A client inside comes by SNAT, too, and gets its answers; it may be its own backend.
    assert ask(scene, OWN[version], source="b1") == ["b2", OWN[version]]
    assert ask(scene, OWN[version], source="b2") == ["b2", OWN[version]]


@VERSIONS
def test_who_is_inside_comes_by_the_gateway_port(scene: Scene, gateway: str, version: int) -> None:
    """Also from another hypervisor than the gateway's, and to itself. At a router it takes SNAT.

    And it is told where the hops are over that a packet has.
    """
    balancer(scene)
    vip(scene, VIP[version], 80, backend("b2", version))
    if gateway == "router":
        assert who.ask(scene.lab, "b1", VIP[version], 80, seconds=2.5) in ("timeout", "reset")
        return
    for client in BACKENDS:
        with who.connect(scene.lab, client, VIP[version], 80) as held:
            for _ in range(3):
                assert who.again(held) == ["b2", OWN[version]]
    hops = ("10.75.0.1" if version == 4 else "fd75::1", OWN[version])
    source, mac = inside("b1", version), scene.lab.vm("b1").mac
    with Tap(scene.lab.vm("b1")) as tap:
        assert_hops(tap, mac, GATEWAY_MAC, source, VIP[version], hops)


@VERSIONS
def test_hosts_on_the_provider_network_reach_addresses_of_its_switch(
    scene: Scene, version: int
) -> None:
    """Balanced where they come in, translated back where they leave; ACLs see what they asked."""
    fields = {"routers": [], "switches": ["lb-out"]}
    scene.net.call("POST", "/load-balancers", {"name": "wide", **fields})
    both = [backend(name, version) for name in BACKENDS]
    shop = vip(scene, VIP[version], 80, *both, owner="wide")
    wanted = {(name, OUTSIDE[version]) for name in BACKENDS}
    until(lambda: answers(scene, VIP[version], "tcp", wanted) == wanted, "the backends answer")
    assert who.is_silent(scene.lab, "o1", VIP[version], 81)
    assert ask(scene, inside("b2", version), 8080) == ["b2", OUTSIDE[version]]
    family, port = ("ip4", "lb-phys") if version == 4 else ("ip6", "lb-phys")
    match = f'inport == "{port}" && {family}.dst == {VIP[version]} && tcp.dst == 80'
    with who.connect(scene.lab, "o1", VIP[version], 80) as held:
        first = who.again(held)[0]
        acl = scene.net.acl("ls:lb-out", "from-lport", 9, match, "drop")
        held.settimeout(1)
        assert who.again(held) == "timeout"
        scene.net.delete(f"/acls/{acl}")
    with who.connect(scene.lab, "o1", VIP[version], 80) as held:
        first = who.again(held)[0]
        others = [each for name, each in zip(BACKENDS, both, strict=True) if name != first]
        scene.net.call("PATCH", f"/load-balancer-vips/{shop}", {"backends": others})
        who.until_ended(held)


@VERSIONS
def test_an_external_port_reaches_them_where_the_router_is(scene: Scene, version: int) -> None:
    """Whichever chassis is in charge of the port: here it is not that of the router."""
    net, o1 = scene.net, scene.lab.outside("o1")
    ranks = [{"chassis": "hv2", "priority": 1}]
    net.call("POST", "/ha-chassis-groups", {"name": "lb-racks", "chassis": ranks})
    fields = {"type": "external", "ha_chassis_group": "lb-racks"}
    net.port("lb-out", "lb-metal", f"{o1.mac} {OUTSIDE[4]} {OUTSIDE[6]}", **fields)
    try:
        net.call("POST", "/load-balancers", {"name": "wide", "switches": ["lb-out"]})
        vip(scene, VIP[version], 80, *(backend(name, version) for name in BACKENDS), owner="wide")
        wanted = {(name, OUTSIDE[version]) for name in BACKENDS}
        until(lambda: answers(scene, VIP[version], "tcp", wanted) == wanted, "the backends answer")
        assert ask(scene, inside("b2", version), 8080) == ["b2", OUTSIDE[version]]
    finally:
        net.delete("/logical-switch-ports/lb-metal")
        net.delete("/ha-chassis-groups/lb-racks")


def test_one_answers_for_an_address_of_a_switch(scene: Scene) -> None:
    """The router port in charge, and no other hypervisor that the question comes to."""
    scene.net.call("POST", "/load-balancers", {"name": "wide", "switches": ["lb-out"]})
    vip(scene, VIP[4], 80, backend("b1", 4), owner="wide")
    o1 = scene.lab.outside("o1")
    until(lambda: ask(scene, VIP[4])[0] == "b1", "the backend answers")
    with Tap(o1) as tap:
        tap.send(frames.arp_request(o1.mac, OUTSIDE[4], VIP[4]))
        tap.expect(lambda frame: frame.arp_op == 2 and frame.arp_spa == VIP[4], "the answer")
        tap.send(frames.arp_request(o1.mac, OUTSIDE[4], OWN[4]))
        tap.expect(
            lambda frame: frame.arp_op == 2 and frame.arp_spa == OWN[4],
            "the answer to a later question",
        )
        answered = tap.matching(lambda frame: frame.ethertype == frames.ARP and frame.arp_op == 2)
        answered = [frame for frame in answered if frame.arp_spa == VIP[4]]
        assert [frame.src for frame in answered] == ["0a:00:00:00:75:02"]


@VERSIONS
def test_associations_of_sctp(scene: Scene, gateway: str, version: int) -> None:
    """They get to a backend through the gateway, and its answers come from the virtual address.

    Without a backend they are aborted. The backend listens on the same port: Open vSwitch's own
    datapath translates no ports of SCTP.
    """
    write, ethertype = (ipv4, IPV4) if version == 4 else (ipv6, IPV6)
    balancer(scene, protocol="sctp", reject=True)
    shop = vip(scene, VIP[version], 80)
    o1, b2 = scene.lab.outside("o1"), scene.lab.vm("b2")
    address, client, inner = VIP[version], OUTSIDE[version], inside("b2", version)
    port = 5000 if gateway == "router" else 6000
    init = write(client, address, SCTP, frames.sctp_init(port, 80, tag=7))
    answer = write(inner, client, SCTP, frames.sctp_init_ack(80, port, tag=9))
    # Neighbours are known: each has asked the router for the other already.
    assert ask(scene, inner, 8080)[0] == "b2"
    with Tap(o1) as outside, Tap(b2) as at_backend:
        asking = ethernet("0a:00:00:00:75:02", o1.mac, ethertype, init)
        refused = outside.reach(outside, asking, frames.is_chunk(frames.ABORT), "the ABORT")
        assert refused.ends == (address, 80, client, port)
        assert int.from_bytes(refused.l4[4:8]) == 7
        wanted = {"backends": [backend("b2", version, 80)]}
        scene.net.call("PATCH", f"/load-balancer-vips/{shop}", wanted)
        asked = outside.reach(at_backend, asking, frames.is_chunk(frames.INIT), "the INIT")
        assert asked.ends == (client, port, inner, 80)
        telling = ethernet(GATEWAY_MAC, b2.mac, ethertype, answer)
        told = at_backend.reach(outside, telling, frames.is_chunk(frames.INIT_ACK), "the INIT ACK")
        assert told.ends == (address, 80, client, port)
