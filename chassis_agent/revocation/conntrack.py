"""The connections of a conntrack zone, as ``dpctl/dump-conntrack`` lists them."""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Iterator
from ipaddress import ip_address
from typing import Final, NamedTuple

from chassis_agent.openflow.messages import ICMP_PROTOCOLS, CtTuple

BLOCKED: Final = 1 << 0
"""Bit of a connection's mark: neither direction passes any more."""
FROM_EGRESS: Final = 1 << 1
"""Bit of a connection's mark: the egress pipeline let it in, towards the port."""

_PART: Final = 4096
"""Characters of a dump, about 25 lines, that are read between two pauses."""

_PROTOCOLS: Final = {"icmp": 1, "tcp": 6, "udp": 17, "icmpv6": 58, "sctp": 132}
_LINE: Final = re.compile(r"(?P<protocol>\w+),orig=\((?P<original>[^)]*)\),(?P<rest>.*)")
_REPLY: Final = re.compile(r"reply=\(([^)]*)\)")
_MARK: Final = re.compile(r"(?:^|,)mark=(\d+)")
_LABEL: Final = re.compile(r"(?:^|,)labels=0x([0-9a-f]+)")


class TrackedConnection(NamedTuple):
    """A connection: its original direction, and the mark and label it was committed with.

    `translated` is what its requests look like once their addresses or ports were translated
    in this zone, None where they are not.
    """

    original: CtTuple
    mark: int
    label: int
    translated: CtTuple | None = None

    @property
    def has_new_source(self) -> bool:
        """Whether the source is translated, and not the destination."""
        to = self.translated
        if to is None:
            return False
        return (to.destination, to.destination_port) == (
            self.original.destination,
            self.original.destination_port,
        )


def parse_connections(text: str) -> Iterator[TrackedConnection]:
    """Yield the connections in a dump; lines that are something else are passed over.

    >>> line = "udp,orig=(src=10.0.0.1,dst=10.0.0.2,sport=1,dport=2),reply=(…),zone=7,mark=2"
    >>> [(found.original.destination_port, found.mark) for found in parse_connections(line)]
    [(2, 2)]
    """
    for line in text.splitlines():
        found = _LINE.match(line.strip())
        if found is not None and (original := _tuple(found["protocol"], found["original"])):
            rest = found["rest"]
            mark, label = _MARK.search(rest), _LABEL.search(rest)
            reply = _REPLY.match(rest)
            yield TrackedConnection(
                original,
                int(mark[1]) if mark else 0,
                int(label[1], 16) if label else 0,
                _translated(original, _tuple(found["protocol"], reply[1]) if reply else None),
            )


def connection_steps(
    text: str, is_wanted: Callable[[TrackedConnection], bool] = lambda _: True
) -> Generator[None, None, list[TrackedConnection]]:
    """Return the wanted ones of the connections in a dump, with a pause after every few lines.

    A zone may have 100,000 connections and more, which take longer than a second to read.
    """
    found: list[TrackedConnection] = []
    for part in _parts(text):
        found += filter(is_wanted, parse_connections(part))
        yield
    return found


def _parts(text: str) -> Iterator[str]:
    """Yield a text in parts of whole lines."""
    start = 0
    while start < len(text):
        end = text.find("\n", start + _PART) + 1 or len(text)
        yield text[start:end]
        start = end


def _translated(original: CtTuple, reply: CtTuple | None) -> CtTuple | None:
    """Return what requests are translated to, as the reply tells, None where they are not."""
    if reply is None:
        return None
    request = original._replace(source=reply.destination, destination=reply.source)
    if original.protocol not in ICMP_PROTOCOLS:
        request = request._replace(
            source_port=reply.destination_port, destination_port=reply.source_port
        )
    return None if request == original else request


def _tuple(protocol_name: str, text: str) -> CtTuple | None:
    parts = dict(part.split("=", 1) for part in text.split(",") if "=" in part)
    try:
        protocol = _PROTOCOLS.get(protocol_name) or int(protocol_name)
        source, destination = ip_address(parts["src"]), ip_address(parts["dst"])
        if protocol in ICMP_PROTOCOLS:
            kind, code, icmp_id = (int(parts.get(key, 0)) for key in ("type", "code", "id"))
            return CtTuple(source, destination, protocol, kind, code, icmp_id)
        ports = (int(parts.get(key, 0)) for key in ("sport", "dport"))
        return CtTuple(source, destination, protocol, *ports)
    except (KeyError, ValueError):
        return None
