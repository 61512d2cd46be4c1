"""One end of a BFD session: its states and timers (RFC 5880 section 6.8). Pure.

Asynchronous mode only, in the active role: this end neither echoes nor asks for demand mode, and
falls silent for a neighbour that does. Time is the caller's, in seconds; intervals are in
microseconds, as on the wire. Methods return the packets that have to be sent at once.

Names of variables follow section 6.8.1. *Active* intervals are those by which this end goes,
which lag behind those that it tells until the neighbour has confirmed them (section 6.8.3).
"""

import math
from collections.abc import Callable
from typing import Final, NamedTuple

from chassis_agent.bfd.packet import BadControlPacketError, ControlPacket, Diagnostic, State

SLOW: Final = 1_000_000
"""Microseconds between packets at least, unless the session is up (section 6.8.3)."""

_SECOND: Final = 1_000_000


class Parameters(NamedTuple):
    """What is configured of a session; intervals in microseconds."""

    min_tx: int
    min_rx: int
    detect_mult: int
    enabled: bool = True


class Machine:
    """See the module. `between` chooses a number between two."""

    def __init__(
        self,
        parameters: Parameters,
        discriminator: int,
        now: float,
        between: Callable[[float, float], float],
    ) -> None:
        """`discriminator` is not 0, and no other session of this host has it."""
        self._parameters = parameters
        self._between = between
        self.discriminator = discriminator
        self.state = State.DOWN if parameters.enabled else State.ADMIN_DOWN
        self.diagnostic = (
            Diagnostic.NONE if parameters.enabled else Diagnostic.ADMINISTRATIVELY_DOWN
        )
        self.remote_state = State.DOWN
        self.remote_diagnostic = 0
        self._remote_discriminator = 0
        self._remote_min_rx = 1
        self._remote_min_tx = 0
        self._remote_mult = 0
        self._remote_demand = False
        self._desired_min_tx = self._active_min_tx = self._min_tx_of_state()
        self._required_min_rx = self._active_min_rx = parameters.min_rx
        self._is_polling = False
        self._must_poll_again = False
        self._expires = math.inf
        self._silent_from = math.inf if parameters.enabled else now
        self._next_send = now

    @property
    def detection_time(self) -> float:
        """For how many seconds nothing may be heard of the neighbour (section 6.8.4)."""
        return self._remote_mult * max(self._active_min_rx, self._remote_min_tx) / _SECOND

    @property
    def send_interval(self) -> float:
        """Seconds between packets, before they are made irregular (section 6.8.2)."""
        return max(self._active_min_tx, self._remote_min_rx) / _SECOND

    @property
    def next_event(self) -> float:
        """When :meth:`tick` has something to do next; infinity if it is quiet."""
        return min(self._expires, self._next_send if self._may_send else math.inf)

    def receive(self, packet: ControlPacket, now: float) -> list[ControlPacket]:
        """Take a packet from the neighbour (section 6.8.6).

        Raises BadControlPacketError for one that is of another session.
        """
        if packet.your_discriminator not in (0, self.discriminator):
            raise BadControlPacketError("session")
        self._remote_discriminator = packet.my_discriminator
        self.remote_state = packet.state
        self.remote_diagnostic = packet.diagnostic
        self._remote_demand = packet.demand
        self._remote_min_rx = packet.required_min_rx
        self._remote_min_tx = packet.desired_min_tx
        self._remote_mult = packet.detect_mult
        if packet.final and self._is_polling:
            self._end_poll()
        if self.state is State.ADMIN_DOWN:
            return []
        self._expires = now + self.detection_time
        before = self._current()
        self._follow(packet.state)
        if packet.poll:
            return self._send(now, final=True)
        if self._current() != before:
            return self._send(now)
        self._next_send = min(self._next_send, now + self.send_interval)
        return []

    def tick(self, now: float) -> list[ControlPacket]:
        """Do what is due: notice that the neighbour is silent, send what is sent regularly."""
        if now >= self._expires:
            self._expires = math.inf
            self._remote_discriminator = 0
            if self.state in (State.INIT, State.UP):
                self._go(State.DOWN, Diagnostic.DETECTION_TIME_EXPIRED)
                self._next_send = now
        if now >= self._silent_from:
            self._next_send = math.inf
        return self._send(now) if now >= self._next_send else []

    def change(self, parameters: Parameters, now: float) -> list[ControlPacket]:
        """Go by other parameters; those on which both ends have to agree take effect in time."""
        was_enabled, self._parameters = self._parameters.enabled, parameters
        if parameters.enabled and not was_enabled:
            self._silent_from = math.inf
            self._go(State.DOWN, Diagnostic.NONE)
            return self._send(now)
        if was_enabled and not parameters.enabled:
            self._go(State.ADMIN_DOWN, Diagnostic.ADMINISTRATIVELY_DOWN)
            self._expires = math.inf
            self._silent_from = now + max(self.detection_time, 3 * self.send_interval)
            return self._send(now)
        self._settle_intervals()
        self._next_send = min(self._next_send, now + self.send_interval)
        return []

    def _follow(self, remote: State) -> None:
        """The state machine of section 6.2, on what the neighbour says of itself."""
        if remote is State.ADMIN_DOWN:
            if self.state is not State.DOWN:
                self._go(State.DOWN, Diagnostic.NEIGHBOUR_SAID_SO)
        elif self.state is State.DOWN:
            if remote is State.DOWN:
                self._go(State.INIT, self.diagnostic)
            elif remote is State.INIT:
                self._go(State.UP, Diagnostic.NONE)
        elif self.state is State.INIT:
            if remote in (State.INIT, State.UP):
                self._go(State.UP, Diagnostic.NONE)
        elif remote is State.DOWN:
            self._go(State.DOWN, Diagnostic.NEIGHBOUR_SAID_SO)

    def _go(self, state: State, diagnostic: Diagnostic) -> None:
        self.state, self.diagnostic = state, diagnostic
        self._settle_intervals()

    def _min_tx_of_state(self) -> int:
        slowest = self._parameters.min_tx
        return slowest if self.state is State.UP else max(slowest, SLOW)

    def _settle_intervals(self) -> None:
        """Tell what intervals are wanted now, and poll the neighbour if these are others."""
        min_tx, min_rx = self._min_tx_of_state(), self._parameters.min_rx
        is_other = (min_tx, min_rx) != (self._desired_min_tx, self._required_min_rx)
        self._desired_min_tx, self._required_min_rx = min_tx, min_rx
        if self.state is not State.UP or min_tx < self._active_min_tx:
            self._active_min_tx = min_tx
        if self.state is not State.UP or min_rx > self._active_min_rx:
            self._active_min_rx = min_rx
        if self.state in (State.DOWN, State.ADMIN_DOWN):
            self._is_polling = self._must_poll_again = False
        elif is_other:
            self._must_poll_again = self._is_polling
            self._is_polling = True

    def _end_poll(self) -> None:
        if self._must_poll_again:
            self._must_poll_again = False
            return
        self._is_polling = False
        self._active_min_tx, self._active_min_rx = self._desired_min_tx, self._required_min_rx

    @property
    def _may_send(self) -> bool:
        """Whether packets are sent regularly (section 6.8.7)."""
        if not self._remote_min_rx:
            return False
        is_demand = self._remote_demand and self.state is self.remote_state is State.UP
        return self._is_polling or not is_demand

    def _send(self, now: float, *, final: bool = False) -> list[ControlPacket]:
        """Return the packet to be sent now. What answers a poll is always sent, beside others."""
        if final:
            return [self._current(final=True)]
        if not self._may_send:
            return []
        most = 1.0 if self._parameters.detect_mult > 1 else 0.9
        self._next_send = now + self.send_interval * self._between(0.75, most)
        return [self._current()]

    def _current(self, *, final: bool = False) -> ControlPacket:
        return ControlPacket(
            self.state,
            self._parameters.detect_mult,
            self.discriminator,
            self._remote_discriminator,
            self._desired_min_tx,
            self._required_min_rx,
            diagnostic=self.diagnostic,
            poll=self._is_polling and not final,
            final=final,
        )
