"""Answers questions, and finds changes that are enough.

The way ends at the first obstacle, and behind it may be others. So each change that is
proposed is tried: the network is looked at as it would be with the change, and what is
then in the way has its own remedy added, until the packets pass. What passes then has to
pass in all worlds that may be, and nothing else may be worse off. Nothing is written.

What is to be done on a hypervisor can't be tried; it counts as done, which is an assumption.
"""

import asyncio
from typing import Final

from diagnosis.answers import Answer, Assumption, AssumptionKind
from diagnosis.explain import packets
from diagnosis.explain.budget import TooMuchError
from diagnosis.explain.dhcp import dns_server
from diagnosis.explain.documents import ReachabilityRequest
from diagnosis.explain.looking import Look, Looker, Sight
from diagnosis.explain.question import ports_of
from diagnosis.explain.result import Document, proposal, unknowns
from diagnosis.explain.tried import Tried
from diagnosis.explain.witnesses import broken
from diagnosis.live.check import check_live, refuse_unasked
from diagnosis.sources import Sources, settle
from northbound.errors import InvalidError, RequestError

_ROUNDS = 12
"""How many changes one after the other are tried."""
_SECONDS: Final = 20.0
"""How long changes are tried."""


class Explainer:
    """Answers one question; `author` is who would make the changes."""

    def __init__(self, sources: Sources, author: str) -> None:
        self._sources = sources
        self._looker = Looker(sources, author)

    async def explain(self, wanted: ReachabilityRequest) -> Document:
        """The answer, with what would have to change for a better one."""
        refuse_unasked(wanted.entry_chassis, live=wanted.live)
        wanted, assumed = await self._asking(wanted)
        await settle(self._sources, ports_of(wanted))
        seen = await self._looker.look(wanted, (), Look(around=True))
        document = {**seen.document, "proposal": proposal(await self._tried(wanted, seen))}
        document["assumptions"] += [each.document() for each in assumed]
        if wanted.live:
            journeys = [check.journey for check in seen.checks if check.journey]
            document["live"] = await check_live(
                self._sources, journeys, seen.hosting, wanted.entry_chassis
            )
        return document

    async def _asking(
        self, wanted: ReachabilityRequest
    ) -> tuple[ReachabilityRequest, list[Assumption]]:
        """The question, of which DNS server a name is asked where it doesn't say so itself.

        That is the one that DHCP tells the workload.
        """
        source = wanted.source
        has_end = wanted.match is not None or wanted.destination is not None
        if wanted.dns_name is None or has_end or source is None:
            return wanted, []
        server = await self._sources.read(lambda reader: dns_server(reader, source))
        if server is None:
            reason = f"is needed: DHCP tells {source} no DNS server that it could ask"
            raise InvalidError.of("destination", reason=reason)
        text = f"{source} asks the DNS server {server}, which DHCP tells it"
        asked = wanted.model_copy(update={"destination": server})
        return asked, [Assumption(AssumptionKind.NAME, text)]

    async def _tried(self, wanted: ReachabilityRequest, seen: Sight) -> Tried:
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

    async def _try(self, tried: Tried, wanted: ReachabilityRequest, first: Sight) -> None:
        seen, asked = first, wanted
        tried.keep(first.found.assumptions)
        for _ in range(_ROUNDS):
            new = seen.untried_remedies(tried.remedies)
            if not new and seen.is_up_to_hypervisors:
                await self._verify(tried, wanted, asked)
                return
            if tried.remedies:
                tried.remaining = seen.obstacles
            if not new:
                return
            complete = all(each is not None and each.can_be_done for each in new)
            together = Tried([*tried.remedies, *(each for each in new if each is not None)])
            if not complete:
                tried.remedies = together.remedies
                return
            sent = next((each.packet for each in reversed(together.remedies) if each.packet), None)
            if sent is not None:
                wanted = wanted.model_copy(update={"match": packets.as_match(sent)})
            how = Look(revived=together.revived)
            seen = await self._looker.look(wanted, together.operations, how)
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
        before = await self._looker.look(first, (), Look(nearby=True)) if operations else None
        how = Look(around=True, before=before, revived=tried.revived)
        seen = await self._looker.look(wanted, operations, how)
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
