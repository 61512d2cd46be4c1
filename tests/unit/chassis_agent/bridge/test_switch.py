"""Committing flows to a switch that doesn't take all of them."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from chassis_agent.bridge.switch import Switch
from chassis_agent.desired.flow import Flow
from chassis_agent.desired.flows import Changes
from chassis_agent.health import Health
from chassis_agent.openflow import oxm
from chassis_agent.openflow.connection import Connection
from chassis_agent.openflow.errors import (
    BundleRefusedError,
    ConnectionLostError,
    OpenFlowError,
    RequestRefusedError,
)
from chassis_agent.openflow.oxm import FIELDS, Term


class PickyConnection(Connection):
    """Takes bundles without the flows of a priority; refuses as a whole what has one."""

    def __init__(self, *, dislikes: int, names_culprit: bool = True) -> None:
        self.bundles: list[list[bytes]] = []
        self._dislikes = dislikes.to_bytes(2)
        self._names_culprit = names_culprit

    async def commit(self, changes: object, limit: int = 0) -> None:
        assert isinstance(changes, Sequence)
        for place, change in enumerate(changes):
            if change[30:32] == self._dislikes:
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


async def test_without_a_connection_nothing_is_sent() -> None:
    away = switch(None)
    with pytest.raises(ConnectionLostError):
        await away.flows()
    assert not away.send(b"packet")
    assert not away.is_connected
