"""OpenFlow actions as bytes, in the form in which ``ovs-vswitchd`` echoes them.

One function an action, named as ``ovs-ofctl`` names it; each returns the whole action, padded.
Lists of actions are concatenations of them.
"""

from __future__ import annotations

import struct
from ipaddress import IPv4Address, IPv6Address

from chassis_agent.openflow.errors import EncodingError
from chassis_agent.openflow.oxm import NXM_NX, NXM_OF, OxmField, Subfield

IN_PORT = 0xFFFFFFF8
"""Send a packet back where it came from, which ``output`` to its own number would not do."""
CONTROLLER = 0xFFFFFFFD
LOCAL = 0xFFFFFFFE

_NICIRA = 0x00002320
_EXPERIMENTER = 0xFFFF
_INSTRUCTION_APPLY_ACTIONS = 4

_ZONE_FROM_IMMEDIATE = 0
_CT_COMMIT = 1
_CT_FORCE = 2
_NO_RECIRCULATION = 0xFF

_NAT_SOURCE = 1
_NAT_DESTINATION = 2
_NAT_PERSISTENT = 4
_NAT_HASH = 8
_NAT_RANDOM = 16
_NAT_IPV4_MIN = 1
_NAT_IPV4_MAX = 2
_NAT_IPV6_MIN = 4
_NAT_IPV6_MAX = 8
_NAT_PORT_MIN = 16
_NAT_PORT_MAX = 32


_NICIRA_NUMBERS = {
    name: (oxm_class, number)
    for oxm_class, names in (
        (
            NXM_OF,
            {
                "eth_dst": 1,
                "eth_src": 2,
                "eth_type": 3,
                "ip_proto": 6,
                "ip_src": 7,
                "ip_dst": 8,
                "tcp_src": 9,
                "tcp_dst": 10,
                "udp_src": 11,
                "udp_dst": 12,
                "icmp_type": 13,
                "icmp_code": 14,
                "arp_op": 15,
                "arp_spa": 16,
                "arp_tpa": 17,
            },
        ),
        (
            NXM_NX,
            {
                "tun_id": 16,
                "arp_sha": 17,
                "arp_tha": 18,
                "ipv6_src": 19,
                "ipv6_dst": 20,
                "icmpv6_type": 21,
                "icmpv6_code": 22,
                "nd_target": 23,
                "nd_sll": 24,
                "nd_tll": 25,
                "ipv6_label": 27,
                "ip_ecn": 28,
                "tcp_flags": 34,
            },
        ),
    )
    for name, number in names.items()
}
"""The older names of fields, class and number, which some actions prefer."""

NICIRA_FIELDS = {number: name for name, number in _NICIRA_NUMBERS.items()}
"""The field that an older name is for."""


def apply_actions(actions: bytes) -> bytes:
    """The instructions of a flow that applies ``actions``: none at all where there are none."""
    if not actions:
        return b""
    return struct.pack("!HH4x", _INSTRUCTION_APPLY_ACTIONS, 8 + len(actions)) + actions


def output(port: int) -> bytes:
    """Send to an OpenFlow port."""
    return struct.pack("!HHIH6x", 0, 16, port, 0)


def controller(
    userdata: bytes, *, meter_id: int | None = None, pause: bool = False, max_len: int = 0xFFFF
) -> bytes:
    """Send to the agent, with ``userdata`` to say why, after ``meter_id`` had its say."""
    properties = b""
    if max_len != 0xFFFF:
        properties += struct.pack("!HHH2x", 0, 8, max_len)
    properties += _pad(struct.pack("!HH", 3, 4 + len(userdata)) + userdata)
    if pause:
        properties += struct.pack("!HH4x", 4, 4)
    if meter_id is not None:
        properties += struct.pack("!HHI", 5, 8, meter_id)
    return _nicira(37, bytes(6) + properties)


def set_field(field: OxmField, value: int, mask: int | None = None) -> bytes:
    """Set the bits of a field that ``mask`` selects, by default all of them."""
    tlv = _option_tlv(field, value, mask) if field.is_option else field.tlv(value, mask)
    return _pad(struct.pack("!HH", 25, (4 + len(tlv) + 7) // 8 * 8) + tlv)


def _option_tlv(field: OxmField, value: int, mask: int | None) -> bytes:
    """A tunnel option has no width of its own: leading zero bytes are left out."""
    selected = field.full_mask if mask is None else mask
    masked = selected != field.full_mask
    size = max((selected if masked else value).bit_length() + 7, 8) // 8
    narrow = OxmField(field.name, field.oxm_class, field.number, 8 * size, field.rank)
    if not masked:
        return narrow.tlv(value)
    values = narrow.value_bytes(value & selected) + narrow.value_bytes(selected)
    return narrow.header(masked=True) + values


def load(target: Subfield, value: int) -> bytes:
    """Set a range of a field's bits."""
    if value >> target.bits:
        raise EncodingError(f"{value:#x} does not fit {target.bits} bits of {target.field.name}")
    mask = (1 << target.bits) - 1
    return set_field(target.field, value << target.offset, mask << target.offset)


def move(source: Subfield, target: Subfield) -> bytes:
    """Copy a range of bits to an equally wide range."""
    if source.bits != target.bits:
        raise EncodingError(f"{source.field.name} and {target.field.name} differ in width")
    headers = source.field.header() + target.field.header()
    fixed = struct.pack("!HHHHH2x", 28, 24, source.bits, source.offset, target.offset)
    return _pad(fixed + headers)


def resubmit(table: int, *, in_port: int | None = None, ct: bool = False) -> bytes:
    """Continue in ``table``, and come back; ``ct`` looks up the original tuple of the connection.

    ``in_port`` None leaves the input port as it is.
    """
    port = IN_PORT & 0xFFFF if in_port is None else in_port
    return _nicira(44 if ct else 14, struct.pack("!HB3x", port, table))


def ct(
    *,
    zone: int | Subfield,
    commit: bool = False,
    force: bool = False,
    table: int | None = None,
    nested: bytes = b"",
) -> bytes:
    """Pass the packet through connection tracking.

    ``table`` is where a tracked copy continues; ``nested`` are ``nat`` and, for a commit,
    the actions that set the connection's mark and label.
    """
    flags = _CT_COMMIT * commit | _CT_FORCE * force
    if isinstance(zone, Subfield):
        zone_bytes = zone.field.header() + struct.pack("!H", _range(zone))
    else:
        zone_bytes = struct.pack("!IH", _ZONE_FROM_IMMEDIATE, zone)
    recirculate = _NO_RECIRCULATION if table is None else table
    return _nicira(35, struct.pack("!H6sB5x", flags, zone_bytes, recirculate) + nested)


def ct_clear() -> bytes:
    """Forget what connection tracking said about the packet."""
    return _nicira(43, bytes(6))


def nat(
    *,
    source: bool = False,
    destination: bool = False,
    first: IPv4Address | IPv6Address | None = None,
    last: IPv4Address | IPv6Address | None = None,
    port_min: int | None = None,
    port_max: int | None = None,
    persistent: bool = False,
    hash_: bool = False,
    random: bool = False,
) -> bytes:
    """Translate addresses, inside ``ct``; without arguments, as the connection says already."""
    flags = (
        _NAT_SOURCE * source
        | _NAT_DESTINATION * destination
        | _NAT_PERSISTENT * persistent
        | _NAT_HASH * hash_
        | _NAT_RANDOM * random
    )
    present, ranges = 0, b""
    for address, ipv4_bit, ipv6_bit in (
        (first, _NAT_IPV4_MIN, _NAT_IPV6_MIN),
        (last, _NAT_IPV4_MAX, _NAT_IPV6_MAX),
    ):
        if address is not None:
            present |= ipv4_bit if address.version == 4 else ipv6_bit
            ranges += address.packed
    for port, bit in ((port_min, _NAT_PORT_MIN), (port_max, _NAT_PORT_MAX)):
        if port is not None:
            present |= bit
            ranges += struct.pack("!H", port)
    return _nicira(36, struct.pack("!2xHH", flags, present) + ranges)


def conjunction(conjunction_id: int, clause: int, clauses: int) -> bytes:
    """Fulfil one clause, counted from 1, of a conjunctive match."""
    if not 1 <= clause <= clauses <= 64:
        raise EncodingError(f"there is no clause {clause} of {clauses}")
    return _nicira(34, struct.pack("!BBI", clause - 1, clauses, conjunction_id))


def group(group_id: int) -> bytes:
    """Hand the packet to a group."""
    return struct.pack("!HHI", 22, 8, group_id)


def meter(meter_id: int) -> bytes:
    """Let a meter drop the packet."""
    return struct.pack("!HHI", 29, 8, meter_id)


def set_queue(queue: int) -> bytes:
    """Choose the queue for outputs that follow."""
    return struct.pack("!HHI", 21, 8, queue)


def dec_ttl() -> bytes:
    """Decrement the TTL or hop limit; a packet whose life ends stops here, silently."""
    return struct.pack("!HH4x", 24, 8)


def push_vlan(ethertype: int = 0x8100) -> bytes:
    """Add an outermost VLAN tag."""
    return struct.pack("!HHH2x", 17, 8, ethertype)


def pop_vlan() -> bytes:
    """Remove the outermost VLAN tag."""
    return struct.pack("!HH4x", 18, 8)


def clone(nested: bytes) -> bytes:
    """Run actions on a copy; nothing that they do to the packet stays."""
    return _nicira(42, bytes(6) + nested)


def note(data: bytes) -> bytes:
    """Do nothing, with a comment."""
    return _nicira(8, data)


def push(source: Subfield) -> bytes:
    """Push a range of bits on the stack."""
    return _stack(27, source)


def pop(target: Subfield) -> bytes:
    """Pop the stack into a range of bits."""
    return _stack(28, target)


def check_pkt_larger(length: int, target: Subfield) -> bytes:
    """Set one bit to whether the packet, with its Ethernet header, exceeds ``length`` bytes."""
    if target.bits != 1:
        raise EncodingError("the answer to check_pkt_larger is a single bit")
    header = target.field.header()
    return _nicira(49, struct.pack("!HH4s", length, target.offset, header))


def delete_field(field: OxmField) -> bytes:
    """Remove a tunnel option from the packet."""
    return _nicira(50, field.header() + bytes(10))


def _stack(subtype: int, what: Subfield) -> bytes:
    """Stack actions name fields by their Nicira number wherever there is one."""
    field = what.field
    oxm_class, number = _NICIRA_NUMBERS.get(field.name, (field.oxm_class, field.number))
    header = struct.pack("!HBB", oxm_class, number << 1, field.size)
    return _nicira(subtype, struct.pack("!H4sH6x", what.offset, header, what.bits))


def _range(what: Subfield) -> int:
    """A range of bits in OVS's 16-bit form."""
    return what.offset << 6 | (what.bits - 1)


def _nicira(subtype: int, body: bytes) -> bytes:
    length = (10 + len(body) + 7) // 8 * 8
    return _pad(struct.pack("!HHIH", _EXPERIMENTER, length, _NICIRA, subtype) + body)


def _pad(data: bytes) -> bytes:
    return data + bytes(-len(data) % 8)
