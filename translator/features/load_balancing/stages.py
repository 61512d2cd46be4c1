"""The stages in which new connections get their backend."""

from logical_flow.roles import Role
from logical_flow.template import Resident, Stage, Template
from translator.features.load_balancing.fronts import CHECKED, fragment_fronts, fronts
from translator.features.load_balancing.reasons import (
    ALL_DOWN,
    ANSWERED,
    NO_BACKEND,
    REFUSED,
    REFUSED_DOWN,
)

_NEW = "ct.new && !ct.rel"
_UNBALANCED = " && !ct.dnat"
_REJECT = "reject { outport = inport; flags.loopback = 1; flags[1] = 1; output; };"

ERROR4, ERROR6 = "icmp4.type == {3, 4, 5, 11, 12}", "icmp6.type == {1, 2, 3, 4}"
"""ICMP errors, which quote a packet of the connection that they are about."""


class LsInWholeErrors(Stage, name="ls_in_whole_errors", role=Role.TRANSLATION, failure="drop"):
    """Lengthens ICMP errors that quote less than a transport's header.

    Open vSwitch's own datapath, which translates what they quote, writes beyond the end of
    shorter ones.
    """

    error4 = Template(100, ERROR4, "whole_error { next; };")
    error6 = Template(100, ERROR6, "whole_error { next; };")


class LsOutWholeErrors(Stage, name="ls_out_whole_errors", role=Role.TRANSLATION, failure="drop"):
    """Lengthens ICMP errors that quote less than a transport's header, as they leave."""

    error4 = Template(100, ERROR4, "whole_error { next; };")
    error6 = Template(100, ERROR6, "whole_error { next; };")


_SAVE4 = "reg1 = ip4.dst; ip4.dst = ct_nw_dst;"
_SAVE6 = (
    "reg1 = ip6.dst[96..127]; reg2 = ip6.dst[64..95]; reg4 = ip6.dst[32..63]; "
    "reg7 = ip6.dst[0..31]; ip6.dst = ct_ip6_dst;"
)
_TRANSLATED4, _TRANSLATED6 = (
    f"!ct.rpl && !ct.rel && ct.dnat && {family}" for family in ("ip4", "ip6")
)
_UNTOLD, _PORTS, _NO_PORTS = 120, 110, 100
NO_PORT_TOLD = "sctp && ct_proto == 132 && ct_tp_dst == 0"
"""Open vSwitch's own datapath tracks SCTP by addresses alone, and translates no ports of it."""


class LsInAsAsked(Stage, name="ls_in_as_asked", role=Role.AS_ASKED, failure="drop"):
    """Shows ACLs what a client asked for, also once its connection is translated.

    A known connection was translated as it was looked up, also one that hasn't been answered and
    so is new to the kernel. Where its backend is stays in registers until the ACLs have decided,
    which then hold for the virtual address. Where the switch tells no port, it is as it was sent.
    """

    untold4 = Template(
        _UNTOLD,
        f"{_TRANSLATED4} && {NO_PORT_TOLD}",
        f"{_SAVE4} reg0[16..31] = sctp.dst; reg0[5] = 1; next;",
    )
    untold6 = Template(
        _UNTOLD,
        f"{_TRANSLATED6} && {NO_PORT_TOLD}",
        f"{_SAVE6} reg0[16..31] = sctp.dst; reg0[5] = 1; next;",
    )
    tcp4 = Template(
        _PORTS,
        f"{_TRANSLATED4} && tcp",
        f"{_SAVE4} reg0[16..31] = tcp.dst; tcp.dst = ct_tp_dst; reg0[5] = 1; next;",
    )
    udp4 = Template(
        _PORTS,
        f"{_TRANSLATED4} && udp",
        f"{_SAVE4} reg0[16..31] = udp.dst; udp.dst = ct_tp_dst; reg0[5] = 1; next;",
    )
    sctp4 = Template(
        _PORTS,
        f"{_TRANSLATED4} && sctp",
        f"{_SAVE4} reg0[16..31] = sctp.dst; sctp.dst = ct_tp_dst; reg0[5] = 1; next;",
    )
    any4 = Template(_NO_PORTS, _TRANSLATED4, f"{_SAVE4} reg0[5] = 1; next;")
    tcp6 = Template(
        _PORTS,
        f"{_TRANSLATED6} && tcp",
        f"{_SAVE6} reg0[16..31] = tcp.dst; tcp.dst = ct_tp_dst; reg0[5] = 1; next;",
    )
    udp6 = Template(
        _PORTS,
        f"{_TRANSLATED6} && udp",
        f"{_SAVE6} reg0[16..31] = udp.dst; udp.dst = ct_tp_dst; reg0[5] = 1; next;",
    )
    sctp6 = Template(
        _PORTS,
        f"{_TRANSLATED6} && sctp",
        f"{_SAVE6} reg0[16..31] = sctp.dst; sctp.dst = ct_tp_dst; reg0[5] = 1; next;",
    )
    any6 = Template(_NO_PORTS, _TRANSLATED6, f"{_SAVE6} reg0[5] = 1; next;")


# The destination is what registers hold of it.
BACK4 = "ip4.dst = reg1;"
BACK6 = (
    "ip6.dst[96..127] = reg1; ip6.dst[64..95] = reg2; ip6.dst[32..63] = reg4; "
    "ip6.dst[0..31] = reg7;"
)


class LsInAsSent(Stage, name="ls_in_as_sent", role=Role.AS_ASKED, failure="drop"):
    """Gives packets of known connections their backend again, after the ACLs."""

    tcp4 = Template(_PORTS, "reg0[5] == 1 && ip4 && tcp", f"{BACK4} tcp.dst = reg0[16..31]; next;")
    udp4 = Template(_PORTS, "reg0[5] == 1 && ip4 && udp", f"{BACK4} udp.dst = reg0[16..31]; next;")
    sctp4 = Template(
        _PORTS, "reg0[5] == 1 && ip4 && sctp", f"{BACK4} sctp.dst = reg0[16..31]; next;"
    )
    any4 = Template(_NO_PORTS, "reg0[5] == 1 && ip4", f"{BACK4} next;")
    tcp6 = Template(_PORTS, "reg0[5] == 1 && ip6 && tcp", f"{BACK6} tcp.dst = reg0[16..31]; next;")
    udp6 = Template(_PORTS, "reg0[5] == 1 && ip6 && udp", f"{BACK6} udp.dst = reg0[16..31]; next;")
    sctp6 = Template(
        _PORTS, "reg0[5] == 1 && ip6 && sctp", f"{BACK6} sctp.dst = reg0[16..31]; next;"
    )
    any6 = Template(_NO_PORTS, "reg0[5] == 1 && ip6", f"{BACK6} next;")


class LsInOutsideVip(Stage, name="ls_in_outside_vip", role=Role.TRANSLATION, failure="drop"):
    """Looks up what comes from a provider network for a virtual address, in the zone of its port.

    External ports share that zone, as it is by that port that their packets come and go. ACLs have
    decided before, about the virtual address and without the state of its connection. Nothing else
    from there is tracked: the packets of a connection may pass several chassis.
    """

    known4 = Template(100, "inport == {port:lport} && ip4.dst == {vips:set}", "ct_dnat;")
    known6 = Template(100, "inport == {port:lport} && ip6.dst == {vips:set}", "ct_dnat;")


_TO_OUTSIDE = "outport == {port:lport} && "


class LsOutOutsideVip(Stage, name="ls_out_outside_vip", role=Role.TRANSLATION, failure="drop"):
    """Gives replies of backends to a provider network their virtual address, and errors likewise.

    What belongs to no connection of a virtual address goes on as it is, untracked.
    """

    reply4 = Template(100, f"{_TO_OUTSIDE}ip4.src == {{backends:set}}", "ct_dnat;")
    reply6 = Template(100, f"{_TO_OUTSIDE}ip6.src == {{backends:set}}", "ct_dnat;")
    error4 = Template(110, f"{_TO_OUTSIDE}{ERROR4}", "ct_dnat;")
    error6 = Template(110, f"{_TO_OUTSIDE}{ERROR6}", "ct_dnat;")


class LsInLb(Stage, name="ls_in_lb", role=Role.LOAD_BALANCING):
    """Gives new connections to virtual addresses to a backend each, and commits them so.

    Which one it is follows from all addresses and ports, or from those that are named alone.
    Connections that are known were translated where they were looked up. Without a backend the
    packet goes on as it is, to the next stage. Of a datagram in fragments, which don't all show
    ports, all have to get the same: the client's address decides.
    """

    balance = fronts("ct_lb({backends:backends});", _NEW)
    balance_by = fronts("ct_lb({backends:backends}, hash_fields={hash_fields:bytes});", _NEW)
    fragment = fragment_fronts('ct_lb({backends:backends}, hash_fields="ip_src");', _NEW)


class LsInNoBackend(Stage, name="ls_in_no_backend", role=Role.LOAD_BALANCING, failure="drop"):
    """Ends new connections to virtual addresses that have no backend, or none that answers.

    They are dropped, or their sender is told, as the load balancer says.
    """

    drop = fronts("drop;", _NEW, NO_BACKEND, beside=_UNBALANCED)
    reject = fronts(_REJECT, _NEW, REFUSED, beside=_UNBALANCED)
    drop_down = fronts("drop;", _NEW, ALL_DOWN, beside=_UNBALANCED, more=1, kinds=CHECKED)
    reject_down = fronts(_REJECT, _NEW, REFUSED_DOWN, beside=_UNBALANCED, more=1, kinds=CHECKED)


_LOOPED = "eth.dst <-> eth.src; outport = inport; flags.loopback = 1; flags.hairpin = 1; output;"

_GOES_ON = "ct.dnat && !ct.rpl && reg0[2] == 0 && ct_mark.blocked == 0"


class LsInHairpin(Stage, name="ls_in_hairpin", role=Role.LOAD_BALANCING):
    """Finds clients that got themselves as backend, and answers to such.

    The first would get a packet from itself, and its answer would take no way through the
    switch. So its source becomes the virtual address as well, see the next stage, and the
    answer is for that: only such connections have a translated source in the zone of a port.
    What ACLs have denied, or have only now allowed again, goes on to be marked so.
    """

    to_itself4 = Template(
        100,
        f"inport == {{port:lport}} && {_GOES_ON} && ip4.dst == {{ip:ip4}}",
        "reg0[6] = 1; next;",
    )
    to_itself6 = Template(
        100,
        f"inport == {{port:lport}} && {_GOES_ON} && ip6.dst == {{ip:ip6}}",
        "reg0[6] = 1; next;",
    )
    answer = Template(
        90,
        "ip && ct.est && ct.rpl && ct.dnat",
        "eth.dst <-> eth.src; outport = inport; flags.loopback = 1; output;",
    )


class LsInHairpinSnat(Stage, name="ls_in_hairpin_snat", role=Role.LOAD_BALANCING):
    """Makes another address the source of what a client sends to itself: the virtual one, or
    that which the load balancer has for this."""

    vip4 = Template(
        100,
        "reg0[6] == 1 && ct.dnat && ct_nw_dst == {vip:ip4}",
        "ct_clear; ct_snat({source:ip4});",
    )
    vip6 = Template(
        100,
        "reg0[6] == 1 && ct.dnat && ct_ip6_dst == {vip:ip6}",
        "ct_clear; ct_snat({source:ip6});",
    )


class LsInHairpinOut(Stage, name="ls_in_hairpin_out", role=Role.LOAD_BALANCING):
    """Sends it back to where it came from."""

    back = Template(100, "reg0[6] == 1", _LOOPED)


_FROM4 = "inport == {port:lport} && ip4.src == {ip:ip4} && ip4.dst == {source:ip4}"
_FROM6 = "inport == {port:lport} && ip6.src == {ip:ip6} && ip6.dst == {source:ip6}"


def _answer(match: str) -> Template:
    return Template(100, match, "backend_answer;", only=Resident("port"), because=ANSWERED)


class LsInBackendAnswer(Stage, name="ls_in_backend_answer", role=Role.ANSWERING):
    """Takes off what backends answer to the agent that asks them whether they are up."""

    tcp4 = _answer(f"{_FROM4} && tcp.src == {{number:int}}")
    udp4 = _answer(f"{_FROM4} && udp.src == {{number:int}}")
    error4 = _answer(f"{_FROM4} && icmp4.type == 3")
    tcp6 = _answer(f"{_FROM6} && tcp.src == {{number:int}}")
    udp6 = _answer(f"{_FROM6} && udp.src == {{number:int}}")
    error6 = _answer(f"{_FROM6} && icmp6.type == 1")
