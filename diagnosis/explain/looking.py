"""Looking at the network once, as it is or as it would be with a change.

A look answers the question, and has a remedy for each check that failed. What would be is
looked at in a dry run: it reads and writes nothing that others see, and locks nothing.
"""

from collections.abc import Collection, Sequence
from typing import NamedTuple

from controller.answers import View
from diagnosis.explain.budget import Budget
from diagnosis.explain.checks import Check, ObstacleKind, sentence
from diagnosis.explain.documents import ReachabilityRequest
from diagnosis.explain.question import Question, frame_of, ports_of, understand
from diagnosis.explain.remedies.case import Operation, Remedy
from diagnosis.explain.remedies.finding import remedy
from diagnosis.explain.result import Document, answer
from diagnosis.explain.scene import Scene
from diagnosis.explain.variants import Found, look, look_around
from diagnosis.explain.witnesses import Witness, ask, taken, witnesses
from diagnosis.sources import Sources, stored_view
from diagnosis.trace.backends import BackendKey
from diagnosis.trace.hindrances import Carriers
from diagnosis.trace.liveness import Hosting
from diagnosis.trace.nested import ports_of_frame
from diagnosis.trace.network import ports_by_name, take_snapshot
from diagnosis.trace.proposal import Change, Proposal, propose
from logical_flow.errors import LogicalFlowError
from northbound.batch import Transaction as Batch
from northbound.batch import run_batch
from northbound.errors import InvalidError
from northbound.specs import parse
from northbound.transaction import Reader, Transaction

_ON_HYPERVISORS = {
    ObstacleKind.UNBOUND,
    ObstacleKind.NOT_UP,
    ObstacleKind.DEAD_CHASSIS,
    ObstacleKind.AGENT,
    ObstacleKind.FLOOD,
    ObstacleKind.UNREACHABLE,
    ObstacleKind.TUNNEL_MTU,
    ObstacleKind.NO_BRIDGE,
    ObstacleKind.NO_GATEWAY,
}


class Sight(NamedTuple):
    """What was seen, with a remedy for each check that failed, and where ports are hosted.

    Where a change may be proposed, or is tried, `witnesses` are others whom it might harm, and
    `takes` what it takes from others.
    """

    found: Found
    document: Document
    remedies: list[Remedy | None]
    hosting: Hosting
    witnesses: list[Witness]
    takes: list[str]

    @property
    def checks(self) -> list[Check]:
        return self.found.shown.checks

    @property
    def is_up_to_hypervisors(self) -> bool:
        """Whether all that is in the way is to be done there."""
        return all(each.kind in _ON_HYPERVISORS for each in self.found.shown.obstacles)

    @property
    def obstacles(self) -> list[str]:
        """What is in the way, in sentences, but for what is to be done on hypervisors."""
        return [
            sentence(check, check.obstacle)
            for check in self.checks
            if check.obstacle is not None and check.obstacle.kind not in _ON_HYPERVISORS
        ]

    def untried_remedies(self, tried: Sequence[Remedy]) -> list[Remedy | None]:
        """The remedies that are new: what was tried and is needed again doesn't help."""
        return [each for each in self.remedies if each is None or each not in tried]


class Look(NamedTuple):
    """How to look: in all worlds, and at those nearby whom a change may harm.

    Where there is a `before`, at those as they were then. Backends that are `revived` are taken to
    answer.
    """

    around: bool = False
    nearby: bool = False
    before: Sight | None = None
    revived: Collection[BackendKey] = ()


class Looker:
    """Looks at one network for one explanation; `author` is who would make changes."""

    def __init__(self, sources: Sources, author: str) -> None:
        self._sources = sources
        self._author = author
        self._budget = Budget()

    async def look(
        self, wanted: ReachabilityRequest, operations: Sequence[Operation], how: Look
    ) -> Sight:
        """What is found with `operations` carried out, which they are not."""
        sources = self._sources
        named = [*ports_of(wanted), *await ports_of_frame(sources, frame_of(wanted))]
        would_be: Proposal | None = None
        change = _change(operations)
        if operations:
            would_be = await propose(sources, change, named, author=self._author)
            view = would_be.view
        else:
            view = await stored_view(sources, named)
        hosting = Hosting(ports_by_name(view), Carriers.of(view))
        question = understand(wanted, hosting.ports)
        snapshot = take_snapshot(view, question.entry.datapath, how.revived)

        def work(reader: Reader) -> Sight:
            causes = would_be.causes if would_be else {}
            scene = Scene(snapshot, hosting, sources.tables, reader, causes, budget=self._budget)
            return _see(scene, question, how, view, with_steps=wanted.steps)

        def work_changed(tx: Transaction) -> Sight:
            change(tx)
            tx.flush()
            return work(tx)

        if not operations:
            return await sources.read(work)
        return await sources.dry_run(work_changed, author=self._author)


def _see(
    scene: Scene,
    question: Question,
    how: Look,
    view: View,
    *,
    with_steps: bool,
) -> Sight:
    try:
        found = look_around(scene, question) if how.around else look(scene, question)
        others: list[Witness] = []
        takes: list[str] = []
        if how.before is not None:
            others = ask(scene, [each.wanted for each in how.before.witnesses])
            takes = list(taken(scene, view.changed, view.replaced))
        elif how.nearby:
            others = witnesses(scene, question, question.target)
    except LogicalFlowError as error:
        raise InvalidError.of(reason=f"can't be walked: {error}") from error
    shown = found.shown
    remedies = [remedy(shown.scene, question, each) for each in shown.checks if each.obstacle]
    document = answer(question, found, remedies, with_steps=with_steps)
    return Sight(found, document, remedies, scene.hosting, others, takes)


def _change(operations: Sequence[Operation]) -> Change:
    batch = {"operations": list(operations)}

    def change(tx: Transaction) -> None:
        run_batch(tx, parse(Batch, batch))

    return change
