"""What a registered agent says, and what comes of it.

Messages are taken one after the other, long ones in steps between which others have their
turn, so that nothing an agent sends keeps the server from serving the rest. Between two
steps nothing is sent to the agent: an update tells it how many of its messages were heard,
and a message is heard when all of it is.

A write that isn't the agent's to make is denied: it changes nothing, is counted, logged
ever more rarely, and told to the agent, which may have been a moment behind.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable
from typing import TypeAlias

import structlog

from southbound import wire
from southbound.conditions import conditions_of
from southbound.errors import ChassisLeftError, NotAllowedError, ProtocolError
from southbound.facts import Facts
from southbound.hits import HitBook
from southbound.questions import MAX_HITS
from southbound.rows import port_scope
from southbound.tunnels import report_of
from southbound.virtual import Spoken
from southbound.watch.asking import Asking
from southbound.watch.limits import (
    MAX_DENIALS,
    MAX_NAME,
    MAX_SCOPE,
    STEP,
    Limits,
    Pace,
    bounded_counters,
)
from southbound.watch.session import Session
from southbound.watch.sessions import Sessions

log = structlog.get_logger(__name__)

Send: TypeAlias = Callable[[wire.Message], Awaitable[None]]


class Hearing:
    """Takes the messages of one session."""

    def __init__(
        self,
        session: Session,
        sessions: Sessions,
        facts: Facts,
        hits: HitBook,
        asking: Asking,
        send: Send,
        limits: Limits,
    ) -> None:
        self._session = session
        self._sessions = sessions
        self._facts = facts
        self._hits = hits
        self._asking = asking
        self._send = send
        self._limits = limits
        self._told = 0
        self._pace = Pace(asyncio.get_running_loop().time())

    async def take(self, message: wire.FromAgent) -> None:
        """Raises ProtocolError or WatchRefusedError at what ends the session."""
        try:
            match message:
                case wire.Subscribe(scopes):
                    await self._subscribe(scopes)
                case wire.Unsubscribe(scopes):
                    await self._unsubscribe(scopes)
                case wire.ClaimOnly(ports):
                    await self._claim_only(ports)
                case wire.Claim(port):
                    await self._claim(port)
                case _:
                    self._obey(message)
        except NotAllowedError as error:
            await self._deny(str(error))
        await self._wait_for_turn(message)

    async def skip(self) -> None:
        """A message came of a kind that this server doesn't know: it costs the agent its turn."""
        counts = self._session.skipped.counts
        if _is_power_of_ten(sum(counts.values())):
            log.warning("unknown messages", chassis=self._session.chassis, skipped=dict(counts))
        await self._pause(1)

    def _obey(self, message: wire.FromAgent) -> None:
        chassis, facts = self._session.chassis, self._facts
        match message:
            case wire.Acknowledge(serial):
                self._sessions.acknowledge(self._session, serial)
            case wire.Release(port):
                facts.release(chassis, port)
                self._sessions.review(self._session, (port_scope(port),))
            case wire.PortUp(port, up):
                facts.set_up(chassis, port, up)
            case wire.Activated(ports):
                self._activated(ports)
            case wire.VirtualPorts(spoken):
                self._virtual_ports(spoken)
            case wire.BackendStates(states):
                self._backend_states(states)
            case wire.LearnedMac(port, ip, mac):
                facts.learned.learn_mac(chassis, port, ip, mac)
            case wire.LearnedFdb(port, mac):
                facts.learned.learn_fdb(chassis, port, mac)
            case wire.Counters(values):
                self._session.counters = bounded_counters(values)
            case wire.AclHits(hits):
                self._hits.report(chassis, hits[:MAX_HITS])
            case wire.Tunnels():
                report = report_of(message, facts.is_chassis, facts.now())
                self._sessions.tell_tunnels(self._session, report)
            case wire.Conditions(reasons):
                self._session.conditions = conditions_of(reasons)
            case wire.Monitors(names):
                facts.set_monitors(chassis, names)
            case wire.BfdStates(sessions):
                self._limits.check_claims(len(sessions))
                facts.bfd.state(chassis, sessions)
            case wire.Leave():
                raise ChassisLeftError(chassis)
            case wire.Answer():
                self._asking.answered(message)
            case wire.Register():
                raise ProtocolError("registered already")

    def _activated(self, ports: Collection[str]) -> None:
        _check_lengths(ports, MAX_NAME)
        self._limits.check_claims(len(set(ports)))
        self._facts.state_activated(self._session.chassis, ports)

    def _virtual_ports(self, spoken: Collection[wire.SpeaksFor]) -> None:
        _check_lengths((name for each in spoken for name in (each.virtual, each.parent)), MAX_NAME)
        self._limits.check_claims(len(spoken))
        now = self._facts.now()
        said = [(each.virtual, Spoken(each.parent, now - max(each.age, 0.0))) for each in spoken]
        self._facts.state_virtual(self._session.chassis, said)

    def _backend_states(self, states: Collection[wire.BackendState]) -> None:
        _check_lengths((name for each in states for name in (each.set, each.member)), MAX_NAME)
        self._limits.check_claims(len(states))
        self._facts.backends.state(self._session.chassis, states)

    # --- in steps

    async def _subscribe(self, scopes: Collection[str]) -> None:
        _check_lengths(scopes, MAX_SCOPE)
        wishes = self._session.wishes
        self._limits.check_scopes(len(wishes) + sum(scope not in wishes for scope in set(scopes)))
        with self._session.hearing():
            async for step in self._steps(scopes):
                self._sessions.subscribe(self._session, step)

    async def _unsubscribe(self, scopes: Collection[str]) -> None:
        with self._session.hearing():
            async for step in self._steps(scopes):
                self._sessions.unsubscribe(self._session, step)

    async def _claim_only(self, ports: Collection[str]) -> None:
        _check_lengths(ports, MAX_NAME)
        self._limits.check_claims(len(set(ports)))
        chassis = self._session.chassis
        with self._session.hearing(counts=False):
            async for step in self._steps(self._facts.state_claims(chassis, ports)):
                self._facts.settle(step)
                self._sessions.review(self._session, map(port_scope, step))
            self._sessions.claims_stated(self._session)
        for port in ports:
            await self._tell_reason(port)

    async def _claim(self, port: str) -> None:
        _check_lengths((port,), MAX_NAME)
        chassis = self._session.chassis
        self._limits.check_claims(len({*self._facts.claimed_by(chassis), port}))
        self._facts.claim(chassis, port)
        self._sessions.review(self._session, (port_scope(port),))
        await self._tell_reason(port)

    async def _steps(self, items: Iterable[str]) -> AsyncIterator[tuple[str, ...]]:
        """The items in steps, as long as the session is this agent's."""
        left = tuple(items)
        for start in range(0, len(left), STEP):
            if start:
                await asyncio.sleep(0)
            if self._sessions.get(self._session.chassis) is not self._session:
                raise ProtocolError("another connection of this agent has taken its place")
            yield left[start : start + STEP]

    async def _wait_for_turn(self, message: wire.FromAgent) -> None:
        """Where the agent was too fast, others come first."""
        match message:
            case (
                wire.Subscribe(items)
                | wire.Unsubscribe(items)
                | wire.ClaimOnly(items)
                | wire.Activated(items)
                | wire.VirtualPorts(items)
                | wire.BfdStates(items)
                | wire.BackendStates(items)
            ):
                count = len(items)
            case _:
                count = 1
        await self._pause(count)

    async def _pause(self, count: int) -> None:
        delay = self._pace.delay(count, asyncio.get_running_loop().time())
        if delay:
            await asyncio.sleep(delay)

    # --- what is denied

    async def _tell_reason(self, port: str) -> None:
        """That a claim has come too late, or is not for this chassis, is no fault of the agent."""
        reason = self._facts.reason_against(self._session.chassis, port)
        if reason and self._told < MAX_DENIALS:
            self._told += 1
            log.info("port not given", chassis=self._session.chassis, reason=reason)
            await self._send(wire.Denied(reason))

    async def _deny(self, reason: str) -> None:
        self._session.denied += 1
        count = self._session.denied
        if _is_power_of_ten(count):
            log.warning("denied", chassis=self._session.chassis, reason=reason, count=count)
        if self._told < MAX_DENIALS:
            self._told += 1
            await self._send(wire.Denied(reason))


def _check_lengths(names: Iterable[str], longest: int) -> None:
    for name in names:
        if len(name) > longest:
            raise ProtocolError(f"a name of {len(name)} characters, at most {longest} are taken")


def _is_power_of_ten(number: int) -> bool:
    return str(number).strip("0") == "1"
