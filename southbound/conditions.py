"""What an agent says is wrong on its host, cut to a size that is fit to be kept and shown."""

import re
from collections.abc import Mapping, Sequence
from typing import Final

MAX_CONDITIONS: Final = 32
MAX_NAME: Final = 64
MAX_TEXT: Final = 500

VOCABULARY: Final = "vocabulary"
"""The condition of an agent that was sent what it doesn't know."""

PROVIDER_NETWORKS: Final = "provider_networks"
"""The condition of an agent whose host lacks a bridge to a provider network that ports need."""

FLOODS: Final = "floods"
"""The condition of an agent to which more is sent than the switch lets through."""

REFUSED: Final = "refused"
"""The condition of a chassis as which the last agent that tried was turned away."""

_SENTENCES: Final = 3

_NOT_PROGRAMMED: Final = frozenset(
    {
        "switch",
        "step",
        "programming",
        "flows",
        "refused_flows",
        "clashes",
        "templates",
        VOCABULARY,
        "limits",
        "foreign_flows",
        "ovsdb",
    }
)


def conditions_of(reasons: Mapping[str, str]) -> dict[str, str]:
    """The reasons by the name of the condition, the first of them, none of them longer."""
    names = sorted(name for name in reasons if len(name) <= MAX_NAME and name.isprintable())
    return {name: _short(reasons[name]) for name in names[:MAX_CONDITIONS]}


def vocabulary_condition(sentences: Sequence[str]) -> dict[str, str]:
    """The condition that says what an agent would have to know; empty where there is nothing."""
    if not sentences:
        return {}
    more = len(sentences) - _SENTENCES
    shown = "; ".join(sentences[:_SENTENCES])
    return {VOCABULARY: f"{shown}; and {more} more" if more > 0 else shown}


def doubts_about_flows(conditions: Mapping[str, str]) -> list[str]:
    """The reasons for which the switch may hold other flows than are wanted."""
    return [text for name, text in sorted(conditions.items()) if name in _NOT_PROGRAMMED]


def lacking_bridge(conditions: Mapping[str, str], network: str) -> str:
    """Say why no bridge of a chassis leads to a provider network; empty where nothing is said.

    >>> lacking_bridge({PROVIDER_NETWORKS: "no bridge leads to dc: none is mapped"}, "dc")
    'no bridge leads to dc: none is mapped'
    """
    sentences = conditions.get(PROVIDER_NETWORKS, "").split("; ")
    named = (f" lead to {network},", f" leads to {network}:")
    return next((each for each in sentences if any(name in each for name in named)), "")


def over_share(conditions: Mapping[str, str], port: str) -> str:
    """Say that what a port sends is too much for the agent; empty where nothing is said.

    Log lines have shares of their own.

    >>> floods = {FLOODS: "beyond the share of who sent them: 7 of vm1, vm2, 3 to log, of vm3"}
    >>> over_share(floods, "vm2")
    'beyond the share of who sent them: 7 of vm1, vm2, 3 to log, of vm3'
    >>> over_share(floods, "vm"), over_share(floods, "vm3"), over_share({}, "vm1")
    ('', '', '')
    """
    text = conditions.get(FLOODS, "")
    _, _, told = text.partition(": ")
    shares = re.split(r"(?:^|, | and )(?=[0-9]+ )", told)
    named = re.compile(rf"(?: of |, ){re.escape(port)}(?:,|$| and )")
    return text if any(named.search(each) for each in shares if " to log, " not in each) else ""


def _short(text: str) -> str:
    shown = "".join(letter if letter.isprintable() else "?" for letter in text[: MAX_TEXT + 1])
    return shown if len(shown) <= MAX_TEXT else shown[: MAX_TEXT - 1] + "…"
