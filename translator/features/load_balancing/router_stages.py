"""The stages in which routers give connections to virtual addresses to backends.

``reg9[10]`` says that the packet was for a virtual address as it came in.
"""

from typing import NamedTuple

from logical_flow.because import Because
from logical_flow.roles import Role
from logical_flow.template import Only, Resident, Stage, Template
from translator.features.load_balancing.reasons import NO_BACKEND, REFUSED
from translator.features.load_balancing.stages import WITH_PORT, WITHOUT_PORT

_GATEWAY = Resident("redirect")
_LOOK_UP = "reg9[10] = 1; ct_dnat;"
_AT_PORT = "inport == {port:lport} && "


class LrInDefrag(Stage, name="lr_in_defrag", role=Role.TRANSLATION, failure="drop"):
    """Looks up what is for virtual addresses: known connections get their backend again.

    Fragments are put together for that. At a gateway port it is done on the chassis that is in
    charge of it, and for what comes in there.
    """

    router4 = Template(100, "ip4.dst == {vip:ip4}", _LOOK_UP)
    router6 = Template(100, "ip6.dst == {vip:ip6}", _LOOK_UP)
    gateway4 = Template(100, f"{_AT_PORT}ip4.dst == {{vip:ip4}}", _LOOK_UP, _GATEWAY)
    gateway6 = Template(100, f"{_AT_PORT}ip6.dst == {{vip:ip6}}", _LOOK_UP, _GATEWAY)


class Fronts(NamedTuple):
    """One template for each kind of virtual address, all with the same actions."""

    tcp4: Template
    udp4: Template
    sctp4: Template
    tcp6: Template
    udp6: Template
    sctp6: Template
    any4: Template
    any6: Template


def _fronts(actions: str, only: Only | None, because: Because | None = None) -> Fronts:
    new = "reg9[10] == 1 && ct.new && !ct.rel" + (" && !ct.dnat" if because else "")
    to4, to6 = f"{new} && ip4.dst == {{vip:ip4}}", f"{new} && ip6.dst == {{vip:ip6}}"

    def with_port(to: str, protocol: str) -> Template:
        match = f"{to} && {protocol}.dst == {{port:int}}"
        return Template(WITH_PORT, match, actions, only, because=because)

    return Fronts(
        with_port(to4, "tcp"),
        with_port(to4, "udp"),
        with_port(to4, "sctp"),
        with_port(to6, "tcp"),
        with_port(to6, "udp"),
        with_port(to6, "sctp"),
        Template(WITHOUT_PORT, to4, actions, only, because=because),
        Template(WITHOUT_PORT, to6, actions, only, because=because),
    )


_TO, _BY = "{backends:backends}", "{backends:backends}, hash_fields={hash_fields:bytes}"
_REMEMBERED = "reg9[10] == 1 && ct.dnat && !ct.new"


def _balance(to: str, source: str = "") -> str:
    """Return the actions that give a connection to a backend; `source` is a name of flag and mark.

    The flag is for this packet, and the mark for all others of the connection.
    """
    if not source:
        return f"ct_lb({to});"
    return f"flags.{source}_for_lb = 1; ct_lb({to}) {{ ct_mark.{source} = 1; }};"


def _remembered(source: str) -> Template:
    match = f"{_REMEMBERED} && ct_mark.{source} == 1"
    return Template(_KNOWN, match, f"flags.{source}_for_lb = 1; next;")


_KNOWN = 100
_REJECT = "reject { outport = inport; flags.loopback = 1; output; };"


class LrInLb(Stage, name="lr_in_lb", role=Role.LOAD_BALANCING, failure="drop"):
    """Gives new connections to virtual addresses to a backend each, and commits them so.

    Where there is no backend they go on as they are. What sources shall be put in place of clients'
    is remembered with each connection.
    """

    router = _fronts(_balance(_TO), None)
    router_by = _fronts(_balance(_BY), None)
    router_skip = _fronts(_balance(_TO, "skip_snat"), None)
    router_skip_by = _fronts(_balance(_BY, "skip_snat"), None)
    router_force = _fronts(_balance(_TO, "force_snat"), None)
    router_force_by = _fronts(_balance(_BY, "force_snat"), None)
    gateway = _fronts(_balance(_TO), _GATEWAY)
    gateway_by = _fronts(_balance(_BY), _GATEWAY)
    skipped = _remembered("skip_snat")
    forced = _remembered("force_snat")


class LrInNoBackend(Stage, name="lr_in_no_backend", role=Role.LOAD_BALANCING, failure="drop"):
    """Ends what got no backend: packets are dropped, or their sender is told."""

    router_drop = _fronts("drop;", None, NO_BACKEND)
    router_reject = _fronts(_REJECT, None, REFUSED)
    gateway_drop = _fronts("drop;", _GATEWAY, NO_BACKEND)
    gateway_reject = _fronts(_REJECT, _GATEWAY, REFUSED)
