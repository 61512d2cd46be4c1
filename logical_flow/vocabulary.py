"""The names of all logical actions that this release understands, for peers of other releases.

Assignments have no name of their own; they go by their sign.
"""

import re

from logical_flow.action import (
    Action,
    Actions,
    Assign,
    DecrementTtl,
    Exchange,
    Move,
    PacketKind,
    every_action,
)

ACTION_NAMES = frozenset(
    {
        "=",
        "<->",
        "ip.ttl--",
        "next",
        "output",
        "drop",
        "ct_next",
        "ct_commit",
        "ct_clear",
        "clone",
        "get_arp",
        "get_nd",
        "put_arp",
        "put_nd",
        "lookup_arp",
        "lookup_nd",
        "get_fdb",
        "put_fdb",
        "lookup_fdb",
        "log",
        "set_meter",
        *PacketKind,
    }
)
"""The names of all actions that parse, in the form in which `action_names` gives them."""

_NAME = re.compile(r"(?:[^{(]* = )?(\w+)")


def action_names(actions: Actions) -> frozenset[str]:
    """Return the names of the actions and of those nested in them.

    >>> from logical_flow.action_parser import parse_actions
    >>> sorted(action_names(parse_actions("reg0 = 1; clone { outport = get_fdb(eth.src); };")))
    ['=', 'clone', 'get_fdb']
    """
    return frozenset(_name(action) for action in every_action(actions))


def _name(action: Action) -> str:
    match action:
        case Assign() | Move():
            return "="
        case Exchange():
            return "<->"
        case DecrementTtl():
            return "ip.ttl--"
    name = _NAME.match(str(action))
    return name[1] if name else str(action)
