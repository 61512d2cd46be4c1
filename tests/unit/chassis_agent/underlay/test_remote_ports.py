"""Which chassis tunnels are in use to."""

from chassis_agent.underlay.remote_ports import RemotePorts
from southbound.rows import Chassis, PortBinding


def port(name: str, chassis: str = "", kind: str = "vif") -> PortBinding:
    return PortBinding(f"id-{name}", "ls", name, 1, kind, chassis=chassis)  # type: ignore[arg-type]


def test_chassis_that_have_ports_are_counted() -> None:
    ports = RemotePorts("hv1")
    assert ports.change([port("a", "hv2"), port("b", "hv2"), port("c", "hv3")], [])
    assert ports.chassis == {"hv2", "hv3"}
    ports.change([port("a", "hv1")], [])
    assert ports.chassis == {"hv2", "hv3"}
    ports.change([port("b")], [("port_binding", "id-c")])
    assert ports.chassis == set()


def test_own_unbound_and_patch_ports_do_not_count() -> None:
    ports = RemotePorts("hv1")
    rows = [port("a", "hv1"), port("b"), port("c", "hv2", "patch"), Chassis("hv2")]
    assert not ports.change(rows, [("chassis", "hv2")])
    assert ports.chassis == set()


def test_the_same_rows_again_are_no_change() -> None:
    ports = RemotePorts("hv1")
    ports.change([port("a", "hv2")], [])
    assert not ports.change([port("a", "hv2")], [("port_binding", "id-other")])


def test_what_a_provider_network_leads_to_does_not_count() -> None:
    ports = RemotePorts("hv1")
    ports.change([port("a", "hv2")], [])
    assert ports.change([port("out", kind="localnet")], [])
    assert ports.chassis == set()
    ports.change([port("b", "hv3")], [])
    assert ports.chassis == set()
    ports.change([], [("port_binding", "id-out")])
    assert ports.chassis == {"hv2", "hv3"}
    ports.change([port("gw", "hv4", "l2gateway")], [])
    assert ports.chassis == {"hv2", "hv3", "hv4"}, "by the tunnel to the only one that leads there"
