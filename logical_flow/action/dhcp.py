"""The actions that answer DHCP clients: what a server would say, from what the flow says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logical_flow.action.base import HANDLED, Action, Actions, Statement, bind_actions
from logical_flow.action.base import format_actions as _format_actions
from logical_flow.action.effect import Effect, Scene, Walker
from logical_flow.action.learned import Family
from logical_flow.binding import Arguments
from logical_flow.binding import constant as _constant
from logical_flow.constants import Form, Integer, String, quote
from logical_flow.dhcp_options import (
    DhcpOption,
    OwnCode,
    decode_options,
    format_options,
    parse_options,
)
from logical_flow.endpoints import TRANSLATION_FIELDS
from logical_flow.errors import TemplateError
from logical_flow.holes import Hole, HoleType
from logical_flow.packet import format_value

if TYPE_CHECKING:
    from logical_flow.action_parser import ActionParser
    from logical_flow.evaluate import Packet
    from logical_flow.lexer import Token
    from logical_flow.packet import MutablePacket

_WORDS: dict[Family, str] = {4: "dhcpv4_reply", 6: "dhcpv6_reply"}
_PREREQUISITES: dict[Family, str] = {
    4: "ip4 && udp.src == 68 && udp.dst == 67",
    6: "ip6 && udp.src == 546 && udp.dst == 547",
}
_FORMS: dict[Family, Form] = {4: Form.IPV4, 6: Form.IPV6}
_ADDRESS_HOLES: dict[Family, HoleType] = {4: HoleType.IP4, 6: HoleType.IP6}
_TTL = 64
_HOP_LIMIT = 255
_CLIENT4, _SERVER4 = 68, 67
_CLIENT6, _SERVER6 = 546, 547


@dataclass(frozen=True, slots=True)
class DhcpReply(Statement):
    """``dhcpv4_reply(10.0.0.5, "51=00000e10 …") { … };``, ``dhcpv6_reply(fd00::5, "…") { … };``.

    Answer a DHCP client: `address` is for it, and the answer has the `options`
    (:mod:`logical_flow.dhcp_options`). The nested actions run on the answer, which goes to the
    client, from the port of the server; they set who the server is. Messages that no server
    would answer end. With ``::`` for an address, DHCPv6 gives out none.
    """

    words = tuple(_WORDS.values())

    family: Family
    address: Integer | Hole
    options: tuple[DhcpOption, ...] | Hole
    actions: Actions

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        family: Family = 4 if word.text == _WORDS[4] else 6
        lexer = parser.lexer
        lexer.expect("(")
        start = lexer.token
        address = parser.address()
        if not _is_of(address, family):
            raise lexer.wrong(f"{word.text} needs an IPv{family} address.", start)
        lexer.expect(",")
        options = _parsed_options(parser)
        lexer.expect(")")
        return cls(family, address, options, parser.nested())

    @property
    def form(self) -> str:
        return _WORDS[self.family]

    @property
    def nested(self) -> Actions:
        return self.actions

    @property
    def is_on_other_packet(self) -> bool:
        return True

    @property
    def prerequisites(self) -> tuple[str, ...]:
        return (_PREREQUISITES[self.family],)

    def __str__(self) -> str:
        options = self.options
        text = str(options) if isinstance(options, Hole) else quote(format_options(options))
        return f"{self.form}({self.address}, {text}) {{ {_format_actions(self.actions)} }};"

    def bind(self, arguments: Arguments) -> DhcpReply:
        address, options = self.address, self.options
        if isinstance(address, Hole):
            filled = _constant(address, arguments[address.name])
            if not isinstance(filled, Integer):
                raise TemplateError(f"{filled} does not fit {address}")
            address = filled
        if isinstance(options, Hole):
            value = arguments[options.name]
            if not isinstance(value, bytes):
                raise TemplateError(f"{value!r} does not fit {options}")
            options = decode_options(value)
        return DhcpReply(self.family, address, options, bind_actions(self.actions, arguments))

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        """Answer as a client is answered that asks for what it was given."""
        if not isinstance(self.address, Integer) or isinstance(self.options, Hole):
            raise TemplateError(f"{self} is walked before its holes are filled")
        made = (_reply4 if self.family == 4 else _reply6)(packet, self.address.value)
        gives = str(self.address)
        if self.family == 6 and any(code == OwnCode.STATELESS for code, _ in self.options):
            gives = "options only"
        walker.remark(self.form, gives, format_value("eth.dst", made["eth.dst"]))
        walker.branch(scene, self.form, self.actions, made)
        return HANDLED


def _is_of(address: Integer | Hole, family: Family) -> bool:
    if isinstance(address, Hole):
        return address.type is _ADDRESS_HOLES[family]
    return address.form is _FORMS[family]


def _parsed_options(parser: ActionParser) -> tuple[DhcpOption, ...] | Hole:
    token = parser.lexer.token
    value = token.value
    if isinstance(value, Hole) and value.type is HoleType.BYTES:
        parser.lexer.advance()
        return value
    if not isinstance(value, String):
        raise parser.lexer.unexpected("expecting DHCP options as a string")
    try:
        options = parse_options(value.value)
    except TemplateError as error:
        raise parser.lexer.wrong(f"{error}.", token) from None
    parser.lexer.advance()
    return options


def _reply4(packet: Packet, address: int) -> MutablePacket:
    """Return the answer: to the address that the client has already, or gets."""
    source = packet.get("ip4.src", 0)
    return _without_translation(packet) | {
        "eth.dst": packet.get("eth.src", 0),
        "eth.src": packet.get("eth.dst", 0),
        "ip4.dst": address if source == 0 else source,
        "ip4.src": packet.get("ip4.dst", 0),
        "ip.ttl": _TTL,
        "udp.src": _SERVER4,
        "udp.dst": _CLIENT4,
    }


def _reply6(packet: Packet, _address: int) -> MutablePacket:
    return _without_translation(packet) | {
        "eth.dst": packet.get("eth.src", 0),
        "eth.src": packet.get("eth.dst", 0),
        "ip6.dst": packet.get("ip6.src", 0),
        "ip6.src": packet.get("ip6.dst", 0),
        "ip.ttl": _HOP_LIMIT,
        "udp.src": _SERVER6,
        "udp.dst": _CLIENT6,
    }


def _without_translation(packet: Packet) -> MutablePacket:
    return {name: value for name, value in packet.items() if name not in TRANSLATION_FIELDS}
