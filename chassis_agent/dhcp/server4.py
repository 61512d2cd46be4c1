"""What a DHCPv4 server answers (RFC 2131 section 4.3), of which each client has its own.

A pure function: the lease is what the client's flow says. Clients that aren't spoken to here,
relayed ones and those that took another server, get no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from chassis_agent.dhcp.message4 import Code, MessageType, Reply4, Request4
from logical_flow.dhcp_options import FIRST_OWN_CODE, DhcpOption, OwnCode

_NOBODY: Final = bytes(4)
_IPXE: Final = b"iPXE"
_FIRST: Final = (Code.SERVER_ID, Code.LEASE_TIME, Code.SUBNET_MASK)
"""Options that come before all others: RFC 2132 section 3.5 wants the mask before routers."""
_OF_LEASES: Final = frozenset({Code.LEASE_TIME, Code.RENEWAL_TIME, Code.REBINDING_TIME})
_WRONG_ADDRESS: Final = b"this is not the address of this port"


class Lease4(NamedTuple):
    """What a client gets: its address, and the options and own codes of its flow."""

    address: bytes
    options: Sequence[DhcpOption]

    def value(self, code: int) -> bytes:
        """The value of an option, empty where there is none."""
        return next((value for each, value in self.options if each == code), b"")

    @property
    def server_id(self) -> bytes:
        return self.value(Code.SERVER_ID)


def answer(lease: Lease4, request: Request4) -> Reply4 | None:
    """Return what the server answers, None where it keeps silent."""
    if request.giaddr != _NOBODY:
        return None
    match request.message_type:
        case MessageType.DISCOVER:
            if Code.RAPID_COMMIT in request.options:
                committed = (DhcpOption(Code.RAPID_COMMIT, b""),)
                return _grant(MessageType.ACK, lease, request, committed)
            return _grant(MessageType.OFFER, lease, request)
        case MessageType.REQUEST:
            return _answer_request(lease, request)
        case MessageType.INFORM:
            return _inform(lease, request)
        case _:
            # DECLINE and RELEASE change nothing: the address stays the port's.
            return None


def is_declined(lease: Lease4, request: Request4) -> bool:
    """Whether the client says that somebody else has the address that it got here."""
    return (
        request.message_type == MessageType.DECLINE
        and request.address(Code.REQUESTED_ADDRESS) == lease.address
        and request.address(Code.SERVER_ID) == lease.server_id
    )


def _answer_request(lease: Lease4, request: Request4) -> Reply4 | None:
    server = request.address(Code.SERVER_ID)
    if server is not None and server != lease.server_id:
        return None  # it takes what another server has offered
    wanted = request.address(Code.REQUESTED_ADDRESS)
    if wanted is None:
        wanted = request.ciaddr
    if wanted == _NOBODY:
        return None
    if wanted != lease.address:
        message = (DhcpOption(Code.MESSAGE, _WRONG_ADDRESS),)
        options = (DhcpOption(Code.SERVER_ID, lease.server_id), *message, *_client_id(request))
        return Reply4(MessageType.NAK, options=options)
    return _grant(MessageType.ACK, lease, request)


def _grant(
    kind: MessageType, lease: Lease4, request: Request4, more: Sequence[DhcpOption] = ()
) -> Reply4:
    boot_file = _boot_file(lease, request)
    return Reply4(
        kind,
        ciaddr=request.ciaddr if kind is MessageType.ACK else _NOBODY,
        yiaddr=lease.address,
        siaddr=lease.value(OwnCode.NEXT_SERVER) or _NOBODY,
        options=(*_ordered(lease, request, boot_file, more),),
        boot_file=boot_file,
        boot_server=lease.value(Code.TFTP_SERVER_NAME),
    )


def _inform(lease: Lease4, request: Request4) -> Reply4:
    """Return the options for a client that has its address from elsewhere."""
    granted = _grant(MessageType.ACK, lease, request)
    options = tuple(option for option in granted.options if option.code not in _OF_LEASES)
    return granted._replace(yiaddr=_NOBODY, options=options)


def _ordered(
    lease: Lease4, request: Request4, boot_file: bytes, more: Sequence[DhcpOption]
) -> list[DhcpOption]:
    """Return the options in the order in which the client wants them, then the others."""
    values: dict[int, bytes] = {
        code: value for code, value in lease.options if code < FIRST_OWN_CODE
    }
    if boot_file:
        values[Code.BOOT_FILE_NAME] = boot_file
    wanted = (*_FIRST, *request.options.get(Code.PARAMETER_REQUEST_LIST, b""), *values)
    ordered = [code for code in dict.fromkeys(wanted) if code in values]
    first = [DhcpOption(code, values[code]) for code in ordered if code in _FIRST]
    rest = [DhcpOption(code, values[code]) for code in ordered if code not in _FIRST]
    return [*first, *_client_id(request), *more, *rest]


def _client_id(request: Request4) -> tuple[DhcpOption, ...]:
    """Return the client's identifier, which it gets back (RFC 6842)."""
    value = request.options.get(Code.CLIENT_ID)
    return () if not value else (DhcpOption(Code.CLIENT_ID, value),)


def _boot_file(lease: Lease4, request: Request4) -> bytes:
    """Return the file to boot: that for iPXE, of the client's architecture, or for all."""
    options = request.options
    is_ipxe = Code.ETHERBOOT in options or _IPXE in options.get(Code.USER_CLASS, b"")
    if is_ipxe and (file := lease.value(OwnCode.BOOT_FILE_FOR_IPXE)):
        return file
    architecture = options.get(Code.CLIENT_ARCHITECTURE, b"")[:2]
    for code, value in lease.options:
        is_for_client = len(architecture) == 2 and value[:2] == architecture
        if code == OwnCode.BOOT_FILE_FOR_ARCHITECTURE and is_for_client:
            return value[2:]
    return lease.value(Code.BOOT_FILE_NAME)
