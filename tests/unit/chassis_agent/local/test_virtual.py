"""Virtual ports that ports of this host speak for."""

import msgspec

from chassis_agent.local.virtual import VirtualPorts
from southbound import wire
from southbound.rows import PortBinding

ONE = PortBinding("1", "d", "one", 1, "vif")
STRANGER = PortBinding("3", "d", "stranger", 4, "vif")
ELSEWHERE = PortBinding("1", "e", "one", 1, "vif")
VIP = PortBinding(
    "v", "d", "vip", 3, "virtual", virtual_ip="10.0.0.9", virtual_parents=("one", "two")
)
IP = bytes((10, 0, 0, 9))


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


def known() -> tuple[VirtualPorts, Clock]:
    clock = Clock()
    ports = VirtualPorts(clock)
    ports.change([VIP, ONE], ())
    return ports, clock


def says(ports: VirtualPorts, parent: str) -> None:
    ports.change([msgspec.structs.replace(VIP, virtual_parent=parent)], ())


def test_a_parent_has_it_at_once() -> None:
    ports, clock = known()
    assert ports.claim(ONE, IP)
    assert ports.spoken_for == {"vip": "one"}
    clock.now += 3
    assert ports.statement() == wire.VirtualPorts((wire.SpeaksFor("vip", "one", 3.0),))


def test_others_have_nothing_to_say() -> None:
    ports, _ = known()
    assert not ports.claim(STRANGER, IP)
    assert not ports.claim(ELSEWHERE, IP)
    assert not ports.claim(ONE, bytes(4))
    assert not ports.claim(ONE, bytes(16))
    assert ports.spoken_for == {}


def test_the_server_settles() -> None:
    """What it said before it heard doesn't count; what it says afterwards does."""
    ports, _ = known()
    says(ports, "two")
    ports.claim(ONE, IP)
    says(ports, "two")
    assert ports.spoken_for == {"vip": "one"}
    says(ports, "one")
    assert ports.spoken_for == {"vip": "one"}
    says(ports, "two")
    assert ports.spoken_for == {}


def test_what_is_no_longer_here_speaks_for_nothing() -> None:
    ports, _ = known()
    ports.claim(ONE, IP)
    ports.retain(["two"])
    assert ports.spoken_for == {}
    ports.claim(ONE, IP)
    ports.change((), [VIP.row_id])
    assert (ports.spoken_for, ports.statement().spoken) == ({}, ())


def test_a_port_that_is_virtual_no_longer() -> None:
    ports, _ = known()
    ports.claim(ONE, IP)
    ports.change([msgspec.structs.replace(VIP, virtual_ip="", virtual_parents=())], ())
    assert not ports.claim(ONE, IP)
    assert ports.spoken_for == {}
