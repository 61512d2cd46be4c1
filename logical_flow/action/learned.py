"""Actions that ask what was learned of neighbours and stations, or have it learned."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING, Literal

from logical_flow.action.base import CONTINUE, HANDLED, Action, Function, Statement
from logical_flow.action.effect import Effect, Scene, Walker
from logical_flow.evaluate import Packet, Value, read
from logical_flow.fields import FieldSlice, field_slice
from logical_flow.packet import format_value, write

if TYPE_CHECKING:
    from logical_flow.action_parser import ActionParser
    from logical_flow.lexer import Token
    from logical_flow.packet import MutablePacket

Family = Literal[4, 6]

_SUFFIXES: dict[Family, str] = {4: "arp", 6: "nd"}
_ADDRESS_WIDTHS: dict[Family, int] = {4: 32, 6: 128}
_PORT, _MAC = 0, 48
"""Widths of arguments; a port's name is a string, whose width is 0."""
_ETH_DST = field_slice("eth.dst")


@dataclass(frozen=True, slots=True)
class GetNeighbour(Statement):
    """``get_arp(P, A);`` or ``get_nd``: set ``eth.dst`` to A's address behind P, or to 0."""

    words = ("get_arp", "get_nd")

    family: Family
    port: FieldSlice
    address: FieldSlice

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        family = _family(word.text)
        return cls(family, *parser.arguments(_PORT, _ADDRESS_WIDTHS[family]))

    @property
    def form(self) -> str:
        return f"get_{_SUFFIXES[self.family]}"

    def __str__(self) -> str:
        return f"{self.form}({self.port}, {self.address});"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        mac = _neighbour(walker, self.family, packet, self.port, self.address)
        write(packet, _ETH_DST, mac or 0)
        return CONTINUE


@dataclass(frozen=True, slots=True)
class PutNeighbour(Statement):
    """``put_arp(P, A, E);`` or ``put_nd``: learn that A behind P has Ethernet address E."""

    words = ("put_arp", "put_nd")

    family: Family
    port: FieldSlice
    address: FieldSlice
    mac: FieldSlice

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        family = _family(word.text)
        return cls(family, *parser.arguments(_PORT, _ADDRESS_WIDTHS[family], _MAC))

    @property
    def form(self) -> str:
        return f"put_{_SUFFIXES[self.family]}"

    def __str__(self) -> str:
        return f"{self.form}({self.port}, {self.address}, {self.mac});"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        address = _ip_text(self.family, read(packet, self.address))
        mac = format_value("eth.src", read(packet, self.mac))
        walker.remark(self.form, str(read(packet, self.port)), address, mac)
        return HANDLED


@dataclass(frozen=True, slots=True)
class ClaimAddress(Statement):
    """``claim_arp(P, A);`` or ``claim_nd``: the workload of P speaks for the virtual address A."""

    words = ("claim_arp", "claim_nd")

    family: Family
    port: FieldSlice
    address: FieldSlice

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        family = _family(word.text)
        return cls(family, *parser.arguments(_PORT, _ADDRESS_WIDTHS[family]))

    @property
    def form(self) -> str:
        return f"claim_{_SUFFIXES[self.family]}"

    def __str__(self) -> str:
        return f"{self.form}({self.port}, {self.address});"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        address = _ip_text(self.family, read(packet, self.address))
        walker.remark(self.form, str(read(packet, self.port)), address)
        return HANDLED


@dataclass(frozen=True, slots=True)
class BackendAnswer(Statement):
    """``backend_answer;``: hand the packet to the agent, which asked whether a backend is up."""

    words = ("backend_answer",)

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        return cls()

    def __str__(self) -> str:
        return "backend_answer;"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        walker.remark("backend_answer", str(packet.get("inport")))
        return HANDLED


@dataclass(frozen=True, slots=True)
class LookupNeighbour(Function):
    """``R = lookup_arp(P, A, E);`` or ``lookup_nd``: whether that is what is known."""

    words = ("lookup_arp", "lookup_nd")

    result: FieldSlice
    family: Family
    port: FieldSlice
    address: FieldSlice
    mac: FieldSlice

    @classmethod
    def parse(cls, parser: ActionParser, word: Token, result: FieldSlice) -> Action:
        parser.require_bit(word, result)
        family = _family(word.text)
        return cls(result, family, *parser.arguments(_PORT, _ADDRESS_WIDTHS[family], _MAC))

    @property
    def form(self) -> str:
        return f"lookup_{_SUFFIXES[self.family]}"

    def __str__(self) -> str:
        return f"{self.result} = {self.form}({self.port}, {self.address}, {self.mac});"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        mac = _neighbour(walker, self.family, packet, self.port, self.address)
        write(packet, self.result, int(mac is not None and mac == read(packet, self.mac)))
        return CONTINUE


@dataclass(frozen=True, slots=True)
class LookupAddress(Function):
    """``R = lookup_arp_ip(P, A);`` or ``lookup_nd_ip``: whether anything is known of A behind P."""

    words = ("lookup_arp_ip", "lookup_nd_ip")

    result: FieldSlice
    family: Family
    port: FieldSlice
    address: FieldSlice

    @classmethod
    def parse(cls, parser: ActionParser, word: Token, result: FieldSlice) -> Action:
        parser.require_bit(word, result)
        family = _family(word.text.removesuffix("_ip"))
        return cls(result, family, *parser.arguments(_PORT, _ADDRESS_WIDTHS[family]))

    @property
    def form(self) -> str:
        return f"lookup_{_SUFFIXES[self.family]}_ip"

    def __str__(self) -> str:
        return f"{self.result} = {self.form}({self.port}, {self.address});"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        mac = _neighbour(walker, self.family, packet, self.port, self.address)
        write(packet, self.result, int(mac is not None))
        return CONTINUE


@dataclass(frozen=True, slots=True)
class GetFdb(Function):
    """``outport = get_fdb(E);``: the port behind which E was learned, or the empty name."""

    words = ("get_fdb",)

    result: FieldSlice
    mac: FieldSlice

    @classmethod
    def parse(cls, parser: ActionParser, word: Token, result: FieldSlice) -> Action:
        if not result.is_string:
            raise parser.lexer.wrong(
                "The result of get_fdb is a port, which needs a string field.", word
            )
        return cls(result, *parser.arguments(_MAC))

    def __str__(self) -> str:
        return f"{self.result} = get_fdb({self.mac});"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        write(packet, self.result, _learned_port(walker, scene, packet, self.mac))
        return CONTINUE


@dataclass(frozen=True, slots=True)
class PutFdb(Statement):
    """``put_fdb(P, E);``: learn that E is behind P."""

    words = ("put_fdb",)

    port: FieldSlice
    mac: FieldSlice

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        return cls(*parser.arguments(_PORT, _MAC))

    def __str__(self) -> str:
        return f"put_fdb({self.port}, {self.mac});"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        mac = format_value("eth.src", read(packet, self.mac))
        walker.remark("put_fdb", str(read(packet, self.port)), mac)
        return HANDLED


@dataclass(frozen=True, slots=True)
class LookupFdb(Function):
    """``R = lookup_fdb(P, E);``: whether E is known to be behind P."""

    words = ("lookup_fdb",)

    result: FieldSlice
    port: FieldSlice
    mac: FieldSlice

    @classmethod
    def parse(cls, parser: ActionParser, word: Token, result: FieldSlice) -> Action:
        parser.require_bit(word, result)
        return cls(result, *parser.arguments(_PORT, _MAC))

    def __str__(self) -> str:
        return f"{self.result} = lookup_fdb({self.port}, {self.mac});"

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        port = _learned_port(walker, scene, packet, self.mac)
        write(packet, self.result, int(port != "" and port == read(packet, self.port)))
        return CONTINUE


def _family(word: str) -> Family:
    return 4 if word.endswith("_arp") else 6


def _neighbour(
    walker: Walker, family: Family, packet: Packet, port: FieldSlice, address: FieldSlice
) -> int | None:
    key = (str(read(packet, port)), _ip_text(family, read(packet, address)))
    mac = walker.network.neighbours.get(key)
    return None if mac is None else int(mac.replace(":", ""), 16)


def _ip_text(family: Family, address: Value) -> str:
    if not isinstance(address, int):
        return "?"
    return str(IPv4Address(address) if family == 4 else IPv6Address(address))


def _learned_port(walker: Walker, scene: Scene, packet: Packet, mac: FieldSlice) -> str:
    text = format_value("eth.src", read(packet, mac))
    return walker.network.learned.get((scene.position.datapath, text), "")
