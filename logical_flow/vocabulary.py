"""The names of all logical actions that this release understands, for peers of other releases.

Assignments have no name of their own; they go by their sign.
"""

from logical_flow.action import ACTIONS, Actions, every_action

ACTION_NAMES: frozenset[str] = frozenset(
    name for kind in ACTIONS for name in (*kind.words, *kind.forms)
)
"""The names of all actions that parse, in the form in which `action_names` gives them."""


def action_names(actions: Actions) -> frozenset[str]:
    """Return the names of the actions and of those nested in them.

    >>> from logical_flow.action_parser import parse_actions
    >>> sorted(action_names(parse_actions("reg0 = 1; clone { outport = get_fdb(eth.src); };")))
    ['=', 'clone', 'get_fdb']
    """
    return frozenset(action.form for action in every_action(actions))
