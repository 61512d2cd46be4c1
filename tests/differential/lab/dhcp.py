"""DHCP in both labs: a client's frame, and the answer as far as it says something.

The order of options, how they are padded, and lengths and checksums that follow from it, say
nothing: addresses, ports, the fields of the message and each option's value are compared.
"""

import struct
from typing import Any, NamedTuple

from tests.differential.lab.conversation import Step, send_to_both
from tests.differential.lab.sides import Side
from tests.differential.lab.taps import Arrival
from tests.system import frames

_CLIENT, _SERVER = 68, 67
_COOKIE = bytes.fromhex("63825363")
_FIXED = 236
_PAD, _END = 0, 255
_BROADCAST_MAC = "ff:ff:ff:ff:ff:ff"
_EVERYBODY, _NOBODY = "255.255.255.255", "0.0.0.0"
_MESSAGE, _REQUESTED, _SERVER_ID, _TEXT = 53, 50, 54, 56
_DISCOVER, _REQUEST, _DECLINE, _RELEASE = 1, 3, 4, 7
_XID = 0x5EED
_MAC, _ADDRESS, _OTHER, _SERVER_IP = "0a:00:00:00:01:01", "10.0.1.1", "10.0.1.77", "10.0.1.250"
PORT = "ls1-p1"


class _Answer(NamedTuple):
    """What a frame with a message of DHCP says."""

    port: str
    ends: tuple[str, ...]
    message: str
    options: dict[int, str]


DOCUMENT: dict[str, Any] = {
    "document": "differential",
    "logical_switches": {
        "ls1": {
            "ports": {
                PORT: {"addresses": [f"{_MAC} {_ADDRESS}"], "dhcpv4_options": "dhcp-1"},
                "ls1-p2": {"addresses": ["0a:00:00:00:01:02 10.0.1.2"]},
            }
        }
    },
    "logical_routers": {},
    "address_sets": {},
    "port_groups": {},
    "dhcp_options": {
        "dhcp-1": {
            "cidr": "10.0.1.0/24",
            "dhcpv4": {
                "server_id": _SERVER_IP,
                "server_mac": "0a:00:00:03:00:01",
                "routers": ["10.0.1.251"],
                "lease_time": 3600,
            },
        }
    },
    "load_balancers": {},
}

QUESTIONS: dict[str, dict[int, bytes]] = {
    "discover": {_MESSAGE: bytes([_DISCOVER])},
    "request": {
        _MESSAGE: bytes([_REQUEST]),
        _REQUESTED: frames.ip(_ADDRESS),
        _SERVER_ID: frames.ip(_SERVER_IP),
    },
    "request of another's address": {
        _MESSAGE: bytes([_REQUEST]),
        _REQUESTED: frames.ip(_OTHER),
        _SERVER_ID: frames.ip(_SERVER_IP),
    },
    "decline": {_MESSAGE: bytes([_DECLINE]), _REQUESTED: frames.ip(_ADDRESS)},
    "release": {_MESSAGE: bytes([_RELEASE])},
}
"""What a client says, as its options."""

INTENDED: dict[str, set[str]] = {
    "request of another's address": {"ends", f"option {_SERVER_ID}", f"option {_TEXT}"},
    "decline": {"who hears"},
    "release": {"who hears"},
}
"""In what the labs differ on purpose.

A refusal goes to all of the link, and says which server it is from (RFC 2131 section 4.3.2) and
why; OVN's does none of that. What a client tells its server isn't heard by all of the switch.
"""


def ask(options: dict[int, bytes], ours: Side, theirs: Side) -> Step:
    """Send a client's message in both labs, and wait for what answers it."""
    return send_to_both(PORT, _question(options), ours, theirs)


def differences(step: Step) -> set[str]:
    """Return in what the answers of the two labs differ."""
    ours, theirs = _answers(step.ours), _answers(step.theirs)
    if [each.port for each in ours] != [each.port for each in theirs]:
        return {"who hears"}
    found: set[str] = set()
    for mine, other in zip(ours, theirs, strict=True):
        for what in ("ends", "message"):
            if getattr(mine, what) != getattr(other, what):
                found.add(what)
        for code in mine.options.keys() | other.options.keys():
            if mine.options.get(code) != other.options.get(code):
                found.add(f"option {code}")
    return found


def _answers(arrivals: list[Arrival]) -> list[_Answer]:
    return sorted((_said(arrival) for arrival in arrivals), key=str)


def _question(options: dict[int, bytes]) -> bytes:
    head = struct.pack("!BBBBIHH", 1, 1, 6, 0, _XID, 0, 0) + bytes(16) + frames.mac(_MAC)
    message = head.ljust(_FIXED, b"\0") + _COOKIE
    message += b"".join(bytes([code, len(value)]) + value for code, value in options.items())
    datagram = frames.udp(_NOBODY, _EVERYBODY, _CLIENT, _SERVER, message + bytes([_END]))
    packet = frames.ipv4(_NOBODY, _EVERYBODY, frames.UDP, datagram)
    return frames.ethernet(_BROADCAST_MAC, _MAC, frames.IPV4, packet)


def _said(arrival: Arrival) -> _Answer:
    frame = frames.parse(arrival.frame)
    message = frame.l4[8:]
    ends = (frame.src, frame.dst, frame.ip_src, frame.ip_dst, frame.l4[:4].hex())
    options = _options(message[_FIXED + len(_COOKIE) :])
    return _Answer(arrival.port, ends, message[:_FIXED].hex(), options)


def _options(area: bytes) -> dict[int, str]:
    found: dict[int, str] = {}
    while area and area[0] != _END:
        if area[0] == _PAD:
            area = area[1:]
            continue
        found[area[0]] = area[2 : 2 + area[1]].hex()
        area = area[2 + area[1] :]
    return found
