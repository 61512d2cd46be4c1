"""Each kind of drop is told by its object, and the change that is proposed helps."""

import pytest

from tests.unit.diagnosis.explain.asking import A_TO_B, allow, first, refused, unknown
from tests.unit.diagnosis.explain.conftest import Plugged

# --- ACLs


@pytest.mark.parametrize("tier", [0, 2])
@pytest.mark.parametrize(
    ("owner", "direction", "match"),
    [
        ("pg:receivers", "to-lport", "outport == @receivers && ip"),
        ("ls:b", "to-lport", 'outport == "b1" && tcp'),
        ("pg:senders", "from-lport", "inport == @senders && ip"),
        ("ls:a", "from-lport", 'inport == "a1" && tcp.dst == 5432'),
    ],
)
@pytest.mark.parametrize("action", ["drop", "reject"])
async def test_acl(
    net: Plugged, owner: str, direction: str, match: str, tier: int, action: str
) -> None:
    await net.acl(owner, direction, 1000, match, tier=tier, name="deny-all", action=action)
    found = await refused(net, **A_TO_B)
    assert first(found) == ("acl", "deny-all")
    kind, _, name = owner.partition(":")
    title = {"pg": "port group", "ls": "logical switch"}[kind]
    verb = {"drop": "dropped", "reject": "rejected"}[action]
    assert found["text"] == (
        f"no: the request is {verb} by ACL deny-all ({direction}, tier {tier}, priority 1000) "
        f"of {title} {name}, added by local in revision 2; no ACL of a higher priority allows "
        "tcp/5432 from 10.1.0.11 to 10.2.0.11"
    )
    (operation,) = found["proposal"]["transaction"]["operations"]
    values = operation["values"]
    assert (values["tier"], values["priority"]) == (tier, 1001)
    assert values["action"] == "allow-related"
    await allow(net, found, **A_TO_B)
    others = [{**A_TO_B, "service": "tcp/5433"}, {**A_TO_B, "source": "a2"}]
    for other in others:
        before_and_after = (await net.ask(**other))["reachable"]
        allowed_before = "5432" in match and other["service"] == "tcp/5433"
        from_other_port = direction == "from-lport" and other["source"] == "a2"
        assert before_and_after is (allowed_before or from_other_port), other


@pytest.mark.parametrize("action", ["drop", "reject"])
async def test_an_acl_after_load_balancing(net: Plugged, action: str) -> None:
    fields = {"name": "late", "action": action, "apply_after_lb": True}
    await net.acl("ls:a", "from-lport", 7, 'inport == "a1" && tcp', **fields)
    found = await refused(net, **A_TO_B)
    assert first(found) == ("acl", "late")
    (operation,) = found["proposal"]["transaction"]["operations"]
    assert operation["values"]["apply_after_lb"]
    await allow(net, found, **A_TO_B)


async def test_an_acl_that_changed_names_who_changed_it(net: Plugged) -> None:
    acl = await net.acl("ls:b", "to-lport", 1, "udp", name="was-udp")
    await net.change(f"/acls/{acl}", match="tcp")
    found = await refused(net, **A_TO_B)
    assert "last changed by local in revision 3" in found["text"]


async def test_acls_in_both_directions_take_two_changes(net: Plugged) -> None:
    await net.acl("pg:senders", "from-lport", 5, "inport == @senders && ip", name="out")
    await net.acl("pg:receivers", "to-lport", 5, "outport == @receivers && ip", name="in")
    found = await refused(net, **A_TO_B)
    assert [obstacle["cause"]["name"] for obstacle in found["obstacles"]] == ["out"]
    owners = [
        operation["values"].get("port_group")
        for operation in found["proposal"]["transaction"]["operations"]
    ]
    assert owners == ["senders", "receivers"]
    await allow(net, found, **A_TO_B)


async def test_replies_that_an_acl_drops(net: Plugged) -> None:
    await net.acl("ls:a", "to-lport", 7, 'outport == "a1" && ip4', name="nothing-in")
    found = await refused(net, **A_TO_B)
    assert "no: the reply is dropped by ACL nothing-in" in found["text"]
    await allow(net, found, **A_TO_B)


@pytest.mark.parametrize(("tier", "actions"), [(0, ["update", "create"]), (1, ["create"])])
async def test_where_no_higher_priority_is_left(
    net: Plugged, tier: int, actions: list[str]
) -> None:
    match = "outport == @receivers && ip"
    await net.acl("pg:receivers", "to-lport", 32767, match, name="top", tier=tier)
    found = await refused(net, **A_TO_B)
    operations = found["proposal"]["transaction"]["operations"]
    assert [operation["action"] for operation in operations] == actions
    await allow(net, found, **A_TO_B)
    for other in (
        {"source": "a2"},
        {"service": "tcp/5433"},
        {"service": "udp/5432"},
        {"source": "fd01::11", "destination": "fd02::11"},
    ):
        assert not (await net.ask(**{**A_TO_B, **other}))["reachable"], other


async def test_where_making_room_might_tie(net: Plugged) -> None:
    await net.acl("pg:receivers", "to-lport", 32767, "outport == @receivers && ip", name="top")
    await net.acl("ls:a", "to-lport", 32766, "udp.dst == 9", action="allow")
    found = await refused(net, **A_TO_B)
    assert found["proposal"]["text"][0].startswith("lower the priority of ACL top")
    assert (found["proposal"]["transaction"], found["proposal"]["sufficient"]) == (None, False)


async def test_arp_that_an_acl_drops(net: Plugged) -> None:
    await net.acl("ls:a", "from-lport", 9, "arp", name="no-arp")
    found = await refused(net, **A_TO_B)
    assert "the next hop of a1 is not found: dropped by ACL no-arp" in found["text"]
    await allow(net, found, **A_TO_B)


async def test_a_rejection_that_does_not_find_back(net: Plugged) -> None:
    """Nobody has the source, so a router asks for it in vain to tell it of the rejection."""
    await net.acl("ls:b", "to-lport", 1, "ip", name="reject-all", action="reject")
    question = {"source": "10.1.0.99", "destination": "b1", "inport": "a1"}
    found = await refused(net, **question)
    assert first(found) == ("acl", "reject-all")
    await allow(net, found, **question)


# --- port security


@pytest.mark.parametrize(
    ("source", "target"), [("10.1.0.99", "b1"), ("10.1.0.99", "a2"), ("fd01::99", "b1")]
)
async def test_spoofed_source(net: Plugged, source: str, target: str) -> None:
    secured = ["0a:00:00:00:01:01 10.1.0.11 fd01::11"]
    await net.change("/logical-switch-ports/a1", port_security=secured)
    question = {"source": source, "destination": target, "inport": "a1"}
    found = await refused(net, **question)
    assert first(found) == ("port-security", "a1")
    assert f"it may not send as {source}" in found["text"]
    await allow(net, found, **question)


async def test_spoofed_mac_address(net: Plugged) -> None:
    await net.change("/logical-switch-ports/a1", port_security=["0a:00:00:00:01:01 10.1.0.11"])
    match = (
        'inport == "a1" && eth.src == 0a:00:00:00:01:77 && eth.dst == 0a:00:00:00:01:02 '
        "&& ip4.src == 10.1.0.11 && ip4.dst == 10.1.0.12 && udp.dst == 9 && udp.src == 8"
    )
    found = await refused(net, match=match)
    assert first(found) == ("port-security", "a1")
    await allow(net, found, match=match)


async def test_destination_that_is_not_secured(net: Plugged) -> None:
    await net.change("/logical-switch-ports/b1", port_security=["0a:00:00:00:02:01 10.2.0.12"])
    found = await refused(net, **A_TO_B)
    assert first(found) == ("port-security", "b1")
    assert "it may not receive as 10.2.0.11" in found["text"]
    await allow(net, found, **A_TO_B)


# --- routes


async def test_no_route_there_nor_back(net: Plugged) -> None:
    question = {"source": "a1", "destination": "c1"}
    found = await refused(net, **question)
    assert first(found) == ("no-route", "r1")
    assert (
        "logical router r1, added by local in revision 1, has no route to 10.3.0.11"
        in (found["text"])
    )
    routes = [each["values"] for each in found["proposal"]["transaction"]["operations"]]
    assert routes == [
        {"logical_router": "r1", "ip_prefix": "10.3.0.11/32", "nexthop": "10.9.0.2"},
        {"logical_router": "r2", "ip_prefix": "10.1.0.11/32", "nexthop": "10.9.0.1"},
    ]
    await allow(net, found, **question)


async def test_where_the_router_leads_is_told(net: Plugged) -> None:
    """Of the family and the table that are asked about, and not without end."""
    routes = "/logical-routers/r1/static-routes"
    for number in range(9):
        route = {"ip_prefix": f"192.0.2.{number}/32", "nexthop": "10.9.0.7"}
        await net.call("POST", routes, route)
    await net.call("POST", routes, {"ip_prefix": "2001:db8::/32", "nexthop": "fd09::7"})
    guests = {"ip_prefix": "198.51.100.0/24", "nexthop": "10.9.0.8", "route_table": "guests"}
    await net.call("POST", routes, guests)
    networks = "it leads to 10.1.0.0/24, 10.2.0.0/24, 10.9.0.0/24"
    found = await refused(net, source="a1", destination="10.77.0.1")
    by = ", ".join(f"192.0.2.{number}/32 by 10.9.0.7" for number in range(5))
    assert found["text"].endswith(f"has no route to 10.77.0.1; {networks}, {by} and 4 more")
    await net.change("/logical-router-ports/r1-a", route_table="guests")
    found = await refused(net, source="a1", destination="10.77.0.1")
    by = "198.51.100.0/24 by 10.9.0.8, by its route table guests"
    assert found["text"].endswith(f"has no route to 10.77.0.1; {networks}, {by}")
    found = await refused(net, source="fd01::11", destination="2001:db8:9::1")
    assert "it leads to fd01::/64, fd02::/64, fd09::/64" in found["text"]


async def test_no_route_in_ipv6(net: Plugged) -> None:
    question = {"source": "fd01::11", "destination": "fd03::11"}
    await allow(net, await refused(net, **question), **question)


async def test_no_route_to_where_no_router_leads(net: Plugged) -> None:
    found = await refused(net, source="a1", destination="192.0.2.1")
    assert first(found) == ("no-route", "r1")
    assert found["proposal"]["transaction"] is None
    assert not found["proposal"]["sufficient"]


@pytest.mark.parametrize("prefix", ["10.3.0.0/24", "10.3.0.11/32"])
async def test_discarded(net: Plugged, prefix: str) -> None:
    for router, to, hop in (("r1", "10.3.0.0/16", "10.9.0.2"), ("r2", "10.1.0.0/16", "10.9.0.1")):
        body = {"ip_prefix": to, "nexthop": hop}
        await net.call("POST", f"/logical-routers/{router}/static-routes", body)
    question = {"source": "a1", "destination": "c1"}
    assert (await net.ask(**question))["reachable"]
    body = {"ip_prefix": prefix, "nexthop": "discard"}
    await net.call("POST", "/logical-routers/r1/static-routes", body)
    found = await refused(net, **question)
    assert first(found)[0] == "discarded"
    assert f"static route {prefix.removesuffix('/32')}" in found["text"]
    await allow(net, found, **question)


@pytest.mark.parametrize(("priority", "helps"), [(7, "a policy of priority 8"), (32767, "delete")])
async def test_a_policy(net: Plugged, priority: int, helps: str) -> None:
    """The two addresses are excepted; where no priority is left, the policy has to go."""
    body = {"priority": priority, "match": "ip4.src == 10.1.0.0/24", "action": "drop"}
    await net.call("POST", "/logical-routers/r1/policies", body)
    found = await refused(net, **A_TO_B)
    assert first(found)[0] == "policy"
    assert (
        f"dropped by router policy (priority {priority}, ip4.src == 10.1.0.0/24)" in (found["text"])
    )
    assert helps in found["text"] + str(found["proposal"])
    await allow(net, found, **A_TO_B)
    assert (await net.ask(**{**A_TO_B, "source": "a2"}))["reachable"] is (helps == "delete")


async def test_too_big_for_the_network_beyond(net: Plugged) -> None:
    """The router port that it would leave by is named, with the size that passes."""
    await net.change("/logical-router-ports/r1-b", gateway_mtu=1400)
    assert (await net.ask(**A_TO_B, length=1414))["reachable"]
    found = await refused(net, **A_TO_B, length=1415)
    assert first(found) == ("too-big", "r1")
    (obstacle,) = found["obstacles"]
    assert "tell workloads an MTU of 1400" in obstacle["remedy"]["text"]
    assert "gateway_mtu of logical router port r1-b" in obstacle["remedy"]["text"]
    assert not found["proposal"]["sufficient"]
    assert found["proposal"]["transaction"] is None
    await net.change("/logical-router-ports/r1-b", gateway_mtu=1401)
    assert (await net.ask(**A_TO_B, length=1415))["reachable"]


async def test_which_of_several_next_hops_is_not_known(net: Plugged) -> None:
    """One of them leads there, the other doesn't: which one it is a switch decides."""
    for router, to, hop in (
        ("r1", "10.3.0.0/16", "10.9.0.2"),
        ("r1", "10.3.0.0/16", "10.2.0.11"),
        ("r2", "10.1.0.0/16", "10.9.0.1"),
    ):
        body = {"ip_prefix": to, "nexthop": hop}
        await net.call("POST", f"/logical-routers/{router}/static-routes", body)
    found = await unknown(net, source="a1", destination="c1")
    assert "one of several next hops" in found["text"]


# --- time to live, admission: the packet is what has to change


def frame(**fields: str) -> str:
    """A UDP packet of `a1` to `b1` as a match; a field given as "" is left out."""
    values = {
        "inport": '"a1"',
        "eth.src": "0a:00:00:00:01:01",
        "eth.dst": "0a:00:00:01:00:01",
        "ip4.src": "10.1.0.11",
        "ip4.dst": "10.2.0.11",
        "ip.ttl": "64",
        "udp.src": "5000",
        "udp.dst": "53",
        **{name.replace("_", "."): value for name, value in fields.items()},
    }
    return " && ".join(f"{name} == {value}" for name, value in values.items() if value)


async def test_the_frame_as_it_should_be_passes(net: Plugged) -> None:
    assert (await net.ask(match=frame()))["reachable"]


@pytest.mark.parametrize("ttl", ["0", "1"])
async def test_time_to_live(net: Plugged, ttl: str) -> None:
    found = await refused(net, match=frame(ip_ttl=ttl))
    assert first(found) == ("ttl", "r1")
    assert f"its time to live is over, it came there with {ttl}" in found["text"]
    assert "ip.ttl == 2" in found["proposal"]["packet"]
    await allow(net, found, match=frame(ip_ttl=ttl))


def frame6(**fields: str) -> str:
    """The same over IPv6."""
    return frame(
        **{"ip4_src": "", "ip4_dst": "", "ip6_src": "fd01::11", "ip6_dst": "fd02::11", **fields}
    )


@pytest.mark.parametrize("ttl", ["0", "1"])
@pytest.mark.parametrize(
    "sender",
    [
        {"ip6_src": "fd01::11"},
        {"ip6_src": "fd0a::11"},
        {"ip6_src": "fd77::11"},
        {"ip6_src": "fd01::11", "ip_frag": "3", "udp_src": "", "udp_dst": "", "ip_proto": "17"},
    ],
    ids=["first network", "second network", "another network", "later fragment"],
)
async def test_hop_limit(net: Plugged, sender: dict[str, str], ttl: str) -> None:
    networks = ["10.1.0.1/24", "fd01::1/64", "fd0a::1/64"]
    await net.change("/logical-router-ports/r1-a", networks=networks)
    match = frame6(**sender, ip_ttl=ttl)
    found = await refused(net, match=match, destination="b1")
    assert first(found) == ("ttl", "r1")
    assert f"its time to live is over, it came there with {ttl}" in found["text"]
    assert "ip.ttl == 2" in found["proposal"]["packet"]


async def test_more_time_to_live_does_not_help_link_local_senders(net: Plugged) -> None:
    """What they send stays on its link."""
    match = frame6(ip6_src="fe80::800:ff:fe00:101", ip_ttl="1")
    found = await refused(net, match=match, destination="b1")
    assert first(found) == ("ttl", "r1")
    proposal = found["proposal"]
    assert proposal is None or "ip.ttl == 2" not in proposal["packet"]
    match = frame6(ip6_src="fe80::800:ff:fe00:101")
    found = await refused(net, match=match, destination="b1")
    assert "link-local addresses stay on their link" in found["text"]


async def test_an_acl_behind_the_router_where_time_to_live_ends(net: Plugged) -> None:
    await net.acl("ls:b", "to-lport", 1, "ip", name="deny")
    found = await refused(net, match=frame(ip_ttl="1"), destination="b1")
    assert first(found) == ("ttl", "r1")
    assert "ip.ttl == 64" in found["proposal"]["packet"]
    assert "add an ACL to logical switch b" in found["proposal"]["text"][1]
    await allow(net, found, match=frame(ip_ttl="1"), destination="b1")


async def test_no_time_to_live_is_enough_for_a_loop(net: Plugged) -> None:
    for router, hop in (("r1", "10.9.0.2"), ("r2", "10.9.0.1")):
        body = {"ip_prefix": "192.0.2.0/24", "nexthop": hop}
        await net.call("POST", f"/logical-routers/{router}/static-routes", body)
    found = await refused(net, match=frame(ip4_dst="192.0.2.1", ip_ttl="9"))
    assert first(found)[0] == "ttl"
    assert not found["proposal"]["sufficient"]


@pytest.mark.parametrize("family", [4, 6])
async def test_time_to_live_that_ends_at_the_second_router(net: Plugged, family: int) -> None:
    for router, to, hop in (
        ("r1", "10.3.0.0/16", "10.9.0.2"),
        ("r2", "10.1.0.0/16", "10.9.0.1"),
        ("r1", "fd03::/64", "fd09::2"),
        ("r2", "fd01::/64", "fd09::1"),
    ):
        body = {"ip_prefix": to, "nexthop": hop}
        await net.call("POST", f"/logical-routers/{router}/static-routes", body)
    make, target = {4: (frame, {"ip4_dst": "10.3.0.11"}), 6: (frame6, {"ip6_dst": "fd03::11"})}[
        family
    ]
    match = make(**target, ip_ttl="2")
    found = await refused(net, match=match, destination="c1")
    assert first(found) == ("ttl", "r2")
    assert "ip.ttl == 3" in found["proposal"]["packet"]
    await allow(net, found, match=match, destination="c1")


@pytest.mark.parametrize(
    ("changed", "why", "fixed"),
    [
        (
            {"eth_src": "01:00:5e:00:00:01"},
            "the source MAC address 01:00:5e:00:00:01 is a multicast one",
            "eth.src == 0a:00:00:00:01:01",
        ),
        ({"vlan_tci": "0x1005"}, "frames with a VLAN tag are not admitted", "eth.dst"),
    ],
)
async def test_admission(net: Plugged, changed: dict[str, str], why: str, fixed: str) -> None:
    found = await refused(net, match=frame(**changed))
    assert first(found) == ("admission", "a")
    assert why in found["text"]
    assert fixed in found["proposal"]["packet"]
    assert "vlan" not in found["proposal"]["packet"]
    await allow(net, found, match=frame(**changed))


async def test_wrong_destination_mac_address(net: Plugged) -> None:
    wrong = frame(eth_dst="0a:00:00:00:00:99")
    found = await refused(net, match=wrong)
    assert first(found) == ("unknown-destination", "a")
    assert "no port of logical switch a has the MAC address 0a:00:00:00:00:99" in found["text"]
    assert "eth.dst == 0a:00:00:01:00:01" in found["proposal"]["packet"]
    await allow(net, found, match=wrong)


async def test_a_router_port_takes_frames_for_its_own_mac_address(net: Plugged) -> None:
    wrong = frame(inport='"r1-a"', eth_dst="0a:00:00:00:00:99")
    found = await refused(net, match=wrong)
    assert first(found) == ("admission", "r1-a")
    assert "eth.dst == 0a:00:00:01:00:01" in found["proposal"]["packet"]
    await allow(net, found, match=wrong)


# --- destinations that nobody has


@pytest.mark.parametrize(
    ("destination", "switch"),
    [("10.1.0.77", "a"), ("10.2.0.77", "b"), ("fd02::77", "b")],
)
async def test_unknown_destination(net: Plugged, destination: str, switch: str) -> None:
    question = {"source": "a1", "destination": destination}
    found = await refused(net, **question)
    assert first(found) == ("unknown-destination", switch)
    (operation,) = found["proposal"]["transaction"]["operations"]
    name = operation["values"]["name"]
    assert operation["values"]["logical_switch"] == switch
    assert found["proposal"]["commands"] == [
        f"ovs-vsctl set Interface INTERFACE external_ids:iface-id={name}"
    ]
    await net.call("POST", "/transactions", found["proposal"]["transaction"])
    net.plug(name, "hv2")
    assert (await net.ask(**question))["reachable"]


async def test_a_port_without_an_address(net: Plugged) -> None:
    await net.call("POST", "/logical-switches/b/ports", {"name": "bare"})
    net.plug("bare", "hv2")
    question = {"source": "a1", "destination": "bare"}
    found = await refused(net, **question)
    assert first(found) == ("unknown-destination", "bare")
    await allow(net, found, **question)


async def test_a_source_that_another_port_has(net: Plugged) -> None:
    found = await refused(net, source="10.1.0.12", destination="b1", inport="a1")
    assert first(found) == ("other", "a2")
    assert "the reply is delivered to logical switch port a2" in found["text"]
    assert found["proposal"] is None


async def test_a_switch_that_leads_nowhere(net: Plugged) -> None:
    await net.call("DELETE", "/logical-switch-ports/a-r1")
    found = await refused(net, **A_TO_B)
    assert first(found) == ("unattached", "a")
    assert not found["proposal"]["sufficient"]


# --- what is disabled


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("logical-switch-ports/a1", "logical_switch_port"),
        ("logical-switch-ports/b1", "logical_switch_port"),
        ("logical-switch-ports/a-r1", "logical_switch_port"),
        ("logical-switch-ports/b-r1", "logical_switch_port"),
        ("logical-router-ports/r1-a", "logical_router_port"),
        ("logical-router-ports/r1-b", "logical_router_port"),
        ("logical-routers/r1", "logical_router"),
    ],
)
async def test_disabled(net: Plugged, path: str, kind: str) -> None:
    await net.change(f"/{path}", enabled=False)
    name = path.partition("/")[2]
    found = await refused(net, **A_TO_B)
    assert {obstacle["cause"]["kind"] for obstacle in found["obstacles"]} == {kind}
    assert first(found) == ("disabled", name)
    assert f"{name}, last changed by local in revision 2" in found["text"]
    assert found["proposal"]["transaction"]["operations"] == [
        {"action": "update", "kind": kind, "ref": name, "values": {"enabled": True}}
    ]
    await allow(net, found, **A_TO_B)


async def test_a_disabled_neighbour(net: Plugged) -> None:
    await net.change("/logical-switch-ports/a2", enabled=False)
    question = {"source": "a1", "destination": "a2"}
    found = await refused(net, **question)
    assert first(found) == ("disabled", "a2")
    await allow(net, found, **question)


# --- routers


async def test_a_router_takes_no_connections(net: Plugged) -> None:
    found = await refused(net, source="a1", destination="r1-b", service="tcp/22")
    assert first(found) == ("router", "r1-b")
    assert found["proposal"] is None


NO_PORTS = {"udp_src": "", "udp_dst": "", "ip_ttl": ""}


@pytest.mark.parametrize(
    ("match", "why"),
    [
        (
            frame(eth_dst="01:00:5e:00:00:05", ip4_dst="224.0.0.5"),
            "multicast and broadcast stay where they are",
        ),
        (frame(ip4_src="127.0.0.1"), "no network has packets from 127.0.0.1 to 10.2.0.11"),
        (frame6(ip6_dst="::1"), "no network has packets from fd01::11 to ::1 for another"),
        (frame(ip4_src="10.2.0.1"), "its own address is the source, 10.2.0.1 with MAC"),
        (frame6(ip6_src="fd02::1"), "its own address is the source, fd02::1 with MAC"),
        (frame(ip4_src="10.2.0.255"), "a broadcast address is the source, 10.2.0.255"),
        (
            frame(ip4_src="", ip4_dst="", **NO_PORTS, arp_op="1", arp_tpa="10.2.0.11"),
            "ARP and neighbour discovery stay where they are",
        ),
    ],
)
async def test_what_no_router_forwards(net: Plugged, match: str, why: str) -> None:
    found = await refused(net, match=match, destination="b1")
    assert first(found) == ("router", "r1")
    assert f"not forwarded by logical router r1: {why}" in found["text"]
    assert found["proposal"] is None


async def test_nothing_is_changed_by_asking(net: Plugged) -> None:
    await net.acl("pg:receivers", "to-lport", 3, "outport == @receivers && ip")
    before = await net.call("GET", "/revisions")
    await refused(net, **A_TO_B)
    assert await net.call("GET", "/revisions") == before
    assert (await net.call("GET", "/status/differences"))["differences"] == []


async def test_a_router_without_the_address_family_is_no_next_hop(net: Plugged) -> None:
    await net.change("/logical-router-ports/r1-a", networks=["10.1.0.1/24"])
    found = await refused(net, source="fd01::11", destination="fd02::11")
    assert first(found) == ("unattached", "a")
    assert "leads to no router with IPv6" in found["text"]


async def test_acls_of_one_priority_that_nothing_orders(net: Plugged) -> None:
    """One lets through; the other lets go on to the next tier, where all is dropped."""
    match = "outport == @receivers && tcp"
    await net.acl("pg:receivers", "to-lport", 9, f"{match}.dst == 5432", name="x", action="allow")
    await net.acl("pg:receivers", "to-lport", 9, match, name="y", action="pass")
    await net.acl("pg:receivers", "to-lport", 9, match, name="z", action="drop", tier=1)
    found = await unknown(net, **A_TO_B)
    assert "it is not defined which of ACL " in found["text"]
    for name in ("x", "y"):
        assert f"ACL {name} (to-lport, tier 0, priority 9)" in found["text"]
    assert "they have the same priority and both fit" in found["text"]
    other = await refused(net, **{**A_TO_B, "service": "tcp/5433"})
    assert first(other) == ("acl", "z")
