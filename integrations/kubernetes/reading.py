"""Fields of JSON that a stranger wrote: of the type that is expected, and bounded.

A tenant writes policies, pods and labels. An API server has checked them by its own schema, which
may be newer than ours, so what isn't understood is told (:class:`UnsayableError`) and never
passed over.
"""

from collections.abc import Mapping
from typing import Any

from integrations.kubernetes.errors import UnsayableError

MAXIMUM_ITEMS = 10_000
"""Entries of one list or object that are read."""

Json = Mapping[str, Any]


def object_at(value: Json, name: str, path: str) -> Json | None:
    """Return the object that a field holds; None if it is left out or null."""
    found = value.get(name)
    if found is not None and not isinstance(found, dict):
        raise UnsayableError(f"{path}.{name}: has to be an object")
    if found is not None and len(found) > MAXIMUM_ITEMS:
        raise UnsayableError(f"{path}.{name}: more than {MAXIMUM_ITEMS} entries")
    return found


def list_at(value: Json, name: str, path: str, maximum: int = MAXIMUM_ITEMS) -> list[Any]:
    """Return the list that a field holds; empty if it is left out or null."""
    found = value.get(name)
    if found is None:
        return []
    if not isinstance(found, list):
        raise UnsayableError(f"{path}.{name}: has to be a list")
    if len(found) > maximum:
        raise UnsayableError(f"{path}.{name}: more than {maximum} entries")
    return found


def text_at(value: Json, name: str, path: str) -> str:
    """Return the text that a field holds; empty if it is left out or null."""
    found = value.get(name)
    if found is None:
        return ""
    if not isinstance(found, str):
        raise UnsayableError(f"{path}.{name}: has to be a text")
    return found


def integer_at(value: Json, name: str, path: str, least: int, most: int) -> int:
    """Return the number that a field holds."""
    found = value.get(name)
    if not isinstance(found, int) or isinstance(found, bool) or not least <= found <= most:
        raise UnsayableError(f"{path}.{name}: has to be a number from {least} to {most}")
    return found


def only_fields(value: Any, names: tuple[str, ...], path: str) -> Json:
    """Return an object, of which only the named fields may be set."""
    if not isinstance(value, dict):
        raise UnsayableError(f"{path}: has to be an object")
    unknown = [name for name, held in value.items() if held is not None and name not in names]
    if unknown:
        raise UnsayableError(f"{path}.{str(unknown[0])[:80]}: isn't supported")
    return value
