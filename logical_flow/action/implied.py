"""What a flow's actions imply for its match: they apply only to packets that have the fields."""

from logical_flow.action.base import Actions
from logical_flow.annotate import annotate, expanded, prerequisites
from logical_flow.expression import Expression, all_of


def annotate_flow(match: Expression, actions: Actions) -> Expression:
    """Return the match of a flow with all that it and its actions imply.

    What nested actions do to packets that an action makes implies nothing for the packet
    at hand.
    """
    return all_of(annotate(match), *_implied(actions))


def _implied(actions: Actions) -> tuple[Expression, ...]:
    implied: dict[Expression, None] = {}
    for action in actions:
        for field in action.slices():
            implied.update(dict.fromkeys(prerequisites(field)))
        if not action.is_on_other_packet:
            implied.update(dict.fromkeys(_implied(action.nested)))
        implied.update(dict.fromkeys(expanded(text) for text in action.prerequisites))
    return tuple(implied)
