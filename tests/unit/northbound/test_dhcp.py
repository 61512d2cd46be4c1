"""DHCP options: what is taken, what is refused, how it is encoded, and what refers to it."""

import typing
from typing import Any

import pytest

from northbound.dhcp import DECIDED4, DECIDED6, OPTIONS4, OPTIONS6, encoded_options, parse_domain
from northbound.errors import InvalidError, ReferencedError
from northbound.specs.dhcp import Dhcpv4, Dhcpv6
from tests.unit.northbound.network import Network

ROUTERS = {"routers": ["10.0.0.1"]}


def dhcp4(network: Network, name: str = "v4", **values: Any) -> str:
    return network.create("dhcp", name=name, cidr="10.0.0.0/24", dhcpv4={**ROUTERS, **values})


def faults4(network: Network, **values: Any) -> dict[str, str]:
    return network.faults("dhcp", name="v4", cidr="10.0.0.0/24", dhcpv4={**ROUTERS, **values})


def faults6(network: Network, **values: Any) -> dict[str, str]:
    return network.faults("dhcp", name="v6", cidr="fd00::/64", dhcpv6=values)


@pytest.mark.parametrize(("spec", "forms"), [(Dhcpv4, OPTIONS4), (Dhcpv6, OPTIONS6)])
def test_every_field_is_encoded(spec: type, forms: dict[str, Any]) -> None:
    """Some are no options of their own: times and who the server is are worked out together."""
    apart = {"server_mac", "more_options"}
    if spec is Dhcpv6:
        apart |= {"valid_lifetime", "preferred_lifetime", "renewal_time", "rebinding_time"}
    assert set(typing.get_type_hints(spec)) == set(forms) | apart


@pytest.mark.parametrize(("forms", "decided"), [(OPTIONS4, DECIDED4), (OPTIONS6, DECIDED6)])
def test_no_code_has_two_names(forms: dict[str, Any], decided: frozenset[int]) -> None:
    codes = [form.code for form in forms.values()]
    assert len(set(codes)) == len(codes)
    assert {51, 54, 58, 59} >= decided.intersection(codes)


@pytest.mark.parametrize(
    ("values", "code", "expected"),
    [
        ({"dns_servers": ["10.0.0.2", "10.0.0.3"]}, 6, "0a0000020a000003"),
        ({"mtu": 1442}, 26, "05a2"),
        ({"ip_forwarding": False}, 19, "00"),
        ({"arp_cache_timeout": 60}, 35, "0000003c"),
        ({"domain_search": ["a.example", "b"]}, 119, "0161076578616d706c65000162 00"),
        (
            {
                "classless_static_routes": [
                    {"destination": "0.0.0.0/0", "nexthop": "10.0.0.1"},
                    {"destination": "10.17.0.0/20", "nexthop": "10.0.0.2"},
                    {"destination": "192.0.2.7/32", "nexthop": "0.0.0.0"},
                ]
            },
            121,
            "000a000001 140a11000a000002 20c000020700000000",
        ),
        (
            {"static_routes": [{"destination": "192.0.2.7", "nexthop": "10.0.0.1"}]},
            33,
            "c00002070a000001",
        ),
        ({"policy_filters": ["192.0.2.0/24"]}, 21, "c0000200ffffff00"),
        (
            {"bootfile_names": [{"architecture": 7, "bootfile_name": "efi"}]},
            0xFF03,
            "0007656669",
        ),
        ({"more_options": [{"code": 60, "value": "4142"}]}, 60, "4142"),
    ],
)
def test_values_of_dhcpv4(values: dict[str, Any], code: int, expected: str) -> None:
    ((_, option),) = encoded_options(OPTIONS4, values)
    assert (option.code, option.value.hex()) == (code, expected.replace(" ", ""))


@pytest.mark.parametrize(
    ("values", "code", "expected"),
    [
        ({"ntp_servers": ["fd00::1"]}, 56, "00010010fd000000000000000000000000000001"),
        ({"hostname": "vm.lan"}, 39, "02766d036c616e00"),
        ({"hostname": "vm"}, 39, "02766d"),
        ({"domain_search": ["lan"]}, 24, "036c616e00"),
        ({"bootfile_urls": [{"architecture": 7, "bootfile_url": "u"}]}, 0xFF03, "000775"),
    ],
)
def test_values_of_dhcpv6(values: dict[str, Any], code: int, expected: str) -> None:
    ((_, option),) = encoded_options(OPTIONS6, values)
    assert (option.code, option.value.hex()) == (code, expected)


def test_a_name_too_long_for_a_domain() -> None:
    with pytest.raises(ValueError, match="characters"):
        parse_domain(".".join(["abcdefgh"] * 29))


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"mtu": 20}, "/dhcpv4/mtu"),
        ({"mtu": "1400"}, "/dhcpv4/mtu"),
        ({"mtu": 70000}, "/dhcpv4/mtu"),
        ({"dns_servers": ["fd00::1"]}, "/dhcpv4/dns_servers/0"),
        ({"dns_servers": "10.0.0.2"}, "/dhcpv4/dns_servers"),
        ({"dns_servers": []}, "/dhcpv4/dns_servers"),
        ({"dns_servers": [f"10.0.1.{n}" for n in range(1, 40)]}, "/dhcpv4/dns_servers"),
        ({"domain_search": ["no domain"]}, "/dhcpv4/domain_search/0"),
        ({"domain_name": "-a"}, "/dhcpv4/domain_name"),
        ({"netmask": "255.0.255.0"}, "/dhcpv4/netmask"),
        ({"server_mac": "01:00:00:00:00:01"}, "/dhcpv4/server_mac"),
        ({"lease_time": 0}, "/dhcpv4/lease_time"),
        ({"lease_time": 100, "rebinding_time": 101}, "/dhcpv4/rebinding_time"),
        ({"rebinding_time": 100, "renewal_time": 101}, "/dhcpv4/renewal_time"),
        ({"wpad": "x" * 256}, "/dhcpv4/wpad"),
        (
            {"classless_static_routes": [{"destination": "10.0.0.1/8", "nexthop": "10.0.0.1"}]},
            "/dhcpv4/classless_static_routes/0/destination",
        ),
        (
            {"classless_static_routes": [{"destination": "10.0.0.0/8"}]},
            "/dhcpv4/classless_static_routes/0/nexthop",
        ),
        ({"more_options": [{"code": 6, "value": "00"}]}, "/dhcpv4/more_options/0/code"),
        ({"more_options": [{"code": 53, "value": "00"}]}, "/dhcpv4/more_options/0/code"),
        ({"more_options": [{"code": 255, "value": "00"}]}, "/dhcpv4/more_options/0/code"),
        ({"more_options": [{"code": 60, "value": "0g"}]}, "/dhcpv4/more_options/0/value"),
        ({"more_options": [{"code": 60, "value": ""}] * 2}, "/dhcpv4/more_options/1"),
        (
            {"more_options": [{"code": n, "value": "00" * 700} for n in (60, 62)]},
            "/dhcpv4/more_options",
        ),
        (
            {"bootfile_names": [{"architecture": 7, "bootfile_name": "a"}] * 2},
            "/dhcpv4/bootfile_names/1",
        ),
        ({"of_the_future": 1}, "/dhcpv4/of_the_future"),
    ],
)
def test_bad_values_are_refused_with_the_field(
    network: Network, values: dict[str, Any], pointer: str
) -> None:
    assert list(faults4(network, **values)) == [pointer]


@pytest.mark.parametrize(
    ("values", "pointer"),
    [
        ({"dns_servers": ["10.0.0.1"]}, "/dhcpv6/dns_servers/0"),
        ({"preferred_lifetime": 601, "valid_lifetime": 600}, "/dhcpv6/preferred_lifetime"),
        ({"preferred_lifetime": 600, "renewal_time": 601}, "/dhcpv6/renewal_time"),
        ({"information_refresh_time": 5}, "/dhcpv6/information_refresh_time"),
        ({"more_options": [{"code": 23, "value": "00"}]}, "/dhcpv6/more_options/0/code"),
        ({"more_options": [{"code": 5, "value": "00"}]}, "/dhcpv6/more_options/0/code"),
        ({"routers": ["fd00::1"]}, "/dhcpv6/routers"),
    ],
)
def test_bad_values_of_dhcpv6(network: Network, values: dict[str, Any], pointer: str) -> None:
    assert list(faults6(network, **values)) == [pointer]


def test_sections_agree_with_the_network(network: Network) -> None:
    wrong = network.faults("dhcp", name="x", cidr="fd00::/64", dhcpv4=ROUTERS)
    assert list(wrong) == ["/dhcpv4"]
    assert list(network.faults("dhcp", name="x", cidr="10.0.0.0/24", dhcpv6={})) == ["/dhcpv6"]
    nobody = network.faults("dhcp", name="x", cidr="10.0.0.0/24")
    assert nobody == {"/dhcpv4/server_id": "is needed where there are no routers"}
    network.create("dhcp", name="x", cidr="fd00::/64")


def test_references_are_of_the_right_version_and_hold(network: Network) -> None:
    dhcp4(network)
    network.create("dhcp", name="v6", cidr="fd00::/64")
    network.create("switch", name="web", dhcpv4_options="v4", dhcpv6_options="v6")
    network.create("port", name="p", logical_switch="web", dhcpv6_options="v6")
    assert network.get("port", "p")["dhcpv6_options"] == "v6"
    for kind in ("switch", "port"):
        ref = "web" if kind == "switch" else "p"
        refused = network.refuses(
            InvalidError, lambda kind=kind, ref=ref: network.update(kind, ref, dhcpv4_options="v6")
        )
        assert "no IPv4 network" in refused
    said = network.refuses(ReferencedError, lambda: network.delete("dhcp", "v6"))
    assert "web" in said
    assert "p" in said
    network.update("port", "p", dhcpv6_options=None)
    network.update("switch", "web", dhcpv6_options=None)
    network.delete("dhcp", "v6")
    network.refuses(ReferencedError, lambda: network.delete("dhcp", "v4"))


def test_options_keep_their_version_and_are_patched_one_by_one(network: Network) -> None:
    dhcp4(network, mtu=1400)
    network.update("dhcp", "v4", dhcpv4={"mtu": None, "lease_time": 60})
    assert network.get("dhcp", "v4")["dhcpv4"] == {**ROUTERS, "lease_time": 60}
    network.refuses(
        InvalidError, lambda: network.update("dhcp", "v4", cidr="fd00::/64", dhcpv4=None)
    )


def test_ports_towards_routers_have_no_clients(network: Network) -> None:
    dhcp4(network)
    network.create("switch", name="web")
    network.create("router", name="r")
    network.create("router_port", name="rp", logical_router="r", networks=["10.0.0.1/24"])
    faults = network.faults(
        "port", name="p", logical_switch="web", router_port="rp", dhcpv4_options="v4"
    )
    assert list(faults) == ["/dhcpv4_options"]
