"""What a chassis may say of itself, and what is another's."""

import pytest

from southbound.chassis import TunnelAddresses, check_chassis
from southbound.errors import NotAllowedError
from southbound.rows import Chassis, Encap
from southbound.state import RealisedState
from southbound.watch.server import WatchServer
from tests.unit.southbound.agents import MakeAgent, until


def at(name: str, *addresses: str, alive: bool = True) -> Chassis:
    encaps = tuple(Encap("geneve", address) for address in addresses)
    return Chassis(name, f"host-{name}", encaps, alive=alive)


@pytest.mark.parametrize("address", ["192.0.2.1", "2001:db8::1", "127.0.0.1", "fd00::1"])
def test_hosts_addresses_are_taken(address: str) -> None:
    check_chassis(at("hv1", address))


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("not-an-ip", "no IP address"),
        ("", "no IP address"),
        ("192.0.2.1/24", "no IP address"),
        ("2001:DB8::1", "has to be written 2001:db8::1"),
        ("239.1.1.1", "multicast"),
        ("ff02::1", "multicast"),
        ("0.0.0.0", "no host's"),
        ("0.1.2.3", "no host's"),
        ("::", "no host's"),
        ("255.255.255.255", "broadcast"),
        ("fe80::1", "one link"),
        ("2001:db8::1%eth0", "one link"),
        ("::ffff:192.0.2.1", "IPv4 address"),
        ("x" * 100_000, "no IP address"),
    ],
)
def test_what_is_no_hosts_address_is_refused(address: str, reason: str) -> None:
    with pytest.raises(NotAllowedError, match=reason) as caught:
        check_chassis(at("hv1", address))
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (Chassis(""), "system-id is empty"),
        (Chassis("x" * 256), "256 characters"),
        (Chassis("a\nb"), "cannot be printed"),
        (Chassis("hv1", "h" * 256), "host name has 256"),
        (Chassis("hv1", "\x1b[31m"), "cannot be printed"),
        (at("hv1", *(f"192.0.2.{n}" for n in range(17))), "17 tunnel addresses"),
        (at("hv1", "192.0.2.1", "192.0.2.1"), "given twice"),
        (Chassis("hv1", encaps=(Encap("x" * 256, "192.0.2.1"),)), "a type of tunnels has 256"),
        (Chassis("hv1", external_ids={str(n): "" for n in range(65)}), "65 external ids"),
        (Chassis("hv1", external_ids={"a": "x" * 1025}), "1025 characters"),
        (Chassis("hv1", external_ids={"a" * 256: ""}), "256 characters"),
    ],
)
def test_what_is_too_long_or_makes_no_sense_is_refused(row: Chassis, reason: str) -> None:
    with pytest.raises(NotAllowedError, match=reason):
        check_chassis(row)


def test_a_tunnel_address_belongs_to_one_live_chassis() -> None:
    known = TunnelAddresses()
    known.put(at("hv1", "192.0.2.1", "2001:db8::1"))
    known.check(at("hv1", "192.0.2.1"))
    known.check(at("hv2", "192.0.2.2"))
    with pytest.raises(NotAllowedError, match="is that of chassis hv1"):
        known.check(at("hv2", "192.0.2.2", "192.0.2.1"))
    known.put(at("hv1", "192.0.2.1", alive=False))
    known.check(at("hv2", "192.0.2.1"))
    assert known.losing(at("hv2", "192.0.2.1")) == [at("hv1", alive=False)]
    known.remove("hv1")
    assert known.losing(at("hv2", "192.0.2.1")) == []


# --- over the watch


async def test_a_second_chassis_with_a_tunnel_address_is_refused_until_the_first_is_gone(
    state: RealisedState, server: WatchServer, make_agent: MakeAgent
) -> None:
    first = make_agent("hv1", "global", encaps=("192.0.2.1",))
    await first.synced()
    second = make_agent("hv2", "global", encaps=("192.0.2.1",))
    await until(lambda: "192.0.2.1 is that of chassis hv1" in second.client.last_error)
    assert set(state.rows(Chassis)) == {"hv1"}
    assert server.status("hv2").conditions == {}, "a name that only a stranger said takes no room"
    await first.stop()
    await second.synced()
    assert server.status("hv2").conditions == {}
    assert state.rows(Chassis)["hv2"].encaps == (Encap("geneve", "192.0.2.1"),)
    assert state.rows(Chassis)["hv1"].encaps == ()


async def test_why_an_agent_is_turned_away_is_a_condition_of_its_chassis(
    server: WatchServer, make_agent: MakeAgent
) -> None:
    first = make_agent("hv1", "global", encaps=("192.0.2.1",))
    second = make_agent("hv2", "global", encaps=("192.0.2.2",))
    await first.synced()
    await second.synced()
    await second.stop()
    await until(lambda: not server.status("hv2").connected)
    again = make_agent("hv2", "global", encaps=("192.0.2.1",))
    await until(lambda: "192.0.2.1" in server.status("hv2").conditions.get("refused", ""))
    await again.stop()
    well = make_agent("hv2", "global", encaps=("192.0.2.2",))
    await well.synced()
    assert server.status("hv2").conditions == {}


async def test_a_tunnel_address_that_is_none_reaches_no_other_agent(
    state: RealisedState, make_agent: MakeAgent
) -> None:
    agent = make_agent("hv1", "global", encaps=("not-an-ip",))
    await until(lambda: "'not-an-ip' is no IP address" in agent.client.last_error)
    assert not state.rows(Chassis)
