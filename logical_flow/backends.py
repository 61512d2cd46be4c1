"""The backends of virtual addresses, as members of a set have them: ``10.0.0.5:80``.

What a load balancer spreads connections over is a set, too: its name begins with ``&``, and
its members are addresses, with a port where there is one. The flows of a virtual address name
the set, and stay what they are when backends come and go.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple

BACKENDS_SIGIL: Final = "&"
MAX_BACKENDS: Final = 512
"""The buckets of so many fit one message to a switch."""
_MAX_PORT: Final = 0xFFFF
_LONGEST_PORT: Final = 10
_SHOWN: Final = 50


class Backend(NamedTuple):
    """An address, and the port there; 0 where that stays what the client asked for."""

    address: IPv4Address | IPv6Address
    port: int = 0

    def __str__(self) -> str:
        """As a member of a set."""
        if not self.port:
            return str(self.address)
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)
        return f"{host}:{self.port}"


@lru_cache(maxsize=65536)
def parse_backend(text: str) -> Backend:
    """Return the backend that `text` stands for; raises ValueError if it is none.

    >>> parse_backend("10.0.0.5:80").port, str(parse_backend("[FD00:0::5]:80"))
    (80, '[fd00::5]:80')
    >>> parse_backend("fd00::5").port
    0
    """
    host, port = _host_and_port(text)
    if port is None:
        return Backend(ip_address(host))
    return Backend(ip_address(host), parse_port(port))


def parse_port(text: str) -> int:
    """Return the port that `text` is; raises ValueError if it is none."""
    if not (text.isascii() and text.isdecimal() and len(text) < _LONGEST_PORT):
        raise ValueError(f"{text[:_SHOWN]!r} is no port from 1 to {_MAX_PORT}")
    port = int(text)
    if not 1 <= port <= _MAX_PORT:
        raise ValueError(f"{text!r} is no port from 1 to {_MAX_PORT}")
    return port


def _host_and_port(text: str) -> tuple[str, str | None]:
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is no address with a port")
        return host, rest[1:] if rest else None
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, None


def backends_of(members: Iterable[str]) -> list[Backend]:
    """Return the backends among the members of a set, in an order that depends on them alone."""
    found = []
    for member in members:
        try:
            found.append(parse_backend(member))
        except ValueError:
            continue  # of a newer release
    return sorted(found, key=lambda each: (each.address.version, *each))
