"""How addresses are read, and what is not taken for one."""

import pytest

from northbound.addresses import (
    canonical_range,
    parse_interface,
    parse_mac,
    parse_port_address,
    parse_port_security,
)
from northbound.specs.filtering import parse_member


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("unknown", "unknown"),
        ("router", "router"),
        ("dynamic", "dynamic"),
        ("0A:00:00:00:00:0F", "0a:00:00:00:00:0f"),
        ("0a-00-00-00-00-0f", "0a:00:00:00:00:0f"),
        ("0a:00:00:00:00:01   10.0.0.1", "0a:00:00:00:00:01 10.0.0.1"),
        ("0a:00:00:00:00:01 FD00:0:0::1 10.0.0.1", "0a:00:00:00:00:01 10.0.0.1 fd00::1"),
        ("0a:00:00:00:00:01 10.0.0.9 10.0.0.1 10.0.0.9", "0a:00:00:00:00:01 10.0.0.1 10.0.0.9"),
        ("0a:00:00:00:00:01 dynamic", "0a:00:00:00:00:01 dynamic"),
        ("dynamic 10.0.0.7", "dynamic 10.0.0.7"),
        ("dynamic 10.0.0.7 fd00::7", "dynamic 10.0.0.7 fd00::7"),
    ],
)
def test_port_address(text: str, canonical: str) -> None:
    assert str(parse_port_address(text)) == canonical
    assert str(parse_port_address(canonical)) == canonical


@pytest.mark.parametrize(
    ("text", "mac", "ip"),
    [
        ("dynamic", True, True),
        ("0a:00:00:00:00:01 dynamic", False, True),
        ("dynamic 10.0.0.7", True, False),
        ("dynamic fd00::7", True, True),
        ("0a:00:00:00:00:01 10.0.0.7", False, False),
    ],
)
def test_what_is_left_to_address_management(text: str, mac: bool, ip: bool) -> None:
    address = parse_port_address(text)
    assert (address.dynamic_mac, address.dynamic_ip) == (mac, ip)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nonsense",
        "10.0.0.1",
        "unknown 10.0.0.1",
        "0a:00:00:00:00",
        "0a:00:00:00:00:01 10.0.0",
        "0a:00:00:00:00:01 10.0.0.1/24",
        "0a:00:00:00:00:01 010.0.0.1",
        "0a:00:00:00:00:01 224.0.0.1",
        "0a:00:00:00:00:01 ff02::1",
        "0a:00:00:00:00:01 0.0.0.0",
        "0a:00:00:00:00:01 255.255.255.255",
        "0a:00:00:00:00:01 127.0.0.1",
        "0a:00:00:00:00:01 ::1",
        "0a:00:00:00:00:01 0.0.0.7",
        "ff:ff:ff:ff:ff:ff",
        "0a:00:00:00:00:01 fe80::1%eth0",
        "01:00:00:00:00:01",
        "00:00:00:00:00:00",
        "0a:00:00:00:00:01 dynamic 10.0.0.1",
        "dynamic dynamic",
    ],
)
def test_not_a_port_address(text: str) -> None:
    with pytest.raises(ValueError):
        parse_port_address(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("0A:00:00:00:00:01", "0a:00:00:00:00:01"),
        ("0a:00:00:00:00:01 10.0.0.4/32", "0a:00:00:00:00:01 10.0.0.4"),
        ("0a:00:00:00:00:01 10.0.0.4/24", "0a:00:00:00:00:01 10.0.0.4/24"),
        ("0a:00:00:00:00:01 10.0.0.0/24", "0a:00:00:00:00:01 10.0.0.0/24"),
        ("0a:00:00:00:00:01 fd00::/64 10.0.0.1", "0a:00:00:00:00:01 10.0.0.1 fd00::/64"),
    ],
)
def test_port_security(text: str, canonical: str) -> None:
    assert parse_port_security(text) == canonical
    assert parse_port_security(canonical) == canonical


@pytest.mark.parametrize("text", ["", "10.0.0.1", "0a:00:00:00:00:01 10.0.0.1/33", "dynamic"])
def test_not_port_security(text: str) -> None:
    with pytest.raises(ValueError):
        parse_port_security(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [("10.0.0.1/24", "10.0.0.1/24"), ("FD00::1/64", "fd00::1/64"), ("10.0.0.0/31", "10.0.0.0/31")],
)
def test_interface(text: str, canonical: str) -> None:
    assert parse_interface(text) == canonical


@pytest.mark.parametrize(
    "text", ["10.0.0.1", "10.0.0.0/24", "10.0.0.255/24", "10.0.0.1/x", "224.0.0.1/24"]
)
def test_not_an_interface(text: str) -> None:
    with pytest.raises(ValueError):
        parse_interface(text)


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("10.0.0.1/32", "10.0.0.1"),
        ("10.0.0.9/24", "10.0.0.0/24"),
        ("FD00::1", "fd00::1"),
        ("0A:00:00:00:00:01", "0a:00:00:00:00:01"),
        ("1:2:3:4:5::", "1:2:3:4:5::"),
    ],
)
def test_member_of_an_address_set(text: str, canonical: str) -> None:
    assert parse_member(text) == canonical


def test_ranges() -> None:
    assert canonical_range("10.0.0.2 .. 10.0.0.9") == "10.0.0.2..10.0.0.9"
    assert canonical_range("10.0.0.2..10.0.0.2") == "10.0.0.2"
    for text in ("10.0.0.9..10.0.0.2", "10.0.0", "fd00::1", ".."):
        with pytest.raises(ValueError):
            canonical_range(text)


def test_mac_is_unicast() -> None:
    with pytest.raises(ValueError, match="multicast"):
        parse_mac("ff:ff:ff:ff:ff:ff")
