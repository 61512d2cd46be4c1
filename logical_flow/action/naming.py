"""Looking up a domain name for who asks a DNS server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from logical_flow.action.base import (
    HANDLED,
    Action,
    Actions,
    Statement,
    bind_actions,
    format_actions,
)
from logical_flow.action.effect import Effect, Scene, Walker
from logical_flow.binding import Arguments
from logical_flow.names import TYPE_NAMES, A

if TYPE_CHECKING:
    from logical_flow.action_parser import ActionParser
    from logical_flow.lexer import Token
    from logical_flow.packet import MutablePacket

NAME, TYPE = "dns.name", "dns.type"
"""Parts of a walked packet that matches can't see: what a DNS query asks for."""


@dataclass(frozen=True, slots=True)
class DnsLookup(Statement):
    """``dns_lookup { … };``: answer a DNS query, or go on at the next stage.

    The answer is the query with what is known of the name on this switch; the nested actions
    send it back. What is not known, and what is no query that can be read, goes on unchanged.
    """

    words = ("dns_lookup",)
    ends_list = True

    actions: Actions

    @classmethod
    def parse(cls, parser: ActionParser, word: Token) -> Action:
        return cls(parser.nested())

    @property
    def nested(self) -> Actions:
        return self.actions

    @property
    def prerequisites(self) -> tuple[str, ...]:
        return ("udp",)

    def __str__(self) -> str:
        return f"dns_lookup {{ {format_actions(self.actions)} }};"

    def bind(self, arguments: Arguments) -> DnsLookup:
        return DnsLookup(bind_actions(self.actions, arguments))

    def bind_early(self, arguments: Arguments) -> DnsLookup:
        return DnsLookup(tuple(action.bind_early(arguments) for action in self.actions))

    def run(self, walker: Walker, scene: Scene, packet: MutablePacket) -> Effect:
        names = walker.network.names.get(scene.position.datapath)
        if not names:
            return scene.position.after
        name, kind = packet.get(NAME), packet.get(TYPE, A)
        if not isinstance(name, str) or not isinstance(kind, int):
            reason = "it is not known which name the query asks for, and the network answers some"
            walker.drop(scene, packet, reason, certain=False)
            return HANDLED
        answer = names.look_up(name, kind)
        if answer is None:
            walker.remark("dns_lookup", name, TYPE_NAMES.get(kind, str(kind)), "passed on")
            return scene.position.after
        walker.remark("dns_lookup", name, TYPE_NAMES.get(kind, str(kind)), str(answer))
        walker.branch(scene, "dns_lookup", self.actions, dict(packet))
        return HANDLED
