"""The stages of BFD packets."""

from logical_flow.roles import Role
from logical_flow.template import Stage, Template
from translator.features.bfd.reasons import FROM_AFAR, TAKEN

_RECEIVED = (
    "inport == {{port:lport}} && ip{0}.src == {{neighbour:ip{0}}} && ip{0}.dst == {{source:ip{0}}} "
    "&& udp.dst == 3784"
)
_SENT = (
    "flags[1] == 1 && ip{0}.src == {{source:ip{0}}} && ip{0}.dst == {{neighbour:ip{0}}} "
    "&& udp.dst == 3784"
)
_TAKE = "handle_bfd({rate:int});"
_OUT = "eth.src = {mac:mac}; outport = {port:lport}; flags.loopback = 1; next(lr_in_arp_resolve);"


class LrInBfd(Stage, name="lr_in_bfd", role=Role.ANSWERING):
    """Hands packets of BFD sessions to the agent, and sends on those that it made.

    Only packets from the same link are of a session: those whose TTL nobody has counted down.
    """

    received4 = Template(100, f"{_RECEIVED.format(4)} && ip.ttl == 255", _TAKE, because=TAKEN)
    received6 = Template(100, f"{_RECEIVED.format(6)} && ip.ttl == 255", _TAKE, because=TAKEN)
    from_afar4 = Template(90, _RECEIVED.format(4), "drop;", because=FROM_AFAR)
    from_afar6 = Template(90, _RECEIVED.format(6), "drop;", because=FROM_AFAR)
    sent4 = Template(
        100,
        f"inport == {{port:lport}} && {_SENT.format(4)}",
        f"reg9[9] = 1; reg0 = {{neighbour:ip4}}; reg5 = {{source:ip4}}; {_OUT}",
    )
    sent6 = Template(
        100,
        f"inport == {{port:lport}} && {_SENT.format(6)}",
        f"reg9[9] = 0; xxreg0 = {{neighbour:ip6}}; xxreg1 = {{source:ip6}}; {_OUT}",
    )


class LrOutBfd(Stage, name="lr_out_bfd", role=Role.TRANSLATION):
    """Packets of BFD sessions leave as they are: no translation is for them."""

    sent4 = Template(
        100, f"outport == {{port:lport}} && {_SENT.format(4)}", "next(lr_out_delivery);"
    )
    sent6 = Template(
        100, f"outport == {{port:lport}} && {_SENT.format(6)}", "next(lr_out_delivery);"
    )
