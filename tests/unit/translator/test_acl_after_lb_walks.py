"""What ACLs after load balancing do with packets."""

from pathlib import Path

import pytest

from logical_flow.connections import ConnectionTable, ScriptedConnections, State, Tracked
from logical_flow.walk_events import Made, Walk
from logical_flow.walk_network import Network
from tests.unit.translator.walks import network, send

CLIENT, B1, B2 = (f"0a:00:00:00:00:{last}" for last in ("01", "11", "12"))


def switch(acls: str, *, balanced: bool = True) -> Network:
    """A client and two backends; `acls` are those of the client's switch."""
    balancers = """
    load_balancers:
      shop:
        protocol: udp
        switches: [web]
        vips:
          - {address: 10.0.0.100, port: 53, backends: ["10.0.0.11:5353"]}
          - {address: 10.0.0.101, port: 53, backends: ["10.0.0.12:5353"]}
    """
    return network(f"""
    logical_switches:
      web:
        acls: [{acls}]
        ports:
          client: {{addresses: ["{CLIENT} 10.0.0.1"]}}
          b1: {{addresses: ["{B1} 10.0.0.11"]}}
          b2: {{addresses: ["{B2} 10.0.0.12"]}}
    {balancers if balanced else ""}
    """)


def acl(match: str, action: str, *, late: bool = True, priority: int = 5, tier: int = 0) -> str:
    where = f"direction: from-lport, tier: {tier}, priority: {priority}, apply_after_lb: {late}"
    return f"{{{where}, match: '{match}', action: {action}}}"


def ask(net: Network, dst: str, port: int = 53) -> Walk:
    """Send a datagram of the client, to the MAC address of the backend that it gets."""
    mac = B2 if dst.endswith(("101", "12")) else B1
    return send(
        net,
        f'inport == "client" && eth.src == {CLIENT} && eth.dst == {mac} && ip.ttl == 64 '
        f"&& ip4.src == 10.0.0.1 && ip4.dst == {dst} && udp.src == 5000 && udp.dst == {port}",
    )


def arrivals(walk: Walk) -> list[str]:
    return [delivery.port for delivery in walk.deliveries]


@pytest.mark.parametrize("stateful", [False, True])
def test_without_load_balancers_they_are_a_further_stage(stateful: bool) -> None:
    allow = acl("udp.dst == 53", "allow-related" if stateful else "allow", priority=9)
    net = switch(f"{acl('udp', 'drop')}, {allow}", balanced=False)
    assert arrivals(ask(net, "10.0.0.11")) == ["b1"]
    assert arrivals(ask(net, "10.0.0.11", 54)) == []
    # What those before have denied is not asked about again.
    early = acl("udp.dst == 53", "drop", late=False)
    net = switch(f"{acl('udp', 'drop')}, {allow}, {early}", balanced=False)
    assert arrivals(ask(net, "10.0.0.11")) == []


def test_they_see_backends_and_others_see_virtual_addresses() -> None:
    late = acl("ip4.dst == 10.0.0.12 && udp.dst == 5353", "drop")
    net = switch(late)
    assert arrivals(ask(net, "10.0.0.100")) == ["b1"]
    assert arrivals(ask(net, "10.0.0.101")) == []
    assert arrivals(ask(switch(acl("ip4.dst == 10.0.0.101", "drop")), "10.0.0.101")) == ["b2"]
    assert (
        arrivals(ask(switch(acl("ip4.dst == 10.0.0.101", "drop", late=False)), "10.0.0.101")) == []
    )


def test_connections_that_are_denied_are_blocked() -> None:
    net = switch(acl("ip4.dst == 10.0.0.12", "drop"))
    net.connections = ConnectionTable()
    ask(net, "10.0.0.101")
    answer = send(
        net,
        f'inport == "b2" && eth.src == {B2} && eth.dst == {CLIENT} && ip.ttl == 64 '
        "&& ip4.src == 10.0.0.12 && ip4.dst == 10.0.0.1 && udp.src == 5353 && udp.dst == 5000",
    )
    assert arrivals(answer) == []


def test_replies_and_what_no_acl_sees_go_past_them() -> None:
    net = switch(acl("1", "drop"))
    net.connections = ScriptedConnections([Tracked(State.TRK | State.EST | State.RPL)])
    walk = send(
        net,
        f'inport == "client" && eth.src == {CLIENT} && eth.dst == {B1} && ip.ttl == 64 '
        "&& ip4.src == 10.0.0.1 && ip4.dst == 10.0.0.11 && udp.src == 5000 && udp.dst == 53",
    )
    assert arrivals(walk) == ["b1"]


def test_who_is_refused_is_told_by_the_virtual_address() -> None:
    net = switch(acl("ip4.dst == 10.0.0.12", "reject"))
    walk = ask(net, "10.0.0.101")
    assert "reject" in [event.kind for event in walk.events if isinstance(event, Made)]
    (told,) = walk.deliveries
    assert (told.port, told.packet["ip4.src"]) == ("client", 0x0A000065)


def test_tiers_are_asked_in_order() -> None:
    first, second = acl("ip4.dst == 10.0.0.12", "pass"), acl("ip4.dst == 10.0.0.12", "drop", tier=1)
    assert arrivals(ask(switch(f"{first}, {second}"), "10.0.0.101")) == []
    assert arrivals(ask(switch(f"{first}, {second}"), "10.0.0.100")) == ["b1"]


def test_the_example_of_the_page() -> None:
    page = Path(__file__).parents[3] / "docs" / "acls.md"
    example = page.read_text().partition("```yaml\n")[2].partition("```")[0]
    net = network(example)
    packet = f'inport == "client" && eth.src == {CLIENT} && ip.ttl == 64 && ip4.src == 10.0.0.1'
    web = f"{packet} && eth.dst == {B1} && ip4.dst == 10.0.0.100 && tcp.src == 5000"
    assert arrivals(send(net, f"{web} && tcp.dst == 80")) == ["web-1"]
    (told,) = send(net, f"{web} && tcp.dst == 5432").deliveries
    assert (told.port, told.packet["ip4.src"], told.packet["tcp.src"]) == (
        "client",
        0x0A000064,
        5432,
    )
