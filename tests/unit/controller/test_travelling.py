"""Questions to the controller and its answers can travel: nothing alive goes in or out.

The tests of the API and of diagnosis ask a controller that encodes and decodes everything, too;
here are the questions that they ask seldom.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest

from controller.answers import FlowFilter, PortFilter, PortPlace, ProposedChange, RowImages
from controller.interface import Controller
from controller.local import LocalController
from northbound.database import Database
from northbound.models import LogicalSwitchPort
from southbound.errors import NotAllowedError, NotConnectedError
from southbound.questions import Compare
from southbound.rows import Chassis, Encap, FlowGroup, PortBinding
from tests.unit.api.conftest import Server, database, serve
from tests.unit.api.demo import apply_demo
from tests.unit.controller.travelling import QUESTIONS, travelling

__all__ = ["database"]


@pytest.fixture
async def demo(database: Database) -> AsyncIterator[Server]:
    async with serve(database) as server:
        await apply_demo(server)
        encap = Encap("geneve", "192.0.2.1")
        server.realised.facts.connected(Chassis("hv1", "hv1.example.net", (encap,)))
        server.realised.facts.claim("hv1", "web-1")
        yield server


@pytest.fixture
def both(demo: Server) -> tuple[Controller, Controller]:
    """A controller in this process, and the same one far away."""
    local = LocalController(demo.realised, demo.agents, demo.translator)
    return local, travelling(local)


def test_the_local_controller_answers_every_question() -> None:
    assert len(QUESTIONS) > 15
    for name in QUESTIONS:
        assert callable(getattr(LocalController, name)), name


async def test_answers_arrive_as_they_were_given(
    demo: Server, both: tuple[Controller, Controller]
) -> None:
    group = next(iter(demo.realised.rows(FlowGroup).values()))
    port = next(row for row in demo.realised.rows(PortBinding).values() if row.name == "web-1")
    local, distant = both
    assert await local.progress() == await distant.progress()
    assert await local.differences() == await distant.differences() == []
    assert await local.chassis(limit=9) == await distant.chassis(limit=9)
    assert await local.one_chassis("hv1") == await distant.one_chassis("hv1")
    assert await local.datapath("web") == await distant.datapath("web")
    which = PortFilter(chassis="hv1")
    (bound,) = await distant.ports(which, limit=9)
    assert [bound] == await local.ports(which, limit=9)
    assert bound.row == port
    assert await local.port(port.id) == await distant.port("web-1")
    hosts = ["hv1", "hv1.example.net", "hv9"]
    places = await distant.places([port.id, "gone"], hosts)
    assert places == await local.places([port.id, "gone"], hosts)
    assert places.ports == {port.id: PortPlace("hv1", "hv1.example.net", False)}
    assert places.bridges == {"hv1": "br-int"}
    assert places.hosts == {"hv1": "hv1", "hv1.example.net": "hv1"}
    assert await local.templates() == await distant.templates()
    flows = FlowFilter(cause=(group.cause_kind, group.cause_id))
    assert await local.flow_groups(flows, limit=9) == await distant.flow_groups(flows, limit=9)
    assert await distant.groups_of([group.id, 0]) == [group]
    assert await local.origin(group.id) == await distant.origin(group.id)
    assert await local.view(["web-1", "10.20.2.11"]) == await distant.view(["web-1", "10.20.2.11"])


async def test_refusals_arrive(demo: Server, both: tuple[Controller, Controller]) -> None:
    _, distant = both
    demo.agents.connected["hv1"] = 1
    with pytest.raises(NotAllowedError, match="is connected"):
        await distant.remove_chassis("hv1")
    with pytest.raises(NotConnectedError):
        await distant.ask("hv1", Compare(("d",)), 1.0)
    assert not await distant.remove_chassis("hv9")


async def test_a_view_of_a_change_is_one_to_its_revision(
    demo: Server, both: tuple[Controller, Controller]
) -> None:
    _, distant = both
    revision = demo.realised.revision
    with demo.backend.database.read() as reader:
        row = reader.find(LogicalSwitchPort, "web-1")
        assert row is not None
        before = row.image()
    after = {**before, "enabled": False}
    images = [RowImages("logical_switch_port", before, after)]
    view = await distant.view(["web-1"], ProposedChange(revision, images))
    assert view is not None
    assert [(port.name, port.enabled, port.chassis) for port in view.changed] == [
        ("web-1", False, "hv1")
    ]
    assert [(port.name, port.enabled) for port in view.replaced] == [("web-1", True)]
    assert await distant.view(["web-1"], ProposedChange(revision - 1, images)) is None


async def test_while_it_is_held_nothing_else_is_translated(
    demo: Server, both: tuple[Controller, Controller]
) -> None:
    _, distant = both
    revision = demo.realised.revision
    hold = await distant.hold(60.0)
    change = ProposedChange(revision, [])
    patched = await demo.client.patch("/v1/logical-switches/web", json={"labels": {"a": "b"}})
    assert patched.is_success
    following = asyncio.create_task(demo.translate())
    view = await distant.view(["web-1"], change, hold)
    assert view is not None
    assert view.revision == revision
    assert not following.done()
    await distant.release(hold)
    await following
    assert demo.realised.revision == revision + 1
    assert await distant.view(["web-1"], change, hold) is None
