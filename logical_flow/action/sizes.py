"""Actions about the size of packets: whether one is too big, and telling its sender so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logical_flow.action.base import (
    CONTINUE,
    HANDLED,
    Action,
    Actions,
    Function,
    Statement,
    bind_actions,
    format_actions,
)
from logical_flow.action.effect import Effect, Scene, Walker
from logical_flow.action.generated import PacketKind, generate
from logical_flow.binding import Arguments, fill
from logical_flow.constants import Integer
from logical_flow.errors import TemplateError
from logical_flow.fields import FieldSlice
from logical_flow.holes import Hole
from logical_flow.packet import ETH_IP4, write

if TYPE_CHECKING:
    from logical_flow.action_parser import ActionParser
    from logical_flow.lexer import Token
    from logical_flow.packet import MutablePacket

LENGTH = "packet.length"
"""Part of a walked packet that matches can't see: its bytes, with the Ethernet header."""
_MTU_BITS = 32


@dataclass(frozen=True, slots=True)
class CheckPktLarger(Function):
    """``R = check_pkt_larger(N);``: whether the packet has more bytes than N, Ethernet's included.

    A walked packet of which the length isn't said is taken for one that fits.
    """

    words = ("check_pkt_larger",)
    binds_early = True

    result: FieldSlice
    length: Integer | Hole

    @classmethod
    def parse(cls, parser: ActionParser, word: Token, result: FieldSlice) -> Action:
        parser.require_bit(word, result)
        parser.lexer.expect("(")
        length = parser.number()
        parser.lexer.expect(")")
        return cls(result, length)

    def __str__(self) -> str:
        return f"{self.result} = check_pkt_larger({self.length});"

    def bind(self, arguments: Arguments) -> CheckPktLarger:
        length = fill(self.length, arguments)
        if not isinstance(length, Integer):
            raise TemplateError(f"{length} is not a number")
        return CheckPktLarger(self.result, length)

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        if not isinstance(self.length, Integer):
            raise TemplateError(f"{self} is walked before its hole is filled")
        length = packet.get(LENGTH, 0)
        write(packet, self.result, int(isinstance(length, int) and length > self.length.value))
        return CONTINUE


@dataclass(frozen=True, slots=True)
class PacketTooBig(Statement):
    """``packet_too_big(F) { … };``: an ICMP error that says which MTU the packet exceeds.

    The MTU is in F. The error is "fragmentation needed" of IPv4 (RFC 1191), or "packet too big"
    of IPv6 (RFC 4443 section 3.2); the nested actions send it.
    """

    words = ("packet_too_big",)

    mtu: FieldSlice
    actions: Actions

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        (mtu,) = parser.arguments(_MTU_BITS)
        return cls(mtu, parser.nested())

    @property
    def nested(self) -> Actions:
        return self.actions

    @property
    def is_on_other_packet(self) -> bool:
        return True

    @property
    def prerequisites(self) -> tuple[str, ...]:
        return ("ip",)

    def __str__(self) -> str:
        return f"packet_too_big({self.mtu}) {{ {format_actions(self.actions)} }};"

    def bind(self, arguments: Arguments) -> PacketTooBig:
        return PacketTooBig(self.mtu, bind_actions(self.actions, arguments))

    def bind_early(self, arguments: Arguments) -> PacketTooBig:
        return PacketTooBig(self.mtu, tuple(a.bind_early(arguments) for a in self.actions))

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        is_ip4 = packet.get("eth.type") == ETH_IP4
        made = generate(PacketKind.ICMP4 if is_ip4 else PacketKind.ICMP6, packet)
        if made is None:
            walker.drop(scene, packet, "packet_too_big doesn't answer such a packet")
            return HANDLED
        made |= {"icmp4.code": 4} if is_ip4 else {"icmp6.type": 2, "icmp6.code": 0}
        made.pop(LENGTH, None)
        walker.branch(scene, "packet_too_big", self.actions, made)
        return HANDLED
