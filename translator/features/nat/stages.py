"""The stages in which routers translate addresses.

Each template is for IPv4 and for IPv6, and for each place where a router may translate:

* ``router``: on the one chassis that a gateway router is on;
* ``gateway``: at a gateway port, on the chassis that is in charge of it;
* ``local``: at a gateway port, on the chassis of the port whose floating IP it is.

A router has two conntrack zones: destinations are translated in one of them, sources in the
other, so that a packet may pass both. Floating IPs need that of destinations only, both ways: what
comes in for one is of a connection that began inside, or gets the destination behind it.

What is named ``_if`` has a condition beside, what is named ``_matching`` a priority, too, and
what is named ``_except`` keeps packets from being translated.
"""

from collections.abc import Callable, Mapping
from typing import Final, Literal, NamedTuple

from logical_flow.roles import Role
from logical_flow.template import Local, Only, Priority, Resident, Stage, Template, Variants
from translator.features.load_balancing.reasons import NOT_BALANCED
from translator.features.nat.reasons import NO_CONNECTION, NO_FREE_PORT
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
    mark: str = ""
    """What notes that a packet's destination was translated."""


_INPORT, _OUTPORT = "inport == {port:lport} && ", "outport == {port:lport} && "
_GATEWAYS: Final = {
    "router": _Place("", "", None),
    "gateway": _Place(_INPORT, _OUTPORT, Resident("redirect")),
}
"""Where all of a router's packets are translated that pass there."""
_PLACES: Final = _GATEWAYS | {
    "local": _Place(_INPORT, _OUTPORT, Local("logical_port"), "eth.src = {mac:mac}; ")
}


_INWARDS: Final = _GATEWAYS | {
    "forced": _Place("", "", None, mark="flags.force_snat_for_dnat = 1; ")
}
"""Where destinations are translated; what is translated on a router that forces the source, too,
is noted."""


def variant(place: str, is_ip4: bool) -> str:
    """Return the key of a template's variant for a place and a family."""
    return f"{place}{4 if is_ip4 else 6}"


def _variants(
    make: Callable[[_Place, Family], Template], places: Mapping[str, _Place] = _PLACES
) -> Variants:
    families: tuple[Family, ...] = (4, 6)
    return Variants(
        {
            variant(name, family == 4): make(place, family)
            for name, place in places.items()
            for family in families
        }
    )


_RANGE = "{first_port:int}..{last_port:int}"
_CONDITION = " && {condition:expr}"
_MATCHING: Final = Priority(400, "priority")
"""Above what is translated by addresses alone."""
_FOR_ITSELF: Final = 39000
"""Above what matches, too: errors that are to come in again first, and be translated then."""
_FORCED_DNAT: Final = "flags.force_snat_for_dnat == 1"
_DNAT_FORCED: Final = 40000
"""Above what matches: replies have to come back."""

_ERROR: Final = {
    4: "icmp4.type == {3, 4, 5, 11, 12}",
    6: "icmp6.type == {1, 2, 3, 4}",
}
"""The messages that quote a packet, which is translated with them."""


def _external(family: Family) -> str:
    return f"ip{family}.dst == {{external:ip{family}}}"


def _logical(family: Family) -> str:
    return f"ip{family}.src == {{logical:ip{family}}}"


class LrInWholeErrors(Stage, name="lr_in_whole_errors", role=Role.TRANSLATION, failure="drop"):
    """Lengthens ICMP errors that quote less than a transport's header.

    Open vSwitch's own datapath, which translates what they quote, writes beyond the end of
    shorter ones.
    """

    error4 = Template(100, _ERROR[4], "whole_error { next; };")
    error6 = Template(100, _ERROR[6], "whole_error { next; };")


def _unsnat(place: _Place, family: Family) -> Template:
    return Template(100, f"{place.incoming}{_external(family)}", "ct_snat;", place.only)


class LrInUnsnat(Stage, name="lr_in_unsnat", role=Role.TRANSLATION, failure="drop"):
    """Gives replies to translated sources their own destination again."""

    reply = _variants(_unsnat, _GATEWAYS)
    dnat_forced4 = Template(110, "ip4.dst == {ip:ip4}", "ct_snat;")
    dnat_forced6 = Template(110, "ip6.dst == {ip:ip6}", "ct_snat;")


_DESTINATION: Final = 100
_OWN: Final = 20
_NOWHERE: Final = 10
_UNBALANCED: Final = 5
"""What comes for a virtual address and is of none of its connections; pings are answered."""
_UNBALANCED_MATCH: Final = "reg9[10] == 1 && !ct.dnat"


def _to(place: _Place, family: Family, actions: str, when: str = "") -> Template:
    return Template(
        _MATCHING if when == "matching" else _DESTINATION,
        f"{place.incoming}{_external(family)}{_CONDITION if when else ''}",
        actions,
        place.only,
    )


def _dnat(place: _Place, family: Family, when: str = "") -> Template:
    return _to(place, family, f"{place.mark}ct_dnat({{logical:ip{family}}});", when)


def _dnat_ports(place: _Place, family: Family, when: str = "") -> Template:
    return _to(place, family, f"{place.mark}ct_dnat({{logical:ip{family}}}, {_RANGE});", when)


def _stateless(place: _Place, family: Family) -> Template:
    return _to(place, family, f"ip{family}.dst = {{logical:ip{family}}}; next;")


def _stateless_error(place: _Place, family: Family) -> Template:
    actions = f"ip{family}.dst = {{logical:ip{family}}}; requote_source {{ next; }};"
    match = f"{place.incoming}{_external(family)} && {_ERROR[family]}"
    return Template(_DESTINATION + 1, match, actions, place.only)


def _not_to(place: _Place, family: Family) -> Template:
    match = f"{place.incoming}{_external(family)}{_CONDITION}"
    return Template(_DESTINATION + 1, match, "drop;", place.only, because=NO_CONNECTION)


def _nowhere(place: _Place, family: Family) -> Template:
    match = f"{place.incoming}{_external(family)}"
    return Template(_NOWHERE, match, "drop;", place.only, because=NO_CONNECTION)


_MIDDLE: Final = f"{TCP} && tcp.flags[4] && !tcp.flags[1]"
"""What acknowledges something and begins nothing. It may be of a connection that another gateway
translated: who sent it tries again, and once the inside has spoken the connection is known here. A
refusal would end it."""


def _own(priority: int, actions4: str, actions6: str, condition4: str, condition6: str) -> Variants:
    """What a router does with packets for an address of its own that are of no connection."""

    def make(place: _Place, family: Family) -> Template:
        own, condition, actions = OWN4, condition4, actions4
        if family == 6:
            own, condition, actions = OWN6, condition6, actions6
        match = f"{place.incoming}{own}" + (f" && {condition}" if condition else "")
        return Template(priority, match, actions, place.only, because=REFUSED)

    return _variants(make, _GATEWAYS)


class LrInDnat(Stage, name="lr_in_dnat", role=Role.TRANSLATION, failure="drop"):
    """Gives packets for external addresses the destination that is behind them.

    Those that have a match decide by their priority, before all others. What is for an external
    address and isn't translated goes nowhere: if the address is the router's own it refuses as for
    any other of its addresses, but for those that a NAT is not for: to them nobody is there.
    """

    to = _variants(_dnat, _PLACES | _INWARDS)
    to_if = _variants(lambda place, family: _dnat(place, family, "if"), _PLACES | _INWARDS)
    to_matching = _variants(lambda place, family: _dnat(place, family, "matching"), _INWARDS)
    to_ports = _variants(_dnat_ports, _INWARDS)
    to_ports_if = _variants(lambda place, family: _dnat_ports(place, family, "if"), _INWARDS)
    to_ports_matching = _variants(
        lambda place, family: _dnat_ports(place, family, "matching"), _INWARDS
    )
    to_stateless = _variants(_stateless)
    error_stateless = _variants(_stateless_error)
    to_except = _variants(_not_to)
    nowhere = _variants(_nowhere)

    own_tcp_middle = _own(_OWN + 3, "drop;", "drop;", _MIDDLE, _MIDDLE)
    own_udp = _own(_OWN + 2, PORT_UNREACHABLE4, PORT_UNREACHABLE6, UDP, UDP)
    own_tcp = _own(_OWN + 2, RESET4, RESET6, TCP, TCP)
    own_sctp = _own(_OWN + 2, ABORT4, ABORT6, SCTP, SCTP)
    own_icmp = _own(_OWN + 2, "drop;", "drop;", "icmp4", "icmp6")
    own_protocol = _own(
        _OWN + 1, UNKNOWN_PROTOCOL4, UNKNOWN_HEADER6, "!ip.later_frag", "!ip.later_frag"
    )
    own = _own(_OWN, "drop;", "drop;", "", "")

    REFUSALS: Final = (own_tcp_middle, own_udp, own_tcp, own_sctp, own_icmp, own_protocol, own)

    balanced_ping4 = Template(
        _UNBALANCED + 1, f"{_UNBALANCED_MATCH} && icmp4.type == 8 && icmp4.code == 0", ECHO_REPLY4
    )
    balanced_ping6 = Template(_UNBALANCED + 1, f"{_UNBALANCED_MATCH} && {ECHO6}", ECHO_REPLY6)
    unbalanced = Template(_UNBALANCED, f"{_UNBALANCED_MATCH} && ip", "drop;", because=NOT_BALANCED)


def _from(place: _Place, family: Family, actions: str) -> Template:
    match = f"{place.outgoing}{_logical(family)}"
    return Template(100, match, f"{place.mac}{actions}", place.only)


def _error_from(place: _Place, family: Family) -> Template:
    actions = f"ip{family}.src = {{external:ip{family}}}; requote_destination {{ next; }};"
    match = f"{place.outgoing}{_logical(family)} && {_ERROR[family]}"
    return Template(101, match, f"{place.mac}{actions}", place.only)


def _error(priority: int, action: str) -> Variants:
    """What translates an error of one who is no end of a connection."""
    return _variants(
        lambda place, family: Template(
            priority, f"{place.outgoing}{_ERROR[family]}", action, place.only
        ),
        _GATEWAYS,
    )


def _translated_error(place: _Place, family: Family) -> Template:
    match = f"{place.outgoing}ip{family}.src == {{external:ip{family}}} && {_ERROR[family]}"
    return Template(60, match, "next;", place.only)


class LrOutUndnat(Stage, name="lr_out_undnat", role=Role.TRANSLATION, failure="drop"):
    """Gives replies to translated destinations the external address as their source again.

    Errors about such replies' requests may come from any router on the way; those that a router
    has made as a floating IP's own are left as they are. Backends of virtual addresses are many:
    what leaves a gateway router is looked up whoever sent it, and at a gateway port what one of
    them sent. What has just been given to a backend, and gets another source still, is no reply:
    Open vSwitch's own datapath takes a packet in again six times at most.
    """

    reply = _variants(lambda place, family: _from(place, family, "ct_dnat;"), _GATEWAYS)
    reply_stateless = _variants(
        lambda place, family: _from(
            place, family, f"ip{family}.src = {{external:ip{family}}}; next;"
        )
    )
    error_stateless = _variants(_error_from)
    error = _error(50, "ct_dnat;")
    translated_error = _variants(
        _translated_error, {name: place for name, place in _PLACES.items() if place.only}
    )
    router_balanced = Template(40, "flags.force_snat_for_lb == 0 && ip", "ct_dnat;")
    gateway_balanced4 = Template(
        40, f"{_OUTPORT}ip4.src == {{backends:set}}", "ct_dnat;", _GATEWAYS["gateway"].only
    )
    gateway_balanced6 = Template(
        40, f"{_OUTPORT}ip6.src == {{backends:set}}", "ct_dnat;", _GATEWAYS["gateway"].only
    )


_SOURCE: Final = 2
"""To this twice the length of the prefix is added: the longest decides."""


_TRANSLATING: Final = "reg9[0]"
"""Is set on what gets another source; nothing else uses it on the way out of a router."""
_TRANSLATE: Final = f"{_TRANSLATING} = 1; "


def _source(place: _Place, family: Family) -> str:
    return f"{place.outgoing}ip{family}.src == {{logical:cidr{family}}}"


def _snat(place: _Place, family: Family, when: str = "", more: str = "") -> Template:
    return Template(
        _MATCHING if when == "matching" else Priority(_SOURCE, "plen", 2),
        f"{_source(place, family)}{_CONDITION if when else ''}",
        f"{place.mac}{_TRANSLATE}ct_snat({{external:ip{family}}}{more});",
        place.only,
    )


def _snat_ports(place: _Place, family: Family, when: str = "") -> Template:
    return _snat(place, family, when, f", {_RANGE}")


def _floating(place: _Place, family: Family, when: str = "", ports: str = "") -> Template:
    """Translates both ways in one zone: replies and what begins outside, with one look-up."""
    return _snat(place, family, when, f"{ports}, zone=dnat")


def _error_for_itself(place: _Place, family: Family) -> Template:
    match = f"{place.outgoing}{_external(family)} && {_ERROR[family]}"
    return Template(_FOR_ITSELF, match, "next;", place.only)


def _not_from(place: _Place, family: Family) -> Template:
    match = f"{_source(place, family)}{_CONDITION}"
    return Template(Priority(_SOURCE + 1, "plen", 2), match, "next;", place.only)


_BALANCED: Final = 40000
"""Above all that NATs say: the source of what a load balancer has given to a backend."""
_FORCED: Final = "flags.force_snat_for_lb == 1"
_TO_ITSELF: Final = "eth.dst == {mac:mac}"
"""What leaves a port for the port itself, and so comes in again."""
_UNTRANSLATED: Final = "(!ct.trk || (!ct.rpl && !ct.snat))"
_CONVERSATION: Final = "(tcp || udp || sctp || icmp4.type == {0, 8} || icmp6.type == {128, 129})"


class LrOutSnat(Stage, name="lr_out_snat", role=Role.TRANSLATION, failure="drop"):
    """Gives what leaves an external address as its source.

    Those that have a match decide by their priority, before all others; of these the longest
    prefix does. Before them comes the address as which a router lets what it has translated the
    destination of go on, so that replies come back to it. Load balancers may have it otherwise.
    And what goes from inside to a virtual address at a gateway port, whose backend would answer
    past the gateway, has the port's own, unless it is an answer or translated already.

    An error about what such an address had sent to another of the router is for one inside. It gets
    that destination where it comes in again, not here, from where it would leave to be lost.
    """

    to = _variants(_snat, _GATEWAYS)
    to_if = _variants(lambda place, family: _snat(place, family, "if"), _GATEWAYS)
    to_matching = _variants(lambda place, family: _snat(place, family, "matching"), _GATEWAYS)
    to_ports = _variants(_snat_ports, _GATEWAYS)
    to_ports_if = _variants(lambda place, family: _snat_ports(place, family, "if"), _GATEWAYS)
    to_ports_matching = _variants(
        lambda place, family: _snat_ports(place, family, "matching"), _GATEWAYS
    )
    floating = _variants(_floating)
    floating_if = _variants(lambda place, family: _floating(place, family, "if"))
    floating_ports = _variants(
        lambda place, family: _floating(place, family, "", f", {_RANGE}"), _GATEWAYS
    )
    floating_ports_if = _variants(
        lambda place, family: _floating(place, family, "if", f", {_RANGE}"), _GATEWAYS
    )
    to_except = _variants(_not_from)
    dnat_forced4 = Template(
        _DNAT_FORCED, f"{_FORCED_DNAT} && ip4", f"{_TRANSLATE}ct_snat({{ip:ip4}});"
    )
    dnat_forced6 = Template(
        _DNAT_FORCED, f"{_FORCED_DNAT} && ip6", f"{_TRANSLATE}ct_snat({{ip:ip6}});"
    )
    error = _error(1, "ct_snat;")
    error_for_itself = _variants(_error_for_itself, {"gateway": _GATEWAYS["gateway"]})

    skipped = Template(_BALANCED + 2, "flags.skip_snat_for_lb == 1 && ip", "next;")
    forced4 = Template(_BALANCED, f"{_FORCED} && ip4", f"{_TRANSLATE}ct_snat({{external:ip4}});")
    forced6 = Template(_BALANCED, f"{_FORCED} && ip6", f"{_TRANSLATE}ct_snat({{external:ip6}});")
    forced_at4 = Template(
        _BALANCED + 1, f"{_OUTPORT}{_FORCED} && ip4", f"{_TRANSLATE}ct_snat({{external:ip4}});"
    )
    forced_at6 = Template(
        _BALANCED + 1, f"{_OUTPORT}{_FORCED} && ip6", f"{_TRANSLATE}ct_snat({{external:ip6}});"
    )
    inside4 = Template(
        1,
        f"{_OUTPORT}{_TO_ITSELF} && ip4 && {_UNTRANSLATED} && {_CONVERSATION}",
        f"{_TRANSLATE}ct_snat({{external:ip4}});",
        _GATEWAYS["gateway"].only,
    )
    inside6 = Template(
        1,
        f"{_OUTPORT}{_TO_ITSELF} && ip6 && {_UNTRANSLATED} && {_CONVERSATION}",
        f"{_TRANSLATE}ct_snat({{external:ip6}});",
        _GATEWAYS["gateway"].only,
    )


class LrOutPostSnat(Stage, name="lr_out_post_snat", role=Role.TRANSLATION, failure="drop"):
    """Keeps what should have an external address as its source and got none from leaving.

    Open vSwitch's own datapath sends it on as it was where no port of the address is free, so that
    addresses of the inside would show outside; the kernel's drops it. What is translated has the
    same bits in all packets of a connection, so that the question makes no more megaflows.
    """

    as_it_was = Template(
        100,
        f"{_TRANSLATING} == 1 && !ct.snat && !ct.dnat && !ct.rel && !ct.inv",
        "drop;",
        because=NO_FREE_PORT,
    )


_AGAIN: Final = (
    "ct_clear; inport = outport; xxreg0 = 0; xxreg1 = 0; xreg4 = 0; flags[31] = 0; "
    "next(lr_in_again);"
)
"""Lets a packet that would leave come in, as if from outside; it may be sent on by a tunnel."""


def _loop(place: _Place, family: Family) -> Template:
    return Template(100, f"{place.outgoing}{_external(family)}", _AGAIN, place.only)


class LrOutEgressLoop(Stage, name="lr_out_egress_loop", role=Role.TRANSLATION, failure="drop"):
    """Lets packets for an external address of the router come in again where they would leave.

    They are from inside, of those who ask for each other by what the outside knows them as.
    """

    to_itself = Template(100, f"{_OUTPORT}{_TO_ITSELF}", _AGAIN, _GATEWAYS["gateway"].only)
    again = _variants(_loop, {name: place for name, place in _PLACES.items() if place.only})
