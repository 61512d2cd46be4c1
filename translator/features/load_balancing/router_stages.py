"""The stages in which routers give connections to virtual addresses to backends.

``reg9[10]`` says that the packet was for a virtual address as it came in.
"""

from logical_flow.because import Because
from logical_flow.roles import Role
from logical_flow.template import Only, Resident, Stage, Template, Variants
from translator.features.load_balancing.fronts import CHECKED, fragment_fronts, fronts
from translator.features.load_balancing.reasons import ALL_DOWN, NO_BACKEND, REFUSED, REFUSED_DOWN

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


_NEW = "reg9[10] == 1 && ct.new && !ct.rel"
_UNBALANCED = f"{_NEW} && !ct.dnat"
_TO, _BY = "{backends:backends}", "{backends:backends}, hash_fields={hash_fields:bytes}"
_BY_CLIENT = '{backends:backends}, hash_fields="ip_src"'
"""For fragments, of which not all show ports: they all have to get the same backend."""
_REMEMBERED = "reg9[10] == 1 && ct.dnat"
"""Also what is sent again, or sent next, before there was an answer."""


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

    router = fronts(_balance(_TO), _NEW)
    router_by = fronts(_balance(_BY), _NEW)
    router_skip = fronts(_balance(_TO, "skip_snat"), _NEW)
    router_skip_by = fronts(_balance(_BY, "skip_snat"), _NEW)
    router_force = fronts(_balance(_TO, "force_snat"), _NEW)
    router_force_by = fronts(_balance(_BY, "force_snat"), _NEW)
    gateway = fronts(_balance(_TO), _NEW, only=_GATEWAY)
    gateway_by = fronts(_balance(_BY), _NEW, only=_GATEWAY)
    router_fragment = fragment_fronts(_balance(_BY_CLIENT), _NEW)
    router_skip_fragment = fragment_fronts(_balance(_BY_CLIENT, "skip_snat"), _NEW)
    router_force_fragment = fragment_fronts(_balance(_BY_CLIENT, "force_snat"), _NEW)
    gateway_fragment = fragment_fronts(_balance(_BY_CLIENT), _NEW, _GATEWAY)
    skipped = _remembered("skip_snat")
    forced = _remembered("force_snat")


def _down(actions: str, because: Because, only: Only | None = None) -> Variants:
    return fronts(actions, _UNBALANCED, because, only=only, more=1, kinds=CHECKED)


class LrInNoBackend(Stage, name="lr_in_no_backend", role=Role.LOAD_BALANCING, failure="drop"):
    """Ends what got no backend: packets are dropped, or their sender is told.

    There is none, or there are some of which none answers.
    """

    router_drop = fronts("drop;", _UNBALANCED, NO_BACKEND)
    router_reject = fronts(_REJECT, _UNBALANCED, REFUSED)
    router_drop_down = _down("drop;", ALL_DOWN)
    router_reject_down = _down(_REJECT, REFUSED_DOWN)
    gateway_drop = fronts("drop;", _UNBALANCED, NO_BACKEND, only=_GATEWAY)
    gateway_reject = fronts(_REJECT, _UNBALANCED, REFUSED, only=_GATEWAY)
    gateway_drop_down = _down("drop;", ALL_DOWN, _GATEWAY)
    gateway_reject_down = _down(_REJECT, REFUSED_DOWN, _GATEWAY)
