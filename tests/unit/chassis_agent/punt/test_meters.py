"""The meters in front of the agent: one for each sender and each opcode, made once."""

from chassis_agent import tables
from chassis_agent.desired.identity import FIRST_METER
from chassis_agent.desired.objects import Meter
from chassis_agent.punt.meters import (
    LOCAL_SHARES,
    PROBE_ECHO_METER,
    PUNT_METERS,
    TUNNEL_SHARES,
    meter_name,
    punt_meters,
    shares_of,
)
from chassis_agent.punt.opcodes import Opcode


def test_every_chassis_has_a_meter_for_each_opcode_and_share() -> None:
    numbers = {meter.meter_id for meter in punt_meters()}
    assert len(numbers) == len(Opcode) + 1 + 2 * (LOCAL_SHARES + TUNNEL_SHARES)
    assert max(numbers) < FIRST_METER
    arp = PUNT_METERS[Opcode.ARP]
    assert arp.as_object() == Meter(int(Opcode.ARP), packets=True, rate=arp.rate, burst=arp.burst)


def test_each_sender_has_meters_and_none_of_them_is_for_two_purposes() -> None:
    local = [shares_of(ofport) for ofport in range(1, LOCAL_SHARES + 1)]
    elsewhere = [shares_of(tables.FIRST_SENDER_ELSEWHERE + share) for share in range(TUNNEL_SHARES)]
    used = [meter for shares in local + elsewhere for meter in shares]
    assert len(set(used)) == len(used) == 2 * (LOCAL_SHARES + TUNNEL_SHARES)
    others = {meter.meter_id for meter in (*PUNT_METERS.values(), PROBE_ECHO_METER)}
    assert set(used) | others == {meter.meter_id for meter in punt_meters()}
    assert {shares_of(sender) for sender in range(tables.FIRST_SENDER_ELSEWHERE)} == set(local)


def test_every_meter_has_a_name_of_its_own() -> None:
    names = {meter_name(meter.meter_id) for meter in punt_meters()}
    assert len(names) == len(list(punt_meters()))
    assert not any(name.isdigit() for name in names)
