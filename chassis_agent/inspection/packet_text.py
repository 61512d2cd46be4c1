"""A packet as ``ofproto/trace`` is told of it: a flow that fits exactly that packet. Pure.

Each term stands behind those that it is only allowed with, as Open vSwitch demands.
"""

from collections.abc import Iterable, Mapping, Sequence
from ipaddress import ip_address
from typing import Final

from chassis_agent.compile.fields import demands
from chassis_agent.openflow.oxm import Term
from chassis_agent.show.names import Names
from logical_flow.evaluate import matches
from logical_flow.fields import SYMBOLS, Field, field_slice
from logical_flow.match_parser import parse_match
from southbound.questions import Connection

IPV6: Final = 6
INPORT_SHIFT: Final = 16
"""Where the input port is in the Geneve option, above the output port."""

_FRAGMENT: Final = "ip.frag"
_FRAGMENTS: Final = {1: "first", 3: "later"}
_TAG: Final = "vlan.tci"
_CT_STATES: Final[Mapping[Connection, str]] = {
    "new": "trk,new",
    "established": "trk,est",
    "reply": "trk,est,rpl",
}
_LOOKUPS: Final = 64
"""More than the connection lookups that a packet meets on one chassis."""


def packet_text(headers: Mapping[str, int]) -> str:
    """The headers of a packet, by the names of the language of matches.

    >>> packet_text({"ip4.dst": 0x0A000001, "eth.type": 0x800, "ip.proto": 6, "tcp.dst": 80})
    'eth_type=0x800,ip_proto=6,ip_dst=10.0.0.1,tcp_dst=80'
    """
    terms: list[Term] = []
    others = []
    for name, value in headers.items():
        field = SYMBOLS.get(name)
        if name == _FRAGMENT:
            if value in _FRAGMENTS:
                others.append(f"nw_frag={_FRAGMENTS[value]}")
        elif name == _TAG:
            others.append(f"vlan_tci={value:#06x}")
        elif isinstance(field, Field) and _is_carried(name, headers):
            terms += demands(field, value, (1 << field.width) - 1)
    return ",".join([*_texts(terms), *others])


def _texts(terms: Iterable[Term]) -> Iterable[str]:
    names = Names()
    for term in sorted(terms, key=lambda term: (_level(term.field.name), term.field.rank)):
        yield f"{term.field.name}={names.value(term.field, term.value, None)}"


def _level(name: str) -> int:
    """Fields that others need come first."""
    return ("eth_type", "ip_proto").index(name) if name in ("eth_type", "ip_proto") else 2


def _is_carried(name: str, headers: Mapping[str, int]) -> bool:
    """Whether a packet of these headers has the field at all."""
    field = SYMBOLS[name]
    needed = field.prerequisites if isinstance(field, Field) else ""
    return not needed or matches(parse_match(needed), headers) is True


def tunnel_text(
    ofport: int, remote: str, local: str, datapath_key: int, inport_key: int, outport_key: int
) -> str:
    """The fields of a packet that comes out of the Geneve tunnel from `remote`.

    >>> tunnel_text(1, "192.0.2.1", "192.0.2.2", 2, 3, 4)
    'in_port=1,tun_src=192.0.2.1,tun_dst=192.0.2.2,tun_id=0x2,tun_metadata0=0x30004'
    """
    prefix = "tun_ipv6_" if ip_address(remote).version == IPV6 else "tun_"
    return (
        f"in_port={ofport},{prefix}src={remote},{prefix}dst={local},tun_id={datapath_key:#x},"
        f"tun_metadata0={inport_key << INPORT_SHIFT | outport_key:#x}"
    )


def blocked_text() -> str:
    """What the tracker has noted of a connection that an ACL has stopped.

    The switch takes it for granted at the first lookup. It forgets it where the packet goes
    on untracked, but whatever is looked up again later passed that lookup as a request, and
    requests of a blocked connection are judged as new ones are.
    """
    return f"ct_mark={field_slice('ct_mark.blocked').mask:#x}"


def lookup_options(connection: Connection, translations: Sequence[str] = ()) -> list[str]:
    """What ``ofproto/trace`` is to assume of each connection lookup on the way.

    `translations` are what the first of them do: ``snat``, ``dnat`` or nothing.

    >>> lookup_options("new", ("", "snat"))[:6]
    ['--ct-next', 'trk,new', '--ct-next', 'trk,new,snat', '--ct-next', 'trk,new']
    """
    known = [*translations[:_LOOKUPS], *[""] * (_LOOKUPS - len(translations))]
    state = _CT_STATES[connection]
    return [
        option
        for translation in known
        for option in ("--ct-next", f"{state},{translation}" if translation else state)
    ]
