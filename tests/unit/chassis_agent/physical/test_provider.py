"""Flows of ports that lead outside: tags, and MAC addresses in place of routers'."""

from chassis_agent import tables
from chassis_agent.desired.flow import Flow
from chassis_agent.openflow.actions import push_vlan
from chassis_agent.openflow.oxm import FIELDS, VLAN_PRESENT, Term, match
from chassis_agent.physical import Side, Zones, native_flows, outside_flows
from chassis_agent.physical.provider import CUSTOMER_TAG, SERVICE_TAG, MacExchange

SIDE = Side(7, 3, Zones(), 8, 90)
NONE = MacExchange()


def arrivals(flows: list[Flow]) -> list[Flow]:
    return [flow for flow in flows if flow.table == tables.PHYSICAL_TO_LOGICAL]


def arriving(**fields: int) -> bytes:
    return match([Term(FIELDS[name], value) for name, value in fields.items()])


def test_what_has_another_tag_does_not_come_in() -> None:
    (only,) = arrivals(outside_flows(SIDE, 5, 100, exchange=NONE, cookie=1))
    assert only.match == arriving(in_port=5, vlan_vid=100 | VLAN_PRESENT)
    untagged = arrivals(outside_flows(SIDE, 5, 0, exchange=NONE, cookie=1))
    # A frame with a priority and no VLAN has no tag.
    assert {flow.match for flow in untagged} == {
        arriving(in_port=5, vlan_vid=0),
        arriving(in_port=5, vlan_vid=VLAN_PRESENT),
    }


def test_tags_of_their_own_come_in_where_they_pass() -> None:
    (only,) = arrivals(outside_flows(SIDE, 5, 0, passes_tags=True, exchange=NONE, cookie=1))
    assert only.match == arriving(in_port=5)


def test_a_service_tag_has_its_own_type() -> None:
    for ethertype in (CUSTOMER_TAG, SERVICE_TAG):
        flows = outside_flows(SIDE, 5, 100, ethertype=ethertype, exchange=NONE, cookie=1)
        (leaving,) = (each for each in flows if each.table == tables.LOGICAL_TO_PHYSICAL)
        assert push_vlan(ethertype) in leaving.instructions


def test_without_a_bridge_nothing_goes_to_other_chassis() -> None:
    assert list(native_flows(7, 4, 0, cookie=1)) == []
    assert len(list(native_flows(7, 4, 3, cookie=1))) == 1


def test_addresses_are_exchanged_only_where_both_are_known() -> None:
    router, own, other = b"\x0a" + bytes(5), b"\x0b" + bytes(5), b"\x0c" + bytes(5)

    def count(exchange: MacExchange) -> int:
        return len(outside_flows(SIDE, 5, 100, exchange=exchange, cookie=1))

    plain = count(NONE)
    assert count(MacExchange(own=own, others=(other,))) == plain
    assert count(MacExchange(routers=(router,))) == plain
    assert count(MacExchange(own, (other,), (router,))) == plain + 2
