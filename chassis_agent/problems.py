"""What an agent can't do of what is wanted, as conditions of its health.

Read off the flow state after each step; a condition whose reason is gone is cleared.
"""

from collections.abc import Mapping

from chassis_agent.desired.flow_state import FlowState
from chassis_agent.health import Health
from chassis_agent.local.provider import ProviderBridges
from southbound.conditions import PROVIDER_NETWORKS, VOCABULARY, vocabulary_condition


def note_problems(
    health: Health,
    state: FlowState,
    provider: ProviderBridges,
    skipped: Mapping[str, int],
    *,
    has_ports: bool,
) -> None:
    """State what is wrong now, and clear what isn't any more.

    `skipped` is how many things of each kind the server sent that this agent doesn't know,
    `has_ports` whether any port is here, which would have flows.
    """
    failures = state.failures
    reasons = {
        PROVIDER_NETWORKS: _provider_networks(state, provider),
        "flows": f"{len(failures)} failed: {failures[0]}" if failures else "",
        VOCABULARY: _lacks(state, skipped),
        "templates": ""
        if state.has_templates or not has_ports
        else "no template of flows: ports here have no flows",
        "clashes": _clashes(state),
    }
    for condition, reason in reasons.items():
        if reason:
            health.degrade(condition, reason)
        else:
            health.clear(condition)


def _provider_networks(state: FlowState, provider: ProviderBridges) -> str:
    """Which provider networks ports here need and don't reach, and what can't be read."""
    reasons = [provider.why_not(network) for network in sorted(state.networks_out_of_reach)]
    reasons += (f"setting of provider networks: {each}" for each in provider.problems)
    return "; ".join(reasons)


def _lacks(state: FlowState, skipped: Mapping[str, int]) -> str:
    """What the server sent and this agent doesn't know, or can't make flows of."""
    sentences = [str(lack) for lack in state.lacks]
    sentences += [
        f"{count} {what} skipped, this agent doesn't know them"
        for what, count in sorted(skipped.items())
    ]
    return vocabulary_condition(sentences).get(VOCABULARY, "")


def _clashes(state: FlowState) -> str:
    if objects := state.object_clashes:
        return f"{objects[0]} is wanted differently by two owners"
    clashes = len(state.clashes)
    return f"{clashes} flows are wanted differently by two" if clashes else ""
