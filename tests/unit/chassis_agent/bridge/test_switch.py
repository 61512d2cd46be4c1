"""Committing flows to a switch that doesn't take all of them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from chassis_agent.bridge.switch import Switch
from chassis_agent.desired.flow import Flow
from chassis_agent.desired.flows import Changes
from chassis_agent.desired.objects import Group, Meter, ObjectChanges
from chassis_agent.health import Health
from chassis_agent.openflow import actions as act
from chassis_agent.openflow import oxm
from chassis_agent.openflow.connection import Connection
from chassis_agent.openflow.errors import (
    BundleRefusedError,
    ConnectionLostError,
    OpenFlowError,
    RequestRefusedError,
)
from chassis_agent.openflow.messages import Bucket, GroupType, SwitchGroup
from chassis_agent.openflow.oxm import FIELDS, Term
from chassis_agent.openflow.wire import MessageType


class PickyConnection(Connection):
    """Takes bundles without the flows of a priority; refuses as a whole what has one."""

    def __init__(self, *, dislikes: int, names_culprit: bool = True) -> None:
        self.bundles: list[list[bytes]] = []
        self._dislikes = dislikes.to_bytes(2)
        self._names_culprit = names_culprit

    async def commit(self, changes: object, limit: int = 0) -> None:
        assert isinstance(changes, Sequence)
        for place, change in enumerate(changes):
            if change[1] == MessageType.FLOW_MOD and change[30:32] == self._dislikes:
                refusal = RequestRefusedError(4, 1, "OFPBMC_BAD_FIELD", b"")
                raise BundleRefusedError(refusal, place if self._names_culprit else None)
        self.bundles.append(list(changes))


def flow(priority: int) -> Flow:
    return Flow(1, priority, oxm.match([Term(FIELDS["reg0"], priority)]), b"", 7)


def switch(connection: Connection | None) -> Switch:
    made = Switch(
        Path("nowhere"), Health(), on_change=lambda: None, on_packet_in=lambda _packet: None
    )
    made._connection = connection
    return made


class DislikesObjects(PickyConnection):
    """Refuses groups and meters of some numbers; a flow's refusal names no culprit."""

    def __init__(self, *, groups: tuple[int, ...] = (), meters: tuple[int, ...] = ()) -> None:
        super().__init__(dislikes=0)
        self.groups_disliked = groups
        self.meters_disliked = meters
        self.meter_mods: list[bytes] = []

    async def commit(self, changes: object, limit: int = 0) -> None:
        assert isinstance(changes, Sequence)
        for place, change in enumerate(changes):
            if change[1] == MessageType.GROUP_MOD and (
                int.from_bytes(change[12:16]) in self.groups_disliked
            ):
                refusal = RequestRefusedError(6, 3, "OFPGMFC_OUT_OF_GROUPS", b"")
                raise BundleRefusedError(refusal, place)
        self.bundles.append(list(changes))

    async def attempt(self, batch: Sequence[bytes]) -> list[tuple[int, RequestRefusedError]]:
        self.meter_mods += batch
        return [
            (place, RequestRefusedError(12, 11, "OFPMMFC_OUT_OF_METERS", b""))
            for place, message in enumerate(batch)
            if int.from_bytes(message[12:16]) in self.meters_disliked
        ]


def acting(priority: int, actions: bytes) -> Flow:
    return flow(priority)._replace(instructions=act.apply_actions(actions))


def group(number: int, actions: bytes = b"") -> Group:
    return Group.of(SwitchGroup(number, GroupType.ALL, (Bucket(0, actions),)))


def put(*groups: Group) -> ObjectChanges[Group]:
    return ObjectChanges(put=tuple((None, each) for each in groups))


def reasons(switch: Switch) -> set[str]:
    return set(switch._health.reasons)


async def test_a_refused_flow_is_left_out_and_the_others_are_made() -> None:
    connection = PickyConnection(dislikes=2)
    picky = switch(connection)
    await picky.commit(Changes([], [flow(1), flow(2), flow(3)]))
    assert [len(bundle) for bundle in connection.bundles] == [2]
    assert list(picky.refused) == [flow(2).key]
    assert picky.is_known
    assert reasons(picky) == {"refused_flows"}
    assert picky._health.counters["flow_mods_sent"] == 2


async def test_a_refused_flow_that_is_no_longer_wanted_is_forgotten() -> None:
    picky = switch(PickyConnection(dislikes=2))
    await picky.commit(Changes([], [flow(2)]))
    picky._connection = PickyConnection(dislikes=99)
    await picky.commit(Changes([flow(2)], []))
    assert picky.refused == {}
    assert reasons(picky) == set()


@pytest.mark.parametrize(
    ("changes", "names_culprit"),
    [
        pytest.param(Changes([], [flow(2)]), False, id="nobody knows which"),
        pytest.param(Changes([flow(2)], []), True, id="a removal"),
        pytest.param(Changes([], [flow(2)] * 100), True, id="too many"),
    ],
)
async def test_what_cannot_be_left_out_leaves_the_switch_unknown(
    changes: Changes, names_culprit: bool
) -> None:
    picky = switch(PickyConnection(dislikes=2, names_culprit=names_culprit))
    picky.is_known = True
    with pytest.raises(OpenFlowError):
        await picky.commit(changes)
    assert not picky.is_known


async def test_flows_wait_with_the_group_that_the_switch_refuses() -> None:
    connection = DislikesObjects(groups=(300,))
    picky = switch(connection)
    groups = put(group(300), group(301, act.group(300)), group(302))
    flows = [acting(1, act.group(301)), acting(2, act.group(302)), acting(3, act.group(300))]
    await picky.commit(Changes([], flows, groups=groups))
    assert [len(bundle) for bundle in connection.bundles] == [2]
    assert picky.refused.keys() == {
        ("group", 300),
        ("group", 301),
        flows[0].key,
        flows[2].key,
    }
    assert "waits for group 301" in picky.refused[flows[0].key].reason
    assert picky._health.reasons["refused_flows"] == (
        "the switch refuses 2 flows and 2 groups and meters"
    )

    connection.groups_disliked = ()
    await picky.commit(Changes([], [], groups=put(group(300))))
    assert [len(bundle) for bundle in connection.bundles] == [2, 4]
    assert picky.refused == {}
    assert reasons(picky) == set()


async def test_flows_wait_with_the_meter_that_the_switch_refuses() -> None:
    connection = DislikesObjects(meters=(4000,))
    picky = switch(connection)
    waiting = acting(1, act.clone(act.meter(4000) + act.output(1)))
    meters = ObjectChanges(put=((None, Meter(4000, True, 1, 1)), (None, Meter(4001, True, 1, 1))))
    await picky.commit(Changes([], [waiting, flow(9)], meters=meters))
    assert [len(bundle) for bundle in connection.bundles] == [1]
    assert picky.refused.keys() == {("meter", 4000), waiting.key}
    connection.meters_disliked = ()
    again = Meter(4000, True, 2, 2)
    await picky.commit(Changes([], [], meters=ObjectChanges(put=((None, again),))))
    assert [len(bundle) for bundle in connection.bundles] == [1, 1]
    assert picky.refused == {}
    assert picky._health.counters["meter_mods_sent"] == 3


async def test_what_waits_for_a_group_is_forgotten_when_it_is_no_longer_wanted() -> None:
    connection = DislikesObjects(groups=(300,))
    picky = switch(connection)
    waiting = acting(1, act.group(300))
    await picky.commit(Changes([], [waiting], groups=put(group(300))))
    gone = ObjectChanges(removed=(group(300),))
    connection.groups_disliked = ()
    await picky.commit(Changes([waiting], [], groups=gone))
    assert picky.refused == {}


async def test_without_a_connection_nothing_is_sent() -> None:
    away = switch(None)
    with pytest.raises(ConnectionLostError):
        await away.flows()
    assert not away.send(b"packet")
    assert not away.is_connected
