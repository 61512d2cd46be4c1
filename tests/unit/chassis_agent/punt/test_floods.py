"""Senders whose packets the meters in front of the agent drop are named."""

from chassis_agent.health import Health
from chassis_agent.openflow.errors import ConnectionLostError
from chassis_agent.openflow.multipart import MeterUse
from chassis_agent.punt.floods import Floods
from chassis_agent.punt.meters import PUNT_METERS, shares_of
from chassis_agent.punt.opcodes import Opcode
from chassis_agent.tables import FIRST_SENDER_ELSEWHERE
from southbound.conditions import over_share

PORTS = {"web": 7, "db": 8}
OF_A_USER = 40_000


class Switch:
    """Meters that have dropped this many packets; None for a switch that is away."""

    def __init__(self) -> None:
        self.dropped: dict[int, int] | None = {}

    async def meter_uses(self) -> list[MeterUse]:
        if self.dropped is None:
            raise ConnectionLostError("gone")
        return [MeterUse(meter, 5000, dropped) for meter, dropped in self.dropped.items()]


async def test_who_sends_too_much_is_named() -> None:
    switch, health = Switch(), Health()
    floods = Floods(switch, health, ports=lambda: PORTS)
    await floods.look()
    web, elsewhere = shares_of(7), shares_of(FIRST_SENDER_ELSEWHERE + 3)
    reject = PUNT_METERS[Opcode.REJECT].meter_id
    switch.dropped = {web.punts: 90, elsewhere.logs: 5, reject: 7, OF_A_USER: 1000}
    await floods.look()
    assert health.reasons["floods"] == (
        "packets for the agent were dropped, beyond the share of who sent them: "
        "90 of web, 7 of the kind reject, of all senders, 5 to log, of senders elsewhere, share 3"
    )
    assert health.counters["packets_over_share"] == 102
    assert await floods.report() == {
        "of the kind reject, of all senders": 7,
        "of web": 90,
        "to log, of senders elsewhere, share 3": 5,
    }


async def test_a_share_is_that_of_all_ports_that_have_it() -> None:
    switch = Switch()
    ports = PORTS | {f"vm{number}": 7 + 256 * number for number in range(1, 4)}
    floods = Floods(switch, Health(), ports=lambda: ports)
    switch.dropped = {shares_of(7).punts: 1, shares_of(9).punts: 2}
    assert await floods.report() == {
        "of vm1, vm2, vm3 and 1 more": 1,
        "of OpenFlow port 9": 2,
    }


async def test_a_switch_that_was_away_counts_anew() -> None:
    switch, health = Switch(), Health()
    floods = Floods(switch, health, ports=lambda: PORTS)
    switch.dropped = {shares_of(7).punts: 90}
    await floods.look()
    assert not health.reasons, "what was counted before the agent came is no news"
    switch.dropped = None
    assert await floods.report() == {"of web": 90}
    switch.dropped = {shares_of(7).punts: 4}
    await floods.look()
    assert health.counters["packets_over_share"] == 4


async def test_explanations_understand_whose_share_it_is() -> None:
    """They go by the reason that the agent gives, as the server has it."""
    switch, health = Switch(), Health()
    ports = PORTS | {"app": 7 + 256, "quiet": 9}
    floods = Floods(switch, health, ports=lambda: ports)
    await floods.look()
    log_only = shares_of(8).logs
    switch.dropped = {shares_of(7).punts: 90, log_only: 5}
    await floods.look()
    for name in ("web", "app"):
        assert over_share(health.reasons, name) == health.reasons["floods"]
    for name in ("db", "quiet"):
        assert over_share(health.reasons, name) == ""
