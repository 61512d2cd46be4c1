"""The stages in which new connections get their backend."""

from logical_flow.because import Because
from logical_flow.roles import Role
from logical_flow.template import Resident, Stage, Template
from translator.features.load_balancing.reasons import (
    ALL_DOWN,
    ANSWERED,
    NO_BACKEND,
    REFUSED,
    REFUSED_DOWN,
)

WITH_PORT, WITHOUT_PORT = 120, 110

_NEW = "ct.new && !ct.rel"
_TO4, _TO6 = f"{_NEW} && ip4.dst == {{vip:ip4}}", f"{_NEW} && ip6.dst == {{vip:ip6}}"
_TCP, _UDP, _SCTP = (f"{protocol}.dst == {{port:int}}" for protocol in ("tcp", "udp", "sctp"))


class Fronts:
    """One template for each kind of virtual address, all with the same actions.

    `further` is what of the packets beside that they are new, and for the address. `more` is how
    much higher the priority is, by which templates differ that have nothing else.
    """

    def __init__(
        self, actions: str, because: Because | None = None, further: str = "", more: int = 0
    ) -> None:
        to4, to6 = f"{_TO4}{further}", f"{_TO6}{further}"
        with_port, without_port = WITH_PORT + more, WITHOUT_PORT + more
        self.tcp4 = Template(with_port, f"{to4} && {_TCP}", actions, because=because)
        self.udp4 = Template(with_port, f"{to4} && {_UDP}", actions, because=because)
        self.sctp4 = Template(with_port, f"{to4} && {_SCTP}", actions, because=because)
        self.tcp6 = Template(with_port, f"{to6} && {_TCP}", actions, because=because)
        self.udp6 = Template(with_port, f"{to6} && {_UDP}", actions, because=because)
        self.sctp6 = Template(with_port, f"{to6} && {_SCTP}", actions, because=because)
        self.any4 = Template(without_port, to4, actions, because=because)
        self.any6 = Template(without_port, to6, actions, because=because)


_BALANCING = Fronts("ct_lb({backends:backends});")
_BALANCING_BY = Fronts("ct_lb({backends:backends}, hash_fields={hash_fields:bytes});")
_REJECT = "reject { outport = inport; flags.loopback = 1; flags[1] = 1; output; };"
_UNBALANCED = " && !ct.dnat"
_DROPPING = Fronts("drop;", NO_BACKEND, _UNBALANCED)
_REJECTING = Fronts(_REJECT, REFUSED, _UNBALANCED)
_DROPPING_DOWN = Fronts("drop;", ALL_DOWN, _UNBALANCED, more=1)
_REJECTING_DOWN = Fronts(_REJECT, REFUSED_DOWN, _UNBALANCED, more=1)


_ERROR4, _ERROR6 = "icmp4.type == {3, 4, 5, 11, 12}", "icmp6.type == {1, 2, 3, 4}"


class LsInWholeErrors(Stage, name="ls_in_whole_errors", role=Role.TRANSLATION, failure="drop"):
    """Lengthens ICMP errors that quote less than a transport's header.

    Open vSwitch's own datapath, which translates what they quote, writes beyond the end of
    shorter ones.
    """

    error4 = Template(100, _ERROR4, "whole_error { next; };")
    error6 = Template(100, _ERROR6, "whole_error { next; };")


class LsOutWholeErrors(Stage, name="ls_out_whole_errors", role=Role.TRANSLATION, failure="drop"):
    """Lengthens ICMP errors that quote less than a transport's header, as they leave."""

    error4 = Template(100, _ERROR4, "whole_error { next; };")
    error6 = Template(100, _ERROR6, "whole_error { next; };")


_SAVE4 = "reg1 = ip4.dst; ip4.dst = ct_nw_dst;"
_SAVE6 = (
    "reg1 = ip6.dst[96..127]; reg2 = ip6.dst[64..95]; reg4 = ip6.dst[32..63]; "
    "reg7 = ip6.dst[0..31]; ip6.dst = ct_ip6_dst;"
)
_TRANSLATED4, _TRANSLATED6 = (
    f"ct.est && !ct.rpl && ct.dnat && {family}" for family in ("ip4", "ip6")
)
_PORTS, _NO_PORTS = 110, 100


class LsInAsAsked(Stage, name="ls_in_as_asked", role=Role.AS_ASKED, failure="drop"):
    """Shows ACLs what a client asked for, also once its connection is translated.

    A known connection was translated as it was looked up. Where its backend is stays in
    registers until the ACLs have decided, which then hold for the virtual address.
    """

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


_BACK4 = "ip4.dst = reg1;"
_BACK6 = (
    "ip6.dst[96..127] = reg1; ip6.dst[64..95] = reg2; ip6.dst[32..63] = reg4; "
    "ip6.dst[0..31] = reg7;"
)


class LsInAsSent(Stage, name="ls_in_as_sent", role=Role.AS_ASKED, failure="drop"):
    """Gives packets of known connections their backend again, after the ACLs."""

    tcp4 = Template(_PORTS, "reg0[5] == 1 && ip4 && tcp", f"{_BACK4} tcp.dst = reg0[16..31]; next;")
    udp4 = Template(_PORTS, "reg0[5] == 1 && ip4 && udp", f"{_BACK4} udp.dst = reg0[16..31]; next;")
    sctp4 = Template(
        _PORTS, "reg0[5] == 1 && ip4 && sctp", f"{_BACK4} sctp.dst = reg0[16..31]; next;"
    )
    any4 = Template(_NO_PORTS, "reg0[5] == 1 && ip4", f"{_BACK4} next;")
    tcp6 = Template(_PORTS, "reg0[5] == 1 && ip6 && tcp", f"{_BACK6} tcp.dst = reg0[16..31]; next;")
    udp6 = Template(_PORTS, "reg0[5] == 1 && ip6 && udp", f"{_BACK6} udp.dst = reg0[16..31]; next;")
    sctp6 = Template(
        _PORTS, "reg0[5] == 1 && ip6 && sctp", f"{_BACK6} sctp.dst = reg0[16..31]; next;"
    )
    any6 = Template(_NO_PORTS, "reg0[5] == 1 && ip6", f"{_BACK6} next;")


class LsInLb(Stage, name="ls_in_lb", role=Role.LOAD_BALANCING):
    """Gives new connections to virtual addresses to a backend each, and commits them so.

    Which one it is follows from all addresses and ports, or from those that are named alone.
    Connections that are known were translated where they were looked up. Without a backend the
    packet goes on as it is, to the next stage.
    """

    tcp4, udp4, sctp4 = _BALANCING.tcp4, _BALANCING.udp4, _BALANCING.sctp4
    tcp6, udp6, sctp6 = _BALANCING.tcp6, _BALANCING.udp6, _BALANCING.sctp6
    any4, any6 = _BALANCING.any4, _BALANCING.any6
    by_tcp4, by_udp4, by_sctp4 = _BALANCING_BY.tcp4, _BALANCING_BY.udp4, _BALANCING_BY.sctp4
    by_tcp6, by_udp6, by_sctp6 = _BALANCING_BY.tcp6, _BALANCING_BY.udp6, _BALANCING_BY.sctp6
    by_any4, by_any6 = _BALANCING_BY.any4, _BALANCING_BY.any6


class LsInNoBackend(Stage, name="ls_in_no_backend", role=Role.LOAD_BALANCING, failure="drop"):
    """Ends new connections to virtual addresses that have no backend, or none that answers.

    They are dropped, or their sender is told, as the load balancer says.
    """

    drop_tcp4, drop_udp4, drop_sctp4 = _DROPPING.tcp4, _DROPPING.udp4, _DROPPING.sctp4
    drop_tcp6, drop_udp6, drop_sctp6 = _DROPPING.tcp6, _DROPPING.udp6, _DROPPING.sctp6
    drop_any4, drop_any6 = _DROPPING.any4, _DROPPING.any6
    reject_tcp4, reject_udp4, reject_sctp4 = _REJECTING.tcp4, _REJECTING.udp4, _REJECTING.sctp4
    reject_tcp6, reject_udp6, reject_sctp6 = _REJECTING.tcp6, _REJECTING.udp6, _REJECTING.sctp6
    reject_any4, reject_any6 = _REJECTING.any4, _REJECTING.any6
    down_drop_tcp4, down_drop_udp4 = _DROPPING_DOWN.tcp4, _DROPPING_DOWN.udp4
    down_drop_tcp6, down_drop_udp6 = _DROPPING_DOWN.tcp6, _DROPPING_DOWN.udp6
    down_reject_tcp4, down_reject_udp4 = _REJECTING_DOWN.tcp4, _REJECTING_DOWN.udp4
    down_reject_tcp6, down_reject_udp6 = _REJECTING_DOWN.tcp6, _REJECTING_DOWN.udp6


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
