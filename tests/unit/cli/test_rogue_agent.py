"""An agent that was taken over, with a valid token of its own, tries all that it can think of.

It gets what its own port needs. The network has two tenants: the rogue's chassis has a port
of the one, and the victim's chassis a port of the other, up and with all that belongs to it.
"""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest
from websockets.exceptions import InvalidStatus

from southbound import wire
from southbound.rows import (
    Chassis,
    Datapath,
    Encap,
    FdbEntry,
    FlowGroup,
    MacBinding,
    PortBinding,
    Row,
    RowId,
    SetMember,
)
from tests.unit.cli.test_server_agents import Gated, gated
from tests.unit.southbound.agents import until
from tests.unit.southbound.raw_agent import RawAgent, raw_agent

ROGUE, VICTIM = "hv1", "hv2"
ROGUES_HOST = Chassis(ROGUE, "one.example", (Encap("geneve", "192.0.2.1"),))
VICTIMS_HOST = Chassis(VICTIM, "two.example", (Encap("geneve", "192.0.2.2"),))


def tenant(name: str, number: int) -> list[Row]:
    """A switch with a port, a router, and an ACL with an address set."""
    ls, lr = f"{name}-ls", f"{name}-lr"
    return [
        Datapath(ls, "ls", ls, number),
        Datapath(lr, "lr", lr, number + 1),
        PortBinding(f"{name}-vm", ls, f"{name}-vm", 1, "vif", addresses=("0a:00:00:00:00:01",)),
        PortBinding(f"{ls}-p", ls, f"{ls}-p", 2, "patch", peer=f"{lr}-p", peer_datapath=lr),
        PortBinding(f"{lr}-p", lr, f"{lr}-p", 3, "patch", peer=f"{ls}-p", peer_datapath=ls),
        FlowGroup(number, ls, "acl", name, 1, msgspec.msgpack.encode([[7, f"${name}-set"]])),
        SetMember(f"${name}-set", "10.0.0.1"),
    ]


EVERY_SCOPE = (
    "global",
    *(f"{kind}:{name}{end}" for name in ("mine", "theirs") for kind, end in (
        ("datapath", "-ls"), ("datapath", "-lr"), ("port", "-vm"), ("port", "-ls-p"),
        ("port", "-lr-p"),
    )),
    "set:$mine-set",
    "set:$theirs-set",
)  # fmt: skip


class Scene(NamedTuple):
    server: Gated
    token: str
    victims_token: str
    victim: RawAgent

    def ids_of(self, name: str) -> set[RowId]:
        return {row.row_id for row in tenant(name, 1 if name == "mine" else 10)}

    @property
    def victims_port(self) -> PortBinding:
        return self.server.state.rows(PortBinding)["theirs-vm"]


@pytest.fixture
async def scene(tmp_path: Path) -> AsyncIterator[Scene]:
    async for server in gated(tmp_path):
        for number in range(20):
            server.state.groups.id_of(f"group {number}")
        await server.state.write(2, [*tenant("mine", 1), *tenant("theirs", 10)])
        token, victims_token = server.token(ROGUE), server.token(VICTIM)
        async with raw_agent(
            server.port, VICTIM, token=victims_token, chassis=VICTIMS_HOST
        ) as victim:
            await victim.say(wire.ClaimOnly(("theirs-vm",)), wire.PortUp("theirs-vm", True))
            found = Scene(server, token, victims_token, victim)
            await until(partial(lambda scene: scene.victims_port.up, found))
            yield found
            assert not victim.ended, "whatever was tried, the victim is served"


async def heard(scene: Scene, rogue: RawAgent) -> None:
    """Until all that the rogue has said is dealt with."""
    mark = {"mark": len(rogue.heard)}
    await rogue.say(wire.Counters(mark))
    await until(lambda: rogue.ended or scene.server.watch.status(ROGUE).counters == mark)


def of_tenants(scene: Scene, rows: list[Row]) -> set[RowId]:
    both = scene.ids_of("mine") | scene.ids_of("theirs")
    return {row.row_id for row in rows if row.row_id in both}


async def test_it_reads_what_its_own_port_needs(scene: Scene) -> None:
    async with raw_agent(scene.server.port, ROGUE, token=scene.token, chassis=ROGUES_HOST) as rogue:
        await rogue.say(wire.ClaimOnly(("mine-vm",)), wire.Subscribe(EVERY_SCOPE))
        await until(lambda: of_tenants(scene, rogue.rows) == scene.ids_of("mine"))
        await rogue.say(wire.Unsubscribe(EVERY_SCOPE), wire.Subscribe(EVERY_SCOPE))
        # What it may not see may change as much as it wants to.
        changed = SetMember("$theirs-set", "10.0.0.2")
        await scene.server.state.write(3, [changed, *tenant("theirs", 10)])
        await heard(scene, rogue)
        assert of_tenants(scene, rogue.rows) == scene.ids_of("mine")
        assert changed.row_id not in {row.row_id for row in rogue.rows}


@pytest.mark.parametrize("position", [0, 1, 10**9])
async def test_it_gets_nothing_by_saying_that_it_had_it(scene: Scene, position: int) -> None:
    async with raw_agent(scene.server.port, ROGUE, token=scene.token, chassis=ROGUES_HOST) as first:
        await until(lambda: bool(first.heard))
        hello = first.heard[0]
        assert isinstance(hello, wire.Hello)
    resume = wire.Resume(hello.epoch, position, EVERY_SCOPE)
    async with raw_agent(
        scene.server.port, ROGUE, token=scene.token, chassis=ROGUES_HOST, resume=resume
    ) as rogue:
        await rogue.say(wire.ClaimOnly(()))
        await scene.server.state.write(3, [Datapath("theirs-ls", "ls", "renamed", 10)])
        await heard(scene, rogue)
        assert of_tenants(scene, rogue.rows) == set()


async def test_it_writes_nothing_of_others(scene: Scene) -> None:
    async with raw_agent(scene.server.port, ROGUE, token=scene.token, chassis=ROGUES_HOST) as rogue:
        mac, ip = "0a:00:00:00:00:66", "10.0.0.66"
        await rogue.say(
            wire.ClaimOnly(("mine-vm",)),
            *(wire.LearnedMac(port, ip, mac) for port in ("theirs-lr-p", "theirs-vm", "absent")),
            *(wire.LearnedFdb(port, mac) for port in ("theirs-vm", "theirs-ls-p", "absent")),
            wire.PortUp("theirs-vm", False),
            wire.PortUp("theirs-vm", True),
            wire.Release("theirs-vm"),
            wire.Answer(1, None, "nothing was asked"),
        )
        await heard(scene, rogue)
        state = scene.server.state
        assert not state.rows(MacBinding)
        assert not state.rows(FdbEntry)
        assert scene.victims_port.chassis == VICTIM
        assert scene.victims_port.up
        session = scene.server.watch.sessions.get(ROGUE)
        assert session is not None
        assert session.denied == 7


@pytest.mark.parametrize(
    ("chassis", "reason"),
    [
        (VICTIMS_HOST, "the token is not valid for chassis 'hv2'"),
        (Chassis(ROGUE, "one.example", VICTIMS_HOST.encaps), "192.0.2.2 is that of chassis hv2"),
        (Chassis(ROGUE, "", (Encap("geneve", "not-an-ip"),)), "'not-an-ip' is no IP address"),
        (Chassis(ROGUE, "", (Encap("geneve", "224.0.0.1"),)), "a multicast address"),
    ],
)
async def test_it_is_no_other_chassis(scene: Scene, chassis: Chassis, reason: str) -> None:
    before = dict(scene.server.state.rows(Chassis))
    async with raw_agent(
        scene.server.port, chassis.name, token=scene.token, chassis=chassis
    ) as rogue:
        refused = await rogue.until_ended()
    assert refused is not None
    assert reason in refused.reason
    assert scene.server.state.rows(Chassis) == before


@pytest.mark.parametrize("request_by", [VICTIM, "two.example"])
async def test_it_wins_no_port_that_is_requested_elsewhere(scene: Scene, request_by: str) -> None:
    wanted = msgspec.structs.replace(scene.victims_port, requested_chassis=(request_by,))
    await scene.server.state.write(3, [wanted])
    rogues_host = msgspec.structs.replace(ROGUES_HOST, hostname="two.example")
    async with raw_agent(scene.server.port, ROGUE, token=scene.token, chassis=rogues_host) as rogue:
        await rogue.say(wire.ClaimOnly(("theirs-vm",)), wire.Subscribe(EVERY_SCOPE))
        await rogue.say(wire.Release("theirs-vm"), wire.Claim("theirs-vm"))
        await heard(scene, rogue)
        assert scene.victims_port.chassis == VICTIM
        assert scene.victims_port.up
        assert of_tenants(scene, rogue.rows) == set()
        assert set(rogue.denied) == {"theirs-vm: other chassis are requested for it"}


async def test_a_port_that_it_can_take_is_told(scene: Scene) -> None:
    """What nothing reserves goes to the last plug, since that is how guests migrate."""
    async with raw_agent(scene.server.port, ROGUE, token=scene.token, chassis=ROGUES_HOST) as rogue:
        await rogue.say(wire.ClaimOnly(()), wire.Claim("theirs-vm"))
        await until(lambda: scene.victims_port.chassis == ROGUE)
    facts = scene.server.state.facts
    assert facts.takeovers == 1
    assert facts.problems(scene.victims_port) == (f"there is an interface for it on {VICTIM}, too",)


async def test_with_takeover_off_it_takes_none(scene: Scene) -> None:
    scene.server.state.facts._takeover = False
    async with raw_agent(scene.server.port, ROGUE, token=scene.token, chassis=ROGUES_HOST) as rogue:
        await rogue.say(wire.ClaimOnly(()), wire.Subscribe(EVERY_SCOPE), wire.Claim("theirs-vm"))
        await heard(scene, rogue)
        assert scene.victims_port.chassis == VICTIM
        assert scene.victims_port.up
        assert of_tenants(scene, rogue.rows) == set()
        assert "takeover is off" in rogue.denied[0]


async def test_it_is_out_when_its_token_is(scene: Scene) -> None:
    async with raw_agent(scene.server.port, ROGUE, token=scene.token, chassis=ROGUES_HOST) as rogue:
        await rogue.say(wire.ClaimOnly(("mine-vm",)))
        await heard(scene, rogue)
        scene.server.revoke(ROGUE)
        refused = await rogue.until_ended()
        assert refused is not None
        assert refused.reason == "the token was revoked"
    with pytest.raises(InvalidStatus):
        async with raw_agent(scene.server.port, ROGUE, token=scene.token):
            pass
