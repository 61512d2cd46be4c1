"""Load balancers, with frames made by hand: SCTP, and the fields that backends are chosen by.

Open vSwitch's own datapath translates no ports of SCTP, so backends listen on the same one.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from typing import Any

import pytest

from cli.testbed.wait import until
from tests.system import frames
from tests.system.conftest import Scene
from tests.system.frames import IPV4, IPV6, SCTP, ethernet, ipv4, ipv6
from tests.system.tap import Tap

pytestmark = pytest.mark.system

VMS = {"c1": "hv1", "b1": "hv1", "b2": "hv2", "b3": "hv2"}
BACKENDS = ("b1", "b2", "b3")
VIP = {4: "10.96.0.1", 6: "fd96::1"}
GATEWAY = "0a:00:00:00:3f:01"
VERSIONS = pytest.mark.parametrize("version", [4, 6])


def ip(name: str, version: int) -> str:
    number = 11 + list(VMS).index(name)
    return f"10.3.1.{number}" if version == 4 else f"fd30:1::{number}"


def mac(name: str) -> str:
    return f"0a:00:00:00:30:0{1 + list(VMS).index(name)}"


def host(address: str) -> str:
    """Return an address as it stands before a port."""
    return f"[{address}]" if ":" in address else address


def balancer(scene: Scene, **fields: Any) -> None:
    scene.net.call("POST", "/load-balancers", {"name": "shop", "switches": ["lb1"], **fields})


def vip(scene: Scene, address: str, port: int | None, *backends: str) -> str:
    body = {"address": address, "port": port, "backends": list(backends)}
    return str(scene.net.call("POST", "/load-balancers/shop/vips", body)["id"])


@pytest.fixture(scope="module", autouse=True)
def _network(scene: Scene) -> None:
    net = scene.net
    net.router("r30")
    net.switch("lb1")
    net.attach("r30", "lb1", GATEWAY, "10.3.1.1/24", "fd30:1::1/64")
    for name, hypervisor in VMS.items():
        net.port("lb1", name, f"{mac(name)} {ip(name, 4)} {ip(name, 6)}")
        scene.lab.add_vm(name, hypervisor)
    scene.lab.wait_until_up()


@pytest.fixture(autouse=True)
def _nothing_left(scene: Scene) -> Iterator[None]:
    yield
    for acl in scene.net.get("/acls")["items"]:
        scene.net.delete(f"/acls/{acl['id']}")
    scene.net.delete("/load-balancers/shop")


@pytest.fixture(name="taps")
def _taps(scene: Scene) -> Iterator[dict[str, Tap]]:
    with ExitStack() as stack:
        yield {name: stack.enter_context(Tap(scene.lab.vm(name))) for name in VMS}


def packet(to: str, source: str, dst: str, segment: bytes, *, src: str = mac("c1")) -> bytes:
    """Return a frame with an IP packet from `source` to `dst`, of SCTP."""
    is_ip6 = ":" in dst
    write, ethertype = (ipv6, IPV6) if is_ip6 else (ipv4, IPV4)
    return ethernet(to, src, ethertype, write(source, dst, SCTP, segment))


@VERSIONS
def test_associations_get_to_a_backend(scene: Scene, taps: dict[str, Tap], version: int) -> None:
    """And its answers come from the virtual address. Without a backend they are aborted.

    If the backend is removed, another one gets what the client sends next.
    """
    address, client = VIP[version], ip("c1", version)
    balancer(scene, protocol="sctp", reject=True)
    shop = vip(scene, address, 80)
    asking = packet(GATEWAY, client, address, frames.sctp_init(5000, 80, tag=7))
    refused = taps["c1"].reach(taps["c1"], asking, frames.is_chunk(frames.ABORT), "the ABORT")
    assert refused.ends == (address, 80, client, 5000)
    assert int.from_bytes(refused.l4[4:8]) == 7
    backend = ip("b1", version)
    body = {"backends": [f"{host(backend)}:80"]}
    scene.net.call("PATCH", f"/load-balancer-vips/{shop}", body)
    # From another port: what the client sent before may be on its way still.
    asking = packet(GATEWAY, client, address, frames.sctp_init(5001, 80, tag=7))
    asked = taps["c1"].reach(taps["b1"], asking, frames.is_chunk(frames.INIT), "the INIT")
    assert asked.ends == (client, 5001, backend, 80)
    answer = frames.sctp_init_ack(80, 5001, tag=9)
    telling = packet(mac("c1"), backend, client, answer, src=mac("b1"))
    told = taps["b1"].reach(taps["c1"], telling, frames.is_chunk(frames.INIT_ACK), "the INIT ACK")
    assert told.ends == (address, 80, client, 5001)
    body = {"backends": [f"{host(ip('b2', version))}:80"]}
    scene.net.call("PATCH", f"/load-balancer-vips/{shop}", body)
    asked = taps["c1"].reach(taps["b2"], asking, frames.is_chunk(frames.INIT), "the INIT")
    assert asked.ends == (client, 5001, ip("b2", version), 80)


@VERSIONS
def test_an_association_of_a_client_with_itself(
    scene: Scene, taps: dict[str, Tap], version: int
) -> None:
    """It sees the virtual address as who asks, and gets its answers from there."""
    address, client, c1 = VIP[version], ip("c1", version), taps["c1"]
    balancer(scene, protocol="sctp")
    vip(scene, address, 80, f"{host(client)}:80")
    asking = packet(GATEWAY, client, address, frames.sctp_init(5000, 80, tag=7))
    asked = c1.reach(c1, asking, frames.is_chunk(frames.INIT), "its own INIT")
    assert asked.ends == (address, 5000, client, 80)
    telling = packet(GATEWAY, client, address, frames.sctp_init_ack(80, 5000, tag=9))
    told = c1.reach(c1, telling, frames.is_chunk(frames.INIT_ACK), "its own INIT ACK")
    assert told.ends == (address, 80, client, 5000)


@VERSIONS
def test_acls_see_what_an_association_is_for(
    scene: Scene, taps: dict[str, Tap], version: int
) -> None:
    """In each of its packets, also where the switch tells no ports of what it tracks."""
    address, client, c1, b1 = VIP[version], ip("c1", version), taps["c1"], taps["b1"]
    balancer(scene, protocol="sctp")
    vip(scene, address, 80, f"{host(ip('b1', version))}:80")
    scene.net.acl("ls:lb1", "from-lport", 1, 'inport == "c1" && sctp', "drop")
    allowed = f'inport == "c1" && ip{version}.dst == {address} && sctp.dst == 80'
    scene.net.acl("ls:lb1", "from-lport", 9, allowed, "allow-related")
    for tag in (7, 8, 9):
        asking = packet(GATEWAY, client, address, frames.sctp_init(5000, 80, tag=tag))
        c1.reach(
            b1,
            asking,
            lambda frame, tag=tag: (  # type: ignore[misc]
                frames.is_chunk(frames.INIT)(frame) and frame.l4[16:20] == tag.to_bytes(4)
            ),
            f"the INIT of {tag}",
        )


FIELDS = ("eth_src", "eth_dst", "ip_src", "tp_src", "tp_dst")
"""What connections can differ in. All of them ask for one address."""


def datagram(version: int, numbers: dict[str, int], data: bytes) -> bytes:
    """Return one to the virtual address, with the value of that number in each field.

    The switch gives it on by `eth_dst`, also to a host that it isn't for.
    """
    source = f"10.3.1.{100 + numbers['ip_src']}" if version == 4 else f"fd30::{numbers['ip_src']}"
    to = (GATEWAY, *map(mac, BACKENDS))[numbers["eth_dst"] % 4]
    ports = (40000 + numbers["tp_src"], 7000 + numbers["tp_dst"])
    segment = frames.udp(source, VIP[version], *ports, data)
    write, ethertype = (ipv4, IPV4) if version == 4 else (ipv6, IPV6)
    body = write(source, VIP[version], frames.UDP, segment)
    return ethernet(to, f"0a:00:00:00:31:{numbers['eth_src']:02x}", ethertype, body)


def chosen(taps: dict[str, Tap], version: int, number: int, constant: str) -> str:
    """Return the address of the backend that a connection gets, wherever its datagram is seen.

    It has that number in all fields but the constant one. It is sent until it has got somewhere.
    """
    data = b"choose %d%s" % (number, constant.encode())
    frame = datagram(version, {each: 0 if each == constant else number for each in FIELDS}, data)
    seen: set[str] = set()

    def is_seen() -> bool:
        taps["c1"].send(frame)
        for name in BACKENDS:
            taps[name].drain()
            found = taps[name].matching(lambda each: each.l4[8 : 8 + len(data)] == data)
            seen.update(each.ip_dst for each in found)
        return bool(seen)

    until(is_seen, "the datagram at a backend")
    (address,) = seen
    return address


def backends_of_a_dozen(
    taps: dict[str, Tap], version: int, first: int, constant: str = ""
) -> set[str]:
    """Return which backends connections get that differ in all fields but the constant one.

    They are numbered from `first`. Each has a number of its own, or it would be known already.
    """
    numbers = range(first, first + 12)
    return {chosen(taps, version, number, constant) for number in numbers}


@VERSIONS
def test_fields_by_which_a_backend_is_chosen(
    scene: Scene, taps: dict[str, Tap], version: int
) -> None:
    """Connections that differ in that field get several backends, those that don't one."""
    balancer(scene, protocol="udp")
    vip(scene, VIP[version], None, *(ip(name, version) for name in BACKENDS))
    first = count(1, 12)
    for field in FIELDS:
        scene.net.call("PATCH", "/load-balancers/shop", {"selection_fields": [field]})
        assert len(backends_of_a_dozen(taps, version, next(first))) > 1, field
        assert len(backends_of_a_dozen(taps, version, next(first), field)) == 1, field
