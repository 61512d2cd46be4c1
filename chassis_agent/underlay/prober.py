"""Probes the tunnels that are in use, and tells the server of those that are not well."""

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import structlog

from chassis_agent.errors import ControlError
from chassis_agent.health import Health
from chassis_agent.openflow import actions as act
from chassis_agent.openflow import messages, oxm
from chassis_agent.openflow.oxm import FIELDS
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.physical.probes import PROBE_KEY, fingerprint
from chassis_agent.physical.tunnels import ETHERNET_HEADER, OPTION_BYTES, Tunnel
from chassis_agent.physical.tunnels import send as through
from chassis_agent.underlay import frames
from chassis_agent.underlay.own_addresses import missing
from chassis_agent.underlay.peers import INTERVAL, Fault, Peers
from chassis_agent.underlay.sizes import PathSizes
from southbound import wire
from southbound.encaps import Address, way_to
from southbound.rows import Chassis
from southbound.watch.wishes import Source

log = structlog.get_logger(__name__)

_TICK: Final = 0.1
_HOST_SECONDS: Final = 10.0
_SHOWN: Final = 3
"""How many tunnels that are not well the agent's condition names."""


class _Told(NamedTuple):
    """What the server knows of tunnels; `largest` counts while some are narrow."""

    faults: Mapping[str, Fault]
    pending: frozenset[str]
    narrow: Mapping[str, int]
    largest: int


class Prober:
    """Keeps :class:`Peers` current.

    `send` takes a packet-out, and says whether there was a switch to take it. `tell` takes
    what the server is to know, whenever that has changed. `control` is where
    ``ovs-vswitchd`` takes commands. `on_narrow` is told that :attr:`narrow` has changed.
    """

    def __init__(
        self,
        chassis: str,
        send: Callable[[bytes], bool],
        tell: Callable[[Source], None],
        health: Health,
        *,
        control: Callable[[], Path],
        clock: Callable[[], float] = time.monotonic,
        on_narrow: Callable[[], None] = lambda: None,
    ) -> None:
        self._chassis = chassis
        self._on_narrow = on_narrow
        self._send = send
        self._tell = tell
        self._health = health
        self._clock = clock
        self._control = control
        self._peers = Peers(lambda: secrets.token_bytes(frames.NONCE_BYTES))
        self._sizes = PathSizes(lambda: secrets.token_bytes(frames.NONCE_BYTES))
        self._tunnel_ofport = 0
        self._largest_frame = 0
        self._told: _Told | None = None
        self._own_addresses: tuple[str, ...] = ()
        self._looked_at_host = -_HOST_SECONDS
        self._wake = asyncio.Event()

    def use(
        self,
        tunnel_ofport: int,
        chassis: Mapping[str, Chassis],
        used: Iterable[str],
        largest_frame: int = 0,
    ) -> None:
        """The tunnels in use: our port for them, all chassis by name, and those beyond.

        `largest_frame` is the size of the biggest that is sent from here.
        """
        self._tunnel_ofport = tunnel_ofport
        own = chassis.get(self._chassis)
        ways = {}
        for name in used:
            row = chassis.get(name)
            if row is not None and row.encaps:
                ways[name] = way_to(row, own)
        others = {fingerprint(name): name for name in chassis}
        now = self._clock()
        self._peers.use(ways, others, now)
        addresses = {name: address for name, address in ways.items() if address is not None}
        self._largest_frame = largest_frame
        self._sizes.use(addresses if largest_frame else {}, largest_frame, now)
        self._report()
        self._wake.set()

    def set_own_addresses(self, addresses: tuple[str, ...]) -> None:
        """The addresses that this host announces."""
        self._own_addresses = addresses
        self._looked_at_host = -_HOST_SECONDS
        self._wake.set()

    def switch_is_another(self) -> None:
        """What was known of tunnels was known of a switch that is gone, or was restarted."""
        self._peers.ask_anew(self._clock())
        self._report()
        self._wake.set()

    def answered(self, packet: PacketIn) -> None:
        """An answer came. Raises MalformedPacketError for a frame that is none."""
        answer = frames.read_answer(packet.packet)
        now = self._clock()
        is_awaited = self._peers.answered(answer.nonce, answer.fingerprint, now)
        if is_awaited or self._sizes.answered(answer.nonce, now):
            self._health.counters["probes_answered"] += 1
        else:
            self._health.counters["probe_answers_unasked"] += 1

    async def run(self) -> None:
        """Probe until cancelled."""
        while True:
            now = self._clock()
            if now - self._looked_at_host >= _HOST_SECONDS:
                self._looked_at_host = now
                await self._look_at_host()
            for probe in self._peers.due(now):
                if not self._probe(probe.address, probe.nonce):
                    self._peers.cannot_probe(now)
                    break
            for sized in self._sizes.due(now):
                if not self._probe(sized.address, sized.nonce, sized.size):
                    self._sizes.cannot_probe(sized.chassis, now)
            self._report()
            next_due = min(self._peers.next_due, self._sizes.next_due)
            await self._pause(max(_TICK, min(next_due - now, INTERVAL)))

    @property
    def narrow(self) -> Mapping[str, int]:
        """The biggest frame for each chassis to which not all that is sent here can go."""
        return self._sizes.narrow

    def report(self) -> dict[str, Any]:
        """What the agent's status shows of tunnels."""
        now = self._clock()
        return {
            "reachable": self._peers.reachable,
            "pending": sorted(self._peers.pending),
            "unreachable": {
                name: {**fault._asdict(), "since": round(now - fault.since, 1)}
                for name, fault in sorted(self._peers.faults.items())
            },
            "mtu": {name: size - ETHERNET_HEADER for name, size in sorted(self.narrow.items())},
        }

    async def _pause(self, seconds: float) -> None:
        """Until a probe may be due; at once where other tunnels are in use."""
        try:
            async with asyncio.timeout(seconds):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()

    def _probe(self, address: Address, nonce: bytes, size: int = 0) -> bool:
        """Send a probe; returns whether there was a switch to send it.

        It has no option in its tunnel header, as frames of workloads have: it is longer by that.
        """
        if not self._tunnel_ofport:
            return False
        actions = act.set_field(FIELDS["tun_id"], PROBE_KEY)
        actions += through(Tunnel(self._tunnel_ofport, address))
        start = oxm.match([oxm.Term(FIELDS["in_port"], act.CONTROLLER)])
        if not self._send(
            messages.packet_out(
                frames.probe(nonce, size + OPTION_BYTES if size else 0), actions, start
            )
        ):
            return False
        self._health.counters["probes_sent"] += 1
        return True

    def _report(self) -> None:
        narrow, before = self._sizes.narrow, self._told
        now_so = _Told(
            self._peers.faults, self._peers.pending, narrow, self._largest_frame if narrow else 0
        )
        if now_so == before:
            return
        self._log(now_so.faults)
        self._told = now_so
        if narrow != (before.narrow if before else {}):
            log.info("tunnels that carry less than workloads send", bytes=narrow)
            self._on_narrow()
        self._tell(self._message)

    def _message(self) -> wire.Tunnels:
        now = self._clock()
        unreachable = tuple(
            wire.UnreachableChassis(
                name, fault.reason, fault.address, fault.other, now - fault.since
            )
            for name, fault in sorted(self._peers.faults.items())
        )
        narrow = tuple(
            wire.NarrowTunnel(name, size - ETHERNET_HEADER)
            for name, size in sorted(self._sizes.narrow.items())
        )
        largest = self._largest_frame - ETHERNET_HEADER if narrow else 0
        return wire.Tunnels(unreachable, tuple(sorted(self._peers.pending)), narrow, largest)

    def _log(self, faults: Mapping[str, Fault]) -> None:
        before = self._told.faults if self._told else {}
        for name in faults.keys() - before.keys():
            log.warning("tunnel is not well", chassis=name, **faults[name]._asdict())
        for name in before.keys() - faults.keys():
            log.info("tunnel is well, or not in use", chassis=name)
        if faults:
            shown = [sentence(name, faults[name]) for name in sorted(faults)[:_SHOWN]]
            if len(faults) > len(shown):
                shown.append(f"and {len(faults) - len(shown)} more")
            self._health.degrade("tunnels", "; ".join(shown))
        else:
            self._health.clear("tunnels")

    async def _look_at_host(self) -> None:
        try:
            absent = await missing(self._control(), self._own_addresses)
        except ControlError as error:
            log.debug("cannot tell whether tunnel addresses are here", error=str(error))
            return
        if absent:
            self._health.degrade(
                "encap", f"this host does not have the tunnel address {', '.join(absent)}"
            )
        else:
            self._health.clear("encap")


def sentence(chassis: str, fault: Fault) -> str:
    """What is wrong with the tunnel to a chassis."""
    match fault.reason:
        case "no-common-family":
            return f"{chassis} has no tunnel address of a family that this host has"
        case "other-chassis":
            return f"{fault.address} is answered by {fault.other or 'a stranger'}, not by {chassis}"
    return f"no answer from {fault.address} of {chassis}"
