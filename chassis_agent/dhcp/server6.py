"""What a DHCPv6 server answers (RFC 8415 section 18.3), of which each client has its own.

A pure function: the lease is what the client's flow says. The one address goes into the one
identity association that has it already, or else into the first; others get none.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from chassis_agent.dhcp import message6
from chassis_agent.dhcp.message6 import Association, Code, MessageType, Request6, Status
from logical_flow.dhcp_options import FIRST_OWN_CODE, DhcpOption, OwnCode

_LIFETIMES: Final = struct.Struct("!IIII")
_NO_TIMES: Final = (0, 0)
_FOR_ONE_SERVER: Final = frozenset(
    {MessageType.REQUEST, MessageType.RENEW, MessageType.RELEASE, MessageType.DECLINE}
)
_FOR_ALL_SERVERS: Final = frozenset({MessageType.SOLICIT, MessageType.CONFIRM, MessageType.REBIND})
_SERVER_UPDATES: Final = 0x01
_SERVER_OVERRIDES: Final = 0x02


class Lifetimes(NamedTuple):
    """How long an address is good for, and when it is to be renewed, in seconds."""

    preferred: int
    valid: int
    t1: int
    t2: int


class Lease6(NamedTuple):
    """What a client gets: its address, and the options and own codes of its flow."""

    address: bytes
    options: Sequence[DhcpOption]

    def value(self, code: int) -> bytes:
        """The value of an option, empty where there is none."""
        return next((value for each, value in self.options if each == code), b"")

    @property
    def is_stateless(self) -> bool:
        return any(code == OwnCode.STATELESS for code, _ in self.options)

    @property
    def lifetimes(self) -> Lifetimes:
        value = self.value(OwnCode.LIFETIMES)
        if len(value) != _LIFETIMES.size:
            return Lifetimes(0, 0, 0, 0)
        return Lifetimes(*_LIFETIMES.unpack(value))


def answer(lease: Lease6, request: Request6) -> bytes | None:
    """Return the message that the server answers, None where it keeps silent."""
    if not _is_for(lease, request):
        return None
    match request.message_type:
        case MessageType.SOLICIT:
            return _advertise(lease, request)
        case MessageType.REQUEST | MessageType.RENEW | MessageType.REBIND:
            return _reply(lease, request, [*_associations(lease, request), *_told(lease, request)])
        case MessageType.CONFIRM:
            return _confirm(lease, request)
        case MessageType.RELEASE | MessageType.DECLINE:
            given_up = list(_given_up(lease, request))
            return _reply(lease, request, [message6.status(Status.SUCCESS), *given_up])
        case MessageType.INFORMATION_REQUEST:
            return _reply(lease, request, _told(lease, request))
        case _:
            return None


def is_declined(lease: Lease6, request: Request6) -> bool:
    """Whether the client says that somebody else has the address that it got here."""
    declined = (each for of in request.associations for each in of.addresses)
    is_said = request.message_type == MessageType.DECLINE and _is_for(lease, request)
    return is_said and not lease.is_stateless and lease.address in declined


def _is_for(lease: Lease6, request: Request6) -> bool:
    """Whether a message is a valid one for this server (RFC 8415 section 16)."""
    server, client = request.value(Code.SERVER_ID), request.value(Code.CLIENT_ID)
    is_ours = server == lease.value(Code.SERVER_ID)
    if request.message_type == MessageType.INFORMATION_REQUEST:
        return (server is None or is_ours) and not request.associations
    if client is None:
        return False
    if request.message_type in _FOR_ONE_SERVER:
        return is_ours
    return request.message_type in _FOR_ALL_SERVERS and server is None


def _advertise(lease: Lease6, request: Request6) -> bytes:
    parts = [*_associations(lease, request), *_told(lease, request)]
    if request.value(Code.RAPID_COMMIT) is not None and not lease.is_stateless:
        return _reply(lease, request, [DhcpOption(Code.RAPID_COMMIT, b""), *parts])
    if lease.is_stateless:
        parts = [message6.status(Status.NO_ADDRESSES, "no addresses are given out here"), *parts]
    return _message(MessageType.ADVERTISE, lease, request, parts)


def _confirm(lease: Lease6, request: Request6) -> bytes | None:
    """Say whether all addresses of the client are right here; nothing where it names none."""
    addresses = {each for of in request.associations for each in of.addresses}
    if not addresses:
        return None
    is_right = addresses == {lease.address} and not lease.is_stateless
    code = Status.SUCCESS if is_right else Status.NOT_ON_LINK
    return _reply(lease, request, [message6.status(code)])


def _associations(lease: Lease6, request: Request6) -> Iterator[DhcpOption]:
    """Yield what each identity association gets."""
    chosen = None if lease.is_stateless else _chosen(lease, request)
    for of in request.associations:
        if of.code == Code.IA_PD:
            content = [message6.status(Status.NO_PREFIXES, "no prefixes are given out here")]
            yield message6.association(of, _NO_TIMES, content)
        elif of is chosen:
            yield _granted(lease, of, request)
        else:
            none = message6.status(Status.NO_ADDRESSES, "there is no further address")
            yield message6.association(of, _NO_TIMES, [*_taken_back(of), none])


def _chosen(lease: Lease6, request: Request6) -> Association | None:
    candidates = [of for of in request.associations if of.code == Code.IA_NA]
    having = (of for of in candidates if lease.address in of.addresses)
    return next(having, candidates[0] if candidates else None)


def _granted(lease: Lease6, of: Association, request: Request6) -> DhcpOption:
    """Return an association with the address; others that the client had come to their end."""
    preferred, valid, *times = lease.lifetimes
    others: list[DhcpOption] = []
    if request.message_type in (MessageType.RENEW, MessageType.REBIND):
        others = list(_taken_back(of, lease.address))
    granted = message6.address(lease.address, preferred, valid)
    return message6.association(of, (times[0], times[1]), [granted, *others])


def _taken_back(of: Association, *kept: bytes) -> Iterator[DhcpOption]:
    """Yield the addresses that a client has and should not, without any time left."""
    for each in dict.fromkeys(of.addresses):
        if each not in kept:
            yield message6.address(each, 0, 0)


def _given_up(lease: Lease6, request: Request6) -> Iterator[DhcpOption]:
    """Yield the associations in which the client has nothing of ours to give up."""
    for of in request.associations:
        if lease.address not in of.addresses:
            yield message6.association(of, _NO_TIMES, [message6.status(Status.NO_BINDING)])


def _told(lease: Lease6, request: Request6) -> list[DhcpOption]:
    """Return the options in the order in which the client wants them, then the others."""
    values = {
        code: value
        for code, value in lease.options
        if code < FIRST_OWN_CODE and code not in (Code.SERVER_ID, Code.CLIENT_FQDN)
    }
    if url := _boot_file(lease, request):
        values[Code.BOOT_FILE_URL] = url
    wanted = dict.fromkeys((*request.requested, *values))
    told = [DhcpOption(code, values[code]) for code in wanted if code in values]
    return [*told, *_name(lease, request)]


def _name(lease: Lease6, request: Request6) -> Iterator[DhcpOption]:
    """Yield the client's name, if it speaks of names (RFC 4704 section 6)."""
    name, said = lease.value(Code.CLIENT_FQDN), request.value(Code.CLIENT_FQDN)
    if name and (said is not None or Code.CLIENT_FQDN in request.requested):
        asked = bool(said) and bool((said or b"\0")[0] & _SERVER_UPDATES)
        flags = _SERVER_UPDATES if asked else _SERVER_UPDATES | _SERVER_OVERRIDES
        yield DhcpOption(Code.CLIENT_FQDN, bytes((flags,)) + name)


def _boot_file(lease: Lease6, request: Request6) -> bytes:
    """Return the URL to boot: that of the client's architecture, or for all."""
    architecture = (request.value(Code.CLIENT_ARCHITECTURE) or b"")[:2]
    for code, value in lease.options:
        is_for_client = len(architecture) == 2 and value[:2] == architecture
        if code == OwnCode.BOOT_FILE_FOR_ARCHITECTURE and is_for_client:
            return value[2:]
    return lease.value(Code.BOOT_FILE_URL)


def _reply(lease: Lease6, request: Request6, parts: Sequence[DhcpOption]) -> bytes:
    return _message(MessageType.REPLY, lease, request, parts)


def _message(
    kind: MessageType, lease: Lease6, request: Request6, parts: Sequence[DhcpOption]
) -> bytes:
    client = request.value(Code.CLIENT_ID)
    identities = [] if client is None else [DhcpOption(Code.CLIENT_ID, client)]
    identities.append(DhcpOption(Code.SERVER_ID, lease.value(Code.SERVER_ID)))
    return message6.write_reply(kind, request, [*identities, *parts])
