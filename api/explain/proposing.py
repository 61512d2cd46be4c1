"""Answers questions, and finds changes that are enough.

The way ends at the first obstacle, and behind it may be others. So each change that is
proposed is tried: the network is looked at as it would be with the change, and what is
then in the way has its own remedy added, until the packets pass. Nothing is written.

What is to be done on a hypervisor can't be tried; it counts as done.
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from api.backend import Backend
from api.batch import run_batch
from api.documents import Transaction
from api.explain import packets
from api.explain.checks import Check, Obstacle, ObstacleKind
from api.explain.documents import ReachabilityRequest
from api.explain.path import examine
from api.explain.question import Question, understand
from api.explain.remedies import Operation, Remedy, remedy
from api.explain.result import Document, answer, proposal
from api.explain.scene import Scene
from api.live.check import check_live
from api.requests import parse
from api.trace.liveness import Hosting
from api.trace.network import FlowTables, take_snapshot
from api.trace.proposal import Change, Proposal, propose
from logical_flow.errors import LogicalFlowError
from northbound.errors import InvalidError, RequestError
from northbound.transaction import Reader
from northbound.transaction import Transaction as Writing
from southbound.rows import Chassis, Datapath, PortBinding

_ROUNDS = 12
"""How many changes one after the other are tried."""

_ON_HYPERVISORS = {ObstacleKind.UNBOUND, ObstacleKind.NOT_UP, ObstacleKind.DEAD_CHASSIS}


class _Seen(NamedTuple):
    """What was found, with a remedy for each check that failed; `ports` are all by name."""

    document: Document
    checks: list[Check]
    remedies: list[Remedy | None]
    ports: Mapping[str, PortBinding]

    @property
    def obstacles(self) -> list[Obstacle]:
        return [check.obstacle for check in self.checks if check.obstacle]


class Explainer:
    """Answers one question after the other; `author` is who would make the changes."""

    def __init__(self, backend: Backend, tables: FlowTables, author: str) -> None:
        self._backend = backend
        self._tables = tables
        self._author = author

    async def explain(self, wanted: ReachabilityRequest) -> Document:
        """The answer, with what would have to change for a better one."""
        seen = await self._look(wanted, ())
        found, sufficient = await self._enough(wanted, seen)
        document = {**seen.document, "proposal": proposal(found, sufficient=sufficient)}
        if wanted.live:
            journeys = [check.journey for check in seen.checks if check.journey]
            document["live"] = await check_live(self._backend, journeys, seen.ports)
        return document

    async def _enough(self, wanted: ReachabilityRequest, seen: _Seen) -> tuple[list[Remedy], bool]:
        """Remedies that are enough, or as far as they are known; and whether they are."""
        found: list[Remedy] = []
        for _ in range(_ROUNDS):
            new = _unlike(seen, found)
            if not new:
                return found, all(each.kind in _ON_HYPERVISORS for each in seen.obstacles)
            if any(each is None or not _can_be_done(each) for each in new):
                return [*found, *(each for each in new if each is not None)], False
            tried = [*found, *(each for each in new if each is not None)]
            operations = tuple(o for each in tried for o in each.operations)
            sent = next((each.packet for each in reversed(tried) if each.packet), None)
            if sent is not None:
                wanted = wanted.model_copy(update={"match": packets.as_match(sent)})
            try:
                seen = await self._look(wanted, operations)
            except RequestError:
                return found, False
            found = tried
        return found, False

    async def _look(self, wanted: ReachabilityRequest, operations: Sequence[Operation]) -> _Seen:
        """What is found with `operations` carried out, which they are not."""
        backend = self._backend
        would_be: Proposal | None = None
        change = _change(operations)
        if operations:
            would_be = await propose(backend, change, author=self._author)
        realised = would_be.realised if would_be else backend.realised
        ports = {port.name: port for port in realised.rows(PortBinding).values()}
        hosting = Hosting(ports, dict(realised.rows(Chassis)))
        question = understand(wanted, ports)
        snapshot = take_snapshot(realised, question.entry.datapath)
        datapaths = frozenset(backend.realised.rows(Datapath))

        def work(reader: Reader) -> _Seen:
            self._tables.keep_only(datapaths)
            causes = would_be.causes if would_be else {}
            scene = Scene(snapshot, hosting, self._tables, reader, causes)
            return _see(scene, question, with_steps=wanted.steps)

        def work_changed(tx: Writing) -> _Seen:
            change(tx)
            tx.flush()
            return work(tx)

        if not operations:
            return await backend.read(work)
        written = await backend.write(work_changed, author=self._author, comment="", dry_run=True)
        return written.result


def _see(scene: Scene, question: Question, *, with_steps: bool) -> _Seen:
    try:
        checks = examine(scene, question)
    except LogicalFlowError as error:
        raise InvalidError.of(reason=f"can't be walked: {error}") from error
    remedies = [
        remedy(scene, question, check.obstacle, check.packet) for check in checks if check.obstacle
    ]
    document = answer(scene, question, checks, remedies, with_steps=with_steps)
    return _Seen(document, checks, remedies, scene.ports)


def _change(operations: Sequence[Operation]) -> Change:
    batch = {"operations": list(operations)}

    def change(tx: Writing) -> None:
        run_batch(tx, parse(Transaction, batch))

    return change


def _unlike(seen: _Seen, known: Sequence[Remedy]) -> list[Remedy | None]:
    """The remedies that are new; what was tried and is needed again doesn't help."""
    return [each for each in seen.remedies if each is None or each not in known]


def _can_be_done(remedy: Remedy) -> bool:
    return bool(remedy.operations or remedy.packet or remedy.commands)
