"""Answers to DHCP clients, which the agent makes: what they say travels with the packet."""

from typing import Final

from chassis_agent.compile.context import PackContext
from chassis_agent.compile.encoders.encoding import Encoding
from chassis_agent.compile.encoders.punting import punt_to
from chassis_agent.compile.errors import BadArgumentsError
from chassis_agent.compile.splice import Arguments, Assembly, Source, Splice
from chassis_agent.punt.opcodes import ADDRESS_SIZES, Opcode, dhcp_arguments
from logical_flow.action import DhcpReply
from logical_flow.dhcp_options import LONGEST, encode_options
from logical_flow.holes import Hole

_OPCODES: Final = {4: Opcode.DHCPV4, 6: Opcode.DHCPV6}


def encode_dhcp_reply(action: DhcpReply, encoding: Encoding) -> Assembly:
    opcode = _OPCODES[action.family]
    nested = Splice(encoding.encode(action.actions)).fill
    address, options = _address(action, encoding), _options(action, encoding)

    def build(arguments: Arguments, context: PackContext) -> bytes:
        said = dhcp_arguments(address(arguments, context), options(arguments, context))
        return punt_to(opcode, said + nested(arguments, context))

    return Assembly(build=build)


def _address(action: DhcpReply, encoding: Encoding) -> Source:
    size = ADDRESS_SIZES[_OPCODES[action.family]]
    if isinstance(action.address, Hole):
        return encoding.raw_argument(action.address, size)
    packed = action.address.value.to_bytes(size)
    return lambda _arguments, _context: packed


def _options(action: DhcpReply, encoding: Encoding) -> Source:
    if not isinstance(action.options, Hole):
        encoded = encode_options(action.options)
        return lambda _arguments, _context: encoded
    position = encoding.position(action.options)

    def source(arguments: Arguments, _: PackContext) -> bytes:
        value = arguments[position]
        if not isinstance(value, bytes) or len(value) > LONGEST:
            raise BadArgumentsError(f"{value!r} are no DHCP options")
        return value

    return source
