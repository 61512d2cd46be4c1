"""Asking the agents of all chassis on the way, at once.

An agent that doesn't answer keeps no other from being asked: why there is no answer takes
the answer's place.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from controller.interface import Controller
from diagnosis.trace.legs import Journey, Leg, enters_by_network, legs, taken_in
from southbound.errors import UnansweredError
from southbound.questions import Compare, Comparison, Question, Result, Traced
from southbound.rows import PortBinding

TIMEOUT: Final = 15.0
"""Seconds for an agent to read a large switch twice, and to trace."""


@dataclass
class LiveLeg:
    """A leg, and what the switch would do; without that `problem` says why."""

    leg: Leg
    traced: Traced | None
    problem: str = ""


@dataclass
class LiveChassis:
    """A chassis on the way: how its switch stands, and the legs there."""

    name: str
    comparison: Comparison | None
    problem: str = ""
    legs: list[LiveLeg] = field(default_factory=list)


@dataclass
class LiveJourneys:
    """What was asked about: journeys, and all chassis on their ways by name.

    `untaken` are the ports by which a provider network brings what no chassis takes in.
    """

    journeys: list[Journey]
    chassis: dict[str, LiveChassis]
    untaken: list[str] = field(default_factory=list)


async def ask_chassis(
    controller: Controller,
    journeys: Iterable[Journey],
    ports: Mapping[str, PortBinding],
    entry_chassis: str | None = None,
) -> LiveJourneys:
    """Ask every chassis that a packet comes through.

    What a provider network brings comes in on `entry_chassis`, or else where it is taken in.
    """
    journeys = list(journeys)
    found: list[Leg] = []
    untaken: set[str] = set()
    for journey in journeys:
        cut = legs(journey, ports, entry_chassis or taken_in(journey, ports))
        if not cut and enters_by_network(journey.entry):
            untaken.add(journey.entry.name)
        found += cut
    datapaths: dict[str, set[str]] = {}
    for leg in found:
        datapaths.setdefault(leg.chassis, set()).update(leg.datapaths)
    compared = {name: Compare(tuple(sorted(ids))) for name, ids in datapaths.items()}
    questions: list[tuple[str, Question]] = [
        *compared.items(),
        *((leg.chassis, leg.question) for leg in found),
    ]
    answers = await asyncio.gather(*(_ask(controller, *question) for question in questions))
    chassis = {
        name: LiveChassis(name, answer if isinstance(answer, Comparison) else None, problem)
        for name, (answer, problem) in zip(compared, answers, strict=False)
    }
    for leg, (answer, problem) in zip(found, answers[len(compared) :], strict=True):
        traced = answer if isinstance(answer, Traced) else None
        chassis[leg.chassis].legs.append(LiveLeg(leg, traced, problem))
    return LiveJourneys(journeys, chassis, sorted(untaken))


async def _ask(
    controller: Controller, chassis: str, question: Question
) -> tuple[Result | None, str]:
    try:
        return await controller.ask(chassis, question, TIMEOUT), ""
    except UnansweredError as error:
        return None, str(error)
