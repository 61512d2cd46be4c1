"""What Neutron declares of its resources' attributes, for a given set of extensions.

``definitions.json`` beside this module has the facts; ``dump_definitions.py`` says what they
mean.
"""

import json
from collections.abc import Collection
from functools import cache
from pathlib import Path
from typing import Any

Attributes = dict[str, dict[str, Any]]
"""By the attribute's name, the facts that Neutron declares of it."""

UNSET = "UNSET"
"""The default of an attribute whose default follows from other things."""

SEARCH_ONLY = ("tags-any", "not-tags", "not-tags-any")
"""Attributes of tags that stand for filters alone."""


def attributes_of(collection: str, extensions: Collection[str]) -> Attributes:
    """Return the attributes of a collection where these extensions are offered.

    Of several that declare one attribute, the one that needs others decides.
    """
    declared = _document()
    merged: Attributes = dict(declared["core"].get(collection, {}))
    offered = [alias for alias in declared["extensions"] if alias in extensions]
    for alias in sorted(offered, key=_depth):
        merged |= declared["extensions"][alias]["attributes"].get(collection, {})
    if "project-id" in extensions:
        owner = merged.get("tenant_id") or merged["project_id"]
        merged |= {"tenant_id": owner, "project_id": owner}
    return {name: facts for name, facts in merged.items() if name not in SEARCH_ONLY}


def _depth(alias: str) -> int:
    """How many extensions must be there, one after the other, before this one."""
    extensions = _document()["extensions"]
    required = [each for each in extensions[alias]["requires"] if each in extensions]
    return 1 + max(map(_depth, required), default=0)


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(Path(__file__).with_suffix(".json").read_text())
    return document
