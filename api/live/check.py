"""A live check from beginning to end: ask the agents, then tell what they said."""

from collections.abc import Iterable, Mapping
from typing import Any

from api.backend import Backend
from api.live.asking import LiveJourneys, ask_chassis
from api.live.findings import Background, live_document
from api.live.legs import Journey
from api.trace.causes import Causes
from northbound.transaction import Reader
from southbound.rows import Chassis, FlowGroup, PortBinding


async def check_live(
    backend: Backend, journeys: Iterable[Journey], ports: Mapping[str, PortBinding]
) -> dict[str, Any]:
    """Whether the switches do what was walked; `ports` are those of the walks, by name."""
    found = await ask_chassis(backend.agents, journeys, ports)
    chassis = dict(backend.realised.rows(Chassis))
    groups = backend.realised.rows(FlowGroup)
    met = {cookie: groups[cookie] for cookie in _cookies(found) if cookie in groups}

    def work(reader: Reader) -> dict[str, Any]:
        return live_document(found, Background(Causes(reader), chassis, met))

    return await backend.read(work)


def _cookies(found: LiveJourneys) -> set[str]:
    """The cookies of all flows that packets meet, as keys of flow groups."""
    return {
        str(step.cookie)
        for chassis in found.chassis.values()
        for live in chassis.legs
        if live.traced is not None
        for step in live.traced.steps
    }
