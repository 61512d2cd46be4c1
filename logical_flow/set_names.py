"""Expressions that are alike but for the names of their sets.

ACLs of many port groups often differ in nothing but the group's name. With the names
left open they are one text, and what is costly (parsing, normalising, encoding) is done
once for all of them. Texts are canonical ones, which have no comments.
"""

import json
import re
from collections.abc import Callable
from typing import Final

from logical_flow.constants import SetReference
from logical_flow.lexer import SET_PATTERN, STRING_PATTERN

_STRING_OR_SET: Final = re.compile(f"{STRING_PATTERN.pattern}|{SET_PATTERN.pattern}")
_OPEN: Final = re.compile(r"\.(\d+)")
"""An open name. Being a number, it is no name that a set could have."""


def open_set_names(text: str, names: list[str]) -> str:
    """`text` with a number for each set; adds the sets to `names`, in which the number counts.

    >>> names: list[str] = []
    >>> open_set_names('outport == @web && ip4.src == {$a, $b} && inport == "a@b"', names)
    'outport == @.0 && ip4.src == {$.1, $.2} && inport == "a@b"'
    >>> names
    ['@web', '$a', '$b']
    """

    def numbered(found: re.Match[str]) -> str:
        whole = found[0]
        if found[1] is None:
            return whole
        if whole not in names:
            names.append(whole)
        return f"{found[1]}.{names.index(whole)}"

    return _STRING_OR_SET.sub(numbered, text)


def rename(text: str, new_name: Callable[[str], str]) -> str:
    """Give every set and every quoted text of an expression the name that `new_name` has for it.

    Sets are given with their sigils, texts without their quotes.

    >>> rename('inport == "p" && ip4.src == $a', {"p": "q", "$a": "$.7"}.__getitem__)
    'inport == "q" && ip4.src == $.7'
    """

    def renamed(found: re.Match[str]) -> str:
        whole = found[0]
        if found[1] is None:
            return json.dumps(new_name(json.loads(whole)))
        return new_name(whole)

    return _STRING_OR_SET.sub(renamed, text)


def open_position(reference: SetReference) -> int | None:
    """Where among the names the set is, or None for one that is named outright."""
    found = _OPEN.fullmatch(reference.name)
    return None if found is None else int(found[1])
