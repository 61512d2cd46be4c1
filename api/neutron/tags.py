"""Tags: texts on objects, by which clients find them again."""

from collections.abc import Mapping, Sequence
from typing import Any

from api.neutron.errors import InvalidInputError, NeutronError
from api.neutron.values import list_of, text

MAXIMUM_TAG = 255
MAXIMUM_TAGS = 50
"""How many tags an object may have."""

_TAGS = list_of(text(MAXIMUM_TAG), maximum=MAXIMUM_TAGS)


def tags_value(value: Any) -> list[str]:
    """Take the tags of a body that creates an object: a converter of an attribute."""
    try:
        return checked_tags({"tags": value})
    except InvalidInputError as error:
        raise ValueError(error.reason) from None


def checked_tag(tag: str) -> str:
    """Return a tag, or raise InvalidInputError."""
    if not tag or "," in tag:
        raise InvalidInputError("tags", f"'{tag}' is empty or has a comma in it")
    try:
        checked: str = text(MAXIMUM_TAG)(tag)
    except ValueError as error:
        raise InvalidInputError("tags", str(error)) from None
    return checked


def checked_tags(body: Mapping[str, Any]) -> list[str]:
    """Return the tags of a body ``{"tags": […]}`` without repetitions, or raise."""
    if set(body) != {"tags"}:
        raise InvalidInputError("tags", "the body has to have 'tags' and nothing else")
    try:
        tags = _TAGS(body["tags"])
    except ValueError as error:
        raise InvalidInputError("tags", str(error)) from None
    return list(dict.fromkeys(checked_tag(tag) for tag in tags))


def require_tag(tags: Sequence[str], tag: str) -> None:
    """Raise a refusal unless `tag` is one of `tags`."""
    if tag not in tags:
        raise NeutronError(404, "TagNotFound", f"Tag {tag} could not be found.")
