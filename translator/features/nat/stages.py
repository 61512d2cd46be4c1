"""The stages in which routers translate addresses.

Each template is for IPv4 and for IPv6. A router has two conntrack zones: destinations are
translated in one of them, sources in the other, so that a packet may pass both.
"""

from logical_flow.roles import Role
from logical_flow.template import Priority, Stage, Template
from translator.features.nat.reasons import NO_CONNECTION
from translator.features.router.reasons import REFUSED
from translator.features.router.refusals import (
    ABORT4,
    ABORT6,
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

_EXTERNAL4, _EXTERNAL6 = "ip4.dst == {external:ip4}", "ip6.dst == {external:ip6}"
_RANGE = "{first_port:int}..{last_port:int}"


_ERROR4, _ERROR6 = "icmp4.type == {3, 4, 5, 11, 12}", "icmp6.type == {1, 2, 3, 4}"
"""The messages that quote a packet, which is translated with them."""


class LrInWholeErrors(Stage, name="lr_in_whole_errors", role=Role.TRANSLATION, failure="drop"):
    """Lengthens ICMP errors that quote less than a transport's header.

    Open vSwitch's own datapath, which translates what they quote, writes beyond the end of
    shorter ones.
    """

    error4 = Template(100, _ERROR4, "whole_error { next; };")
    error6 = Template(100, _ERROR6, "whole_error { next; };")


class LrInUnsnat(Stage, name="lr_in_unsnat", role=Role.TRANSLATION, failure="drop"):
    """Gives replies to translated sources their own destination again."""

    EXTERNAL = 100

    router4 = Template(EXTERNAL, _EXTERNAL4, "ct_snat;")
    router6 = Template(EXTERNAL, _EXTERNAL6, "ct_snat;")


_TO4, _TO6 = "{logical:ip4}", "{logical:ip6}"


class LrInDnat(Stage, name="lr_in_dnat", role=Role.TRANSLATION, failure="drop"):
    """Gives packets for external addresses the destination that is behind them.

    What is for an external address and isn't translated goes nowhere: if the address is the
    router's own it refuses as for any other of its addresses.
    """

    DESTINATION, OWN, NOWHERE = 100, 20, 10

    router4 = Template(DESTINATION, _EXTERNAL4, f"ct_dnat({_TO4});")
    router6 = Template(DESTINATION, _EXTERNAL6, f"ct_dnat({_TO6});")
    router4_ports = Template(DESTINATION, _EXTERNAL4, f"ct_dnat({_TO4}, {_RANGE});")
    router6_ports = Template(DESTINATION, _EXTERNAL6, f"ct_dnat({_TO6}, {_RANGE});")

    own_udp4 = Template(OWN + 2, f"{OWN4} && {UDP}", PORT_UNREACHABLE4, because=REFUSED)
    own_tcp4 = Template(OWN + 2, f"{OWN4} && {TCP}", RESET4, because=REFUSED)
    own_sctp4 = Template(OWN + 2, f"{OWN4} && {SCTP}", ABORT4, because=REFUSED)
    own_icmp4 = Template(OWN + 2, f"{OWN4} && icmp4", "drop;", because=REFUSED)
    own_protocol4 = Template(
        OWN + 1, f"{OWN4} && !ip.later_frag", UNKNOWN_PROTOCOL4, because=REFUSED
    )
    own4 = Template(OWN, OWN4, "drop;", because=REFUSED)
    own_udp6 = Template(OWN + 2, f"{OWN6} && {UDP}", PORT_UNREACHABLE6, because=REFUSED)
    own_tcp6 = Template(OWN + 2, f"{OWN6} && {TCP}", RESET6, because=REFUSED)
    own_sctp6 = Template(OWN + 2, f"{OWN6} && {SCTP}", ABORT6, because=REFUSED)
    own_icmp6 = Template(OWN + 2, f"{OWN6} && icmp6", "drop;", because=REFUSED)
    own_protocol6 = Template(OWN + 1, f"{OWN6} && !ip.later_frag", UNKNOWN_HEADER6, because=REFUSED)
    own6 = Template(OWN, OWN6, "drop;", because=REFUSED)

    nowhere4 = Template(NOWHERE, _EXTERNAL4, "drop;", because=NO_CONNECTION)
    nowhere6 = Template(NOWHERE, _EXTERNAL6, "drop;", because=NO_CONNECTION)


class LrOutUndnat(Stage, name="lr_out_undnat", role=Role.TRANSLATION, failure="drop"):
    """Gives replies to translated destinations the external address as their source again.

    Errors about such replies' requests may come from any router on the way.
    """

    LOGICAL, ERROR = 100, 50

    error4 = Template(ERROR, _ERROR4, "ct_dnat;")
    error6 = Template(ERROR, _ERROR6, "ct_dnat;")
    router4 = Template(LOGICAL, "ip4.src == {logical:ip4}", "ct_dnat;")
    router6 = Template(LOGICAL, "ip6.src == {logical:ip6}", "ct_dnat;")


_SOURCE = Priority(2, "plen")


class LrOutSnat(Stage, name="lr_out_snat", role=Role.TRANSLATION, failure="drop"):
    """Gives what leaves an external address as its source; the longest prefix decides which."""

    ERROR = 1

    error4 = Template(ERROR, _ERROR4, "ct_snat;")
    error6 = Template(ERROR, _ERROR6, "ct_snat;")

    router4 = Template(_SOURCE, "ip4.src == {logical:cidr4}", "ct_snat({external:ip4});")
    router6 = Template(_SOURCE, "ip6.src == {logical:cidr6}", "ct_snat({external:ip6});")
    router4_ports = Template(
        _SOURCE, "ip4.src == {logical:cidr4}", f"ct_snat({{external:ip4}}, {_RANGE});"
    )
    router6_ports = Template(
        _SOURCE, "ip6.src == {logical:cidr6}", f"ct_snat({{external:ip6}}, {_RANGE});"
    )
