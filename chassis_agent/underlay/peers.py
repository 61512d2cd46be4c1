"""What is known of the tunnels to other chassis, and when each is probed next. Pure.

A tunnel is *pending* until it was probed: nothing is known of it then, and it is asked more
often at first, since the first packets to a host wait in the underlay. It is *reachable*
once the right chassis answers, and *unreachable* after three probes in a row that were
lost or answered by another chassis. One that is silent is probed once a second until that
is decided, so a lost packet, or an underlay that has to learn an address first, is no news.

The caller passes the time, in seconds of a clock that never goes back.
"""

import math
import random
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from chassis_agent.physical.probes import fingerprint
from southbound.encaps import Address

INTERVAL: Final = 5.0
"""Seconds between two probes of a tunnel on which all is well, at random a quarter less or more."""
ANSWER_SECONDS: Final = 1.0
"""How long an answer may take."""
EAGER_SECONDS: Final = 0.3
"""After that the first probes of a tunnel are followed by another; they count for nothing."""
EAGER_PROBES: Final = 2
LOSSES: Final = 3
"""How many probes in a row have to fail before a tunnel counts as unreachable."""
_REMEMBERED: Final = LOSSES + 2
"""How many of the last probes an answer may be to."""
PROBES_PER_SECOND: Final = 100
"""More are not sent: where more tunnels are in use than that allows, each is probed less often."""

Reason = Literal["no-answer", "other-chassis", "no-common-family"]


class Fault(NamedTuple):
    """Why, and since when, packets don't get to a chassis.

    `address` is where they are sent, empty without one; `other` is the chassis that answers
    there instead, empty if that isn't known.
    """

    reason: Reason
    since: float
    address: str = ""
    other: str = ""


class Probe(NamedTuple):
    """A probe that is due: where it goes, and what its answer has to repeat."""

    chassis: str
    address: Address
    nonce: bytes


@dataclass
class _Peer:
    address: Address | None
    due: float
    nonces: deque[bytes] = field(default_factory=deque)
    eager: int = EAGER_PROBES
    losses: int = 0
    silent_since: float = 0.0
    answered_by: int | None = None
    is_reachable: bool = False
    fault: Fault | None = None


class Peers:
    """All tunnels in use. `nonce` gives bytes that can't be guessed."""

    def __init__(
        self, nonce: Callable[[], bytes], uniform: Callable[[float, float], float] = random.uniform
    ) -> None:
        self._nonce = nonce
        self._uniform = uniform
        self._peers: dict[str, _Peer] = {}
        self._asked: dict[bytes, str] = {}
        self._names: dict[int, str] = {}

    def use(
        self, ways: Mapping[str, Address | None], others: Mapping[int, str], now: float
    ) -> None:
        """The chassis that tunnels are in use to, and where their packets are sent.

        None is the way to one that shares no address family with us. `others` are the names
        of chassis by their fingerprints: who may answer in the place of another.
        """
        self._names = dict(others)
        for chassis in self._peers.keys() - ways.keys():
            self._forget(chassis)
        for chassis, address in ways.items():
            peer = self._peers.get(chassis)
            if peer is not None and peer.address == address:
                continue
            if peer is not None:
                self._forget(chassis)
            peer = _Peer(address, now + self._uniform(0.0, 0.2))
            if address is None:
                peer.fault = Fault("no-common-family", now)
            self._peers[chassis] = peer

    def due(self, now: float) -> Iterator[Probe]:
        """The probes to send now, those that waited longest first.

        Each counts as sent. No more than a tenth of a second's worth at once: ask again then.
        """
        waiting = sorted(
            (peer.due, chassis)
            for chassis, peer in self._peers.items()
            if peer.address is not None and peer.due <= now
        )
        for _, chassis in waiting[: PROBES_PER_SECOND // 10]:
            peer = self._peers[chassis]
            if peer.address is None:
                continue
            if not peer.nonces:
                peer.silent_since = now
            elif not peer.eager:
                self._count_loss(peer)
            nonce = self._nonce()
            peer.nonces.append(nonce)
            self._asked[nonce] = chassis
            if len(peer.nonces) > _REMEMBERED:
                self._asked.pop(peer.nonces.popleft(), None)
            if peer.eager:
                peer.eager -= 1
                peer.due = now + EAGER_SECONDS
            else:
                peer.due = now + (self._pause() if peer.fault else ANSWER_SECONDS)
            yield Probe(chassis, peer.address, nonce)

    @property
    def next_due(self) -> float:
        """When the next probe is due; never, without any to send."""
        return min((p.due for p in self._peers.values() if p.address is not None), default=math.inf)

    def answered(self, nonce: bytes, by: int, now: float) -> bool:
        """An answer came from the chassis of that fingerprint; false for none that is awaited."""
        chassis = self._asked.pop(nonce, None)
        if chassis is None:
            return False
        peer = self._peers[chassis]
        if by != fingerprint(chassis):
            peer.answered_by = by
            return True
        self._settle(peer)
        peer.eager = 0
        peer.is_reachable, peer.fault = True, None
        peer.due = now + self._pause()
        return True

    def ask_anew(self, now: float) -> None:
        """The switch is another one: tunnels that were well are pending, all are probed soon."""
        for peer in self._peers.values():
            if peer.address is not None:
                self._settle(peer)
                peer.is_reachable, peer.eager = False, EAGER_PROBES
                peer.due = now + self._uniform(0.0, 0.2)

    def cannot_probe(self, now: float) -> None:
        """No probe can be sent: what was known isn't any more."""
        for peer in self._peers.values():
            if peer.address is not None:
                self._settle(peer)
                peer.is_reachable, peer.fault = False, None
                peer.due = now + ANSWER_SECONDS

    @property
    def pending(self) -> frozenset[str]:
        """The chassis of whose tunnels nothing is known yet."""
        peers = self._peers.items()
        return frozenset(name for name, peer in peers if not peer.is_reachable and not peer.fault)

    @property
    def faults(self) -> dict[str, Fault]:
        """The chassis that packets don't get to."""
        return {name: peer.fault for name, peer in self._peers.items() if peer.fault}

    @property
    def reachable(self) -> int:
        """The number of chassis that answer."""
        return sum(peer.is_reachable for peer in self._peers.values())

    def _count_loss(self, peer: _Peer) -> None:
        """The probe before was lost, or answered by another chassis."""
        peer.losses += 1
        if peer.losses < LOSSES:
            return
        since = peer.fault.since if peer.fault else peer.silent_since
        other = peer.answered_by
        peer.is_reachable, peer.answered_by = False, None
        if other is None:
            peer.fault = Fault("no-answer", since, str(peer.address))
        else:
            name = self._names.get(other, "")
            peer.fault = Fault("other-chassis", since, str(peer.address), name)

    def _settle(self, peer: _Peer) -> None:
        """No probe is under way any more."""
        for nonce in peer.nonces:
            self._asked.pop(nonce, None)
        peer.nonces.clear()
        peer.losses, peer.answered_by = 0, None

    def _forget(self, chassis: str) -> None:
        self._settle(self._peers.pop(chassis))

    def _pause(self) -> float:
        return self._uniform(0.75, 1.25) * INTERVAL
