"""What a flow tells the agent when it sends it a packet: the userdata of ``controller(…)``.

Userdata is an eight-byte header, arguments whose length the opcode fixes or they say, and the
OpenFlow actions that run on the packet which the agent makes of the punted one. Registers and
metadata travel with the packet, and are as they were when those actions run.

=================  ==============================================================================
opcode             what the agent does, and which fields it reads
=================  ==============================================================================
``ARP``            makes an ARP request for the next hop in ``reg0``; keeps the punted packet
                   until the answer is known
``ND_NS``          the same with a neighbour solicitation for the next hop in ``xxreg0``
``ND_NA``          makes the neighbour advertisement that answers a solicitation
``ND_NA_ROUTER``   the same, with the router flag
``ND_RA``          makes the advertisement of router port ``reg14`` that answers a solicitation
``DNS``            makes the answer to a DNS query, if it knows the name; else has the query go
                   on; arguments: see `dns_arguments`
``PACKET_TOO_BIG`` makes an ICMP error which says that the packet exceeds the MTU in ``reg0``
``TUNNEL_TOO_BIG`` the same, with Ethernet and IP addresses exchanged
``ICMP4/ICMP6``    makes an ICMP error that quotes the punted packet
``ICMP6_UNKNOWN…`` makes an ICMPv6 parameter problem that points at the next header field which
                   names a protocol that is not spoken
``TCP_RESET``      makes a reset, ports exchanged
``SCTP_ABORT``     makes an abort, ports exchanged
``REJECT``         makes whichever of these the punted packet calls for, with Ethernet and IP
                   addresses exchanged, too
``PUT_ARP``        learns that ``reg0`` behind port ``reg14`` is at ``eth.src``
``PUT_ND``         learns that ``xxreg0`` behind port ``reg14`` is at ``eth.src``
``PUT_FDB``        learns that ``eth.src`` is behind port ``reg14``
``LOG``            writes a line about the packet; arguments: see `log_userdata`
``DHCPV4/DHCPV6``  answers a DHCP client; arguments: see `dhcp_arguments`
``VIRTUAL_BIND``   takes note that port ``reg14`` speaks for the virtual address in ``reg0`` or
                   ``xxreg0``; the argument is the family, 4 or 6
``ACTIVATION``     takes note that the workload of port ``reg14`` runs here
``BACKEND_ANSWER`` takes note of what a backend answered that was asked whether it is up
``WHOLE_ERROR``    lengthens an ICMP error that quotes less than a whole transport header
``REQUOTE_SOURCE`` has an ICMP error quote the one that it is for as source of what it quotes
``REQUOTE_DESTI…`` has an ICMP error quote the one that it is from as destination of that
``BFD``            takes a packet of a BFD session of port ``reg14``
``PROBE``          takes note that a probe of a tunnel was answered
=================  ==============================================================================

The actions that arguments of ``put_arp`` and its like move into those fields are part of the
flow, and so is what puts the fields back.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple

from chassis_agent.punt.errors import MalformedUserdataError
from logical_flow.dhcp_options import DhcpOption, decode_options
from logical_flow.errors import TemplateError


class Opcode(IntEnum):
    """The kinds of punted packets; the numbers are on the wire and in installed flows."""

    ARP = 1
    ND_NS = 2
    ND_NA = 3
    ND_NA_ROUTER = 4
    ICMP4 = 5
    ICMP6 = 6
    TCP_RESET = 7
    SCTP_ABORT = 8
    REJECT = 9
    PUT_ARP = 10
    PUT_ND = 11
    PUT_FDB = 12
    LOG = 13
    ICMP6_UNKNOWN_HEADER = 14
    DHCPV4 = 15
    DHCPV6 = 16
    ND_RA = 17
    BFD = 21
    PACKET_TOO_BIG = 23
    TUNNEL_TOO_BIG = 24
    VIRTUAL_BIND = 25
    ACTIVATION = 26
    BACKEND_ANSWER = 27
    WHOLE_ERROR = 29
    REQUOTE_SOURCE = 30
    REQUOTE_DESTINATION = 31
    DNS = 18
    PROBE = 32


_HEADER: Final = struct.Struct("!I4x")
_OPTIONS_LENGTH: Final = struct.Struct("!H")
_DNS_ARGUMENTS: Final = struct.Struct("!H")
_LOG_ARGUMENTS: Final = struct.Struct("!BBH")

LONGEST_LOG_NAME: Final = 255


class Userdata(NamedTuple):
    """Decoded userdata: the opcode and all that follows the header."""

    opcode: Opcode
    body: bytes


class LogArguments(NamedTuple):
    """The arguments of ``log(…)``, indexes as in ``logical_flow.action``; None where absent."""

    name: bytes
    severity: int | None
    verdict: int | None


_CLIENTS_AT_ONCE: Final = 256

ADDRESS_SIZES: Final[Mapping[Opcode, int]] = {Opcode.DHCPV4: 4, Opcode.DHCPV6: 16}
"""How many bytes the address is long that the arguments for DHCP begin with."""


class DhcpArguments(NamedTuple):
    """What a DHCP client is answered, and the actions that run on the answer."""

    address: bytes
    options: tuple[DhcpOption, ...]
    actions: bytes


def userdata(opcode: Opcode, actions: bytes = b"") -> bytes:
    """The userdata of an opcode without arguments, with the actions for the packet it makes."""
    return _HEADER.pack(opcode) + actions


def log_userdata(name: bytes, severity: int | None = None, verdict: int | None = None) -> bytes:
    """The userdata of ``log(…)``: severity, verdict, length of the name, name."""
    name = name[:LONGEST_LOG_NAME]
    indexes = (0xFF if index is None else index for index in (severity, verdict))
    return _HEADER.pack(Opcode.LOG) + _LOG_ARGUMENTS.pack(*indexes, len(name)) + name


def decode_userdata(data: bytes) -> Userdata:
    """Split userdata; raises MalformedUserdataError for what no flow of ours carries."""
    if len(data) < _HEADER.size:
        raise MalformedUserdataError(f"userdata of {len(data)} bytes")
    (number,) = _HEADER.unpack_from(data)
    try:
        opcode = Opcode(number)
    except ValueError:
        raise MalformedUserdataError(f"there is no opcode {number}") from None
    return Userdata(opcode, data[_HEADER.size :])


def decode_log_arguments(body: bytes) -> LogArguments:
    """The arguments in the body of ``LOG`` userdata."""
    if len(body) < _LOG_ARGUMENTS.size:
        raise MalformedUserdataError("the arguments of log are cut short")
    severity, verdict, length = _LOG_ARGUMENTS.unpack_from(body)
    name = body[_LOG_ARGUMENTS.size : _LOG_ARGUMENTS.size + length]
    if len(name) != length:
        raise MalformedUserdataError("the name in log is cut short")
    return LogArguments(
        name, None if severity == 0xFF else severity, None if verdict == 0xFF else verdict
    )


def dhcp_arguments(address: bytes, options: bytes) -> bytes:
    """The arguments of DHCP: the client's address, length of the options, options."""
    return address + _OPTIONS_LENGTH.pack(len(options)) + options


@lru_cache(maxsize=_CLIENTS_AT_ONCE)
def decode_dhcp_arguments(opcode: Opcode, body: bytes) -> DhcpArguments:
    """The arguments in the body of DHCP userdata, and the actions after them.

    Those of the last clients are kept: one that starts sends a second message at once.
    """
    address_length = ADDRESS_SIZES[opcode]
    if len(body) < address_length + _OPTIONS_LENGTH.size:
        raise MalformedUserdataError("the arguments for DHCP are cut short")
    (length,) = _OPTIONS_LENGTH.unpack_from(body, address_length)
    start = address_length + _OPTIONS_LENGTH.size
    options = body[start : start + length]
    if len(options) != length:
        raise MalformedUserdataError("the options for DHCP are cut short")
    try:
        decoded = decode_options(options)
    except TemplateError as error:
        raise MalformedUserdataError(str(error)) from None
    return DhcpArguments(body[:address_length], decoded, body[start + length :])


def dns_arguments(answering: int) -> bytes:
    """The arguments of ``dns_lookup``: how many bytes of its actions are for the answer.

    Those that follow are for the query, if it isn't answered.
    """
    return _DNS_ARGUMENTS.pack(answering)


def decode_dns_arguments(body: bytes) -> tuple[bytes, bytes]:
    """The actions for the answer, and those for a query that goes on."""
    if len(body) < _DNS_ARGUMENTS.size:
        raise MalformedUserdataError("the arguments of dns_lookup are cut short")
    (length,) = _DNS_ARGUMENTS.unpack_from(body)
    actions = body[_DNS_ARGUMENTS.size :]
    if length > len(actions):
        raise MalformedUserdataError("the actions of dns_lookup are cut short")
    return actions[:length], actions[length:]
