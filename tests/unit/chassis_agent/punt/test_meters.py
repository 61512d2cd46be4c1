"""The meters in front of the agent: one for each sender and each opcode, made once."""

from chassis_agent import tables
from chassis_agent.openflow import messages
from chassis_agent.punt.meters import (
    FIRST_FREE_METER,
    LOCAL_SHARES,
    PROBE_ECHO_METER,
    PUNT_METERS,
    TUNNEL_SHARES,
    meter_mods,
    meter_name,
    punt_meters,
    shares_of,
)
from chassis_agent.punt.opcodes import Opcode


def test_meters_are_made_once_and_changed_where_they_differ() -> None:
    installed = {meter.meter_id: (meter.rate, meter.burst) for meter in punt_meters()}
    assert len(installed) == len(Opcode) + 1 + 2 * (LOCAL_SHARES + TUNNEL_SHARES)
    assert len(meter_mods({})) == len(installed)
    assert meter_mods(installed) == []
    first = PUNT_METERS[Opcode.ARP]
    (change,) = meter_mods(installed | {first.meter_id: (1, 1)})
    assert change == messages.meter_mod(
        messages.MeterCommand.MODIFY, first.meter_id, rate=first.rate, burst=first.burst
    )
    assert max(installed) < FIRST_FREE_METER


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
