"""The words of logical flows: what a text of another release asks its reader to know.

A newer release may write templates with actions, fields or kinds of holes that this one
can't parse. Its words can be read all the same, and compared with those that a reader
knows. That works as long as whatever is new in the language brings a new word with it.
"""

import re
from typing import Final

from logical_flow.action import SEVERITIES, VERDICTS, Zone
from logical_flow.fields import SYMBOLS
from logical_flow.holes import HoleType
from logical_flow.vocabulary import ACTION_NAMES

KEYWORDS: Final = frozenset(
    {"name", "severity", "verdict", "meter", "zone", "hash_fields", *SEVERITIES, *VERDICTS, *Zone}
)
"""Words that mean something only within an action."""

HOLE_WORDS: Final = frozenset(f"{{{kind}}}" for kind in HoleType)

SET_OF_A_PROJECT: Final = "project/set"
"""The word for a set that is named with its project, or by its id."""

KNOWN_WORDS: Final = ACTION_NAMES | SYMBOLS.keys() | KEYWORDS | HOLE_WORDS | {SET_OF_A_PROJECT}
"""Every word that this release understands."""

_TOKEN: Final = re.compile(
    r'"(?:[^"\\\n]|\\.)*"'  # strings
    r"|\{\w+:(?P<hole>\w+)\}"
    r"|[$@](?P<project>[A-Za-z0-9][\w.:-]*/)?(?P<set>[\w.-]*)"
    r"|\bnext\s*\(\s*\w+\s*\)"  # names of stages are no words of the language
    r"|[0-9a-fA-F]*:[0-9a-fA-F:.]*"  # addresses
    r"|\d[\w:.]*"
    r"|(?P<name>[A-Za-z_.][\w.]*)",
    re.ASCII,
)


def words_of(text: str) -> frozenset[str]:
    """Return the names in a match or in actions, and the types of holes, as ``{type}``.

    Names of objects are none, but that a set has the name of its project with it is one.

    >>> sorted(words_of('inport == {port:lport} && ip6.dst == ff02::1 && reg0 == 0x2'))
    ['inport', 'ip6.dst', 'reg0', '{lport}']
    >>> sorted(words_of('reg9[0] = put_dhcp_opts(offer = {ip:ip4}); next(ls_in_l2_lkup);'))
    ['offer', 'put_dhcp_opts', 'reg9', '{ip4}']
    """
    found: set[str] = set()
    for token in _TOKEN.finditer(text):
        if token["hole"]:
            found.add(f"{{{token['hole']}}}")
        elif token["project"] or (token["set"] or "")[:1].isdigit():
            found.add(SET_OF_A_PROJECT)
        elif token["name"] and token["name"].strip("."):
            found.add(token["name"])
    return frozenset(found)


def unknown_words(*texts: str, known: frozenset[str] = KNOWN_WORDS) -> list[str]:
    """Return what the texts have that isn't `known`, sorted."""
    return sorted(frozenset().union(*map(words_of, texts)) - known)
