"""What ACLs have decided: asked of agents where it has to be exact, then added up."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Final, Protocol

from controller.answers import AclHits
from southbound.errors import UnansweredError
from southbound.hits import ACL, HitBook, Hits
from southbound.questions import MAX_HITS, CountHits, HitsCounted, Question, Result
from southbound.rows import FlowGroup

_ASKED_AT_ONCE: Final = 32
_MANY_ACLS: Final = "more ACLs were asked for at once than an agent counts"


class AskedAgents(Protocol):
    """The watch server, as far as it is asked here."""

    def watching(self, datapath: str) -> list[str]:
        """Return the chassis that watch a datapath, connected or not."""
        ...

    async def ask(self, chassis: str, question: Question, timeout: float) -> Result:  # noqa: ASYNC109
        """Return what the agent of a chassis answers, or raise UnansweredError."""
        ...


async def count_hits(
    agents: AskedAgents,
    book: HitBook,
    groups: Sequence[FlowGroup],
    timeout: float,  # noqa: ASYNC109
) -> dict[str, dict[int, str]]:
    """Have the agents that know these flow groups count, and note in the book what they say.

    Return for each chassis that didn't answer which groups are not counted, and why.
    """
    by_chassis: defaultdict[str, list[int]] = defaultdict(list)
    for group in groups:
        for chassis in agents.watching(group.datapath):
            by_chassis[chassis].append(group.id)
    turns = asyncio.Semaphore(_ASKED_AT_ONCE)
    missing: dict[str, dict[int, str]] = {}

    async def count(chassis: str, numbers: list[int]) -> None:
        asked, left = numbers[:MAX_HITS], numbers[MAX_HITS:]
        reasons = dict.fromkeys(left, _MANY_ACLS)
        try:
            async with turns:
                answer = await agents.ask(chassis, CountHits(tuple(asked)), timeout)
        except UnansweredError as error:
            reasons |= dict.fromkeys(asked, str(error))
        else:
            if isinstance(answer, HitsCounted):
                book.report(chassis, answer.hits)
            else:
                reasons |= dict.fromkeys(asked, "its agent answered something else")
        if reasons:
            missing[chassis] = reasons

    async with asyncio.TaskGroup() as tasks:
        for chassis, numbers in by_chassis.items():
            tasks.create_task(count(chassis, numbers))
    return missing


def hits_by_acl(
    book: HitBook, groups: Iterable[FlowGroup], missing: dict[str, dict[int, str]]
) -> dict[str, AclHits]:
    """Add up the counters of flow groups by the ACL that they are of."""
    of_acl: defaultdict[str, list[FlowGroup]] = defaultdict(list)
    for group in groups:
        if group.cause_kind == ACL:
            of_acl[group.cause_id].append(group)
    return {acl: _sum(book, its_groups, missing) for acl, its_groups in of_acl.items()}


def _sum(book: HitBook, groups: Sequence[FlowGroup], missing: dict[str, dict[int, str]]) -> AclHits:
    chassis: dict[str, Hits] = {}
    for group in groups:
        for name, hits in book.of(group.id):
            if not hits.packets:
                continue
            chassis[name] = chassis.get(name, Hits()).plus(hits)
    total = Hits()
    for each in chassis.values():
        total = total.plus(each)
    not_counted = {
        name: next(reasons[group.id] for group in groups if group.id in reasons)
        for name, reasons in missing.items()
        if any(group.id in reasons for group in groups)
    }
    return AclHits(total.packets, total.bytes, total.last_hit, chassis, not_counted)
