"""Questions for neighbours, which routers repeat: how often is up to them.

Treadle's ask once when the first packet wants a next hop, and again after a second while
nothing answers (RFC 4861 section 7.2.2), whatever is sent meanwhile. OVN's ask for each packet.
What a question says, where it goes, and which packet is the first to cause it, is compared.
"""

from collections import Counter

from tests.differential.lab.taps import Arrival
from tests.system import frames
from tests.system.agent.frame_fields import fields_of

_REQUEST = 1


class Questions:
    """What the routers of one lab have asked in a network so far."""

    def __init__(self) -> None:
        self._asked: set[Arrival] = set()

    def without_repeats(
        self, mine: Counter[Arrival], other: Counter[Arrival], sent: bytes
    ) -> Counter[Arrival]:
        """Return what came out here when `sent` went in, `other` in the other lab.

        A question that was asked before is left out, unless the other lab asks it, too.
        """
        counted = Counter(mine)
        for arrival, count in mine.items():
            if is_question(arrival.frame, sent):
                least = 0 if arrival in self._asked else 1
                counted[arrival] = min(count, max(other[arrival], least))
                self._asked.add(arrival)
        return +counted


def asks_for(frame: bytes, ips: set[str]) -> bool:
    """Return whether a request or a solicitation is for one of these addresses."""
    asked, fields = frames.parse(frame), fields_of(frame)
    target = fields.get("nd.target" if asked.icmp_type == frames.NS else "arp.tpa")
    return target in {int.from_bytes(frames.ip(ip)) for ip in ips}


def is_question(frame: bytes, sent: bytes) -> bool:
    """Return whether a router asks for a neighbour: not a question that was sent itself."""
    asked, cause = frames.parse(frame), frames.parse(sent)
    if asked.src == cause.src:
        return False
    if asked.ethertype == frames.ARP:
        return asked.arp_op == _REQUEST
    return asked.icmp_type == frames.NS
