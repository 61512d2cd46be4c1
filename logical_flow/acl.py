"""The match of an ACL: what tenants may write, checked before it is stored.

An ACL's match is the language of flows without the pipeline's own state: registers,
flags and packet marks belong to the stages. The egress port isn't known yet when an
ACL of direction ``from-lport`` is evaluated, so naming it there is refused instead
of never matching. A match that would become an unreasonable number of flows is
refused as well: no hypervisor should find that out.
"""

from dataclasses import dataclass
from typing import Literal

from logical_flow.errors import LogicalFlowSyntaxError, LogicalFlowTypeError, TooComplexError
from logical_flow.expression import Expression, port_names, set_references
from logical_flow.fields import Symbol
from logical_flow.fragments import sure_match
from logical_flow.match_parser import parse_match
from logical_flow.normalise import normalise

AclDirection = Literal["from-lport", "to-lport"]

MAX_LENGTH = 32768
"""Longer texts are refused before they are looked at."""

_PIPELINE_STATE = ("reg", "xreg", "xxreg", "flags", "pkt.mark")


@dataclass(frozen=True, slots=True)
class AclMatch:
    """A match that is fit to be an ACL's.

    `text` is its canonical form, what the ``expr`` hole of a template takes. `sets`
    are the address sets and port groups that it names, with their sigils; `ports`
    are the logical ports.
    """

    expression: Expression
    text: str
    sets: frozenset[str]
    ports: frozenset[str]


def acl_refusal(symbol: Symbol, direction: AclDirection) -> str | None:
    """Why ACLs of that direction may not use a symbol, or None when they may."""
    if symbol.name.startswith(_PIPELINE_STATE):
        return f"{symbol.name} is not available in ACLs."
    if symbol.name == "outport" and direction == "from-lport":
        return "outport is not known yet where from-lport ACLs are evaluated."
    return None


def parse_acl_match(source: str, direction: AclDirection) -> AclMatch:
    """Check `source`; a :class:`LanguageError` says what is wrong, and where.

    >>> parse_acl_match("ip4.src==$web  &&  tcp.dst=={80,443}", "to-lport").text
    'ip4.src == $web && tcp.dst == {80, 443}'
    """
    if len(source) > MAX_LENGTH:
        message = f"An ACL's match may have at most {MAX_LENGTH} characters."
        raise LogicalFlowSyntaxError(message, source, MAX_LENGTH)
    expression = parse_match(
        source, refuse=lambda symbol: acl_refusal(symbol, direction), negations=True
    )
    try:
        # What is left of it for fragments tests less, and is not more complex.
        normalise(sure_match(expression))
    except TooComplexError as error:
        raise LogicalFlowTypeError(str(error), source, 0, len(source)) from error
    return AclMatch(
        expression,
        str(expression),
        frozenset(map(str, set_references(expression))),
        port_names(expression),
    )
