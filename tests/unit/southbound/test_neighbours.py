"""Which neighbours a router port may have."""

import pytest

from southbound.neighbours import why_no_neighbour
from southbound.rows import PortBinding

PORT = PortBinding(
    *("p", "r", "r-web", 1, "patch"),
    addresses=("0a:00:00:00:00:01 10.0.0.1 10.0.5.0 fd00::1 fe80::800:ff:fe00:1",),
    neighbours=(
        *("10.0.0.0/24", "10.0.5.0/31", "192.0.2.9/32"),
        *("fd00::/64", "fd05::/127", "fe80::/64", "2001:db8::9/128"),
    ),
)


@pytest.mark.parametrize(
    "ip",
    [
        *("10.0.0.2", "10.0.0.254", "10.0.5.1", "192.0.2.9"),
        *("fd00::2", "fd05::", "fd05::1", "fe80::2", "2001:db8::9"),
    ],
)
def test_hosts(ip: str) -> None:
    assert why_no_neighbour(PORT, ip) == ""


@pytest.mark.parametrize(
    ("ip", "why"),
    [
        ("10.0.0.1", "it is the port's own"),
        ("10.0.5.0", "it is the port's own"),
        ("fd00::1", "it is the port's own"),
        ("fe80::800:ff:fe00:1", "it is the port's own"),
        ("10.0.0.0", "it is the network's own"),
        ("10.0.0.255", "it is the network's own"),
        ("fd00::", "it is the network's own"),
        ("8.8.8.8", "it is in no network of the port"),
        ("192.0.2.8", "it is in no network of the port"),
        ("2001:db8::8", "it is in no network of the port"),
        ("fe80:0:0:1::2", "it is in no network of the port"),
        ("255.255.255.255", "it is in no network of the port"),
        ("127.0.0.1", "no host can have it"),
        ("224.0.0.1", "no host can have it"),
        ("0.0.0.0", "no host can have it"),
        ("::1", "no host can have it"),
        ("::", "no host can have it"),
        ("ff02::1", "no host can have it"),
    ],
)
def test_no_hosts(ip: str, why: str) -> None:
    assert why_no_neighbour(PORT, ip) == why


def test_a_port_of_a_switch_has_no_neighbours() -> None:
    assert why_no_neighbour(PortBinding("p", "s", "web-1", 1, "vif"), "10.0.0.2")
