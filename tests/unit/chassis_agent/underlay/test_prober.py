"""What a prober sends, what it tells the server, and how it shows in the agent's health."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from chassis_agent.health import Health
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.physical.probes import ANSWERING, fingerprint
from chassis_agent.punt.errors import MalformedPacketError
from chassis_agent.underlay.frames import probe
from chassis_agent.underlay.prober import Prober
from southbound import wire
from southbound.rows import Chassis, Encap

ROWS = {
    "hv1": Chassis("hv1", encaps=(Encap("geneve", "192.0.2.1"),)),
    "hv2": Chassis("hv2", encaps=(Encap("geneve", "2001:db8::2"), Encap("geneve", "192.0.2.2"))),
    "hv3": Chassis("hv3", encaps=(Encap("geneve", "2001:db8::3"),)),
    "hv4": Chassis("hv4"),
}


class Host:
    """A prober of hv1 whose switch the test plays."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.told: list[wire.Tunnels] = []
        self.connected = True
        self.room = 1 << 16
        """The switch takes no message that is longer."""
        self.now = 100.0
        self.health = Health()
        self.prober = Prober(
            "hv1",
            self.send,
            lambda message: self.told.append(message()),
            self.health,
            control=lambda: Path("/nowhere/ovs-vswitchd.ctl"),
            clock=lambda: self.now,
        )

    def send(self, message: bytes) -> bool:
        is_taken = self.connected and len(message) <= self.room
        if is_taken:
            self.sent.append(message)
        return is_taken

    def answer(self, chassis: str, number: int = -1) -> None:
        """The switch of `chassis` answers the probe that was sent last, or another one."""
        message = self.sent[number]
        start = message.index(probe(bytes(16))[:30])
        frame = message[start : start + len(probe(bytes(16)))]
        frame = ANSWERING.to_bytes(6) + fingerprint(chassis).to_bytes(6) + frame[12:]
        self.prober.answered(PacketIn(frame, b"", {}, 0))


@pytest.fixture
async def host() -> AsyncIterator[Host]:
    host = Host()
    running = asyncio.create_task(host.prober.run())
    yield host
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def until(condition: Callable[[], bool], host: Host | None = None) -> None:
    """Time goes on while it is waited for, if it is the time of a host."""
    async with asyncio.timeout(30):
        while not condition():
            if host is not None:
                host.now += 0.5
                host.prober.use(1, ROWS, ["hv2"])
            await asyncio.sleep(0.005)


async def test_a_tunnel_is_pending_then_well(host: Host) -> None:
    await until(lambda: host.told == [wire.Tunnels((), ())])
    host.prober.use(1, ROWS, ["hv2"])
    assert host.told[-1] == wire.Tunnels((), ("hv2",))
    host.now += 1
    await until(lambda: bool(host.sent))
    host.answer("hv2")
    await until(lambda: host.told[-1] == wire.Tunnels((), ()), host)
    assert host.prober.report()["reachable"] == 1


async def test_a_silent_chassis_is_told_with_its_address_and_degrades_the_agent(
    host: Host,
) -> None:
    host.prober.use(1, ROWS, ["hv2"])
    await until(lambda: bool(host.told[-1].unreachable), host)
    (told,) = host.told[-1].unreachable
    assert (told.chassis, told.reason, told.address) == ("hv2", "no-answer", "192.0.2.2")
    assert told.age > 0
    assert host.health.reasons["tunnels"] == "no answer from 192.0.2.2 of hv2"
    host.answer("hv2")
    await until(lambda: not host.told[-1].unreachable, host)
    assert not host.health.reasons


async def test_another_chassis_that_answers_is_named(host: Host) -> None:
    host.prober.use(1, ROWS, ["hv2"])
    answered = 0

    def fault() -> bool:
        nonlocal answered
        if len(host.sent) > answered:
            answered = len(host.sent)
            host.answer("hv4")
        return bool(host.told[-1].unreachable)

    await until(fault, host)
    assert host.health.reasons["tunnels"] == "192.0.2.2 is answered by hv4, not by hv2"


async def test_chassis_without_a_common_family_or_any_address(host: Host) -> None:
    host.prober.use(1, ROWS, ["hv3", "hv4", "hv5"])
    (told,) = host.told[-1].unreachable
    assert (told.chassis, told.reason, told.address) == ("hv3", "no-common-family", "")
    assert host.told[-1].pending == ()


async def test_without_a_switch_nothing_is_known_and_nothing_counts_as_lost(host: Host) -> None:
    host.connected = False
    host.prober.use(1, ROWS, ["hv2"])
    for _ in range(40):
        host.now += 1
        host.prober.use(1, ROWS, ["hv2"])
        await asyncio.sleep(0)
    assert host.told[-1] == wire.Tunnels((), ("hv2",))
    assert not host.health.reasons


async def test_tunnels_of_another_switch_are_pending_until_they_are_well(host: Host) -> None:
    host.prober.use(1, ROWS, ["hv2"])
    host.now += 1
    await until(lambda: bool(host.sent))
    host.answer("hv2")
    assert host.prober.report()["pending"] == []
    before = len(host.sent)
    host.prober.switch_is_another()
    assert host.prober.report()["pending"] == ["hv2"]
    assert host.told[-1] == wire.Tunnels((), ("hv2",))
    host.now += 1
    await until(lambda: len(host.sent) > before)
    host.answer("hv2")
    await until(lambda: host.told[-1] == wire.Tunnels((), ()), host)


async def test_big_probes_for_which_there_was_no_room_do_not_count_as_lost(host: Host) -> None:
    host.room = 500
    answered = 0
    for _ in range(400):
        host.now += 0.5
        host.prober.use(1, ROWS, ["hv2"], 1514)
        await asyncio.sleep(0)
        for number in range(answered, len(host.sent)):
            host.answer("hv2", number)
        answered = len(host.sent)
    assert answered > 20
    assert host.prober.report()["reachable"] == 1
    assert not host.prober.narrow


async def test_a_narrow_tunnel_is_told_with_the_size_that_workloads_may_send(host: Host) -> None:
    """What is longer than 1400 bytes with the message around it is lost."""
    largest, answered = 1514, 0

    def is_told(size: int) -> bool:
        nonlocal answered
        host.now += 0.5
        host.prober.use(1, ROWS, ["hv2"], largest)
        for number in range(answered, len(host.sent)):
            if len(host.sent[number]) < 1400:
                host.answer("hv2", number)
        answered = len(host.sent)
        told = host.told[-1]
        return bool(told.narrow) == bool(size) and told.largest == size

    await until(lambda: is_told(1500))
    largest = 1496
    await until(lambda: is_told(1482))
    largest = 1014
    await until(lambda: is_told(0))


async def test_what_was_not_asked_for_is_counted(host: Host) -> None:
    host.sent.append(probe(bytes(16)))
    host.answer("hv2")
    assert host.health.counters["probe_answers_unasked"] == 1
    with pytest.raises(MalformedPacketError):
        host.prober.answered(PacketIn(b"", b"", {}, 0))
