"""The stages in which routers translate addresses.

Each template is for IPv4 and for IPv6, and for each place where a router may translate:

* ``router``: on the one chassis that a gateway router is on;
* ``gateway``: at a gateway port, on the chassis that is in charge of it;
* ``local``: at a gateway port, on the chassis of the port whose floating IP it is.

A router has two conntrack zones: destinations are translated in one of them, sources in the
other, so that a packet may pass both. What is named ``_if`` has a condition beside, and what is
named ``_except`` keeps packets from being translated.
"""

from typing import Final, Literal, NamedTuple

from logical_flow.roles import Role
from logical_flow.template import Local, Only, Priority, Resident, Stage, Template
from translator.features.load_balancing.reasons import NOT_BALANCED
from translator.features.nat.reasons import NO_CONNECTION
from translator.features.router.reasons import REFUSED
from translator.features.router.refusals import (
    ABORT4,
    ABORT6,
    ECHO6,
    ECHO_REPLY4,
    ECHO_REPLY6,
    OWN4,
    OWN6,
    PORT_UNREACHABLE4,
    PORT_UNREACHABLE6,
    RESET4,
    RESET6,
    SCTP,
    TCP,
    UDP,
    UNKNOWN_HEADER6,
    UNKNOWN_PROTOCOL4,
)

Family = Literal[4, 6]


class _Place(NamedTuple):
    """Where packets are translated: what is matched of their ports, and on which chassis."""

    incoming: str
    outgoing: str
    only: Only | None
    mac: str = ""
    """What gives packets that leave the MAC address of the floating IP."""


_INPORT, _OUTPORT = "inport == {port:lport} && ", "outport == {port:lport} && "
_ROUTER = _Place("", "", None)
_GATEWAY = _Place(_INPORT, _OUTPORT, Resident("redirect"))
_LOCAL = _Place(_INPORT, _OUTPORT, Local("logical_port"), "eth.src = {mac:mac}; ")

_RANGE = "{first_port:int}..{last_port:int}"

_ERROR4, _ERROR6 = "icmp4.type == {3, 4, 5, 11, 12}", "icmp6.type == {1, 2, 3, 4}"
"""The messages that quote a packet, which is translated with them."""


def _external(family: Family) -> str:
    return f"ip{family}.dst == {{external:ip{family}}}"


def _when(condition: bool) -> str:
    return " && {condition:expr}" if condition else ""


def _logical(family: Family) -> str:
    return f"ip{family}.src == {{logical:ip{family}}}"


class LrInWholeErrors(Stage, name="lr_in_whole_errors", role=Role.TRANSLATION, failure="drop"):
    """Lengthens ICMP errors that quote less than a transport's header.

    Open vSwitch's own datapath, which translates what they quote, writes beyond the end of
    shorter ones.
    """

    error4 = Template(100, _ERROR4, "whole_error { next; };")
    error6 = Template(100, _ERROR6, "whole_error { next; };")


def _unsnat(place: _Place, family: Family) -> Template:
    return Template(100, f"{place.incoming}{_external(family)}", "ct_snat;", place.only)


class LrInUnsnat(Stage, name="lr_in_unsnat", role=Role.TRANSLATION, failure="drop"):
    """Gives replies to translated sources their own destination again."""

    router4 = _unsnat(_ROUTER, 4)
    router6 = _unsnat(_ROUTER, 6)
    gateway4 = _unsnat(_GATEWAY, 4)
    gateway6 = _unsnat(_GATEWAY, 6)
    local4 = _unsnat(_LOCAL, 4)
    local6 = _unsnat(_LOCAL, 6)


_UNBALANCED_MATCH: Final = "reg9[10] == 1 && !ct.dnat"
_DESTINATION: Final = 100
_OWN: Final = 20
_NOWHERE: Final = 10
_UNBALANCED: Final = 5
"""What comes for a virtual address and is of none of its connections; pings are answered."""


def _dnat(place: _Place, family: Family, *, ports: bool = False, when: bool = False) -> Template:
    to = f"{{logical:ip{family}}}" + (f", {_RANGE}" if ports else "")
    return _to(place, family, f"ct_dnat({to});", when=when)


def _stateless(place: _Place, family: Family) -> Template:
    return _to(place, family, f"ip{family}.dst = {{logical:ip{family}}}; next;", when=False)


def _to(place: _Place, family: Family, actions: str, *, when: bool) -> Template:
    match = f"{place.incoming}{_external(family)}" + _when(when)
    return Template(_DESTINATION, match, actions, place.only)


def _not_to(place: _Place, family: Family) -> Template:
    match = f"{place.incoming}{_external(family)} && {{condition:expr}}"
    return Template(_DESTINATION + 1, match, "next;", place.only)


def _nowhere(place: _Place, family: Family) -> Template:
    match = f"{place.incoming}{_external(family)}"
    return Template(_NOWHERE, match, "drop;", place.only, because=NO_CONNECTION)


def _own(
    place: _Place, family: Family, priority: int, actions: str, condition: str = ""
) -> Template:
    match = f"{place.incoming}{OWN4 if family == 4 else OWN6}"
    match += f" && {condition}" if condition else ""
    return Template(priority, match, actions, place.only, because=REFUSED)


class LrInDnat(Stage, name="lr_in_dnat", role=Role.TRANSLATION, failure="drop"):
    """Gives packets for external addresses the destination that is behind them.

    What is for an external address and isn't translated goes nowhere: if the address is the
    router's own it refuses as for any other of its addresses.
    """

    router4 = _dnat(_ROUTER, 4)
    router4_if = _dnat(_ROUTER, 4, when=True)
    router4_ports = _dnat(_ROUTER, 4, ports=True)
    router4_ports_if = _dnat(_ROUTER, 4, ports=True, when=True)
    router4_stateless = _stateless(_ROUTER, 4)
    router4_except = _not_to(_ROUTER, 4)
    router4_nowhere = _nowhere(_ROUTER, 4)
    router6 = _dnat(_ROUTER, 6)
    router6_if = _dnat(_ROUTER, 6, when=True)
    router6_ports = _dnat(_ROUTER, 6, ports=True)
    router6_ports_if = _dnat(_ROUTER, 6, ports=True, when=True)
    router6_stateless = _stateless(_ROUTER, 6)
    router6_except = _not_to(_ROUTER, 6)
    router6_nowhere = _nowhere(_ROUTER, 6)
    gateway4 = _dnat(_GATEWAY, 4)
    gateway4_if = _dnat(_GATEWAY, 4, when=True)
    gateway4_ports = _dnat(_GATEWAY, 4, ports=True)
    gateway4_ports_if = _dnat(_GATEWAY, 4, ports=True, when=True)
    gateway4_stateless = _stateless(_GATEWAY, 4)
    gateway4_except = _not_to(_GATEWAY, 4)
    gateway4_nowhere = _nowhere(_GATEWAY, 4)
    gateway6 = _dnat(_GATEWAY, 6)
    gateway6_if = _dnat(_GATEWAY, 6, when=True)
    gateway6_ports = _dnat(_GATEWAY, 6, ports=True)
    gateway6_ports_if = _dnat(_GATEWAY, 6, ports=True, when=True)
    gateway6_stateless = _stateless(_GATEWAY, 6)
    gateway6_except = _not_to(_GATEWAY, 6)
    gateway6_nowhere = _nowhere(_GATEWAY, 6)
    local4 = _dnat(_LOCAL, 4)
    local4_if = _dnat(_LOCAL, 4, when=True)
    local4_stateless = _stateless(_LOCAL, 4)
    local4_except = _not_to(_LOCAL, 4)
    local4_nowhere = _nowhere(_LOCAL, 4)
    local6 = _dnat(_LOCAL, 6)
    local6_if = _dnat(_LOCAL, 6, when=True)
    local6_stateless = _stateless(_LOCAL, 6)
    local6_except = _not_to(_LOCAL, 6)
    local6_nowhere = _nowhere(_LOCAL, 6)

    router4_own_udp = _own(_ROUTER, 4, _OWN + 2, PORT_UNREACHABLE4, f"{UDP}")
    router4_own_tcp = _own(_ROUTER, 4, _OWN + 2, RESET4, f"{TCP}")
    router4_own_sctp = _own(_ROUTER, 4, _OWN + 2, ABORT4, f"{SCTP}")
    router4_own_icmp = _own(_ROUTER, 4, _OWN + 2, "drop;", "icmp4")
    router4_own_protocol = _own(_ROUTER, 4, _OWN + 1, UNKNOWN_PROTOCOL4, "!ip.later_frag")
    router4_own = _own(_ROUTER, 4, _OWN, "drop;")
    router6_own_udp = _own(_ROUTER, 6, _OWN + 2, PORT_UNREACHABLE6, f"{UDP}")
    router6_own_tcp = _own(_ROUTER, 6, _OWN + 2, RESET6, f"{TCP}")
    router6_own_sctp = _own(_ROUTER, 6, _OWN + 2, ABORT6, f"{SCTP}")
    router6_own_icmp = _own(_ROUTER, 6, _OWN + 2, "drop;", "icmp6")
    router6_own_protocol = _own(_ROUTER, 6, _OWN + 1, UNKNOWN_HEADER6, "!ip.later_frag")
    router6_own = _own(_ROUTER, 6, _OWN, "drop;")
    gateway4_own_udp = _own(_GATEWAY, 4, _OWN + 2, PORT_UNREACHABLE4, f"{UDP}")
    gateway4_own_tcp = _own(_GATEWAY, 4, _OWN + 2, RESET4, f"{TCP}")
    gateway4_own_sctp = _own(_GATEWAY, 4, _OWN + 2, ABORT4, f"{SCTP}")
    gateway4_own_icmp = _own(_GATEWAY, 4, _OWN + 2, "drop;", "icmp4")
    gateway4_own_protocol = _own(_GATEWAY, 4, _OWN + 1, UNKNOWN_PROTOCOL4, "!ip.later_frag")
    gateway4_own = _own(_GATEWAY, 4, _OWN, "drop;")
    gateway6_own_udp = _own(_GATEWAY, 6, _OWN + 2, PORT_UNREACHABLE6, f"{UDP}")
    gateway6_own_tcp = _own(_GATEWAY, 6, _OWN + 2, RESET6, f"{TCP}")
    gateway6_own_sctp = _own(_GATEWAY, 6, _OWN + 2, ABORT6, f"{SCTP}")
    gateway6_own_icmp = _own(_GATEWAY, 6, _OWN + 2, "drop;", "icmp6")
    gateway6_own_protocol = _own(_GATEWAY, 6, _OWN + 1, UNKNOWN_HEADER6, "!ip.later_frag")
    gateway6_own = _own(_GATEWAY, 6, _OWN, "drop;")

    balanced_ping4 = Template(
        _UNBALANCED + 1, f"{_UNBALANCED_MATCH} && icmp4.type == 8 && icmp4.code == 0", ECHO_REPLY4
    )
    balanced_ping6 = Template(_UNBALANCED + 1, f"{_UNBALANCED_MATCH} && {ECHO6}", ECHO_REPLY6)
    unbalanced = Template(_UNBALANCED, f"{_UNBALANCED_MATCH} && ip", "drop;", because=NOT_BALANCED)


def _undnat(place: _Place, family: Family) -> Template:
    match = f"{place.outgoing}{_logical(family)}"
    return Template(100, match, f"{place.mac}ct_dnat;", place.only)


def _unstateless(place: _Place, family: Family) -> Template:
    match = f"{place.outgoing}{_logical(family)}"
    rewritten = f"ip{family}.src = {{external:ip{family}}}; next;"
    return Template(100, match, f"{place.mac}{rewritten}", place.only)


class LrOutUndnat(Stage, name="lr_out_undnat", role=Role.TRANSLATION, failure="drop"):
    """Gives replies to translated destinations the external address as their source again.

    Errors about such replies' requests may come from any router on the way. Backends of virtual
    addresses are many: what leaves a gateway router is looked up whoever sent it, and at a gateway
    port what one of them sent.
    """

    router4 = _undnat(_ROUTER, 4)
    router4_stateless = _unstateless(_ROUTER, 4)
    router6 = _undnat(_ROUTER, 6)
    router6_stateless = _unstateless(_ROUTER, 6)
    gateway4 = _undnat(_GATEWAY, 4)
    gateway4_stateless = _unstateless(_GATEWAY, 4)
    gateway6 = _undnat(_GATEWAY, 6)
    gateway6_stateless = _unstateless(_GATEWAY, 6)
    local4 = _undnat(_LOCAL, 4)
    local4_stateless = _unstateless(_LOCAL, 4)
    local6 = _undnat(_LOCAL, 6)
    local6_stateless = _unstateless(_LOCAL, 6)
    router_error4 = Template(50, _ERROR4, "ct_dnat;")
    router_error6 = Template(50, _ERROR6, "ct_dnat;")
    gateway_error4 = Template(50, f"{_OUTPORT}{_ERROR4}", "ct_dnat;", _GATEWAY.only)
    gateway_error6 = Template(50, f"{_OUTPORT}{_ERROR6}", "ct_dnat;", _GATEWAY.only)
    router_balanced = Template(40, "ip", "ct_dnat;")
    gateway_balanced4 = Template(
        40, f"{_OUTPORT}ip4.src == {{backends:set}}", "ct_dnat;", _GATEWAY.only
    )
    gateway_balanced6 = Template(
        40, f"{_OUTPORT}ip6.src == {{backends:set}}", "ct_dnat;", _GATEWAY.only
    )


_SOURCE: Final = 2
"""To this twice the length of the prefix is added: the longest decides."""


def _snat(place: _Place, family: Family, *, ports: bool = False, when: bool = False) -> Template:
    to = f"{{external:ip{family}}}" + (f", {_RANGE}" if ports else "")
    match = f"{place.outgoing}ip{family}.src == {{logical:cidr{family}}}"
    actions = f"{place.mac}ct_snat({to});"
    return Template(Priority(_SOURCE, "plen", 2), match + _when(when), actions, place.only)


def _not_from(place: _Place, family: Family) -> Template:
    match = f"{place.outgoing}ip{family}.src == {{logical:cidr{family}}} && {{condition:expr}}"
    return Template(Priority(_SOURCE + 1, "plen", 2), match, "next;", place.only)


class LrOutSnat(Stage, name="lr_out_snat", role=Role.TRANSLATION, failure="drop"):
    """Gives what leaves an external address as its source; the longest prefix decides which."""

    router4 = _snat(_ROUTER, 4)
    router4_if = _snat(_ROUTER, 4, when=True)
    router4_ports = _snat(_ROUTER, 4, ports=True)
    router4_ports_if = _snat(_ROUTER, 4, ports=True, when=True)
    router4_except = _not_from(_ROUTER, 4)
    router6 = _snat(_ROUTER, 6)
    router6_if = _snat(_ROUTER, 6, when=True)
    router6_ports = _snat(_ROUTER, 6, ports=True)
    router6_ports_if = _snat(_ROUTER, 6, ports=True, when=True)
    router6_except = _not_from(_ROUTER, 6)
    gateway4 = _snat(_GATEWAY, 4)
    gateway4_if = _snat(_GATEWAY, 4, when=True)
    gateway4_ports = _snat(_GATEWAY, 4, ports=True)
    gateway4_ports_if = _snat(_GATEWAY, 4, ports=True, when=True)
    gateway4_except = _not_from(_GATEWAY, 4)
    gateway6 = _snat(_GATEWAY, 6)
    gateway6_if = _snat(_GATEWAY, 6, when=True)
    gateway6_ports = _snat(_GATEWAY, 6, ports=True)
    gateway6_ports_if = _snat(_GATEWAY, 6, ports=True, when=True)
    gateway6_except = _not_from(_GATEWAY, 6)
    local4 = _snat(_LOCAL, 4)
    local4_if = _snat(_LOCAL, 4, when=True)
    local4_except = _not_from(_LOCAL, 4)
    local6 = _snat(_LOCAL, 6)
    local6_if = _snat(_LOCAL, 6, when=True)
    local6_except = _not_from(_LOCAL, 6)
    router_error4 = Template(1, _ERROR4, "ct_snat;")
    router_error6 = Template(1, _ERROR6, "ct_snat;")
    gateway_error4 = Template(1, f"{_OUTPORT}{_ERROR4}", "ct_snat;", _GATEWAY.only)
    gateway_error6 = Template(1, f"{_OUTPORT}{_ERROR6}", "ct_snat;", _GATEWAY.only)


_AGAIN: Final = (
    "ct_clear; inport = outport; xxreg0 = 0; xxreg1 = 0; xreg4 = 0; flags[31] = 0; "
    "next(lr_in_unsnat);"
)
"""Lets a packet that would leave come in, as if from outside; it may be sent on by a tunnel."""


def _loop(place: _Place, family: Family) -> Template:
    return Template(100, f"{place.outgoing}{_external(family)}", _AGAIN, place.only)


class LrOutEgressLoop(Stage, name="lr_out_egress_loop", role=Role.TRANSLATION, failure="drop"):
    """Lets packets for an external address of the router come in again where they would leave.

    They are from inside, of those who ask for each other by what the outside knows them as.
    """

    gateway4 = _loop(_GATEWAY, 4)
    gateway6 = _loop(_GATEWAY, 6)
    local4 = _loop(_LOCAL, 4)
    local6 = _loop(_LOCAL, 6)
