"""What a logical switch does to packets."""

import pytest

from logical_flow.walk_network import Network
from tests.unit.translator.walks import delivered, network, reached, send

A, B, C, U = ("0a:00:00:00:01:01", "0a:00:00:00:01:02", "0a:00:00:00:01:03", "0a:00:00:00:01:04")


@pytest.fixture(scope="module")
def plain() -> Network:
    return network(f"""
    logical_switches:
      web:
        ports:
          a: {{addresses: ["{A} 10.0.1.1 fd00::1"]}}
          b: {{addresses: ["{B} 10.0.1.2 fd00::2"]}}
          c: {{addresses: ["{C} 10.0.1.3"], enabled: false}}
      other:
        ports:
          d: {{addresses: ["0a:00:00:00:02:01 10.0.1.4"]}}
    """)


@pytest.fixture(scope="module")
def learning() -> Network:
    return network(f"""
    logical_switches:
      web:
        ports:
          a: {{addresses: ["{A} 10.0.1.1"]}}
          u: {{addresses: ["{U} 10.0.1.4", unknown]}}
          v: {{addresses: [unknown]}}
          w: {{addresses: [unknown], port_security: ["0a:00:00:00:01:99"]}}
    """)


@pytest.mark.parametrize(
    ("packet", "ports"),
    [
        (f'inport == "a" && eth.src == {A} && eth.dst == {B}', ["b"]),
        (f'inport == "a" && eth.src == {A} && eth.dst == ff:ff:ff:ff:ff:ff', ["b"]),
        (f'inport == "a" && eth.src == {A} && eth.dst == 01:00:5e:00:00:01', ["b"]),
        (f'inport == "a" && eth.src == {A} && eth.dst == {U}', []),
        (f'inport == "a" && eth.src == {A} && eth.dst == {A}', []),
        (f'inport == "a" && eth.src == {A} && eth.dst == {B} && vlan.present', []),
        (f'inport == "a" && eth.src == 01:00:00:00:00:01 && eth.dst == {B}', []),
        (f'inport == "a" && eth.src == {A} && eth.dst == {C}', []),
        (f'inport == "c" && eth.src == {C} && eth.dst == {A}', []),
        (f'inport == "a" && eth.src == {A} && eth.dst == 0a:00:00:00:02:01', []),
    ],
    ids=[
        "known",
        "broadcast",
        "multicast",
        "unknown",
        "itself",
        "tagged",
        "multicast source",
        "to disabled",
        "from disabled",
        "other switch",
    ],
)
def test_forwarding(plain: Network, packet: str, ports: list[str]) -> None:
    assert reached(plain, packet) == ports


def test_unknown_destinations_go_to_those_who_take_them(learning: Network) -> None:
    packet = f'inport == "a" && eth.src == {A} && eth.dst == 0a:00:00:00:00:77'
    assert reached(learning, packet) == ["u", "v"], "w may only receive its secured address"


def test_a_learned_destination_goes_to_its_port(learning: Network) -> None:
    switch = learning.ports["a"].datapath
    learning.learned = {(switch, "0a:00:00:00:00:77"): "v"}
    try:
        packet = f'inport == "a" && eth.src == {A} && eth.dst == 0a:00:00:00:00:77'
        assert reached(learning, packet) == ["v"]
        again = 'inport == "v" && eth.src == 0a:00:00:00:00:77 && eth.dst == ' + A
        assert not send(learning, again).noted, "what is known is not learned again"
        moved = 'inport == "u" && eth.src == 0a:00:00:00:00:77 && eth.dst == ' + A
        assert [note.values[0] for note in send(learning, moved).noted] == ["u"]
    finally:
        learning.learned = {}


@pytest.mark.parametrize(("port", "learns"), [("v", True), ("u", True), ("a", False), ("w", False)])
def test_learning_is_for_unknown_ports_without_port_security(
    learning: Network, port: str, learns: bool
) -> None:
    walk = send(learning, f'inport == "{port}" && eth.src == 0a:00:00:00:01:99 && eth.dst == {A}')
    assert [note.what for note in walk.noted] == (["put_fdb"] if learns else [])


def test_arp_is_answered_for_known_addresses(plain: Network) -> None:
    answer = delivered(
        plain,
        f'inport == "a" && eth.src == {A} && eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1 '
        f"&& arp.sha == {A} && arp.spa == 10.0.1.1 && arp.tpa == 10.0.1.2",
    )
    assert answer["to"] == "a"
    assert answer["arp.op"] == 2
    assert answer["arp.sha"] == answer["eth.src"] == 0x0A0000000102
    assert answer["arp.spa"] == 0x0A000102
    assert answer["arp.tpa"] == 0x0A000101


def test_the_asker_of_its_own_address_is_not_answered(plain: Network) -> None:
    probe = (
        f'inport == "a" && eth.src == {A} && eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1 '
        f"&& arp.sha == {A} && arp.spa == 0.0.0.0 && arp.tpa == 10.0.1.1"
    )
    assert reached(plain, probe) == ["b"], "others get it, to object"


def test_unicast_arp_goes_to_its_owner(plain: Network) -> None:
    request = (
        f'inport == "a" && eth.src == {A} && eth.dst == {B} && arp.op == 1 && arp.tpa == 10.0.1.2'
    )
    assert reached(plain, request) == ["b"]


def test_arp_for_addresses_of_unknown_ports_is_flooded(learning: Network) -> None:
    request = (
        f'inport == "a" && eth.src == {A} && eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1 '
        "&& arp.tpa == 10.0.1.4"
    )
    assert reached(learning, request) == ["u", "v", "w"]


def test_solicitations_are_answered_for_known_addresses(plain: Network) -> None:
    answer = delivered(
        plain,
        f'inport == "a" && eth.src == {A} && eth.dst == 33:33:ff:00:00:02 && ip6.src == fd00::1 '
        "&& ip6.dst == ff02::1:ff00:2 && nd_ns && nd.target == fd00::2 && ip.ttl == 255",
    )
    assert answer["to"] == "a"
    assert answer["icmp6.type"] == 136
    assert answer["nd.tll"] == 0x0A0000000102


def test_solicitations_to_another_group_go_to_everybody(plain: Network) -> None:
    astray = (
        f'inport == "a" && eth.src == {A} && eth.dst == 33:33:ff:00:00:09 && ip6.src == fd00::1 '
        "&& ip6.dst == ff02::1:ff00:9 && nd_ns && nd.target == fd00::2 && ip.ttl == 255"
    )
    assert reached(plain, astray) == ["b"]


def test_a_disabled_port_keeps_its_addresses(plain: Network) -> None:
    request = (
        f'inport == "a" && eth.src == {A} && eth.dst == ff:ff:ff:ff:ff:ff && arp.op == 1 '
        "&& arp.tpa == 10.0.1.3"
    )
    assert reached(plain, request) == ["a"]


def test_duplicate_detection_of_an_own_address_is_not_answered(plain: Network) -> None:
    probe = (
        f'inport == "a" && eth.src == {A} && eth.dst == 33:33:ff:00:00:01 && ip6.src == :: '
        "&& ip6.dst == ff02::1:ff00:1 && nd_ns && nd.target == fd00::1 && ip.ttl == 255"
    )
    assert reached(plain, probe) == ["b"]
