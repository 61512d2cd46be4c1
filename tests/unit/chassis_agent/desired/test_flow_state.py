"""From rows and facts to flow changes, on a network of two switches and a router."""

import random
from ipaddress import ip_address

import pytest

from chassis_agent import tables
from chassis_agent.compile import ConjunctionIds
from chassis_agent.desired.flow import Flow
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.inputs import Change, LocalPort, SwitchPort, WatchedRows, Zone
from chassis_agent.openflow import actions as act
from chassis_agent.ovsdb.rows import WantedRow
from southbound import rows
from tests.unit.chassis_agent.tiny_network import (
    HOST,
    MACS,
    NETWORK,
    Acl,
    Lookup,
    Queueing,
    group,
    port,
)


class World:
    """A flow state fed with rows as the watch brings them."""

    def __init__(self) -> None:
        self.state = FlowState(ConjunctionIds().allocate)
        self._watched = WatchedRows(rows.ROW_TYPES)

    def put(self, *put: rows.Row) -> None:
        self.state.apply(self._watched.changes(put, ()))

    def delete(self, *gone: rows.Row) -> None:
        self.state.apply(self._watched.changes((), [row.row_id for row in gone]))

    def facts(self, *facts: Change) -> None:
        self.state.apply(facts)

    def flows(self) -> set[Flow]:
        return set(self.state)

    def in_table(self, table: int) -> list[Flow]:
        return [flow for flow in self.state if flow.table == table]


@pytest.fixture
def world() -> World:
    world = World()
    world.put(*NETWORK)
    world.facts(*HOST)
    assert not world.state.failures
    return world


def test_only_what_is_for_this_chassis_is_there(world: World) -> None:
    """Two local ports are admitted and delivered, four are reachable."""
    assert len(world.in_table(tables.stage_table("ls_in", 0))) == 2
    assert len(world.in_table(tables.stage_table("ls_out", 1))) == 2
    assert len(world.in_table(tables.stage_table("ls_in", 2))) == 5
    assert not world.in_table(tables.stage_table("ls_in", 1))
    interfaces_and_one_tunnel = 3
    assert len(world.in_table(tables.PHYSICAL_TO_LOGICAL)) == interfaces_and_one_tunnel


def test_the_same_flows_whatever_the_order(world: World) -> None:
    for seed in range(20):
        pieces: list[rows.Row | Change] = [*NETWORK, *HOST]
        random.Random(seed).shuffle(pieces)
        other = World()
        for piece in pieces:
            if isinstance(piece, rows.Row):
                other.put(piece)
            else:
                other.facts(piece)
        assert other.flows() == world.flows()
        assert other.state.self_check() == []


def test_what_came_and_went_leaves_nothing(world: World) -> None:
    before = world.flows()
    new = port("p5", 5, "hv1")
    flows = group(15, "ls", Lookup.unicast(mac=b"\x0a\0\0\0\0\5", port="p5"))
    world.put(new, flows)
    world.facts((LocalPort, "p5", LocalPort(105)))
    assert world.flows() != before
    world.facts((LocalPort, "p5", None))
    world.delete(new, flows)
    assert world.flows() == before
    assert world.state.self_check() == []


def test_a_flow_waits_for_its_port(world: World) -> None:
    mac = b"\x0a\0\0\0\0\5"
    world.put(group(15, "ls", Lookup.unicast(mac=mac, port="p5"), Lookup.multicast()))
    assert world.state.incomplete == {15: ("p5",)}
    world.put(port("p5", 5))
    assert world.state.incomplete == {}
    assert len(world.in_table(tables.stage_table("ls_in", 2))) == 6


def test_a_stage_is_visited_once_it_has_flows(world: World) -> None:
    acl = tables.stage_table("ls_in", 1)
    refuse = group(20, "ls", Acl.refuse(who="$bad"))
    world.put(refuse)
    assert world.state.news.take_set_changes() == {"$bad": True}
    the_default = 1
    assert len(world.in_table(acl)) == the_default
    world.put(rows.SetMember("$bad", "198.51.100.7"), rows.SetMember("$bad", "198.51.100.8"))
    assert len(world.in_table(acl)) == the_default + 2
    world.delete(rows.SetMember("$bad", "198.51.100.7"))
    assert len(world.in_table(acl)) == the_default + 1
    world.delete(refuse)
    assert world.in_table(acl) == []
    assert world.state.news.take_set_changes() == {"$bad": False}


def test_a_member_of_a_set_costs_its_own_flows_only(world: World) -> None:
    members = [rows.SetMember("$bad", f"198.51.100.{number}") for number in range(100)]
    world.put(group(20, "ls", Acl.refuse(who="$bad")), *members)
    world.put(group(21, "ls", Acl.refuse_from(who="@who", to="$bad")))
    world.put(rows.SetMember("@who", "p1"), rows.SetMember("@who", "p3"))
    world.state.take_changes()
    new = rows.SetMember("$bad", "203.0.113.7")
    delta = world.state.apply([(rows.SetMember, new.row_id[1], new)])
    assert delta.runs == {"member_flows": 1}
    changes = world.state.take_changes()
    assert len(changes.added) == 2, "of each group that uses the set"
    assert changes.removed == []
    delta = world.state.apply([(rows.SetMember, new.row_id[1], None)])
    assert delta.runs == {}
    assert len(world.state.take_changes().removed) == 2
    assert world.state.self_check() == []


def test_a_port_of_a_group_that_moves_here_has_its_flow(world: World) -> None:
    world.put(group(21, "ls", Acl.refuse_from(who="@who", to="$bad")))
    world.put(rows.SetMember("@who", "p1"), rows.SetMember("@who", "p3"))
    world.put(rows.SetMember("$bad", "203.0.113.7"))
    world.state.take_changes()
    world.put(port("p3", 3, "hv1"))
    world.facts((LocalPort, "p3", LocalPort(103)), (Zone, "p3", Zone(3)))
    (added,) = [
        flow
        for flow in world.state.take_changes().added
        if flow.table == tables.stage_table("ls_in", 1)
    ]
    assert added.cookie == 21
    assert world.state.self_check() == []


def test_members_that_mean_the_same_are_one_flow(world: World) -> None:
    world.put(group(20, "ls", Acl.refuse(who="$bad")))
    for member in ("10.0.0.1/8", "10.0.0.0/8"):
        world.put(rows.SetMember("$bad", member))
    the_default = 1
    assert len(world.in_table(tables.stage_table("ls_in", 1))) == the_default + 1
    assert not world.state.clashes
    world.delete(rows.SetMember("$bad", "10.0.0.1/8"))
    assert len(world.in_table(tables.stage_table("ls_in", 1))) == the_default + 1


def test_a_group_with_a_set_waits_for_its_port(world: World) -> None:
    match = 'inport == "p5" && ip4.src == $bad'
    world.put(rows.SetMember("$bad", "203.0.113.7"), group(20, "ls", Acl.free(match=match)))
    assert world.state.incomplete == {20: ("p5",)}
    world.put(port("p5", 5))
    assert world.state.incomplete == {}
    assert any(flow.cookie == 20 for flow in world.in_table(tables.stage_table("ls_in", 1)))


def test_a_change_touches_only_what_read_it(world: World) -> None:
    delta = world.state.apply(
        [(rows.FlowGroup, 11, group(11, "ls", Lookup.unicast(mac=MACS["p1"], port="p2")))]
    )
    assert delta.runs["group_flows"] == 1
    assert delta.runs["port_flows"] == 0
    delta = world.state.apply([(rows.PortBinding, "p3", port("p3", 3, "hv1"))])
    assert delta.runs["group_flows"] == 1
    assert delta.runs["port_flows"] == 1


def test_a_port_that_moves_here_takes_its_flows_along(world: World) -> None:
    world.state.take_changes()
    world.put(port("p3", 3, "hv1"))
    world.facts((LocalPort, "p3", LocalPort(103)), (Zone, "p3", Zone(3)))
    changes = world.state.take_changes()
    assert {flow.table for flow in changes.added} >= {
        tables.PHYSICAL_TO_LOGICAL,
        tables.LOGICAL_TO_PHYSICAL,
        tables.stage_table("ls_in", 0),
    }
    assert world.state.self_check() == []


def test_a_port_deleted_and_made_again_under_its_name_in_one_batch(world: World) -> None:
    old = port("p4", 4, "hv2")
    new = rows.PortBinding("other", "ls", "p4", 44, "vif", chassis="hv2")
    watched = WatchedRows(rows.ROW_TYPES)
    list(watched.changes(NETWORK, ()))
    world.state.apply(watched.changes([new], [old.row_id]))
    assert world.state.rows(rows.PortBinding)["p4"] == new
    assert world.state.self_check() == []


def test_a_broken_group_fails_alone(world: World) -> None:
    before = world.flows()
    world.put(rows.FlowGroup(30, "ls", "port", "x", 1, b"nonsense"))
    assert world.flows() == before
    assert any("30" in failure for failure in world.state.failures)
    world.delete(rows.FlowGroup(30, "ls", "port", "x", 1, b""))
    assert world.state.failures == []


def test_learned_addresses_become_flows(world: World) -> None:
    entry = rows.FdbEntry("ls", "0a:00:00:00:00:99", "p2")
    world.put(entry)
    assert len(world.in_table(tables.FDB_GET)) == 1
    binding = rows.MacBinding("ls", "p1", "192.0.2.77", "0a:00:00:00:00:98")
    world.put(binding)
    assert len(world.in_table(tables.ARP_GET)) == 1
    world.delete(entry, binding)
    assert not world.in_table(tables.FDB_GET)
    assert not world.in_table(tables.ARP_GET)


QUEUEING = tables.stage_table("ls_out", 0)


def plugged(*queues: int) -> Change:
    return SwitchPort, "p1", SwitchPort("br-int", "tap1", frozenset(queues))


def limited(number: int, rate: int, burst: int = 0, name: str = "p1") -> rows.FlowGroup:
    return group(number, "ls", Queueing.limit(port=name, rate=rate, burst=burst))


def rows_by_table(world: World) -> dict[str, list[WantedRow]]:
    """The rows that are wanted now, of the owners that changed."""
    by_table: dict[str, list[WantedRow]] = {}
    for wanted in world.state.take_row_changes().values():
        for row in wanted:
            by_table.setdefault(row.table, []).append(row)
    return by_table


def test_a_flow_waits_until_the_database_has_its_queue(world: World) -> None:
    world.put(limited(30, 100))
    assert world.in_table(QUEUEING)[0].instructions, "where the port isn't plugged in: queue 0"
    world.facts(plugged())
    (queue,) = world.state.queues
    assert world.state.incomplete == {30: (f"queue {queue.number} of p1",)}
    assert [flow.cookie for flow in world.in_table(QUEUEING) if flow.cookie == 30] == []
    (wanted,) = world.state.take_row_changes().values()
    assert {row.row for row in wanted} == {
        ("Queue", f"tap1/{queue.number}"),
        ("QoS", "tap1"),
        ("Port", "tap1"),
    }
    world.facts(plugged(queue.number))
    (flow,) = [flow for flow in world.in_table(QUEUEING) if flow.cookie == 30]
    assert act.set_queue(queue.number) in flow.instructions
    assert world.state.incomplete == {}
    assert world.state.self_check() == []


def test_a_port_has_one_qos_with_the_queues_of_all_flows(world: World) -> None:
    world.facts(plugged())
    world.put(limited(30, 100, 5), limited(31, 200, 6))
    (queue,) = world.state.queues
    assert world.state.object_clashes == [f"queue {queue.number}"], "the same flow, of two rates"
    world.put(limited(31, 100, 5))
    assert world.state.object_clashes == []
    world.state.take_row_changes()
    other = Queueing.tagged(port="p1", tag=7, rate=300)
    world.put(group(31, "ls", other))
    wanted = rows_by_table(world)
    assert len(wanted["Queue"]) == 2
    (qos,) = wanted["QoS"]
    assert dict(qos.maps)["other_config"] == (("max-rate", "400000"),)
    assert len(dict(qos.maps)["queues"]) == 2
    assert world.state.self_check() == []


def test_a_queue_keeps_its_number_while_its_rate_changes(world: World) -> None:
    world.facts(plugged())
    world.put(limited(30, 100, 5))
    (before,) = world.state.queues
    world.facts(plugged(before.number))
    world.state.take_changes()
    world.state.take_row_changes()
    world.put(limited(30, 900, 7))
    (after,) = world.state.queues
    assert (after.number, after.rate, after.burst) == (before.number, 900, 7)
    assert not world.state.take_changes(), "no flow changes"
    (queue,) = rows_by_table(world)["Queue"]
    assert dict(dict(queue.maps)["other_config"]) == {"burst": "7000", "max-rate": "900000"}


def test_rows_go_with_the_last_flow_that_needs_them(world: World) -> None:
    world.facts(plugged())
    world.put(limited(30, 100))
    (owner,) = world.state.take_row_changes()
    assert world.state.take_row_changes() == {}
    world.delete(limited(30, 100))
    assert world.state.take_row_changes() == {owner: ()}
    world.state.take_changes()
    assert world.state.queues == ()
    assert world.state.self_check() == []


def test_what_a_queue_can_not_be_fails_alone(world: World) -> None:
    world.facts(plugged())
    world.put(limited(30, 0), group(31, "ls", Lookup.unicast(mac=MACS["p4"][:5] + b"9", port="p1")))
    (lack,) = world.state.lacks
    assert "0 with bursts of 0 is no rate" in str(lack)
    assert world.state.queues == ()
    assert any(flow.cookie == 31 for flow in world.flows())


def test_sets_of_backends_are_named_once_connections_to_lost_ones_have_to_end(
    world: World,
) -> None:
    sets = ("&ends", "&stays")
    web = {name: rows.SetMember(name, "10.0.0.1:80") for name in sets}
    world.put(*web.values(), *(rows.SetMember(name, "10.0.0.2:80") for name in sets))
    world.put(*(rows.VirtualAddress(name, "10.9.0.1", 80, "tcp", name == "&ends") for name in sets))
    assert world.state.news.take_changed_backends() == {"&ends"}, "agents look where they were away"
    world.put(*(rows.SetMember(name, "10.0.0.3:80") for name in sets))
    assert world.state.news.take_changed_backends() == set()
    world.delete(*web.values())
    assert world.state.news.take_changed_backends() == {"&ends"}
    world.put(rows.VirtualAddress("&ends", "10.9.0.1", 80, "tcp", ends_connections=False))
    assert world.state.news.take_changed_backends() == set()
    world.put(rows.VirtualAddress("&ends", "10.9.0.1", 80, "tcp"))
    assert world.state.news.take_changed_backends() == {"&ends"}


def test_virtual_addresses_that_are_gone_are_named_with_their_datapath(world: World) -> None:
    front = rows.VirtualAddress("&web", "10.9.0.1", 80, "tcp")
    vip = bytes([10, 9, 0, 1])
    balancing = group(31, "ls", Acl.balance(vip=vip, backends="&web"))
    world.put(front)
    assert world.state.news.take_changed_backends() == {"&web"}
    world.put(balancing)
    assert world.state.news.take_gone_fronts() == {}
    assert world.state.news.take_changed_backends() == {"&web"}, "it is new on this datapath"
    world.delete(balancing)
    assert list(world.state.news.take_gone_fronts().values()) == [front]
    world.put(balancing)
    world.put(rows.VirtualAddress("&web", "10.9.0.2", 80, "tcp"))
    assert list(world.state.news.take_gone_fronts().values()) == [front]


def test_what_is_translated_no_more_is_named_once(world: World) -> None:
    before = rows.Translation("n", "lr", "192.0.2.2", "10.0.0.2/32", inwards=True, outwards=True)
    after = rows.Translation("n", "lr", "192.0.2.2", "10.0.0.3/32", inwards=True, outwards=True)
    world.put(before)
    assert world.state.news.take_lost_translations() == set()
    world.put(after)
    assert world.state.news.take_lost_translations() == {before}
    world.delete(after)
    assert world.state.news.take_lost_translations() == {after}
    assert world.state.news.take_lost_translations() == set()


def test_connections_wait_until_it_is_known_which_backends_there_are(world: World) -> None:
    """One that went on would be known as it is, and never get a backend."""
    world.put(group(31, "ls", Acl.balance(vip=bytes([10, 9, 0, 1]), backends="&web")))
    ((_, unknown),) = world.state.take_changes().groups.put
    world.put(rows.VirtualAddress("&web", "10.9.0.1", 80, "tcp"))
    ((_, known),) = world.state.take_changes().groups.put
    world.put(rows.SetMember("&web", "10.0.0.1:80"))
    ((_, balanced),) = world.state.take_changes().groups.put
    assert unknown.key == known.key == balanced.key
    nat = act.nat(destination=True, first=ip_address("10.0.0.1"), port_min=80)
    assert len(unknown.buckets) < len(known.buckets), "it drops"
    assert (nat in known.buckets, nat in balanced.buckets) == (False, True)
