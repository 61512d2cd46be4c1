"""Asking the agents of all chassis on the way, at once.

An agent that doesn't answer keeps no other from being asked: why there is no answer takes
the answer's place.
"""

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from controller.interface import Controller
from diagnosis.trace.legs import Journey, Leg, legs
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
    """What was asked about: journeys, and all chassis on their ways by name."""

    journeys: list[Journey]
    chassis: dict[str, LiveChassis]


async def ask_chassis(
    controller: Controller, journeys: Iterable[Journey], ports: Mapping[str, PortBinding]
) -> LiveJourneys:
    """Ask every chassis that a packet comes through."""
    journeys = list(journeys)
    found = [leg for journey in journeys for leg in legs(journey, ports)]
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
    return LiveJourneys(journeys, chassis)


async def _ask(
    controller: Controller, chassis: str, question: Question
) -> tuple[Result | None, str]:
    try:
        return await controller.ask(chassis, question, TIMEOUT), ""
    except UnansweredError as error:
        return None, str(error)
