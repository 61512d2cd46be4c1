"""What one load balancer more or less costs an agent: the same, however many there are.

Counted in calls of Python functions: from rows that arrive to the changes of the switch, to what is
subscribed, to the agent's conditions, and to which connections end.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from types import FrameType, SimpleNamespace
from typing import Any, cast

import msgspec
import pytest

from chassis_agent.bridge import unixctl
from chassis_agent.bridge.switch import Switch
from chassis_agent.compile import ConjunctionIds
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.health import Health
from chassis_agent.inputs import ThisChassis, WatchedRows, Zone, dnat_zone, snat_zone
from chassis_agent.local.needed_rows import NeededRows
from chassis_agent.local.provider import ProviderBridges
from chassis_agent.problems import note_problems
from chassis_agent.revocation.ended import EndedBackends
from southbound.groups import GroupIds
from southbound.port_types import PlacedBy
from southbound.rows import ROW_TYPES, Chassis, Encap, PortBinding, Row, RowId
from southbound.watch.inbox import Batch
from tests.unit.translator.test_load_balancer_costs import BACKENDS, vip
from tests.unit.translator.test_nat_costs import network
from translator.intent import key_of, row_of
from translator.realise import all_rows, realise

FEW, MANY = 10, 200
OF_CACHES = 20
"""Calls that depend on what other tests have left in caches: a tenth of one for each of many."""
CHASSIS, ROUTER = "hv1", "r"


class Agent:
    """What the agent keeps of a gateway router that is on this chassis, and its translation."""

    def __init__(self, place: str, balancers: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self._translator = network(0, CHASSIS if place == "router" else None)
        self._ids = GroupIds()
        self._watched = WatchedRows(ROW_TYPES)
        self._scopes: set[str] = set()
        watch = SimpleNamespace(
            connected=True,
            subscribe=self._scopes.update,
            unsubscribe=self._scopes.difference_update,
        )
        self.state = FlowState(ConjunctionIds().allocate)
        self.health = Health()
        self.needed = NeededRows(CHASSIS, cast(Any, watch), lambda: None)
        zones = {dnat_zone(ROUTER): 1, snat_zone(ROUTER): 2}
        self.ended = EndedBackends(
            cast(Switch, None),
            lambda: Path("nowhere"),
            self.health,
            rows=self.state.rows,
            members=self.state.members,
            zones=lambda: zones,
            ports=dict,
        )
        monkeypatch.setattr(unixctl, "call", self._listed)
        self.state.apply(
            [
                (ThisChassis, "", ThisChassis(CHASSIS, 1)),
                *((Zone, name, Zone(number)) for name, number in zones.items()),
            ]
        )
        for number in range(balancers):
            self.translate(number)
        here = Chassis(CHASSIS, encaps=(Encap("geneve", "192.0.2.1"),))
        self.take([here, *map(_placed, all_rows(self._translator, self._ids, 1))])
        assert len(self.state.news.take_changed_backends()) == balancers

    async def _listed(self, _path: Path, _command: str, _zone: str) -> str:
        """Return the connections of a zone: there is one, to something else."""
        return "tcp,orig=(src=10.0.0.9,dst=10.0.0.8,sport=5000,dport=80),zone=1\n"

    def translate(self, number: int, *, there: bool = True) -> tuple[list[Row], list[RowId]]:
        """Return the rows that a load balancer changes that comes or goes."""
        rows = [
            ("load_balancer", {"id": f"lb-{number}", "protocol": "tcp", "reject": False}),
            vip(number, BACKENDS),
            (
                "load_balancer_router",
                {"load_balancer_id": f"lb-{number}", "logical_router_id": ROUTER},
            ),
        ]
        changes = [
            row_of(table, image) if there else (*key_of(table, image), None)
            for table, image in rows
        ]
        realised = realise(self._translator.apply(changes), self._ids, 1)
        return [*realised.puts.values()], [*realised.deletes]

    def take(self, puts: Iterable[Row], deletes: Iterable[RowId] = ()) -> int:
        """Take rows as a step of the reconciler does; how many flows the switch is sent."""
        puts, deletes = tuple(puts), tuple(deletes)
        self.state.apply(self._watched.changes(puts, deletes))
        self.needed.take(Batch(puts, deletes, 1, frozenset(self._scopes), 1, 1))
        self.needed.use_datapaths([ROUTER])
        sets = self.state.news.take_set_changes()
        self.needed.subscribe(
            [],
            used=[name for name, is_used in sets.items() if is_used],
            unused=[name for name, is_used in sets.items() if not is_used],
        )
        self.needed.complete_datapaths([ROUTER])
        note_problems(self.health, self.state, ProviderBridges(), {}, has_ports=True)
        changes = self.state.take_changes()
        return len(changes.added) + len(changes.removed)

    async def end_connections(self) -> None:
        """Look at the connections that the last change may have ended."""
        news = self.state.news
        self.ended.request(news.take_changed_backends(), news.take_gone_fronts())
        due, self.ended._due = self.ended._due, set()
        assert due
        await self.ended._end(due)


def _placed(row: Row) -> Row:
    if isinstance(row, PortBinding) and row.kind.placed_by is PlacedBy.ELECTED:
        return msgspec.structs.replace(row, candidates=row.requested_chassis)
    return row


class Calls:
    """Counts calls of Python functions while it is entered."""

    def __init__(self) -> None:
        self.count = 0

    def __enter__(self) -> "Calls":
        self._before = sys.getprofile()
        sys.setprofile(self._note)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(self._before)

    def _note(self, _frame: FrameType, event: str, _argument: object) -> None:
        self.count += event == "call"


async def calls_of_one(agent: Agent, number: int) -> dict[str, int]:
    """Return what one load balancer costs that comes, and what that it goes."""
    found = {}
    for name, there in (("added", True), ("removed", False)):
        puts, deletes = agent.translate(number, there=there)
        with Calls() as calls:
            flows = agent.take(puts, deletes)
            await agent.end_connections()
        assert flows == 2
        found[name] = calls.count
    return found


@pytest.mark.parametrize("place", ["router", "port"])
async def test_one_costs_the_same_however_many_there_are(
    place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = await calls_of_one(Agent(place, FEW, monkeypatch), 1000)
    many = await calls_of_one(Agent(place, MANY, monkeypatch), 1000)
    for change, calls in many.items():
        assert calls - few[change] <= OF_CACHES
