"""The stages in which new connections get their backend."""

from logical_flow.because import Because
from logical_flow.roles import Role
from logical_flow.template import Stage, Template
from translator.features.load_balancing.reasons import NO_BACKEND, REFUSED

WITH_PORT, WITHOUT_PORT = 120, 110

_NEW = "ct.new && !ct.rel"
_TO4, _TO6 = f"{_NEW} && ip4.dst == {{vip:ip4}}", f"{_NEW} && ip6.dst == {{vip:ip6}}"
_TCP, _UDP, _SCTP = (f"{protocol}.dst == {{port:int}}" for protocol in ("tcp", "udp", "sctp"))


class Fronts:
    """One template for each kind of virtual address, all with the same actions."""

    def __init__(self, actions: str, because: Because | None = None) -> None:
        self.tcp4 = Template(WITH_PORT, f"{_TO4} && {_TCP}", actions, because=because)
        self.udp4 = Template(WITH_PORT, f"{_TO4} && {_UDP}", actions, because=because)
        self.sctp4 = Template(WITH_PORT, f"{_TO4} && {_SCTP}", actions, because=because)
        self.tcp6 = Template(WITH_PORT, f"{_TO6} && {_TCP}", actions, because=because)
        self.udp6 = Template(WITH_PORT, f"{_TO6} && {_UDP}", actions, because=because)
        self.sctp6 = Template(WITH_PORT, f"{_TO6} && {_SCTP}", actions, because=because)
        self.any4 = Template(WITHOUT_PORT, _TO4, actions, because=because)
        self.any6 = Template(WITHOUT_PORT, _TO6, actions, because=because)


_BALANCING = Fronts("ct_lb({backends:backends});")
_DROPPING = Fronts("drop;", NO_BACKEND)
_REJECTING = Fronts(
    "reject { outport = inport; flags.loopback = 1; flags[1] = 1; output; };", REFUSED
)


class LsInLb(Stage, name="ls_in_lb", role=Role.LOAD_BALANCING):
    """Gives new connections to virtual addresses to a backend each, and commits them so.

    Connections that are known were translated where they were looked up. Where there is no
    backend, packets are dropped, or their sender is told, as the load balancer says.
    """

    tcp4, udp4, sctp4 = _BALANCING.tcp4, _BALANCING.udp4, _BALANCING.sctp4
    tcp6, udp6, sctp6 = _BALANCING.tcp6, _BALANCING.udp6, _BALANCING.sctp6
    any4, any6 = _BALANCING.any4, _BALANCING.any6
    drop_tcp4, drop_udp4, drop_sctp4 = _DROPPING.tcp4, _DROPPING.udp4, _DROPPING.sctp4
    drop_tcp6, drop_udp6, drop_sctp6 = _DROPPING.tcp6, _DROPPING.udp6, _DROPPING.sctp6
    drop_any4, drop_any6 = _DROPPING.any4, _DROPPING.any6
    reject_tcp4, reject_udp4, reject_sctp4 = _REJECTING.tcp4, _REJECTING.udp4, _REJECTING.sctp4
    reject_tcp6, reject_udp6, reject_sctp6 = _REJECTING.tcp6, _REJECTING.udp6, _REJECTING.sctp6
    reject_any4, reject_any6 = _REJECTING.any4, _REJECTING.any6
