"""What agents report of their tunnels: which lead nowhere, and of which that isn't known.

An agent names only tunnels that are in use and not well, so what is kept of a network of N
chassis grows with what is wrong, not with N squared. Nothing of it is stored: an agent says
it again whenever it connects.
"""

from collections.abc import Callable, Mapping
from ipaddress import ip_address
from typing import Final, NamedTuple

from southbound import wire

_LARGEST_MTU: Final = 0xFFFF


class TunnelFault(NamedTuple):
    """Why packets don't get to a chassis, and since when (seconds since the epoch).

    `address` is where they are sent, "" without one; `other` is the chassis that answers
    there instead, "" if that isn't known.
    """

    chassis: str
    reason: str
    address: str
    other: str
    since: float

    def sentence(self, sender: str) -> str:
        """What is wrong, of packets that `sender` sends."""
        if self.reason == "no-common-family":
            return f"{sender} and {self.chassis} have no tunnel addresses of one family"
        where = f"{self.chassis}'s tunnel address {self.address}"
        if self.reason == "other-chassis":
            return f"{where} is answered by {self.other or 'a stranger'} when {sender} probes it"
        return f"{sender} gets no answer from {where}"


class TunnelReport(NamedTuple):
    """What one agent said last. Tunnels that it doesn't name are well, or not in use."""

    unreachable: Mapping[str, TunnelFault]
    pending: frozenset[str]
    mtus: Mapping[str, int] = {}
    """Bytes of the biggest IP packet for chassis to which workloads may send bigger ones."""
    largest: int = 0
    """Bytes of the biggest IP packet that workloads may send; 0 where that isn't known."""


def report_of(message: wire.Tunnels, is_chassis: Callable[[str], bool], now: float) -> TunnelReport:
    """What is kept of an agent's message: what it says of chassis that there are."""
    unreachable = {}
    for told in message.unreachable:
        if is_chassis(told.chassis):
            unreachable[told.chassis] = TunnelFault(
                told.chassis,
                told.reason,
                _address(told.address),
                told.other if is_chassis(told.other) else "",
                now - (told.age if 0.0 <= told.age <= now else 0.0),
            )
    mtus = {
        told.chassis: told.mtu
        for told in message.narrow
        if is_chassis(told.chassis) and 0 < told.mtu <= _LARGEST_MTU
    }
    largest = message.largest if 0 < message.largest <= _LARGEST_MTU else 0
    return TunnelReport(unreachable, frozenset(filter(is_chassis, message.pending)), mtus, largest)


def _address(text: str) -> str:
    try:
        return str(ip_address(text))
    except ValueError:
        return ""
