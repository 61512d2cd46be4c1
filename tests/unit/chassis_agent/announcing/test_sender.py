"""What is sent of announcements, and when."""

from typing import Any

from chassis_agent.announcing.frames import announcement
from chassis_agent.announcing.sender import AnnouncementSender
from chassis_agent.derivations.announcements import Announced
from chassis_agent.health import Health

ROUTER = Announced(7, (3,), ((b"\x0a" + bytes(5), bytes([192, 0, 2, 1])),), is_router=True)
VM = Announced(7, (3, 4), ((b"\x0a" + bytes(4) + b"\x01", b""),), is_router=False)


class Bench:
    """A sender with a clock, whose packet-outs are kept."""

    def __init__(self) -> None:
        self.now = 10.0
        self.sent: list[bytes] = []
        self.has_switch = True
        self.sender = AnnouncementSender(self._send, Health(), clock=lambda: self.now)

    def _send(self, message: bytes) -> bool:
        if self.has_switch:
            self.sent.append(message)
        return self.has_switch

    def update(self, changes: dict[Any, Announced | None], occasion: int = 1) -> int:
        """Returns how many frames that made, at once."""
        self.sender.update(changes, occasion)
        return self.send()

    def send(self) -> int:
        before = len(self.sent)
        self.sender.send_due()
        return len(self.sent) - before


def test_what_is_new_is_announced_and_repeated() -> None:
    bench = Bench()
    assert bench.update({"a": ROUTER, "b": VM}) == 2
    ((mac, ip),) = ROUTER.addresses
    assert announcement(mac, ip, router=True) in bench.sent[0]
    bench.now += 1.0
    assert bench.send() == 2
    assert bench.sender.report() == {"addresses": 2, "sent": 4, "to_repeat": 2}


def test_what_has_gone_is_not_announced_any_more() -> None:
    bench = Bench()
    bench.update({"a": ROUTER, "b": VM})
    bench.now += 1.0
    assert bench.update({"a": None}) == 1
    assert bench.sender.report()["addresses"] == 1


def test_on_another_occasion_all_is_announced_anew() -> None:
    bench = Bench()
    bench.update({"a": ROUTER, "b": VM})
    assert bench.update({}) == 0
    assert bench.update({}, occasion=2) == 2


def test_without_a_switch_nothing_counts_as_sent() -> None:
    bench = Bench()
    bench.has_switch = False
    assert bench.update({"a": ROUTER}) == 0
    bench.has_switch = True
    assert bench.send() == 1
    assert bench.sender.report()["sent"] == 1


def test_many_are_sent_in_turns() -> None:
    bench = Bench()
    many: dict[Any, Announced | None] = {f"k{n}": ROUTER for n in range(1000)}
    first = bench.update(many)
    assert 0 < first < 1000
    while bench.send():
        pass
    assert len(bench.sent) == 1000
