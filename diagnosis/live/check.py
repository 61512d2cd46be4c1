"""A live check from beginning to end: ask the agents, then tell what they said."""

from collections.abc import Iterable, Mapping
from typing import Any

from diagnosis.live.asking import LiveJourneys, ask_chassis
from diagnosis.live.findings import Background, live_document
from diagnosis.sources import Sources
from diagnosis.trace.causes import Causes
from diagnosis.trace.legs import Journey
from northbound.transaction import Reader
from southbound.rows import Chassis, FlowGroup, PortBinding


async def check_live(
    sources: Sources, journeys: Iterable[Journey], ports: Mapping[str, PortBinding]
) -> dict[str, Any]:
    """Whether the switches do what was walked; `ports` are those of the walks, by name."""
    found = await ask_chassis(sources.agents, journeys, ports)
    chassis = dict(sources.realised.rows(Chassis))
    groups = sources.realised.rows(FlowGroup)
    met = {cookie: groups[cookie] for cookie in _cookies(found) if cookie in groups}

    def work(reader: Reader) -> dict[str, Any]:
        return live_document(found, Background(Causes(reader), chassis, met))

    return await sources.read(work)


def _cookies(found: LiveJourneys) -> set[str]:
    """The cookies of all flows that packets meet, as keys of flow groups."""
    return {
        str(step.cookie)
        for chassis in found.chassis.values()
        for live in chassis.legs
        if live.traced is not None
        for step in live.traced.steps
    }
