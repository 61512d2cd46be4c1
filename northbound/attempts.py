"""How long wrong tokens are kept waiting, by where they come from.

A wrong token is answered later the more of them have come from one place. Right tokens are
never kept waiting, whatever comes from the same place, so no user is locked out by others.
What is remembered is bounded: places that were quiet for a while are forgotten, and so are
those that were quiet the longest when there are too many.
"""

import ipaddress
from collections import OrderedDict
from typing import Final, NamedTuple

FREE: Final = 3
"""So many wrong tokens are answered at once."""

FIRST_SECONDS: Final = 0.5
LONGEST_SECONDS: Final = 4.0
FORGOTTEN_SECONDS: Final = 60.0
MAX_PLACES: Final = 4096


class _Place(NamedTuple):
    failures: int
    last: float


class FailedAttempts:
    """Counts wrong tokens. Pure: times are whatever clock the caller uses, in seconds."""

    def __init__(self) -> None:
        self._places: OrderedDict[str, _Place] = OrderedDict()

    def __len__(self) -> int:
        return len(self._places)

    def failed(self, peer: str, now: float) -> float:
        """A wrong token came from the address `peer`: seconds to wait before it is answered."""
        self._forget(now)
        place = _place(peer)
        known = self._places.pop(place, None)
        failures = known.failures + 1 if known else 1
        self._places[place] = _Place(failures, now)
        if failures <= FREE:
            return 0.0
        doublings = min(failures - FREE - 1, 16)
        return min(LONGEST_SECONDS, FIRST_SECONDS * float(1 << doublings))

    def _forget(self, now: float) -> None:
        while self._places:
            place, known = next(iter(self._places.items()))
            if len(self._places) < MAX_PLACES and known.last > now - FORGOTTEN_SECONDS:
                return
            del self._places[place]


def _place(peer: str) -> str:
    """All that one host can call itself by: an IPv4 address, or an IPv6 network of 64 bits."""
    try:
        address = ipaddress.ip_address(peer.partition("%")[0])
    except ValueError:
        return peer[:64]
    if address.version == 4:
        return str(address)
    return str(ipaddress.ip_network((address, 64), strict=False))
