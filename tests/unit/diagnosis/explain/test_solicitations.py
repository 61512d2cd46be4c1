"""Why a host that looks for routers gets no advertisement, and what would change that."""

from typing import Any

import pytest

from tests.unit.diagnosis.explain.asking import allow, first, refused
from tests.unit.diagnosis.explain.conftest import Plugged

ASKED = {
    "inport": "a1",
    "match": "eth.src == 0a:00:00:00:01:01 && eth.dst == 33:33:00:00:00:02 && "
    "ip6.src == fe80::800:ff:fe00:101 && ip6.dst == ff02::2 && ip.ttl == 255 "
    "&& icmp6.type == 133 && icmp6.code == 0",
}
PORT = "/logical-router-ports/r1-a"


def operation(found: Any) -> Any:
    (only,) = found["proposal"]["transaction"]["operations"]
    return only


@pytest.mark.parametrize("is_alone", [False, True])
async def test_a_router_port_that_tells_nothing(net: Plugged, is_alone: bool) -> None:
    """Whether or not another workload gets the question."""
    if is_alone:
        await net.call("DELETE", "/logical-switch-ports/a2")
    found = await refused(net, **ASKED)
    assert first(found) == ("unadvertised", "r1-a")
    assert "not answered by a router: logical router port r1-a, added by local" in found["text"]
    assert operation(found)["values"] == {"ipv6_ra": {"address_mode": "slaac"}}
    await allow(net, found, **ASKED)


async def test_a_server_of_dhcpv6_gives_addresses(net: Plugged) -> None:
    await net.call("POST", "/dhcp-options", {"name": "v6", "cidr": "fd01::/64"})
    found = await refused(net, **ASKED)
    assert operation(found)["values"] == {"ipv6_ra": {"address_mode": "dhcpv6_stateful"}}
    await allow(net, found, **ASKED)


async def test_prefixes_of_which_hosts_make_no_addresses(net: Plugged) -> None:
    await net.change(PORT, networks=["10.1.0.1/24", "fd01::1/80"])
    assert (await refused(net, **ASKED))["proposal"] is None
    await net.change(PORT, networks=["10.1.0.1/24"])
    found = await refused(net, **ASKED)
    assert (first(found), found["proposal"]) == (("unadvertised", "r1-a"), None)


async def test_a_switch_without_a_router(net: Plugged) -> None:
    await net.call("DELETE", "/logical-switch-ports/a-r1")
    found = await refused(net, **ASKED)
    assert first(found) == ("unadvertised", "a")
    assert "not answered by a router: logical switch a leads to none" in found["text"]


async def test_one_that_advertises_answers(net: Plugged) -> None:
    await net.change(PORT, ipv6_ra={"address_mode": "slaac"})
    found = await net.ask(**ASKED)
    assert found["answer"] == "yes", found["text"]
    assert "answered by the network itself" in str(found)


@pytest.mark.parametrize("path", [PORT, "/logical-routers/r1"])
async def test_one_that_is_disabled_does_not(net: Plugged, path: str) -> None:
    await net.change(PORT, ipv6_ra={"address_mode": "slaac"})
    await net.change(path, enabled=False)
    found = await refused(net, **ASKED)
    assert first(found) == ("disabled", path.rpartition("/")[2])
    await allow(net, found, **ASKED)


async def test_acls_keep_nobody_from_looking_for_routers(net: Plugged) -> None:
    await net.acl("ls:a", "from-lport", 7, 'inport == "a1"', name="closed")
    await net.acl("ls:a", "to-lport", 7, 'outport == "a1"', name="silent")
    assert first(await refused(net, **ASKED)) == ("unadvertised", "r1-a")
    await net.change(PORT, ipv6_ra={"address_mode": "slaac"})
    assert (await net.ask(**ASKED))["answer"] == "yes"


async def test_port_security_comes_before_routers(net: Plugged) -> None:
    await net.change("/logical-switch-ports/a1", port_security=["0a:00:00:00:01:77"])
    found = await refused(net, **ASKED)
    assert first(found) == ("port-security", "a1")
    values = [each["values"] for each in found["proposal"]["transaction"]["operations"]]
    assert values[1:] == [{"ipv6_ra": {"address_mode": "slaac"}}], "what is behind it is told, too"
    await allow(net, found, **ASKED)
