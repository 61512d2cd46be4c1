"""What static MAC bindings do to packets that a router forwards."""

import pytest

from tests.unit.translator.walks import delivered, network

BINDINGS = """
logical_switches:
  one: {ports: {vm1: {addresses: ["0a:00:00:00:00:01 10.0.1.1"]}, s-one: {router_port: r-one}}}
  two:
    ports:
      loose: {addresses: [unknown]}
      vm2: {addresses: ["0a:00:00:00:00:02 10.0.2.2"]}
      s-two: {router_port: r-two}
logical_routers:
  r:
    ports:
      r-one: {networks: [10.0.1.254/24, "fd00:1::fe/64"], mac: "0a:00:00:00:00:fe"}
      r-two:
        networks: [10.0.2.254/24, "fd00:2::fe/64"]
        static_mac_bindings:
          - {ip: 10.0.2.7, mac: "0a:00:00:00:00:77"}
          - {ip: 10.0.2.8, mac: "0a:00:00:00:00:88", override_dynamic_mac: true}
          - {ip: 10.0.2.2, mac: "0a:00:00:00:00:99", override_dynamic_mac: true}
          - {ip: "fd00:2::7", mac: "0a:00:00:00:00:77"}
          - {ip: "fd00:2::8", mac: "0a:00:00:00:00:88", override_dynamic_mac: true}
"""
BEHIND_A_GATEWAY = BINDINGS.replace(
    '"fd00:2::fe/64"]\n', '"fd00:2::fe/64"]\n        gateway_chassis: [{chassis: hv1}]\n'
)
LEARNED = {
    ("r-two", address): "0a:00:00:00:0f:0f"
    for address in ("10.0.2.7", "10.0.2.8", "fd00:2::7", "fd00:2::8")
}


@pytest.mark.parametrize("bindings", [BINDINGS, BEHIND_A_GATEWAY], ids=["everywhere", "gateway"])
@pytest.mark.parametrize(
    ("dst", "before", "after"),
    [
        ("10.0.2.7", 0x0A0000000077, 0x0A0000000F0F),
        ("10.0.2.8", 0x0A0000000088, 0x0A0000000088),
        ("fd00:2::7", 0x0A0000000077, 0x0A0000000F0F),
        ("fd00:2::8", 0x0A0000000088, 0x0A0000000088),
    ],
)
def test_a_declared_mac_address_until_one_is_learned(
    bindings: str, dst: str, before: int, after: int
) -> None:
    family, src = ("ip6", "fd00:1::1") if ":" in dst else ("ip4", "10.0.1.1")
    packet = (
        'inport == "vm1" && eth.src == 0a:00:00:00:00:01 && eth.dst == 0a:00:00:00:00:fe '
        f"&& {family}.src == {src} && {family}.dst == {dst} && ip.ttl == 64"
    )
    found = delivered(network(bindings), packet)
    assert (found["to"], found["eth.dst"]) == ("loose", before)
    assert delivered(network(bindings, neighbours=LEARNED), packet)["eth.dst"] == after


def test_ports_of_the_network_are_known_whatever_is_declared() -> None:
    packet = (
        'inport == "vm1" && eth.src == 0a:00:00:00:00:01 && eth.dst == 0a:00:00:00:00:fe '
        "&& ip4.src == 10.0.1.1 && ip4.dst == 10.0.2.2 && ip.ttl == 64"
    )
    assert delivered(network(BINDINGS), packet)["eth.dst"] == 0x0A0000000002
