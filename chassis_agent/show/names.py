"""Names for the numbers in flows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

from chassis_agent import tables
from chassis_agent.openflow.oxm import FIELDS, OxmField, terms_of
from chassis_agent.physical.multicast import KEYS
from chassis_agent.punt.meters import meter_name

REGISTERS = {
    tables.DATAPATH: "datapath",
    tables.INPORT: "inport",
    tables.OUTPORT: "outport",
    tables.FLAGS: "flags",
    tables.PORT_ZONE: "port_zone",
    tables.DNAT_ZONE: "dnat_zone",
    tables.SNAT_ZONE: "snat_zone",
    "nxm_in_port": "in_port",
}
"""What fields with a fixed meaning are called."""

_GROUPS = {key: name for name, key in KEYS.items()}
_ZONE_FIELDS = (tables.PORT_ZONE, tables.DNAT_ZONE, tables.SNAT_ZONE)
_PORT_FIELDS = (tables.INPORT, tables.OUTPORT)
_ADDRESS_WIDTHS = {32: IPv4Address, 128: IPv6Address}
_ADDRESSES = {
    *("ip_src", "ip_dst", "arp_spa", "arp_tpa", "tun_src", "tun_dst", "ct_nw_src", "ct_nw_dst"),
    *("ipv6_src", "ipv6_dst", "nd_target", "tun_ipv6_src", "tun_ipv6_dst"),
    *("ct_ipv6_src", "ct_ipv6_dst"),
}
_HEXADECIMAL = {"eth_type", "ct_state", "ct_mark", "ct_label", "tcp_flags", tables.FLAGS}


@dataclass(frozen=True, slots=True)
class Names:
    """What is known by name; whatever isn't is shown as its number.

    `stages` are by kind of datapath and table, `kinds` and `datapaths` by the key
    of the datapath, `ports` by that and the key of the port, `interfaces` by
    OpenFlow port, `zones` of connection tracking and `conjunctions` by number.
    """

    stages: Mapping[tuple[str, int], str] = field(default_factory=dict)
    kinds: Mapping[int, str] = field(default_factory=dict)
    datapaths: Mapping[int, str] = field(default_factory=dict)
    ports: Mapping[tuple[int, int], str] = field(default_factory=dict)
    interfaces: Mapping[int, str] = field(default_factory=dict)
    zones: Mapping[int, str] = field(default_factory=dict)
    conjunctions: Mapping[int, str] = field(default_factory=dict)

    def table(self, number: int, datapath: int | None) -> str:
        """A table; those of stages are shared by pipelines of both kinds."""
        kind = self.kinds.get(datapath or 0, "")
        return self.stages.get((kind, number)) or tables.table_name(number)

    def any_table(self, number: int) -> str:
        """A table in flows of any datapath: all that it may be.

        >>> Names(stages={("ls", 8): "ls_in_admission", ("lr", 8): "lr_in_admission"}).any_table(8)
        'lr_in_admission or ls_in_admission'
        """
        stages = {name for (_, table), name in self.stages.items() if table == number}
        return " or ".join(sorted(stages)) or tables.table_name(number)

    def conjunction(self, number: int) -> str:
        return self.conjunctions.get(number, f"{number:#x}")

    def meter(self, number: int) -> str:
        return meter_name(number)

    def interface(self, number: int) -> str:
        return self.interfaces.get(number, str(number))

    def port(self, datapath: int | None, key: int) -> str:
        """A logical port or multicast group; the port key 0 is no port."""
        if key in _GROUPS:
            return _GROUPS[key]
        return self.ports.get((datapath or 0, key), str(key))

    def datapath_of(self, match: bytes) -> int | None:
        """The key of the datapath that a match asks for."""
        found = (t.value for t in terms_of(match) if t.field.name == tables.DATAPATH)
        return next(found, None)

    def value(self, where: OxmField, value: int, datapath: int | None) -> str:
        """A whole field's value, as one would write it."""
        name = where.name
        if name in (tables.DATAPATH, "tun_id"):
            return self.datapaths.get(value, str(value))
        if name in _PORT_FIELDS:
            return self.port(datapath, value)
        if name in ("in_port", "nxm_in_port"):
            return self.interface(value) if value else "none"
        if name in _ZONE_FIELDS:
            return self.zones.get(value, str(value))
        if name == "conj_id":
            return self.conjunction(value)
        if name in _ADDRESSES:
            return str(_ADDRESS_WIDTHS[where.bits](value))
        if where.bits == 48:
            return value.to_bytes(6).hex(":")
        if name in _HEXADECIMAL or where.bits >= 64:
            return f"{value:#x}"
        return str(value)


def field_name(name: str) -> str:
    """A field's name as it is shown: registers by their meaning where they have one."""
    return REGISTERS.get(name, name)


def masked(where: OxmField, value: int, mask: int, names: Names, datapath: int | None) -> str:
    """``value/mask``, with the mask as a prefix length for addresses where it is one."""
    if mask == where.full_mask:
        return names.value(where, value, datapath)
    if where.name in _ADDRESSES:
        rest = mask ^ where.full_mask
        if rest & (rest + 1) == 0:
            return f"{names.value(where, value, datapath)}/{mask.bit_count()}"
        return "/".join(names.value(where, part, datapath) for part in (value, mask))
    if where.bits == 48:
        return "/".join(names.value(where, part, datapath) for part in (value, mask))
    return f"{value:#x}/{mask:#x}"


def register_halves(where: OxmField) -> tuple[OxmField, OxmField]:
    """The two 32-bit registers of a 64-bit one, the upper first."""
    number = int(where.name.removeprefix("xreg"))
    return FIELDS[f"reg{2 * number}"], FIELDS[f"reg{2 * number + 1}"]
