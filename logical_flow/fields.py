"""The symbols of the logical-flow language.

A *field* is a packet header field or a piece of metadata. A *subfield* is a name
for some of the bits of a field (``vlan.vid`` is ``vlan.tci[0..11]``). A
*predicate* is a name for an expression (``ip4`` is ``eth.type == 0x800``).

The level of measurement says what may be asked of a field:

* *ordinal*: bits can be looked at one by one, so masks, subfields and all six
  relations work;
* *nominal*: a mere identifier, which can only be tested for equality, and only
  positively, because a switch has no way to test for "anything but";
* *boolean*: a predicate over ordinal bits, which may be tested either way.

Some fields exist only in some packets. Their *prerequisites* say in which; using
the field implies them: ``tcp.dst == 80`` means ``tcp && tcp.dst == 80``.

Names and meanings are OVN's. General registers overlay each other as they do in
Open vSwitch: ``reg0`` is the top quarter of ``xxreg0``, and ``xreg0`` its top
half. The widest register is the field, the others are subfields of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType


class Level(StrEnum):
    """The level of measurement."""

    ORDINAL = "ordinal"
    NOMINAL = "nominal"
    BOOLEAN = "boolean"


class Access(StrEnum):
    """Where actions may assign to a field."""

    READ_ONLY = "read-only"
    ANYWHERE = "anywhere"
    INGRESS = "ingress"
    CT_COMMIT = "ct_commit"


@dataclass(frozen=True, slots=True)
class Field:
    """A field of the packet or its metadata. Strings have width 0 and are nominal."""

    name: str
    width: int
    level: Level
    prerequisites: str
    access: Access

    @property
    def is_string(self) -> bool:
        return self.width == 0

    @property
    def field(self) -> "Field":
        return self

    @property
    def low(self) -> int:
        return 0


@dataclass(frozen=True, slots=True)
class Subfield:
    """A name for bits `low` to ``low + width - 1`` of `field`."""

    name: str
    field: Field
    low: int
    width: int
    prerequisites: str

    @property
    def level(self) -> Level:
        return Level.ORDINAL

    @property
    def access(self) -> Access:
        return self.field.access

    @property
    def is_string(self) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class Predicate:
    """A name for the expression `expansion`; its level is nominal or boolean."""

    name: str
    expansion: str
    level: Level


Symbol = Field | Subfield | Predicate


@dataclass(frozen=True, slots=True)
class FieldSlice:
    """A use of a field: `width` bits from bit `low` of `symbol`, as it was written.

    `field` and `field_low` say the same in terms of the underlying field, which is
    what evaluation and compilation work on.
    """

    symbol: Field | Subfield
    low: int
    width: int

    @classmethod
    def whole(cls, symbol: Field | Subfield) -> "FieldSlice":
        return cls(symbol, 0, symbol.width)

    @property
    def field(self) -> Field:
        return self.symbol.field

    @property
    def field_low(self) -> int:
        return self.symbol.low + self.low

    @property
    def is_string(self) -> bool:
        return self.symbol.is_string

    @property
    def is_whole_field(self) -> bool:
        return self.width == self.symbol.field.width

    @property
    def mask(self) -> int:
        """The bits of the slice, in place within the underlying field."""
        return ((1 << self.width) - 1) << self.field_low

    def __str__(self) -> str:
        if self.width == self.symbol.width:
            return self.symbol.name
        if self.width == 1:
            return f"{self.symbol.name}[{self.low}]"
        return f"{self.symbol.name}[{self.low}..{self.low + self.width - 1}]"


class _SymbolTable:
    """Collects declarations below; lives only while this module is imported."""

    def __init__(self) -> None:
        self.symbols: dict[str, Symbol] = {}

    def _add(self, symbol: Symbol) -> None:
        if symbol.name in self.symbols:
            raise ValueError(f"{symbol.name} is declared twice")
        self.symbols[symbol.name] = symbol

    def string(self, name: str, access: Access) -> None:
        self._add(Field(name, 0, Level.NOMINAL, "", access))

    def ordinal(
        self, name: str, width: int, prerequisites: str = "", access: Access = Access.ANYWHERE
    ) -> None:
        self._add(Field(name, width, Level.ORDINAL, prerequisites, access))

    def nominal(
        self, name: str, width: int, prerequisites: str = "", access: Access = Access.ANYWHERE
    ) -> None:
        self._add(Field(name, width, Level.NOMINAL, prerequisites, access))

    def bits(self, name: str, field: str, low: int, width: int, prerequisites: str = "") -> None:
        parent = self.symbols[field]
        if not isinstance(parent, Field) or low + width > parent.width:
            raise ValueError(f"{name} is not part of {field}")
        self._add(Subfield(name, parent, low, width, prerequisites))

    def nominal_predicate(self, name: str, expansion: str) -> None:
        self._add(Predicate(name, expansion, Level.NOMINAL))

    def boolean_predicate(self, name: str, expansion: str) -> None:
        self._add(Predicate(name, expansion, Level.BOOLEAN))


def _metadata(table: _SymbolTable) -> None:
    table.string("inport", Access.ANYWHERE)
    table.string("outport", Access.INGRESS)
    for index in range(2):
        table.ordinal(f"xxreg{index}", 128)
    table.ordinal("xreg4", 64)
    for index in range(4):
        table.bits(f"xreg{index}", f"xxreg{index // 2}", 64 * (1 - index % 2), 64)
    for index in range(8):
        table.bits(f"reg{index}", f"xxreg{index // 4}", 32 * (3 - index % 4), 32)
    for index in range(8, 10):
        table.bits(f"reg{index}", "xreg4", 32 * (1 - index % 2), 32)
    table.ordinal("flags", 32)
    table.bits("flags.loopback", "flags", 0, 1)
    table.bits("flags.force_snat_for_dnat", "flags", 3, 1)
    table.bits("flags.force_snat_for_lb", "flags", 4, 1)
    table.bits("flags.skip_snat_for_lb", "flags", 5, 1)
    table.bits("flags.hairpin", "flags", 25, 1)
    table.bits("flags.here", "flags", 26, 1)
    table.bits("flags.in_charge", "flags", 27, 1)
    table.ordinal("pkt.mark", 32)


def _connection(table: _SymbolTable) -> None:
    table.ordinal("ct_state", 32, access=Access.READ_ONLY)
    table.boolean_predicate("ct.trk", "ct_state[5]")
    for bit, name in enumerate(("new", "est", "rel", "rpl", "inv")):
        table.bits(f"ct.{name}", "ct_state", bit, 1, "ct.trk")
    table.bits("ct.snat", "ct_state", 6, 1, "ct.trk")
    table.bits("ct.dnat", "ct_state", 7, 1, "ct.trk")
    table.ordinal("ct_mark", 32, access=Access.CT_COMMIT)
    table.bits("ct_mark.blocked", "ct_mark", 0, 1)
    table.bits("ct_mark.egress", "ct_mark", 1, 1)
    table.bits("ct_mark.skip_snat", "ct_mark", 2, 1)
    table.bits("ct_mark.force_snat", "ct_mark", 3, 1)
    table.bits("ct_mark.ecmp_reply_port", "ct_mark", 16, 16)
    table.ordinal("ct_label", 128, access=Access.CT_COMMIT)
    table.bits("ct_label.ecmp_reply_eth", "ct_label", 32, 48)
    # The destination of the connection's requests before it was translated.
    table.ordinal("ct_nw_dst", 32, "ip4", access=Access.READ_ONLY)
    table.ordinal("ct_ip6_dst", 128, "ip6", access=Access.READ_ONLY)
    table.ordinal("ct_tp_dst", 16, "ip", access=Access.READ_ONLY)
    # Open vSwitch keeps a match on the ports of a connection only beside one on its protocol.
    table.ordinal("ct_proto", 8, "ip", access=Access.READ_ONLY)


def _ethernet(table: _SymbolTable) -> None:
    table.ordinal("eth.src", 48)
    table.ordinal("eth.dst", 48)
    table.nominal("eth.type", 16, access=Access.READ_ONLY)
    table.bits("eth.mcast", "eth.dst", 40, 1)
    table.boolean_predicate("eth.bcast", "eth.dst == ff:ff:ff:ff:ff:ff")
    table.boolean_predicate("eth.mcastv6", "eth.dst[32..47] == 0x3333")
    table.ordinal("vlan.tci", 16)
    table.boolean_predicate("vlan.present", "vlan.tci[12]")
    table.bits("vlan.pcp", "vlan.tci", 13, 3, "vlan.present")
    table.bits("vlan.vid", "vlan.tci", 0, 12, "vlan.present")


def _ip(table: _SymbolTable) -> None:
    table.nominal_predicate("ip4", "eth.type == 0x800")
    table.nominal_predicate("ip6", "eth.type == 0x86dd")
    table.nominal_predicate("ip", "ip4 || ip6")
    table.nominal("ip.proto", 8, "ip", Access.READ_ONLY)
    table.nominal("ip.dscp", 6, "ip")
    table.nominal("ip.ecn", 2, "ip")
    table.nominal("ip.ttl", 8, "ip")
    table.ordinal("ip.frag", 2, "ip", Access.READ_ONLY)
    table.boolean_predicate("ip.is_frag", "ip.frag[0]")
    table.boolean_predicate("ip.later_frag", "ip.frag[1]")
    table.boolean_predicate("ip.first_frag", "ip.is_frag && !ip.later_frag")
    table.ordinal("ip4.src", 32, "ip4")
    table.ordinal("ip4.dst", 32, "ip4")
    table.boolean_predicate("ip4.src_mcast", "ip4.src[28..31] == 0xe")
    table.boolean_predicate("ip4.mcast", "eth.mcast && ip4.dst[28..31] == 0xe")
    table.ordinal("ip6.src", 128, "ip6")
    table.ordinal("ip6.dst", 128, "ip6")
    table.ordinal("ip6.label", 20, "ip6")
    table.boolean_predicate("ip6.mcast", "eth.mcastv6 && ip6.dst[120..127] == 0xff")


def _icmp(table: _SymbolTable) -> None:
    table.nominal_predicate("icmp4", "ip4 && ip.proto == 1")
    table.nominal("icmp4.type", 8, "icmp4")
    table.nominal("icmp4.code", 8, "icmp4")
    table.nominal_predicate("igmp", "ip4 && ip.proto == 2")
    table.nominal_predicate("icmp6", "ip6 && ip.proto == 58")
    table.nominal("icmp6.type", 8, "icmp6")
    table.nominal("icmp6.code", 8, "icmp6")
    table.nominal_predicate("icmp", "icmp4 || icmp6")


def _neighbours(table: _SymbolTable) -> None:
    for protocol, ethertype in (("arp", "0x806"), ("rarp", "0x8035")):
        table.nominal_predicate(protocol, f"eth.type == {ethertype}")
        table.nominal(f"{protocol}.op", 16, protocol)
        table.ordinal(f"{protocol}.spa", 32, protocol)
        table.ordinal(f"{protocol}.tpa", 32, protocol)
        table.ordinal(f"{protocol}.sha", 48, protocol)
        table.ordinal(f"{protocol}.tha", 48, protocol)
    valid = "icmp6.code == 0 && ip.ttl == 255"
    table.nominal_predicate("nd", f"icmp6.type == {{135, 136}} && {valid}")
    table.nominal_predicate("nd_ns", f"icmp6.type == 135 && {valid}")
    table.nominal_predicate("nd_na", f"icmp6.type == 136 && {valid}")
    table.nominal_predicate("nd_rs", f"icmp6.type == 133 && {valid}")
    table.nominal_predicate("nd_ra", f"icmp6.type == 134 && {valid}")
    table.nominal_predicate("mldv1", "ip6.src == fe80::/10 && icmp6.type == {130, 131, 132}")
    table.nominal_predicate(
        "mldv2", "ip6.dst == ff02::16 && ip6.src == fe80::/10 && icmp6.type == 143"
    )
    table.ordinal("nd.target", 128, "nd")
    table.ordinal("nd.sll", 48, "nd_ns")
    table.ordinal("nd.tll", 48, "nd_na")


def _transport(table: _SymbolTable) -> None:
    for protocol, number in (("tcp", 6), ("udp", 17), ("sctp", 132)):
        table.nominal_predicate(protocol, f"ip.proto == {number}")
        table.ordinal(f"{protocol}.src", 16, protocol)
        table.ordinal(f"{protocol}.dst", 16, protocol)
    table.ordinal("tcp.flags", 12, "tcp", Access.READ_ONLY)


def _declare() -> dict[str, Symbol]:
    table = _SymbolTable()
    for section in (_metadata, _connection, _ethernet, _ip, _icmp, _neighbours, _transport):
        section(table)
    return table.symbols


SYMBOLS: Mapping[str, Symbol] = MappingProxyType(_declare())
"""Every symbol by its name, in the order of declaration."""


def fields() -> Iterator[Field]:
    """The fields proper: no subfields, no predicates."""
    return (symbol for symbol in SYMBOLS.values() if isinstance(symbol, Field))


def field(name: str) -> Field:
    """The field of that name, for code that knows that it exists."""
    symbol = SYMBOLS[name]
    if not isinstance(symbol, Field):
        raise TypeError(f"{name} is not a field")
    return symbol


def field_slice(name: str) -> FieldSlice:
    """All of the field or subfield of that name."""
    symbol = SYMBOLS[name]
    if isinstance(symbol, Predicate):
        raise TypeError(f"{name} is a predicate")
    return FieldSlice.whole(symbol)
