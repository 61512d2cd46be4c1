"""Match fields: their OXM and NXM headers, and matches in the form in which OVS echoes them.

Terms:

field
    Something that a flow can match or set, named as ``ovs-ofctl`` names it.
TLV
    A field on the wire: a header (class, number, mask bit, length), the value, perhaps a mask.
term
    One demand on one field: a value and the mask of the bits that count.
canonical match
    The one byte string in which ``ovs-vswitchd`` returns a match, whatever it was sent: TLVs in
    its own order, no mask where every bit counts, no TLV where none does, value bits zero outside
    the mask, and the 32-bit and 128-bit registers folded into the 64-bit ones. Matches are built
    canonical, so what a switch holds after an agent's restart compares byte for byte with what
    the agent would send.

A match is always the whole ``ofp_match`` structure: type, length, TLVs, padding.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from chassis_agent.openflow.errors import DecodingError, EncodingError

NXM_OF = 0x0000
NXM_NX = 0x0001
ERICSSON = 0x1000
OXM_OF = 0x8000
PACKET_REGISTERS = 0x8001

VLAN_PRESENT = 0x1000
"""The bit of ``vlan_vid`` that says that there is a VLAN tag."""

_MATCH_HEADER = struct.Struct("!HH")
_MATCH_TYPE_OXM = 1


class OxmField(NamedTuple):
    """A field: its name, its header's class and number, its width, and its rank in a match."""

    name: str
    oxm_class: int
    number: int
    bits: int
    rank: int

    @property
    def size(self) -> int:
        """The width in bytes, without a mask; labels of 20 bits travel in four."""
        return 4 if self.bits == 20 else (self.bits + 7) // 8

    @property
    def full_mask(self) -> int:
        """The mask under which every bit counts."""
        return (1 << self.bits) - 1

    @property
    def is_option(self) -> bool:
        """Whether this is an option of the tunnel header, such as Geneve's."""
        return self.name.startswith("tun_metadata")

    def header(self, *, masked: bool = False) -> bytes:
        """The four bytes in front of a value (and a mask)."""
        length = self.size * 2 if masked else self.size
        return struct.pack("!HBB", self.oxm_class, self.number << 1 | masked, length)

    def value_bytes(self, value: int) -> bytes:
        """``value`` in network order, checked against the field's width."""
        if not 0 <= value <= self.full_mask:
            raise EncodingError(f"{value:#x} does not fit the {self.bits} bits of {self.name}")
        return value.to_bytes(self.size, "big")

    def tlv(self, value: int, mask: int | None = None) -> bytes:
        """Header, value and, unless every bit counts, mask.

        >>> FIELDS["ip_dst"].tlv(0x0A000000, 0xFF000000).hex()
        '800019080a000000ff000000'
        """
        if mask is None or mask == self.full_mask:
            return self.header() + self.value_bytes(value)
        masked = self.value_bytes(value & mask) + self.value_bytes(mask)
        return self.header(masked=True) + masked


# In the order in which ovs-vswitchd writes them into a match.
_IN_MATCH_ORDER: tuple[tuple[str, int, int, int], ...] = (
    ("dp_hash", NXM_NX, 35, 32),
    ("recirc_id", NXM_NX, 36, 32),
    ("conj_id", NXM_NX, 37, 32),
    ("in_port", OXM_OF, 0, 32),
    ("actset_output", OXM_OF, 43, 32),
    ("eth_src", OXM_OF, 4, 48),
    ("eth_dst", OXM_OF, 3, 48),
    ("eth_type", OXM_OF, 5, 16),
    ("vlan_vid", OXM_OF, 6, 13),
    ("vlan_pcp", OXM_OF, 7, 3),
    ("mpls_tc", OXM_OF, 35, 3),
    ("mpls_bos", OXM_OF, 36, 1),
    ("mpls_ttl", NXM_NX, 30, 8),
    ("mpls_label", OXM_OF, 34, 20),
    ("ip_src", OXM_OF, 11, 32),
    ("ip_dst", OXM_OF, 12, 32),
    ("ipv6_src", OXM_OF, 26, 128),
    ("ipv6_dst", OXM_OF, 27, 128),
    ("ip_frag", NXM_NX, 26, 2),
    ("ip_dscp", OXM_OF, 8, 6),
    ("ip_ecn", OXM_OF, 9, 2),
    ("nw_ttl", NXM_NX, 29, 8),
    ("ipv6_label", OXM_OF, 28, 20),
    ("ip_proto", OXM_OF, 10, 8),
    ("tcp_src", OXM_OF, 13, 16),
    ("tcp_dst", OXM_OF, 14, 16),
    ("tcp_flags", OXM_OF, 42, 12),
    ("udp_src", OXM_OF, 15, 16),
    ("udp_dst", OXM_OF, 16, 16),
    ("sctp_src", OXM_OF, 17, 16),
    ("sctp_dst", OXM_OF, 18, 16),
    ("icmp_type", OXM_OF, 19, 8),
    ("icmp_code", OXM_OF, 20, 8),
    ("icmpv6_type", OXM_OF, 29, 8),
    ("icmpv6_code", OXM_OF, 30, 8),
    ("nd_reserved", ERICSSON, 1, 32),
    ("nd_target", OXM_OF, 31, 128),
    ("nd_options_type", ERICSSON, 2, 8),
    ("nd_sll", OXM_OF, 32, 48),
    ("nd_tll", OXM_OF, 33, 48),
    ("arp_op", OXM_OF, 21, 16),
    ("arp_spa", OXM_OF, 22, 32),
    ("arp_tpa", OXM_OF, 23, 32),
    ("arp_sha", OXM_OF, 24, 48),
    ("arp_tha", OXM_OF, 25, 48),
    ("tun_id", OXM_OF, 38, 64),
    ("tun_flags", NXM_NX, 104, 16),
    ("tun_src", NXM_NX, 31, 32),
    ("tun_dst", NXM_NX, 32, 32),
    ("tun_ipv6_src", NXM_NX, 109, 128),
    ("tun_ipv6_dst", NXM_NX, 110, 128),
    ("tun_metadata0", NXM_NX, 40, 32),
    *((f"xreg{n}", PACKET_REGISTERS, n, 64) for n in range(8)),
    ("pkt_mark", NXM_NX, 33, 32),
    ("ct_state", NXM_NX, 105, 32),
    ("ct_zone", NXM_NX, 106, 16),
    ("ct_mark", NXM_NX, 107, 32),
    ("ct_label", NXM_NX, 108, 128),
    ("ct_nw_src", NXM_NX, 120, 32),
    ("ct_nw_dst", NXM_NX, 121, 32),
    ("ct_ipv6_src", NXM_NX, 122, 128),
    ("ct_ipv6_dst", NXM_NX, 123, 128),
    ("ct_nw_proto", NXM_NX, 119, 8),
    ("ct_tp_src", NXM_NX, 124, 16),
    ("ct_tp_dst", NXM_NX, 125, 16),
    ("metadata", OXM_OF, 2, 64),
    # Never in a canonical match: folded into the 64-bit registers, or for actions only.
    *((f"reg{n}", NXM_NX, n, 32) for n in range(16)),
    *((f"xxreg{n}", NXM_NX, 111 + n, 128) for n in range(4)),
    ("nxm_in_port", NXM_OF, 0, 16),
)

FIELDS: Mapping[str, OxmField] = {
    name: OxmField(name, oxm_class, number, bits, rank)
    for rank, (name, oxm_class, number, bits) in enumerate(_IN_MATCH_ORDER)
}

_BY_HEADER: Mapping[tuple[int, int], OxmField] = {
    (field.oxm_class, field.number): field for field in FIELDS.values()
}


class Subfield(NamedTuple):
    """``bits`` bits of a field, starting at bit ``offset`` counted from the low end."""

    field: OxmField
    offset: int
    bits: int


def whole(field: OxmField) -> Subfield:
    """All of a field."""
    return Subfield(field, 0, field.bits)


class Term(NamedTuple):
    """A demand on a field; ``mask`` None means that every bit counts.

    ``variable_mask`` keeps the mask on the wire even where every bit of it is set, because a
    caller is going to overwrite it.
    """

    field: OxmField
    value: int
    mask: int | None = None
    variable_mask: bool = False


class Slot(NamedTuple):
    """Where a field's value, or a part of it, lies in a match.

    The bytes ``[source, source + length)`` of the field's value are at ``value`` in the match,
    the same bytes of its mask at ``mask`` (None where there is no mask).
    """

    source: int
    length: int
    value: int
    mask: int | None


class Layout(NamedTuple):
    """A canonical match, and where each field that went into it can be overwritten."""

    data: bytes
    slots: Mapping[str, tuple[Slot, ...]]


class _Carrier:
    """What the terms demand of one field that appears in a canonical match."""

    __slots__ = ("mask", "value", "variable_mask")

    def __init__(self) -> None:
        self.value = 0
        self.mask = 0
        self.variable_mask = False


def field_of(oxm_class: int, number: int) -> OxmField | None:
    """The field with that header, or None if the agent has no use for it."""
    return _BY_HEADER.get((oxm_class, number))


def match(terms: Iterable[Term]) -> bytes:
    """The canonical match that demands all of ``terms``.

    >>> match([Term(FIELDS["reg14"], 3), Term(FIELDS["metadata"], 7)]).hex(" ", 4)
    '00010024 80010f10 00000003 00000000 ffffffff 00000000 80000408 00000000 00000007 00000000'
    """
    return layout(terms).data


def layout(terms: Iterable[Term]) -> Layout:
    """The canonical match of ``terms``, with the place of every field's bytes.

    Raises EncodingError where two terms contradict each other.
    """
    listed = list(terms)
    carriers: dict[OxmField, _Carrier] = {}
    for term in listed:
        for carrier_field, value, mask, _source in _carried(term):
            carrier = carriers.setdefault(carrier_field, _Carrier())
            common = carrier.mask & mask
            if (carrier.value ^ value) & common:
                raise EncodingError(f"two demands on {term.field.name} contradict each other")
            carrier.value |= value & mask
            carrier.mask |= mask
            carrier.variable_mask |= term.variable_mask
    pieces: list[bytes] = []
    places: dict[OxmField, tuple[int, int | None]] = {}
    end = _MATCH_HEADER.size
    for carrier_field in sorted(carriers, key=lambda field: field.rank):
        carrier = carriers[carrier_field]
        if not carrier.mask and not carrier.variable_mask:
            continue
        masked = carrier.variable_mask or carrier.mask != carrier_field.full_mask
        start, size = end + 4, carrier_field.size
        places[carrier_field] = (start, start + size if masked else None)
        pieces += (carrier_field.header(masked=masked), carrier_field.value_bytes(carrier.value))
        if masked:
            pieces.append(carrier_field.value_bytes(carrier.mask))
        end = start + (2 * size if masked else size)
    slots: dict[str, tuple[Slot, ...]] = {}
    for term in listed:
        slots[term.field.name] = tuple(_slots(term, places))
    return Layout(_wrap(b"".join(pieces)), slots)


def match_of_tlvs(tlvs: bytes) -> bytes:
    """Wrap TLVs, which are taken as they are, into a match."""
    return _wrap(tlvs)


def terms_of(data: bytes) -> list[Term]:
    """The terms of a match; raises DecodingError for one that isn't well-formed.

    >>> terms_of(match([Term(FIELDS["ip_proto"], 6)]))[0].field.name
    'ip_proto'
    """
    if len(data) < _MATCH_HEADER.size:
        raise DecodingError("a match is cut short")
    kind, length = _MATCH_HEADER.unpack_from(data)
    if kind != _MATCH_TYPE_OXM or not _MATCH_HEADER.size <= length <= len(data):
        raise DecodingError("a match has an impossible length or type")
    return list(_terms(data[_MATCH_HEADER.size : length]))


def canonical(data: bytes) -> bytes:
    """The canonical form of a match that was written in some other way."""
    return match(terms_of(data))


def _terms(tlvs: bytes) -> Iterator[Term]:
    offset = 0
    while offset < len(tlvs):
        if len(tlvs) - offset < 4:
            raise DecodingError("a match field is cut short")
        oxm_class, number, length = struct.unpack_from("!HBB", tlvs, offset)
        offset += 4
        field, masked = field_of(oxm_class, number >> 1), bool(number & 1)
        if field is None:
            raise DecodingError(f"match field {oxm_class:#06x}:{number >> 1} is not known")
        if length != field.size * (1 + masked) or length > len(tlvs) - offset:
            raise DecodingError(f"match field {field.name} has an impossible length {length}")
        value = int.from_bytes(tlvs[offset : offset + field.size], "big")
        mask = int.from_bytes(tlvs[offset + field.size : offset + length], "big")
        yield Term(field, value, mask if masked else None)
        offset += length


def _carried(term: Term) -> Iterator[tuple[OxmField, int, int, int]]:
    """The fields of a canonical match that carry a term: field, value, mask, first source byte."""
    field = term.field
    mask = field.full_mask if term.mask is None else term.mask
    value = term.value & mask
    field.value_bytes(term.value)
    if field.name.startswith("reg"):
        pair, low = divmod(field.number, 2)
        shift = 0 if low else 32
        yield FIELDS[f"xreg{pair}"], value << shift, mask << shift, 0
    elif field.name.startswith("xxreg"):
        first = (field.number - FIELDS["xxreg0"].number) * 2
        low64 = (1 << 64) - 1
        yield FIELDS[f"xreg{first}"], value >> 64, mask >> 64, 0
        yield FIELDS[f"xreg{first + 1}"], value & low64, mask & low64, 8
    elif field.name == "nxm_in_port":
        raise EncodingError("the 16-bit input port is for actions; match in_port instead")
    else:
        yield field, value, mask, 0


def _slots(term: Term, places: Mapping[OxmField, tuple[int, int | None]]) -> Iterator[Slot]:
    length = min(term.field.size, 8) if term.field.name.startswith("xxreg") else term.field.size
    for carrier_field, _value, _mask, source in _carried(term):
        if carrier_field not in places:
            continue
        value, mask = places[carrier_field]
        skip = 4 if term.field.name.startswith("reg") and term.field.number % 2 else 0
        yield Slot(source, length, value + skip, None if mask is None else mask + skip)


def _wrap(tlvs: bytes) -> bytes:
    length = _MATCH_HEADER.size + len(tlvs)
    return _MATCH_HEADER.pack(_MATCH_TYPE_OXM, length) + tlvs + bytes(-length % 8)
