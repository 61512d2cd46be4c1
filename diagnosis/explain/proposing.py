"""Answers questions, and finds changes that are enough.

The way ends at the first obstacle, and behind it may be others. So each change that is
proposed is tried: the network is looked at as it would be with the change, and what is
then in the way has its own remedy added, until the packets pass. What passes then has to
pass in all worlds that may be, and nothing else may be worse off. Nothing is written.

What is to be done on a hypervisor can't be tried; it counts as done, which is an assumption.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, NamedTuple

from controller.answers import View
from diagnosis.answers import Answer, Assumption, AssumptionKind
from diagnosis.explain import packets
from diagnosis.explain.budget import Budget, TooMuchError
from diagnosis.explain.checks import Check, ObstacleKind, sentence
from diagnosis.explain.documents import ReachabilityRequest
from diagnosis.explain.question import Question, ports_of, understand
from diagnosis.explain.remedies import Operation, Remedy, remedy
from diagnosis.explain.result import Document, answer, proposal, unknowns
from diagnosis.explain.scene import Scene
from diagnosis.explain.tried import Tried
from diagnosis.explain.variants import Found, look, look_around
from diagnosis.explain.witnesses import Witness, ask, broken, taken, witnesses
from diagnosis.live.check import check_live
from diagnosis.sources import Sources, settle, stored_view
from diagnosis.trace.hindrances import Carriers
from diagnosis.trace.liveness import Hosting
from diagnosis.trace.network import ports_by_name, take_snapshot
from diagnosis.trace.proposal import Change, Proposal, propose
from logical_flow.errors import LogicalFlowError
from northbound.batch import Transaction as Batch
from northbound.batch import run_batch
from northbound.errors import InvalidError, RequestError
from northbound.specs import parse
from northbound.transaction import Reader, Transaction

_ROUNDS = 12
"""How many changes one after the other are tried."""
_SECONDS: Final = 20.0
"""How long changes are tried."""

_ON_HYPERVISORS = {
    ObstacleKind.UNBOUND,
    ObstacleKind.NOT_UP,
    ObstacleKind.DEAD_CHASSIS,
    ObstacleKind.AGENT,
    ObstacleKind.UNREACHABLE,
}


class _Seen(NamedTuple):
    """What was found, with a remedy for each check that failed, and where ports are hosted.

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


class _Looking(NamedTuple):
    """How to look: in all worlds, and at those nearby whom a change may harm.

    Where there is a `before`, at those as they were then.
    """

    around: bool = False
    nearby: bool = False
    before: "_Seen | None" = None


class Explainer:
    """Answers one question; `author` is who would make the changes."""

    def __init__(self, sources: Sources, author: str) -> None:
        self._sources = sources
        self._author = author
        self._budget = Budget()

    async def explain(self, wanted: ReachabilityRequest) -> Document:
        """The answer, with what would have to change for a better one."""
        await settle(self._sources, ports_of(wanted))
        seen = await self._look(wanted, (), _Looking(around=True))
        document = {**seen.document, "proposal": proposal(await self._tried(wanted, seen))}
        if wanted.live:
            journeys = [check.journey for check in seen.checks if check.journey]
            document["live"] = await check_live(self._sources, journeys, seen.hosting)
        return document

    async def _tried(self, wanted: ReachabilityRequest, seen: _Seen) -> Tried:
        """Remedies that are enough, or as far as they are known; and whether they are."""
        tried = Tried()
        try:
            async with asyncio.timeout(_SECONDS):
                await self._try(tried, wanted, seen)
        except TimeoutError:
            tried.sufficient = Answer.UNKNOWN
            tried.unknowns = [f"it could not be tried to the end within {_SECONDS:g} s"]
        except TooMuchError as error:
            tried.sufficient = Answer.UNKNOWN
            tried.unknowns = [f"it could not be tried to the end: it {error}"]
        except RequestError:
            # What would have to come next is refused: what there is so far is not enough.
            tried.sufficient = Answer.NO
        return tried

    async def _try(self, tried: Tried, wanted: ReachabilityRequest, first: _Seen) -> None:
        seen, asked = first, wanted
        tried.keep(first.found.assumptions)
        for _ in range(_ROUNDS):
            new = _unlike(seen, tried.remedies)
            if not new and seen.is_up_to_hypervisors:
                await self._verify(tried, wanted, asked)
                return
            if tried.remedies:
                tried.remaining = _obstacles(seen)
            if not new:
                return
            complete = all(each is not None and _can_be_done(each) for each in new)
            together = Tried([*tried.remedies, *(each for each in new if each is not None)])
            if not complete:
                tried.remedies = together.remedies
                return
            sent = next((each.packet for each in reversed(together.remedies) if each.packet), None)
            if sent is not None:
                wanted = wanted.model_copy(update={"match": packets.as_match(sent)})
            seen = await self._look(wanted, together.operations, _Looking())
            tried.remedies, tried.remaining = together.remedies, []
            tried.keep(seen.found.assumptions)

    async def _verify(
        self, tried: Tried, wanted: ReachabilityRequest, first: ReachabilityRequest
    ) -> None:
        """Look once more: in all worlds, and whether others are worse off.

        `first` is what was asked before a packet was proposed to be sent instead.
        """
        operations = tried.operations
        if not tried.remedies:
            return
        before = await self._look(first, (), _Looking(nearby=True)) if operations else None
        seen = await self._look(wanted, operations, _Looking(around=True, before=before))
        tried.keep(seen.found.assumptions, all_kinds=True)
        if before is not None:
            tried.breaks = [*seen.takes, *broken(before.witnesses, seen.witnesses)]
        if seen.found.shown.answer is not Answer.YES:
            text = "what is to be done on hypervisors works"
            tried.assumptions.append(Assumption(AssumptionKind.HYPERVISOR, text))
        if tried.breaks or not seen.is_up_to_hypervisors:
            tried.sufficient = Answer.NO
        elif seen.found.unknowns:
            tried.sufficient, tried.unknowns = Answer.UNKNOWN, unknowns(seen.found)
        else:
            tried.sufficient = Answer.YES

    async def _look(
        self, wanted: ReachabilityRequest, operations: Sequence[Operation], looking: _Looking
    ) -> _Seen:
        """What is found with `operations` carried out, which they are not."""
        sources = self._sources
        would_be: Proposal | None = None
        change = _change(operations)
        if operations:
            would_be = await propose(sources, change, ports_of(wanted), author=self._author)
            view = would_be.view
        else:
            view = await stored_view(sources, ports_of(wanted))
        hosting = Hosting(ports_by_name(view), Carriers.of(view))
        question = understand(wanted, hosting.ports)
        snapshot = take_snapshot(view, question.entry.datapath)

        def work(reader: Reader) -> _Seen:
            causes = would_be.causes if would_be else {}
            scene = Scene(snapshot, hosting, sources.tables, reader, causes, budget=self._budget)
            return _see(scene, question, looking, view, with_steps=wanted.steps)

        def work_changed(tx: Transaction) -> _Seen:
            change(tx)
            tx.flush()
            return work(tx)

        if not operations:
            return await sources.read(work)
        return await sources.dry_run(work_changed, author=self._author)


def _see(
    scene: Scene,
    question: Question,
    looking: _Looking,
    view: View,
    *,
    with_steps: bool,
) -> _Seen:
    try:
        found = look_around(scene, question) if looking.around else look(scene, question)
        others: list[Witness] = []
        takes: list[str] = []
        if looking.before is not None:
            others = ask(scene, [each.wanted for each in looking.before.witnesses])
            takes = list(taken(scene, view.changed, view.replaced))
        elif looking.nearby:
            others = witnesses(scene, question, question.target)
    except LogicalFlowError as error:
        raise InvalidError.of(reason=f"can't be walked: {error}") from error
    shown = found.shown
    remedies = [remedy(shown.scene, question, each) for each in shown.checks if each.obstacle]
    document = answer(question, found, remedies, with_steps=with_steps)
    return _Seen(found, document, remedies, scene.hosting, others, takes)


def _obstacles(seen: _Seen) -> list[str]:
    """What is in the way, in sentences, but for what is to be done on hypervisors."""
    return [
        sentence(check, check.obstacle)
        for check in seen.checks
        if check.obstacle is not None and check.obstacle.kind not in _ON_HYPERVISORS
    ]


def _change(operations: Sequence[Operation]) -> Change:
    batch = {"operations": list(operations)}

    def change(tx: Transaction) -> None:
        run_batch(tx, parse(Batch, batch))

    return change


def _unlike(seen: _Seen, known: Sequence[Remedy]) -> list[Remedy | None]:
    """The remedies that are new; what was tried and is needed again doesn't help."""
    return [each for each in seen.remedies if each is None or each not in known]


def _can_be_done(remedy: Remedy) -> bool:
    return bool(remedy.operations or remedy.packet or remedy.commands)
