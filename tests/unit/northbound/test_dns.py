"""DNS records and router advertisements: what is refused, and which field is named."""

from typing import Any

import pytest

from northbound.errors import InvalidError
from northbound.specs.base import validate
from northbound.specs.dns import DnsRecordProperties, DnsRecordSetProperties
from northbound.specs.routing import LogicalRouterPortProperties

ADDRESSES = ["10.0.0.1"]


def field_of(spec: Any, values: dict[str, Any]) -> str:
    """Return the field that the refusal of these values names."""
    with pytest.raises(InvalidError) as caught:
        validate(spec, values)
    return ".".join(map(str, caught.value.problems[0].path))


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"hostname": "", "addresses": ADDRESSES}, "hostname"),
        ({"hostname": ".", "addresses": ADDRESSES}, "hostname"),
        ({"hostname": "a..b", "addresses": ADDRESSES}, "hostname"),
        ({"hostname": "-a.example", "addresses": ADDRESSES}, "hostname"),
        ({"hostname": "a b.example", "addresses": ADDRESSES}, "hostname"),
        ({"hostname": "ä.example", "addresses": ADDRESSES}, "hostname"),
        ({"hostname": "*.example", "addresses": ADDRESSES}, "hostname"),
        ({"hostname": "a" * 64 + ".example", "addresses": ADDRESSES}, "hostname"),
        ({"hostname": ".".join(["a" * 60] * 5), "addresses": ADDRESSES}, "hostname"),
        ({"hostname": "a.example", "addresses": ["10.0.0.256"]}, "addresses.0"),
        ({"hostname": "a.example", "addresses": ["ff02::1"]}, "addresses.0"),
        (
            {"hostname": "a.example", "addresses": [f"10.0.0.{n}" for n in range(1, 34)]},
            "addresses",
        ),
        ({"hostname": "a.example"}, "addresses"),
        ({"hostname": "a.example", "pointer": "b.example", "addresses": ADDRESSES}, "pointer"),
        ({"hostname": "1.0.0.10.in-addr.arpa", "pointer": "b c"}, "pointer"),
    ],
)
def test_what_is_no_record_is_refused(values: dict[str, Any], field: str) -> None:
    assert field_of(DnsRecordProperties, values) == field


def test_names_have_one_spelling() -> None:
    record = validate(
        DnsRecordProperties, {"hostname": "WWW.Example.ORG.", "addresses": ["FD00::0:1"]}
    )
    assert (record.hostname, record.addresses) == ("www.example.org", ["fd00::1"])


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"domain": "a.example"}, "domain"),
        ({"owned": True, "domain": "a_b c"}, "domain"),
        ({"ttl": -1}, "ttl"),
        ({"ttl": 1 << 31}, "ttl"),
    ],
)
def test_what_is_no_record_set_is_refused(values: dict[str, Any], field: str) -> None:
    assert field_of(DnsRecordSetProperties, values) == field


@pytest.mark.parametrize(
    ("told", "field"),
    [
        ({}, "ipv6_ra.address_mode"),
        ({"address_mode": "odd"}, "ipv6_ra.address_mode"),
        ({"address_mode": "slaac", "mtu": 1279}, "ipv6_ra.mtu"),
        ({"address_mode": "slaac", "max_interval": 3}, "ipv6_ra.max_interval"),
        ({"address_mode": "slaac", "min_interval": 500}, "ipv6_ra.min_interval"),
        ({"address_mode": "slaac", "rdnss": ["10.0.0.1"]}, "ipv6_ra.rdnss.0"),
        ({"address_mode": "slaac", "dnssl": ["a b"]}, "ipv6_ra.dnssl.0"),
        (
            {"address_mode": "slaac", "routes": [{"prefix": "10.0.0.0/8"}]},
            "ipv6_ra.routes.0.prefix",
        ),
        (
            {"address_mode": "slaac", "routes": [{"prefix": "fd01::/48"}, {"prefix": "fd01::/48"}]},
            "ipv6_ra.routes.1.prefix",
        ),
        ({"address_mode": "slaac", "lifetime": 100, "send_periodic": True}, "ipv6_ra.lifetime"),
        (
            {"address_mode": "slaac", "dnssl": [f"{n}.{'a' * 60}.{'b' * 60}" for n in range(16)]},
            "ipv6_ra",
        ),
    ],
)
def test_what_no_host_could_use_is_refused(told: dict[str, Any], field: str) -> None:
    assert field_of(LogicalRouterPortProperties, {"networks": ["fd00::1/64"], "ipv6_ra": told}) == (
        field
    )


@pytest.mark.parametrize(
    ("networks", "mode", "field"),
    [
        (["10.0.0.1/24"], "dhcpv6_stateful", "ipv6_ra"),
        (["fd00::1/80"], "slaac", "ipv6_ra.address_mode"),
    ],
)
def test_advertisements_need_networks(networks: list[str], mode: str, field: str) -> None:
    values = {"networks": networks, "ipv6_ra": {"address_mode": mode}}
    assert field_of(LogicalRouterPortProperties, values) == field


@pytest.mark.parametrize("mtu", [0, 67, 65501])
def test_sizes_that_no_network_has_are_refused(mtu: int) -> None:
    values = {"networks": ["10.0.0.1/24"], "gateway_mtu": mtu}
    assert field_of(LogicalRouterPortProperties, values) == "gateway_mtu"
