"""Packets in a few words: ``tcp web-1 -> db-1:5432``, ``icmp web-1 -> 10.20.2.11``.

The words are a protocol, where the packet comes from, an arrow (which may be left
out), and where it goes. A place is the name of a logical port or an IP address, for
protocols with ports followed by one: ``db-1:5432``, ``10.0.0.1:53``, ``[fd00::1]:53``.
"""

import re
from collections.abc import Container
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

from northbound.errors import FieldProblem, InvalidError

Address = IPv4Address | IPv6Address

TRANSPORTS = ("tcp", "udp", "sctp")
PROTOCOLS = (*TRANSPORTS, "icmp", "arp")
EPHEMERAL_PORT = 50000
"""The source port of a packet that doesn't say one."""

_ARROWS = ("->", ">")
_WORD = re.compile(r"->|>|[^\s>]+?(?=->|>|\s|$)")
_BRACKETS = re.compile(r"\[(?P<address>[^\]]*)\](?::(?P<port>.*))?")
_MAX_PORT = 65535


@dataclass(frozen=True)
class Place:
    """Where a packet comes from or goes: a logical port by name, or an address.

    `position` is where the text says so.
    """

    host: str | Address
    port: int | None
    position: int


@dataclass(frozen=True)
class PacketWords:
    """A packet in words, understood."""

    text: str
    protocol: str
    source: Place
    destination: Place


def parse_words(text: str, port_names: Container[str]) -> PacketWords:
    """Read `text`; `port_names` are the logical ports that there are."""
    words = [(found[0], found.start()) for found in _WORD.finditer(text)]
    if not words or words[0][0] not in PROTOCOLS:
        raise fault(text, words[0][1] if words else 0, f"starts with one of {_listed(PROTOCOLS)}")
    protocol, *places = words
    if len(places) == 3 and places[1][0] in _ARROWS:
        del places[1]
    if len(places) != 2 or any(word in _ARROWS for word, _ in places):
        position = places[2][1] if len(places) > 2 else len(text)
        raise fault(text, position, "has to be PROTOCOL SOURCE -> DESTINATION")
    source, destination = (
        _place(text, word, position, protocol[0], port_names) for word, position in places
    )
    if protocol[0] in TRANSPORTS and destination.port is None:
        position = destination.position + len(places[1][0])
        raise fault(text, position, f"{protocol[0]} needs a destination port, as in db-1:5432")
    return PacketWords(text, protocol[0], source, destination)


def mentioned(text: str) -> list[str]:
    """Whatever in `text` may name a port or be an address, right or wrong."""
    found: dict[str, None] = {}
    for word in _WORD.findall(text):
        brackets = _BRACKETS.fullmatch(word)
        host = brackets["address"] if brackets else word.rpartition(":")[0]
        found.update(dict.fromkeys((word, host)))
    return [each for each in found if each not in _ARROWS and each]


def fault(text: str, position: int, reason: str) -> InvalidError:
    """Return the error that the words are wrong at `position`."""
    excerpt = f"{text}\n{' ' * position}^"
    return InvalidError([FieldProblem(("packet",), reason, text, position, excerpt)])


def _place(text: str, word: str, position: int, protocol: str, port_names: Container[str]) -> Place:
    if word in port_names:
        return Place(word, None, position)
    if (address := _address(word)) is not None:
        return Place(address, None, position)
    if brackets := _BRACKETS.fullmatch(word):
        host, port = brackets["address"], brackets["port"]
    else:
        host, _, port = word.rpartition(":")
        if not host:
            host, port = port, None
    known = host if host in port_names else _address(host)
    if known is None:
        raise fault(text, position, f"there is no logical port {host!r}, nor is it an IP address")
    if port is None:
        return Place(known, None, position)
    at = position + len(word) - len(port)
    if protocol not in TRANSPORTS:
        raise fault(text, at, f"{protocol} has no ports")
    if not re.fullmatch(r"[0-9]{1,5}", port) or int(port) > _MAX_PORT:
        raise fault(text, at, f"{port!r} is no port number")
    return Place(known, int(port), position)


def _address(text: str) -> Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _listed(words: tuple[str, ...]) -> str:
    return ", ".join(words)
