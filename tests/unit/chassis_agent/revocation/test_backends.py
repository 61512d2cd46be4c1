"""Connections to virtual addresses: whose backend is no longer one of theirs."""

from collections.abc import Iterator

import pytest

from chassis_agent.derivations.live_backends import LiveBackends
from chassis_agent.revocation.backends import Fronts
from chassis_agent.revocation.conntrack import FROM_EGRESS, TrackedConnection, parse_connections
from southbound.rows import VirtualAddress

WEB = LiveBackends(VirtualAddress("&web", "10.96.0.1", 80, "tcp"), ("10.0.0.1:8080",))
DNS = LiveBackends(VirtualAddress("&dns", "10.96.0.1", 53, "udp"), ("10.0.0.2:53",))
REST = LiveBackends(VirtualAddress("&rest", "10.96.0.1"), ("10.0.0.3",))
KEPT = LiveBackends(VirtualAddress("&kept", "10.96.0.1", 81, "tcp", False), ())
SIX = LiveBackends(VirtualAddress("&six", "fd96::1", 80, "tcp"), ("[fd00::1]:8080",))
LIVE = (WEB, DNS, REST, KEPT, SIX)


def connection(protocol: str, port: int, backend: str, backend_port: int) -> TrackedConnection:
    vip, client = ("fd96::1", "fd00::9") if ":" in backend else ("10.96.0.1", "10.0.0.9")
    (found,) = parse_connections(
        f"{protocol},orig=(src={client},dst={vip},sport=5000,dport={port}),"
        f"reply=(src={backend},dst={client},sport={backend_port},dport=5000),zone=7"
    )
    return found


@pytest.mark.parametrize(
    ("protocol", "port", "backend", "backend_port", "is_lost"),
    [
        ("tcp", 80, "10.0.0.1", 8080, False),
        ("tcp", 80, "10.0.0.1", 8081, True),
        ("tcp", 80, "10.0.0.3", 80, True),
        ("udp", 53, "10.0.0.2", 53, False),
        ("udp", 53, "10.0.0.1", 53, True),
        ("udp", 80, "10.0.0.3", 80, False),
        ("udp", 80, "10.0.0.1", 8080, True),
        ("tcp", 81, "10.0.0.1", 8080, False),
        ("tcp", 80, "fd00::1", 8080, False),
        ("tcp", 80, "fd00::2", 8080, True),
        ("tcp", 81, "fd00::2", 8080, False),
    ],
)
def test_who_has_lost_its_backend(
    protocol: str, port: int, backend: str, backend_port: int, is_lost: bool
) -> None:
    fronts = Fronts(LIVE)
    asked = connection(protocol, port, backend, backend_port)
    assert fronts.has_lost_backend(asked) is is_lost


def test_echoes_go_by_the_whole_address() -> None:
    fronts = Fronts([REST, WEB])

    def echo(backend: str) -> Iterator[TrackedConnection]:
        return parse_connections(
            "icmp,orig=(src=10.0.0.9,dst=10.96.0.1,id=7,type=8,code=0),"
            f"reply=(src={backend},dst=10.0.0.9,id=7,type=0,code=0),zone=7"
        )

    assert [fronts.has_lost_backend(each) for each in echo("10.0.0.3")] == [False]
    assert [fronts.has_lost_backend(each) for each in echo("10.0.0.4")] == [True]


def untranslated(port: int, mark: int = 0) -> TrackedConnection:
    (found,) = parse_connections(
        f"tcp,orig=(src=10.0.0.9,dst=10.96.0.1,sport=1,dport={port}),"
        f"reply=(src=10.96.0.1,dst=10.0.0.9,sport={port},dport=1),zone=7,mark={mark}"
    )
    return found


def test_what_was_there_before_its_address_has_no_backend() -> None:
    """Its client goes on asking, and nothing of that would ever be balanced."""
    assert Fronts([WEB]).has_lost_backend(untranslated(80))
    assert Fronts([REST]).has_lost_backend(untranslated(81))
    assert not Fronts([WEB]).has_lost_backend(untranslated(81))
    assert not Fronts([KEPT]).has_lost_backend(untranslated(81)), "it leaves connections alone"
    assert not Fronts([], [WEB.row]).has_lost_backend(untranslated(80)), "there is no address now"
    # The address is a host's own: it is a backend, or is asked by those who aren't balanced.
    itself = LiveBackends(WEB.row, ("10.96.0.1:80", "10.0.0.1:8080"))
    assert not Fronts([itself]).has_lost_backend(untranslated(80))
    assert not Fronts([WEB]).has_lost_backend(untranslated(80, FROM_EGRESS))


def test_other_connections_are_left_alone() -> None:
    fronts = Fronts([WEB])
    assert not fronts.has_lost_backend(connection("udp", 53, "10.0.0.1", 53))


def test_what_has_taken_the_place_of_an_address_that_is_gone_keeps_its_connections() -> None:
    fronts = Fronts([REST], [WEB.row, KEPT.row])
    assert fronts.has_lost_backend(connection("tcp", 80, "10.0.0.1", 8080))
    assert not fronts.has_lost_backend(connection("tcp", 80, "10.0.0.3", 80))
    assert not fronts.has_lost_backend(connection("tcp", 81, "10.0.0.1", 8080))
    assert Fronts([], [REST.row]).has_lost_backend(connection("udp", 9, "10.0.0.3", 9))


SS7 = LiveBackends(VirtualAddress("&ss7", "10.96.0.1", 80, "sctp"), ("10.0.0.1:80",))
SIGTRAN = LiveBackends(VirtualAddress("&sigtran", "10.96.0.1", 81, "sctp"), ("10.0.0.2:81",))
HELD = LiveBackends(VirtualAddress("&held", "10.96.0.1", 82, "sctp", False), ())


def association(backend: str = "") -> TrackedConnection:
    """As Open vSwitch's own datapath has those between two hosts: one, and no ports."""
    (found,) = parse_connections(
        "sctp,orig=(src=10.0.0.9,dst=10.96.0.1,sport=0,dport=0),"
        f"reply=(src={backend or '10.96.0.1'},dst=10.0.0.9,sport=0,dport=0),zone=7"
    )
    return found


@pytest.mark.parametrize(
    ("live", "gone", "backend", "is_lost"),
    [
        ([SS7], [], "10.0.0.1", False),
        ([SS7], [], "10.0.0.2", True),
        ([SS7, SIGTRAN], [], "10.0.0.2", False),
        ([SS7, REST], [], "10.0.0.3", False),
        ([WEB], [], "10.0.0.1", False),
        ([], [SS7], "10.0.0.1", True),
        ([SIGTRAN], [SS7], "10.0.0.1", True),
        ([REST], [SS7], "10.0.0.1", True),
        ([HELD], [SS7], "10.0.0.1", False),
        ([], [HELD], "10.0.0.1", False),
        ([WEB], [DNS], "10.0.0.1", False),
        ([SS7], [], "", True),
        ([WEB], [], "", False),
    ],
)
def test_associations_without_ports_go_on_if_one_of_them_may(
    live: list[LiveBackends], gone: list[LiveBackends], backend: str, is_lost: bool
) -> None:
    fronts = Fronts(live, [each.row for each in gone])
    assert fronts.has_lost_backend(association(backend)) is is_lost
