"""The stages in which a router looks at the size of packets."""

from typing import Final

from logical_flow.roles import Role
from logical_flow.template import Local, Only, Resident, Stage, Template, Variants
from translator.features.path_mtu.reasons import TOO_BIG, TOO_BIG_IN_SILENCE


class LrInChkPktLen(Stage, name="lr_in_chk_pkt_len", role=Role.ROUTING):
    """Whether a packet is bigger than what the network beyond its output port carries."""

    check = Template(
        50, "outport == {port:lport}", "reg9[1] = check_pkt_larger({length:int}); next;"
    )


class LrInLargerPkts(Stage, name="lr_in_larger_pkts", role=Role.ROUTING):
    """Notes, of what is too big, how big it may be: in ``reg0``, where the next hop was."""

    larger = Template(50, "outport == {port:lport} && reg9[1] == 1", "reg0 = {mtu:int}; next;")


_AGAIN = "ip.ttl = 255; reg9 = 0; flags.loopback = 1; next(lr_in_ip_routing_pre);"


_BY: Final = "inport == {port:lport} && "
_PLACES: Final[dict[str, tuple[str, Only | None]]] = {
    "router": ("", None),
    "gateway": (_BY, Resident("redirect")),
    "local": (_BY, Local("logical_port")),
}
"""Where NATs translate: by which port that is, and on which chassis."""


def _floating(family: int, by: str, only: Only | None) -> Template:
    ip = f"ip{family}"
    return Template(
        60,
        f"{by}{ip}.dst == {{logical:{ip}}} && reg9[1] == 1",
        f"packet_too_big(reg0) {{ {ip}.dst = {ip}.src; {ip}.src = {{external:{ip}}}; "
        f"requote_destination {{ {_AGAIN} }}; }};",
        only,
        because=TOO_BIG,
    )


class LrInTooBig(Stage, name="lr_in_too_big", role=Role.ANSWERING):
    """Tells the sender of what is too big, from the port by which it came in.

    The error is routed from there. What has no address to send it from, and what may not be
    answered, is dropped.

    Errors about what came for a floating IP are from that, and quote it. Most are translated as
    they leave, by the connection that they are about. Those of `floating` IPs are made so: of one
    that is translated on this chassis, where the chassis in charge knows no connection, of one that
    is translated without connections, and of those of IPv6 at gateway ports.
    """

    error4 = Template(
        50,
        "inport == {port:lport} && ip4 && reg9[1] == 1",
        "packet_too_big(reg0) { eth.dst = {mac:mac}; ip4.dst = ip4.src; ip4.src = {ip:ip4}; "
        f"{_AGAIN} }};",
        because=TOO_BIG,
    )
    error6 = Template(
        50,
        "inport == {port:lport} && ip6 && reg9[1] == 1",
        "packet_too_big(reg0) { eth.dst = {mac:mac}; ip6.dst = ip6.src; ip6.src = {ip:ip6}; "
        f"{_AGAIN} }};",
        because=TOO_BIG,
    )
    floating = Variants(
        {
            f"{place}{family}": _floating(family, by, only)
            for place, (by, only) in _PLACES.items()
            for family in (4, 6)
        }
    )
    larger = Template(
        10, "outport == {port:lport} && reg9[1] == 1", "drop;", because=TOO_BIG_IN_SILENCE
    )
