"""Which OpenFlow field, or part of one, each field of the language is."""

from chassis_agent import tables
from chassis_agent.compile.errors import BadTemplateError
from chassis_agent.openflow.oxm import FIELDS, VLAN_PRESENT, OxmField, Subfield, Term
from logical_flow.fields import Field, FieldSlice

_NAMES = {
    "inport": tables.INPORT,
    "outport": tables.OUTPORT,
    "flags": tables.FLAGS,
    "pkt.mark": "pkt_mark",
    "eth.src": "eth_src",
    "eth.dst": "eth_dst",
    "eth.type": "eth_type",
    "vlan.vid": "vlan_vid",
    "vlan.pcp": "vlan_pcp",
    "ip.proto": "ip_proto",
    "ip.dscp": "ip_dscp",
    "ip.ecn": "ip_ecn",
    "ip.ttl": "nw_ttl",
    "ip.frag": "ip_frag",
    "ip4.src": "ip_src",
    "ip4.dst": "ip_dst",
    "ip6.src": "ipv6_src",
    "ip6.dst": "ipv6_dst",
    "ip6.label": "ipv6_label",
    "icmp4.type": "icmp_type",
    "icmp4.code": "icmp_code",
    "icmp6.type": "icmpv6_type",
    "icmp6.code": "icmpv6_code",
    **{
        f"{protocol}.{part}": f"arp_{part}"
        for protocol in ("arp", "rarp")
        for part in ("op", "spa", "tpa", "sha", "tha")
    },
    "nd.target": "nd_target",
    "nd.sll": "nd_sll",
    "nd.tll": "nd_tll",
    **{
        f"{protocol}.{part}": f"{protocol}_{part}"
        for protocol in ("tcp", "udp", "sctp")
        for part in ("src", "dst")
    },
    "tcp.flags": "tcp_flags",
    **{f"reg{n}": f"reg{n}" for n in range(10)},
    **{f"xreg{n}": f"xreg{n}" for n in range(5)},
    **{f"xxreg{n}": f"xxreg{n}" for n in range(2)},
    **{name: name for name in ("ct_state", "ct_mark", "ct_label")},
    "ct_nw_dst": "ct_nw_dst",
    "ct_ip6_dst": "ct_ipv6_dst",
    "ct_tp_dst": "ct_tp_dst",
    "ct_proto": "ct_nw_proto",
}

_PORT_BITS = 32
_VLAN_TCI = "vlan.tci"


def subfield(where: FieldSlice) -> Subfield:
    """The bits of an OpenFlow field that `where` is.

    The narrowest register that holds them is chosen, as it was written.
    """
    name = _NAMES.get(where.symbol.name)
    if name is not None:
        return Subfield(FIELDS[name], where.low, where.width or _PORT_BITS)
    name = _NAMES.get(where.field.name)
    if name is None:
        raise BadTemplateError(f"{where} is nothing that a flow can act on")
    return Subfield(FIELDS[name], where.field_low, where.width)


def demands(field: Field, value: int, mask: int) -> list[Term]:
    """What ``field & mask == value`` asks of OpenFlow fields.

    Registers are asked for 32 bits at a time, so that demands on parts of a wide
    one and on the narrow ones within it can be told apart.
    """
    if field.name == _VLAN_TCI:
        return _vlan_demands(value, mask)
    name = _NAMES[field.name]
    if name.startswith(("xreg", "xxreg")):
        return _register_demands(FIELDS[name], value, mask)
    return [Term(FIELDS[name], value, mask)]


def narrow_registers(field: OxmField) -> list[OxmField]:
    """The 32-bit registers within a wide one, from the top down."""
    count = field.bits // 32
    prefix = "xxreg" if count == 4 else "xreg"
    first = int(field.name.removeprefix(prefix)) * count
    return [FIELDS[f"reg{first + n}"] for n in range(count)]


def _register_demands(field: OxmField, value: int, mask: int) -> list[Term]:
    found = []
    shift = field.bits
    for register in narrow_registers(field):
        shift -= register.bits
        part = mask >> shift & register.full_mask
        if part:
            found.append(Term(register, value >> shift & register.full_mask, part))
    return found


def _vlan_demands(value: int, mask: int) -> list[Term]:
    """Open vSwitch keeps the priority bits apart from the rest of the tag."""
    vid = FIELDS["vlan_vid"]
    pcp = FIELDS["vlan_pcp"]
    found = []
    if mask & vid.full_mask:
        found.append(Term(vid, value & vid.full_mask, mask & vid.full_mask))
    if mask >> vid.bits:
        if not mask & value & VLAN_PRESENT:
            raise BadTemplateError("a VLAN priority is asked of packets without a VLAN tag")
        found.append(Term(pcp, value >> vid.bits, mask >> vid.bits))
    return found
