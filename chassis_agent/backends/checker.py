"""Asks backends behind ports of this chassis whether they are up, and tells the server."""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from chassis_agent import tables
from chassis_agent.backends.checks import BackendChecks, Question
from chassis_agent.backends.frames import Answer, question, reset
from chassis_agent.derivations.backends import checks_here
from chassis_agent.local.port_names import PortKeys, PortNames
from chassis_agent.openflow import actions as act
from chassis_agent.openflow import messages
from chassis_agent.punt.own_packets import made_here
from southbound.rows import BackendCheck, BackendStatus
from southbound.watch.wishes import Source
from southbound.wire import BackendStates

_AT_ONCE: Final = 50
"""Questions that are sent before other tasks of the agent get their turn."""
_PAUSE: Final = 0.05
_LOOK_SECONDS: Final = 0.5
"""How often it is looked which backends are here."""


class BackendChecker:
    """Keeps :class:`BackendChecks` current.

    `send` takes a packet-out, and says whether there was a switch to take it. `rows` gives the
    rows of a table or derivation, and `tell` takes what the server is to know, whenever that has
    changed.
    """

    def __init__(
        self,
        send: Callable[[bytes], bool],
        ports: PortNames,
        rows: Callable[[type[Any]], Mapping[Any, Any]],
        tell: Callable[[Source], None],
        *,
        clock: Callable[[], float] = time.monotonic,
        random: Callable[[int], int] = secrets.randbelow,
    ) -> None:
        self._send = send
        self._ports = ports
        self._rows = rows
        self._tell = tell
        self._clock = clock
        self._checks = BackendChecks(random)
        self._told: BackendStates | None = None
        """What was said last. The first statement counts also where it is empty: it is news to a
        server that heard more before this agent began anew."""

    async def run(self) -> None:
        """Ask until cancelled."""
        while True:
            sent = self.look()
            if sent == _AT_ONCE:
                await asyncio.sleep(_PAUSE)
                continue
            pause = self._checks.seconds_until_next(self._clock(), _LOOK_SECONDS)
            await asyncio.sleep(max(pause, _PAUSE))

    def look(self) -> int:
        """Ask what is due now, not too much at once; returns how many questions that were."""
        now = self._clock()
        here: Mapping[Any, BackendCheck | None] = self._rows(checks_here)  # type: ignore[arg-type]
        statuses: Mapping[str, BackendStatus] = self._rows(BackendStatus)
        wanted = {key: check for key, check in here.items() if check is not None}
        self._checks.use(wanted, statuses.get, now)
        questions = self._checks.due(now, _AT_ONCE)
        for each in questions:
            if not self._deliver(each, question(each.asked, each.mac, each.sequence)):
                self._checks.not_asked(each, now)
        self._report()
        return len(questions)

    def answered(self, keys: PortKeys, answer: Answer) -> None:
        """A port answered; what wasn't asked is passed over."""
        port = self._ports.port(keys)
        if port is None:
            return
        asked = self._checks.answered(port.name, answer)
        if asked is not None and answer.to_reset is not None:
            self._deliver(asked, reset(asked.asked, asked.mac, answer.to_reset))
        if asked is not None:
            self._report()

    def report(self) -> dict[str, Any]:
        """What the agent's status shows: how many are checked, and those that are down."""
        states = self._checks.statement().states
        return {
            "checked": len(self._checks),
            "down": {each.member: each.reason for each in states if not each.up},
        }

    def _deliver(self, to: Question, frame: bytes) -> bool:
        """Send a frame through the egress pipeline of a port, past its ACLs.

        Returns whether it was sent: not without a switch, nor to a port that is not known.
        """
        keys = self._ports.keys(to.port)
        if keys is None:
            return False
        start = made_here(keys.datapath, outport=keys.port)
        return self._send(messages.packet_out(frame, act.resubmit(tables.OUTPUT), start))

    def _report(self) -> None:
        states = self._checks.statement()
        if states != self._told:
            self._told = states
            self._tell(self._checks.statement)
