"""Ports that are nested in others: containers in VMs, with VLAN tags on the VM's interface."""

from collections.abc import Iterator

import pytest

from cli.testbed.wait import until
from tests.system.conftest import Scene
from tests.system.containers import Container, tagged
from tests.system.frames import IPV4, UDP, ethernet, ipv4, udp
from tests.system.tap import Tap

pytestmark = pytest.mark.system

MAC = {
    "vm1": "0a:00:00:00:01:01",
    "vm2": "0a:00:00:00:01:02",
    "c1": "0a:00:00:00:02:01",
    "c2": "0a:00:00:00:02:02",
    "c3": "0a:00:00:00:02:03",
    "c4": "0a:00:00:00:02:04",
    "c5": "0a:00:00:00:02:05",
}
IP = {
    "vm1": "10.1.0.1",
    "vm2": "10.1.0.2",
    "c1": "10.2.0.1",
    "c2": "10.2.0.2",
    "c3": "10.2.0.3",
    "c4": "10.2.0.4",
    "c5": "10.2.0.5",
}
INSIDE = {"c1": ("vm1", 101), "c2": ("vm1", 102), "c3": ("vm2", 101)}
"""Where the containers are: two in one VM, the third elsewhere with the tag of the first."""


@pytest.fixture(scope="module")
def inside(scene: Scene) -> Iterator[dict[str, Container]]:
    """Switch `vms` with two VMs, switch `containers` with the ports of containers in them."""
    net = scene.net
    net.switch("vms")
    net.switch("containers")
    for name in ("vm1", "vm2"):
        net.port("vms", name, f"{MAC[name]} {IP[name]}")
    for name, (parent, tag) in INSIDE.items():
        own = f"{MAC[name]} {IP[name]}"
        net.port("containers", name, own, port_security=[own], parent=parent, tag=tag)
    scene.lab.add_vm("vm1", "hv1")
    scene.lab.add_vm("vm2", "hv2")
    scene.lab.wait_until_up(["vm1", "vm2"])
    scene.lab.server.wait_until_up(list(INSIDE), 30)
    containers = {name: container(scene, name) for name in INSIDE}
    until(lambda: containers["c1"].ping(IP["c3"], timeout=1), "a packet got through the tunnel")
    yield containers
    for each in containers.values():
        each.close()


def container(scene: Scene, name: str) -> Container:
    vm, tag = INSIDE[name]
    return Container(name, scene.lab.vm(vm), tag, MAC[name], f"{IP[name]}/24")


def test_containers_reach_each_other_in_one_vm_and_in_another(
    inside: dict[str, Container], scene: Scene
) -> None:
    assert inside["c1"].reaches(IP["c2"])
    assert inside["c3"].reaches(IP["c2"])
    bound = {name: scene.net.get(f"/port-bindings/{name}") for name in INSIDE}
    assert {name: row["chassis"] for name, row in bound.items()} == {
        "c1": "hv1",
        "c2": "hv1",
        "c3": "hv2",
    }
    assert all(row["up"] for row in bound.values())


@pytest.mark.usefixtures("inside")
def test_a_tag_says_whose_a_frame_is(scene: Scene) -> None:
    """Frames with a tag that no port has, or with that of another container, get nowhere."""
    with Tap(scene.lab.vm("vm1")) as vm1, Tap(scene.lab.vm("vm2")) as vm2:
        for tag, source, port in ((101, "c1", 7001), (102, "c1", 7002), (103, "c1", 7003)):
            vm1.send(tagged(datagram(source, "c3", port), tag))
        vm1.send(tagged(datagram("c1", "c3", 7004), 101))
        vm2.expect(lambda frame: frame.dport == 7004, "what was sent last")
        got = [frame.dport for frame in vm2.matching(lambda frame: 7001 <= frame.dport <= 7004)]
    assert got == [7001, 7004]


@pytest.mark.usefixtures("inside")
def test_explanations_say_which_tag_is_whose(scene: Scene) -> None:
    """Of the frames above, the tag is proposed with which they get there."""
    frame = (
        f"eth.src == {MAC['c1']} && eth.dst == {MAC['c3']} && ip4.src == {IP['c1']} && "
        f"ip4.dst == {IP['c3']} && ip.ttl == 64 && udp.src == 5000 && udp.dst == 7001"
    )
    question = {"inport": "vm1", "destination": "c3"}
    found = scene.net.reachability({**question, "match": f"vlan.vid == 101 && {frame}"})
    assert (found["answer"], found["source"]) == ("yes", "c1"), found["text"]
    for tag, kind in ((102, "port-security"), (103, "admission")):
        found = scene.net.reachability({**question, "match": f"vlan.vid == {tag} && {frame}"})
        assert [each["kind"] for each in found["obstacles"]] == [kind], found["text"]
        assert "vlan.tci == 0x1065" in found["proposal"]["packet"]
        assert found["proposal"]["sufficient"]


def test_acls_apply_to_a_container_and_not_to_its_vm(
    inside: dict[str, Container], scene: Scene
) -> None:
    net = scene.net
    net.port_group("closed", "c3")
    acl = net.acl("pg:closed", "to-lport", 1000, 'outport == "c3" && icmp4', "drop")
    try:
        assert not inside["c1"].ping(IP["c3"], timeout=0.5)
        assert scene.lab.vm("vm1").reaches(IP["vm2"])
    finally:
        net.delete(f"/acls/{acl}")
        net.delete("/port-groups/closed")
    assert inside["c1"].reaches(IP["c3"])


def test_tags_given_on_request_carry_packets(inside: dict[str, Container], scene: Scene) -> None:
    """Two ports that leave their tags to the server: each container is known by the one given."""
    net = scene.net
    for name in ("c4", "c5"):
        own = f"{MAC[name]} {IP[name]}"
        net.port("containers", name, own, port_security=[own], parent="vm1", tag=0)
    try:
        scene.lab.server.wait_until_up(["c4", "c5"], 30)
        tags = [net.get(f"/logical-switch-ports/{name}")["allocated_tag"] for name in ("c4", "c5")]
        assert len({*tags, 101, 102}) == 4
        vm1 = scene.lab.vm("vm1")
        with (
            Container("c4", vm1, tags[0], MAC["c4"], f"{IP['c4']}/24") as c4,
            Container("c5", vm1, tags[1], MAC["c5"], f"{IP['c5']}/24") as c5,
        ):
            assert c4.reaches(IP["c3"])
            assert inside["c3"].reaches(IP["c5"])
            assert c5.reaches(IP["c4"])
            assert inside["c1"].reaches(IP["c4"])
    finally:
        for name in ("c4", "c5"):
            net.delete(f"/logical-switch-ports/{name}")


def test_a_container_goes_where_its_vm_goes(inside: dict[str, Container], scene: Scene) -> None:
    """Its port is down without the VM's, and up where that is plugged in."""
    inside["c3"].close()
    scene.lab.remove_vm("vm2")
    until(lambda: not scene.net.get("/port-bindings/c3")["up"], "c3 down")
    assert not inside["c1"].ping(IP["c3"], timeout=0.5)
    scene.lab.add_vm("vm2", "hv1")
    scene.lab.server.wait_until_up(["vm2", "c3"], 30)
    assert scene.net.get("/port-bindings/c3")["chassis"] == "hv1"
    inside["c3"] = container(scene, "c3")
    assert inside["c1"].reaches(IP["c3"])
    assert inside["c3"].reaches(IP["c2"])


def test_another_tag_and_no_parent(inside: dict[str, Container], scene: Scene) -> None:
    scene.net.change_port("c2", tag=202)
    assert not inside["c1"].ping(IP["c2"], timeout=0.5)
    scene.net.change_port("c2", parent=None, tag=None)
    assert scene.net.get("/port-bindings/c2")["chassis"] in ("", None)
    scene.net.change_port("c2", parent="vm1", tag=102)
    scene.lab.server.wait_until_up(["c2"], 30)
    assert inside["c1"].reaches(IP["c2"])


def datagram(source: str, target: str, port: int) -> bytes:
    segment = udp(IP[source], IP[target], 5000, port)
    return ethernet(MAC[target], MAC[source], IPV4, ipv4(IP[source], IP[target], UDP, segment))
