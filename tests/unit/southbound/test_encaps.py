"""Which address of another chassis packets are sent to."""

import pytest

from southbound.encaps import no_way, tunnel_addresses, way_to
from southbound.rows import Chassis, Encap


def chassis(name: str, *addresses: str) -> Chassis:
    return Chassis(name, encaps=tuple(Encap("geneve", address) for address in addresses))


@pytest.mark.parametrize(
    ("own", "other", "way"),
    [
        (["192.0.2.1"], ["192.0.2.2", "192.0.2.3"], "192.0.2.2"),
        (["192.0.2.1"], ["2001:db8::2", "192.0.2.2"], "192.0.2.2"),
        (["2001:db8::1", "192.0.2.1"], ["2001:db8::2", "192.0.2.2"], "2001:db8::2"),
        (["2001:db8::1"], ["192.0.2.2"], "None"),
        (["192.0.2.1"], [], "None"),
        ([], ["192.0.2.2"], "None"),
    ],
)
def test_the_first_address_of_a_family_that_both_have(
    own: list[str], other: list[str], way: str
) -> None:
    assert str(way_to(chassis("b", *other), chassis("a", *own))) == way


def test_as_long_as_nothing_is_known_of_oneself_the_first_address_is_it() -> None:
    assert str(way_to(chassis("b", "2001:db8::2", "192.0.2.2"), None)) == "2001:db8::2"


def test_what_is_no_geneve_address_is_passed_over() -> None:
    encaps = (Encap("vxlan", "192.0.2.9"), Encap("geneve", "not-an-ip"), Encap("geneve", "::1"))
    assert list(map(str, tunnel_addresses(Chassis("a", encaps=encaps)))) == ["::1"]


def test_chassis_without_a_way_are_named() -> None:
    assert no_way(chassis("a"), chassis("b", "192.0.2.2", "2001:db8::2")) == (
        "a has tunnel addresses of no kind, b of IPv4 and IPv6: they share no address family"
    )
