"""The match of a routing policy or of a NAT: what may be written, checked before it is stored.

It is the language of flows without the pipeline's own state and without that of connections,
which routers needn't know. Input and output port are known where policies are asked, and the
packet mark that another policy, or a hypervisor, has set.
"""

from dataclasses import dataclass
from functools import partial

from logical_flow.errors import LogicalFlowSyntaxError, LogicalFlowTypeError, TooComplexError
from logical_flow.expression import port_names, set_references
from logical_flow.fields import Symbol
from logical_flow.fragments import sure_match
from logical_flow.match_parser import parse_match
from logical_flow.normalise import normalise

MAX_LENGTH = 32768
"""Longer texts are refused before they are looked at."""

_STATE = ("reg", "xreg", "xxreg", "flags", "ct.", "ct_")


@dataclass(frozen=True, slots=True)
class PolicyMatch:
    """A match that is fit to be a policy's, in canonical form.

    `sets` are the address sets and port groups that it names, with their sigils; `ports`
    are the logical ports.
    """

    text: str
    sets: frozenset[str]
    ports: frozenset[str]


def policy_refusal(symbol: Symbol, what: str = "routing policies") -> str | None:
    """Why policies may not use a symbol, or None when they may."""
    if symbol.name.startswith(_STATE):
        return f"{symbol.name} is not available in {what}."
    return None


def parse_nat_match(source: str) -> str:
    """Check the match of a NAT and return it in canonical form; raises a :class:`LanguageError`.

    It may say as much as that of a policy, but names no sets and no ports.

    >>> parse_nat_match("tcp.dst==443")
    'tcp.dst == 443'
    """
    match = _parse(source, "NATs")
    named = sorted(match.sets | match.ports)
    if named:
        message = f"A NAT's match names no sets and no ports, as {named[0]} is."
        raise LogicalFlowTypeError(message, source, source.find(named[0]), len(named[0]))
    return match.text


def parse_policy_match(source: str) -> PolicyMatch:
    """Check `source`; a :class:`LanguageError` says what is wrong, and where.

    >>> parse_policy_match('inport=="edge-web" && ip4.dst!=$office').text
    'inport == "edge-web" && ip4.dst != $office'
    """
    return _parse(source, "routing policies")


def _parse(source: str, what: str) -> PolicyMatch:
    """Check a match of one of `what`."""
    if len(source) > MAX_LENGTH:
        message = f"The match of {what} may have at most {MAX_LENGTH} characters."
        raise LogicalFlowSyntaxError(message, source, MAX_LENGTH)
    expression = parse_match(source, refuse=partial(policy_refusal, what=what))
    try:
        normalise(sure_match(expression))
    except TooComplexError as error:
        raise LogicalFlowTypeError(str(error), source, 0, len(source)) from error
    return PolicyMatch(
        str(expression),
        frozenset(map(str, set_references(expression))),
        port_names(expression),
    )
