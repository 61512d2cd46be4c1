"""Flows of ports, tunnels, groups and learned addresses, shown by name."""

from collections.abc import Iterable
from ipaddress import IPv4Address, ip_address

import pytest

from chassis_agent.bridge.limits import ACTION_BYTES, RESUBMITS, TUNNEL_OUTPUT_BYTES
from chassis_agent.desired.flow import Flow
from chassis_agent.physical import (
    Side,
    Tunnel,
    Zones,
    copy_flows,
    external_flows,
    fdb_flows,
    group_flows,
    ingress_flows,
    interface_flows,
    link_here_flows,
    narrow_tunnel_flows,
    neighbour_flows,
    patch_flows,
    remote_flows,
    router_flows,
)
from chassis_agent.physical.multicast import BUDGET, FORK, Reach
from chassis_agent.show import Names, format_flow

NAMES = Names(
    stages={
        ("ls", 8): "ls_in_first",
        ("ls", 88): "ls_out_first",
        ("lr", 9): "lr_in_first",
        ("lr", 90): "lr_out_first",
    },
    kinds={5: "ls", 6: "lr"},
    datapaths={5: "web", 6: "core"},
    ports={(5, 1): "web-1", (5, 2): "web-2", (5, 3): "web-to-core", (6, 1): "core-to-web"},
    interfaces={10: "geneve", 11: "tap1"},
    zones={7: "zone-1", 8: "zone-dnat", 9: "zone-snat"},
)
WEB_1 = Side(5, 1, Zones(port=7), first_ingress=8, first_egress=88)
WEB_TO_CORE = Side(5, 3, Zones(), first_ingress=8, first_egress=88)
CORE_TO_WEB = Side(6, 1, Zones(dnat=8, snat=9), first_ingress=9, first_egress=90)
REACH = Reach(local=9, patch=50)
OTHER = Tunnel(10, ip_address("192.0.2.2"))
CLEAR = "set(xxreg0=0x0),set(xxreg1=0x0),set(xreg4=0x0)"
ENCAPSULATE = (
    "set(tun_id=web),move(outport[0..15]->tun_metadata0[0..15]),"
    "move(inport[0..14]->tun_metadata0[16..30])"
)


def shown(flows: Iterable[Flow]) -> list[str]:
    return [format_flow(flow, NAMES) for flow in flows]


def test_a_port_with_an_interface() -> None:
    enter, *shares, loopback, deliver, leave = shown(interface_flows(WEB_1, 11, cookie=1))
    assert enter == (
        "table=physical_to_logical priority=100 in_port=tap1 actions=set(flags=0xb00),"
        "set(port_zone=zone-1),set(datapath=web),set(inport=web-1),set(in_port=none),resubmit(ls_in_first)"
    )
    assert shares == [
        f"table={table}_share priority=100 flags=0xb00/0xffff00 actions=meter({meter}share_11)"
        for table, meter in (("punt", ""), ("log", "log_"))
    ]
    assert loopback == (
        "table=output priority=100 datapath=web,inport=web-1,outport=web-1,flags=0x0/0x1 "
        "actions=drop"
    )
    assert deliver == (
        "table=output priority=50 datapath=web,outport=web-1 actions=ct_clear,"
        f"set(port_zone=zone-1),{CLEAR},resubmit(ls_out_first)"
    )
    assert leave == (
        "table=logical_to_physical priority=50 datapath=web,outport=web-1 actions=output(tap1)"
    )


def test_a_patch_port_leads_to_the_peer_with_the_packet_and_its_mark() -> None:
    *_, leave = shown(patch_flows(WEB_TO_CORE, CORE_TO_WEB, cookie=1))
    assert leave == (
        "table=logical_to_physical priority=50 datapath=web,outport=web-to-core "
        f"actions=clone(ct_clear,{CLEAR},set(flags=0x0/0xff0000ff),set(dnat_zone=0),"
        "set(snat_zone=0),set(port_zone=0),set(dnat_zone=zone-dnat),set(snat_zone=zone-snat),"
        "set(datapath=core),set(inport=core-to-web),set(outport=0),resubmit(lr_in_first))"
    )


def test_a_link_of_another_chassis_is_taken_here_by_what_says_so() -> None:
    loopback, deliver, leave = shown(link_here_flows(WEB_TO_CORE, CORE_TO_WEB, cookie=1))
    here = "datapath=web,outport=web-to-core,flags=0x4000000/0x4000000"
    assert loopback == (
        "table=output priority=100 datapath=web,inport=web-to-core,outport=web-to-core,"
        "flags=0x4000000/0x4000000 actions=drop"
    )
    assert deliver == (
        f"table=output priority=60 {here} actions=ct_clear,{CLEAR},resubmit(ls_out_first)"
    )
    assert [leave] == shown(patch_flows(WEB_TO_CORE, CORE_TO_WEB, cookie=1))[-1:]


def test_a_port_elsewhere_is_tunnelled_to_unless_the_packet_came_so() -> None:
    assert shown(remote_flows(5, 2, [OTHER], cookie=1)) == [
        (
            "table=output priority=50 datapath=web,outport=web-2,flags=0x0/0x80000000 "
            f"actions={ENCAPSULATE},set(tun_dst=192.0.2.2),output(geneve)"
        )
    ]


def test_an_external_port_is_reached_from_here_unless_the_packet_says_otherwise() -> None:
    """What has to leave by the chassis in charge goes there, and goes on here where this is it."""
    here = shown(external_flows(WEB_1, 3, [], cookie=1))
    elsewhere = shown(external_flows(WEB_1, 3, [OTHER], cookie=1))
    assert [each for each in elsewhere if each not in here] == [
        (
            "table=output priority=60 datapath=web,outport=web-1,flags=0x8000000/0x88000000 "
            f"actions={ENCAPSULATE},set(tun_dst=192.0.2.2),output(geneve)"
        )
    ]


def test_a_tunnel_of_its_own_needs_no_destination() -> None:
    (text,) = shown(remote_flows(5, 2, [Tunnel(10, None)], cookie=1))
    assert text.endswith(f"actions={ENCAPSULATE},output(geneve)")


def test_tunnels_are_entered_over_ipv6_too() -> None:
    (text,) = shown(remote_flows(5, 2, [Tunnel(10, ip_address("2001:db8::2"))], cookie=1))
    assert text.endswith("set(tun_ipv6_dst=2001:db8::2),output(geneve)")


def test_only_known_chassis_are_listened_to() -> None:
    remotes = [ip_address("2001:db8::2"), ip_address("192.0.2.2"), ip_address("192.0.2.2")]
    first, second = shown(ingress_flows([10], remotes, cookie=1))
    decapsulate = (
        "move(tun_id[0..23]->datapath[0..23]),move(tun_metadata0[16..30]->inport[0..14]),"
        "move(tun_metadata0[0..15]->outport[0..15]),set(flags=0x80ff0000),"
        "move(tun_metadata0[31]->flags[29]),move(inport[0..3]->flags[8..11]),set(in_port=none),"
        "resubmit(output)"
    )
    start = "table=physical_to_logical priority=100 in_port=geneve"
    assert first == f"{start},tun_src=192.0.2.2 actions={decapsulate}"
    assert second == f"{start},tun_ipv6_src=2001:db8::2 actions={decapsulate}"


def test_a_group_copies_here_and_once_to_each_chassis() -> None:
    from_tunnel, from_here = shown(
        group_flows(5, 0x8000, local=[2, 1], patch=[3], remote=[OTHER], reach=REACH, cookie=1).flows
    )
    copies = {
        name: f"clone(set(outport={name}),resubmit(output))"
        for name in ("web-1", "web-2", "web-to-core")
    }
    start = "table=output priority=50 datapath=web,outport=_MC_flood,flags"
    assert from_tunnel == (
        f"{start}=0x80000000/0x80000000 actions={copies['web-1']},{copies['web-2']}"
    )
    assert from_here == (
        f"{start}=0x0/0x80000000 actions=clone({ENCAPSULATE},set(tun_dst=192.0.2.2),"
        f"output(geneve)),{copies['web-to-core']},{copies['web-1']},{copies['web-2']}"
    )


def test_a_group_without_members_here_takes_nothing_from_tunnels() -> None:
    (text,) = shown(
        group_flows(5, 0x8000, local=[], patch=[], remote=[OTHER], reach=REACH, cookie=1).flows
    )
    assert "flags=0x0/0x80000000" in text


def test_a_copy_for_a_port_that_moves_stays_here() -> None:
    """Its other places have copies as members; the one that is here sends them no more."""
    found = group_flows(
        5, 0x8000, local=[2], moving=[1], patch=[], remote=[OTHER], reach=REACH, cookie=1
    ).flows
    for text in shown(found):
        assert "clone(set(flags[31]=0x1),set(outport=web-1),resubmit(output))" in text
        assert "clone(set(outport=web-2),resubmit(output))" in text


def test_a_wide_group_is_dealt_out_in_parts_that_stay_below_the_resubmits_allowed() -> None:
    members = range(1, 2001)
    flows = group_flows(
        5, 0x8000, local=members, patch=[2001], remote=[OTHER], reach=REACH, cookie=1
    ).flows
    from_tunnel, from_here, *parts = shown(flows)
    assert all(text.startswith("table=multicast_rest ") for text in parts)
    assert all(f"reg9={number} " in text for number, text in enumerate(parts, 1))
    for text in parts[:-1]:
        assert text.count("clone(") * REACH.local <= BUDGET < RESUBMITS
    assert sum(text.count("clone(") for text in parts) == len(members) + 1
    assert "set(outport=2001)" in parts[-1].replace("0x7d1", "2001")
    forks = [f"set(reg9={number}),group({FORK})" for number in range(1, len(parts) + 1)]
    assert from_tunnel.endswith(f"actions={','.join(forks[:-1])}")
    assert from_here.endswith(f"output(geneve)),{','.join(forks)}")


def test_what_comes_from_a_tunnel_is_not_split_for_those_who_do_not_get_it() -> None:
    patches = range(10, 400)
    from_tunnel, from_here, *parts = shown(
        group_flows(5, 0x8000, local=[1, 2], patch=patches, remote=[], reach=REACH, cookie=1).flows
    )
    assert from_tunnel.count("clone(") == 2
    assert "group(" not in from_tunnel
    assert from_here.count("group(") == len(parts)
    assert sum(text.count("clone(") for text in parts) == len(patches) + 2
    assert all(text.count("clone(") * REACH.patch <= BUDGET for text in parts[1:])


def test_many_tunnels_are_dealt_out_by_the_bytes_that_an_output_takes() -> None:
    remote = [Tunnel(10, IPv4Address("192.0.2.0") + number) for number in range(200)]
    (first, *parts) = shown(
        group_flows(5, 0x8000, local=[], patch=[], remote=remote, reach=REACH, cookie=1).flows
    )
    counts = [text.count("output(geneve)") for text in (first, *parts)]
    assert sum(counts) == len(remote)
    assert max(counts) * TUNNEL_OUTPUT_BYTES <= ACTION_BYTES // 2
    assert all(text.count("move(outport") == 1 for text in (first, *parts))


def test_a_group_with_more_members_than_a_flow_can_name_parts_is_refused() -> None:
    with pytest.raises(ValueError, match="too many members"):
        group_flows(
            5, 0x8000, local=range(1, 2100), patch=[], remote=[], reach=Reach(2048, 1), cookie=1
        )


def test_a_neighbour_is_got_and_recognised() -> None:
    mac = bytes.fromhex("0a0000000001")
    assert shown(neighbour_flows(6, 1, ip_address("10.0.0.1"), mac, cookie=1)) == [
        (
            "table=arp_get priority=100 datapath=core,outport=core-to-web,reg0=167772161 "
            "actions=set(eth_dst=0a:00:00:00:00:01),set(flags[30]=0x1)"
        ),
        (
            "table=arp_lookup priority=100 datapath=core,inport=core-to-web,"
            "eth_src=0a:00:00:00:00:01,reg0=167772161 actions=set(flags[30]=0x1)"
        ),
    ]
    tables = {flow.table for flow in neighbour_flows(6, 1, ip_address("::1"), mac, cookie=1)}
    assert {NAMES.table(table, 6) for table in tables} == {"nd_get", "nd_lookup"}


def test_a_learned_address_is_found_and_recognised() -> None:
    assert shown(fdb_flows(5, 1, bytes.fromhex("0a0000000001"), cookie=1)) == [
        (
            "table=fdb_get priority=100 datapath=web,eth_dst=0a:00:00:00:00:01 "
            "actions=set(outport=web-1)"
        ),
        (
            "table=fdb_lookup priority=100 datapath=web,inport=web-1,eth_src=0a:00:00:00:00:01 "
            "actions=set(flags[30]=0x1)"
        ),
    ]


def test_frames_for_a_narrow_tunnel_are_measured_first() -> None:
    narrow = OTHER._replace(largest=1356)
    (text,) = shown(remote_flows(5, 2, [narrow], cookie=1))
    assert "set(reg0=1342)" in text
    assert "check_pkt_larger(1356)->" in text
    assert "geneve" not in text
    (wide,) = shown(remote_flows(5, 2, [OTHER], cookie=1))
    assert "check_pkt_larger" not in wide


def test_what_is_too_big_for_a_tunnel_is_answered_if_it_is_ip_and_else_dropped() -> None:
    answered4, answered6, other, fits = shown(narrow_tunnel_flows(10, cookie=1))
    for text in (answered4, answered6):
        assert "tunnel_too_big" in text
        assert "geneve" not in text
    assert "tunnel_too_big" not in other
    assert "geneve" not in other
    assert "geneve" in fits
    for text in shown(router_flows(6, 9, cookie=1)):
        assert "core" in text
        assert "tunnel_too_big" in text


def test_copies_for_a_narrow_tunnel_are_measured_apart() -> None:
    """What is too big for it is delivered here nevertheless."""
    narrow = OTHER._replace(largest=1356)
    (text,) = shown(copy_flows(WEB_1, [narrow], cookie=1))
    copy, delivery = text.split("resubmit(tunnel_output))")
    assert "check_pkt_larger(1356)->" in copy
    assert "ls_out_first" in delivery
