"""Why a DHCP client is not answered, and what would change that."""

from typing import Any

import pytest

from tests.unit.diagnosis.explain.asking import allow, first, refused
from tests.unit.diagnosis.explain.conftest import Plugged

V4 = {"name": "v4", "cidr": "10.1.0.0/24", "dhcpv4": {"routers": ["10.1.0.1"]}}

V6: dict[str, Any] = {"name": "v6", "cidr": "fd01::/64"}
SOLICITATION = {
    "inport": "a1",
    "match": "eth.src == 0a:00:00:00:01:01 && eth.dst == 33:33:00:01:00:02 && "
    "ip6.src == fe80::800:ff:fe00:101 && ip6.dst == ff02::1:2 "
    "&& udp.src == 546 && udp.dst == 547",
}


def discovery(mac: str = "0a:00:00:00:01:01", more: str = "") -> dict[str, Any]:
    match = (
        f"eth.src == {mac} && eth.dst == ff:ff:ff:ff:ff:ff && ip4.src == 0.0.0.0 "
        f"&& ip4.dst == 255.255.255.255 && udp.src == 68 && udp.dst == 67{more}"
    )
    return {"inport": "a1", "match": match}


async def test_a_client_is_answered_by_the_network(net: Plugged) -> None:
    await net.call("POST", "/dhcp-options", V4)
    await net.change("/logical-switches/a", dhcpv4_options="v4")
    await net.acl("ls:a", "from-lport", 1, "ip")
    await net.acl("ls:a", "to-lport", 1, "ip")
    found = await net.ask(**discovery())
    assert found["reachable"], found["text"]
    assert "answered by the network itself" in str(found)


async def test_without_options_those_that_fit_are_proposed(net: Plugged) -> None:
    found = await refused(net, **discovery())
    assert first(found) == ("dhcp", "a1")
    assert "nor its switch has options for DHCPv4" in found["text"]
    await net.call("POST", "/dhcp-options", V4)
    await allow(net, await refused(net, **discovery()), **discovery())


async def test_switched_off(net: Plugged) -> None:
    await net.call("POST", "/dhcp-options", V4)
    await net.change("/logical-switches/a", dhcpv4_options="v4")
    await net.change("/logical-switch-ports/a1", dhcp=False)
    found = await refused(net, **discovery())
    assert "it is switched off" in found["text"]
    await allow(net, found, **discovery())


async def test_no_address_there(net: Plugged) -> None:
    body = {"name": "other", "cidr": "192.0.2.0/24", "dhcpv4": {"routers": ["192.0.2.1"]}}
    await net.call("POST", "/dhcp-options", body)
    await net.change("/logical-switch-ports/a1", dhcpv4_options="other")
    found = await refused(net, **discovery())
    assert "has no address in 192.0.2.0/24, which other is for" in found["text"]


@pytest.mark.parametrize("secured", [False, True])
async def test_another_mac_address(net: Plugged, secured: bool) -> None:
    await net.call("POST", "/dhcp-options", V4)
    values: dict[str, Any] = {"dhcpv4_options": "v4"}
    if secured:
        values["port_security"] = ["0a:00:00:00:01:01 10.1.0.11"]
    await net.change("/logical-switch-ports/a1", **values)
    found = await refused(net, **discovery("0a:00:00:00:0f:0f"))
    kind = "port-security" if secured else "dhcp"
    assert first(found)[0] == kind
    assert ("is no MAC address of" in found["text"]) is not secured


@pytest.mark.parametrize("version", [4, 6])
async def test_an_address_that_port_security_forbids(net: Plugged, version: int) -> None:
    """What it would say from there is dropped; so is an answer that goes there.

    That of DHCPv6 goes to the client's link-local address.
    """
    body, asked = (V4, discovery()) if version == 4 else (V6, SOLICITATION)
    useless = {4: "gets to it by a broadcast at most, and is of no use", 6: "is of no use"}[version]
    address, other = {4: ("10.1.0.11", "10.1.0.99"), 6: ("fd01::11", "fd01::99")}[version]
    await net.call("POST", "/dhcp-options", body)
    fields = {
        f"dhcpv{version}_options": f"v{version}",
        "port_security": [f"0a:00:00:00:01:01 {other}"],
    }
    await net.change("/logical-switch-ports/a1", **fields)
    found = await refused(net, **asked)
    assert first(found) == ("port-security", "a1")
    assert found["text"].startswith(
        f"no: the request is answered with {address}, which {useless}: what comes from there is "
        "dropped by port security of logical switch port a1"
    )
    await allow(net, found, **asked)


async def test_dhcpv6(net: Plugged) -> None:
    found = await refused(net, **SOLICITATION)
    assert "options for DHCPv6" in found["text"]
    await net.call("POST", "/dhcp-options", V6)
    await net.change("/logical-switches/a", dhcpv6_options="v6")
    assert (await net.ask(**SOLICITATION))["reachable"]
