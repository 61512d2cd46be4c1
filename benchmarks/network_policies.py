"""One label of one pod changes, in a cluster with network policies: what that costs, all the way.

    python -m benchmarks.network_policies [PODS [POLICIES]]

The pods are of 100 applications and on switches of 50; each policy lets one application's pods be
called by another's. Measured apart are the controller's part (from the pod as the API
tells it to the batch for Treadle), the commit of that batch, its translation until the southbound
rows are stored, and the flows of a hypervisor with 50 of the pods. Beside it the same with
everything worked out anew, which is what the controller does after a start.
"""

import asyncio
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.changes import CountingStore
from benchmarks.network import url_of
from chassis_agent.compile import ConjunctionIds
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.inputs import LocalPort, ThisChassis, WatchedRows, Zone, dnat_zone, snat_zone
from integrations.kubernetes.intent import Intent
from integrations.kubernetes.kept import Kept, Operation, Planner
from integrations.kubernetes.objects import PodKey
from integrations.kubernetes.translation import PortOwner, Translation
from integrations.kubernetes.treadle import in_batches
from integrations.kubernetes.watched import apply_object
from northbound.batch import Transaction, run_batch
from northbound.database import Database, open_database, upgrade
from northbound.specs import parse
from southbound.groups import GroupIds
from southbound.rows import ROW_TYPES, Chassis, Encap, PortBinding, Row, RowId
from southbound.rows import Template as TemplateRow
from southbound.state import RealisedState
from translator.pipeline import PIPELINES
from translator.runner import Translator

APPLICATIONS = 100
PODS_OF_SWITCH = 50
TURNS = 11

Json = dict[str, Any]


class RecordingStore(CountingStore):
    """A store that keeps what was written since the last look."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self.puts: list[Row] = []
        self.deletes: list[RowId] = []

    def write(
        self, revision: int, puts: Sequence[Row], deletes: Sequence[Row], groups: GroupIds
    ) -> None:
        self.puts += puts
        self.deletes += [(row.table, str(row.key)) for row in deletes]
        super().write(revision, puts, deletes, groups)

    def take(self) -> tuple[list[Row], list[RowId]]:
        taken = self.puts, self.deletes
        self.puts, self.deletes = [], []
        return taken


def pod(number: int, application: int) -> Json:
    return {
        "metadata": {
            "namespace": "shop",
            "name": f"p{number}",
            "uid": f"uid-{number}",
            "labels": {"app": f"app{application}", "n": str(number)},
        },
        "spec": {},
    }


def policy(number: int) -> Json:
    peer = {"podSelector": {"matchLabels": {"app": f"app{(7 * number + 1) % APPLICATIONS}"}}}
    return {
        "metadata": {"namespace": "shop", "name": f"q{number}"},
        "spec": {
            "podSelector": {"matchLabels": {"app": f"app{number % APPLICATIONS}"}},
            "ingress": [{"from": [peer], "ports": [{"port": 1000 + number}]}],
        },
    }


def port_id(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012d}"


def translated(pods: int, policies: int) -> Translation:
    translation = Translation()
    apply_object(translation, "Namespace", {"metadata": {"name": "shop"}})
    for number in range(policies):
        apply_object(translation, "NetworkPolicy", policy(number))
    for number in range(pods):
        apply_object(translation, "Pod", pod(number, number % APPLICATIONS))
        owner = PortOwner(PodKey("shop", f"p{number}"), f"uid-{number}")
        translation.set_port(port_id(number), owner)
    return translation


def network(pods: int) -> list[Operation]:
    """The switches, and their ports as CNI makes them."""
    switches = -(-pods // PODS_OF_SWITCH)
    return [
        *(
            {"action": "create", "kind": "logical_switch", "values": {"name": f"s{number}"}}
            for number in range(switches)
        ),
        *(
            {
                "action": "create",
                "kind": "logical_switch_port",
                "values": {
                    "id": port_id(number),
                    "logical_switch": f"s{number // PODS_OF_SWITCH}",
                    "addresses": [_addresses(number)],
                },
            }
            for number in range(pods)
        ),
    ]


def _addresses(number: int) -> str:
    high, low = divmod(number + 1, 256)
    return f"0a:00:00:00:{high:02x}:{low:02x} 10.244.{high}.{low} fd00::{number + 1:x}"


def write(database: Database, operations: Sequence[Operation]) -> None:
    for some in in_batches(operations):
        batch = parse(Transaction, {"operations": list(some)})
        with database.write(author="benchmark") as transaction:
            run_batch(transaction, batch)


class Hypervisor:
    """The flows of the hypervisor that has the pods of the first switch."""

    def __init__(self, state: RealisedState) -> None:
        self._flows = FlowState(ConjunctionIds().allocate)
        self._watched = WatchedRows(ROW_TYPES)
        datapaths = {row.name: row.id for row in state.rows(ROW_TYPES["datapath"]).values()}
        self._local = datapaths["s0"]
        rows = [row for kind in ROW_TYPES.values() for row in state.rows(kind).values()]
        templates = [TemplateRow(*t.as_text()) for each in PIPELINES for t in each.templates]
        known = {row.id for row in rows if isinstance(row, TemplateRow)}
        rows += [row for row in templates if row.id not in known]
        rows.append(Chassis("hv", encaps=(Encap("geneve", "192.0.2.1"),)))
        ports = [
            row.name for row in state.rows(PortBinding).values() if row.datapath == self._local
        ]
        zones = [*ports, dnat_zone(self._local), snat_zone(self._local)]
        self._flows.apply(
            [
                *self._watched.changes(self._watched_rows(rows), []),
                (ThisChassis, "", ThisChassis("hv", 1)),
                *((LocalPort, port, LocalPort(11 + i)) for i, port in enumerate(ports)),
                *((Zone, name, Zone(1 + i)) for i, name in enumerate(zones)),
            ]
        )
        self._flows.take_changes()
        assert not self._flows.failures, self._flows.failures[:3]

    def __len__(self) -> int:
        return len(self._flows)

    def apply(self, puts: Sequence[Row], deletes: Sequence[RowId]) -> int:
        """Take in changed rows; return how many flows that changes."""
        self._flows.apply(self._watched.changes(self._watched_rows(puts), deletes))
        changes = self._flows.take_changes()
        return len(changes.removed) + len(changes.added)

    def _watched_rows(self, rows: Sequence[Row]) -> Iterator[Row]:
        """Yield the rows that the hypervisor's agent is sent: of its own switch alone."""
        for row in rows:
            if getattr(row, "datapath", self._local) == self._local:
                yield self._placed(row)

    def _placed(self, row: Row) -> Row:
        if isinstance(row, PortBinding) and row.datapath == self._local:
            values = {name: getattr(row, name) for name in row.__struct_fields__}
            return PortBinding(**{**values, "chassis": "hv"})
        return row


async def measure(pods: int, policies: int) -> Json:
    began = time.process_time()
    translation = translated(pods, policies)
    intent, kept = Intent("kubernetes", "default"), Kept()
    planner = Planner(intent, translation, kept)
    everything = planner.everything()
    anew = time.process_time() - began
    with tempfile.TemporaryDirectory() as directory:
        url = url_of(Path(directory) / "treadle.db")
        upgrade(url)
        database = open_database(url)
        try:
            write(database, [*network(pods), *everything])
            kept.carried_out(everything)
            store = RecordingStore(database.engine)
            state = RealisedState(store)
            await state.load()
            translator = Translator(database, state)
            await translator.start()
            await translator.catch_up()
            store.take()
            hypervisor = Hypervisor(state)
            costs = []
            for turn in range(TURNS):
                # The first pod, which is on that hypervisor, goes to another application and back.
                application = APPLICATIONS // 2 if turn % 2 == 0 else 0
                translation.take_touched()
                cost = await _cost(
                    *(translation, planner, kept, database, translator, store, hypervisor),
                    pod(0, application),
                )
                costs.append(cost)
            await state.close()
        finally:
            database.close()
    names = costs[0].keys()
    changed = {name: round(statistics.median(c[name] for c in costs), 3) for name in names}
    return {
        "pods": pods,
        "policies": policies,
        "groups": sum(1 for _ in translation.groups()),
        "acls": len(translation.users),
        "flows": len(hypervisor),
        "anew": {"controller_ms": round(anew * 1000, 1), "operations": len(everything)},
        "label_changed": changed,
    }


async def _cost(
    translation: Translation,
    planner: Planner,
    kept: Kept,
    database: Database,
    translator: Translator,
    store: RecordingStore,
    hypervisor: Hypervisor,
    value: Json,
) -> dict[str, float]:
    compared = translation.members.compared
    times = [time.process_time()]
    apply_object(translation, "Pod", value)
    operations = planner.touched(translation.take_touched())
    times.append(time.process_time())
    write(database, operations)
    kept.carried_out(operations)
    times.append(time.process_time())
    await translator.catch_up()
    times.append(time.process_time())
    puts, deletes = store.take()
    flows = hypervisor.apply(puts, deletes)
    times.append(time.process_time())
    controller, commit, translate, agent = _differences(times)
    return {
        "pods_compared": translation.members.compared - compared,
        "operations": len(operations),
        "memberships": sum(len(each["add"]) + len(each["remove"]) for each in operations),
        "southbound_rows": len(puts) + len(deletes),
        "flows_changed": flows,
        "controller_ms": controller,
        "commit_ms": commit,
        "translate_ms": translate,
        "agent_ms": agent,
    }


def _differences(times: Sequence[float]) -> Iterator[float]:
    return (round((after - before) * 1000, 3) for before, after in pairwise(times))


def main(arguments: list[str]) -> None:
    pods, policies = [*map(int, arguments), *(1000, 200)[len(arguments) :]]
    print(json.dumps(asyncio.run(measure(pods, policies)), indent=2))


if __name__ == "__main__":
    main(sys.argv[1:])
