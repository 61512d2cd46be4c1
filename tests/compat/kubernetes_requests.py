"""What requests to a Kubernetes API server say beyond objects: patches, selectors, refusals."""

import copy
import re
from collections.abc import Callable, Mapping
from typing import Any

Json = dict[str, Any]


class StatusError(Exception):
    """A refusal, as the API's ``Status`` object tells it."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code, self.reason, self.message = code, reason, message

    def status(self) -> Json:
        return {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }


def merge_patch(target: Any, patch: Any) -> Any:
    """Apply a JSON merge patch (RFC 7396).

    >>> merge_patch({"a": 1, "b": {"c": 2}}, {"a": None, "b": {"d": 3}})
    {'b': {'c': 2, 'd': 3}}
    """
    if not isinstance(patch, dict):
        return patch
    merged = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def json_patch(target: Any, operations: Any) -> Any:
    """Apply a JSON patch (RFC 6902); what doesn't apply is refused with 422.

    >>> json_patch({"a": {"b/c": [1]}}, [{"op": "add", "path": "/a/b~1c/-", "value": 2}])
    {'a': {'b/c': [1, 2]}}
    """
    if not isinstance(operations, list):
        raise StatusError(400, "BadRequest", "a JSON patch is a list of operations")
    document = {"": copy.deepcopy(target)}
    for operation in operations:
        try:
            _patch_once(document, operation)
        except (KeyError, IndexError, TypeError, ValueError) as error:
            raise StatusError(
                422, "Invalid", f"the server rejected our request: {operation}: {error!r}"
            ) from None
    return document[""]


def _patch_once(document: Json, operation: Mapping[str, Any]) -> None:
    verb = operation["op"]
    holder, last = _pointed(document, operation["path"])
    if verb in ("move", "copy"):
        source, name = _pointed(document, operation["from"])
        value = copy.deepcopy(_step(source, name))
        if verb == "move":
            _take_out(source, name)
    else:
        value = copy.deepcopy(operation.get("value"))
    if verb == "remove":
        _take_out(holder, last)
    elif verb == "test":
        if _step(holder, last) != value:
            raise ValueError("the test failed")
    elif verb in ("add", "move", "copy"):
        if isinstance(holder, list):
            holder.insert(len(holder) if last == "-" else int(last), value)
        else:
            holder[last] = value
    elif verb == "replace":
        # Against RFC 6902, servers replace members that weren't there, and Kuryr relies on it.
        if isinstance(holder, list):
            _step(holder, last)
        holder[int(last) if isinstance(holder, list) else last] = value
    else:
        raise ValueError(f"there is no operation {verb!r}")


def _pointed(document: Json, pointer: str) -> tuple[Any, str]:
    """Return what holds the place that a JSON pointer (RFC 6901) names, and the last name."""
    names = [name.replace("~1", "/").replace("~0", "~") for name in pointer.split("/")]
    holder: Any = document
    for name in names[:-1]:
        holder = _step(holder, name)
    return holder, names[-1]


def _step(holder: Any, name: str) -> Any:
    return holder[int(name)] if isinstance(holder, list) else holder[name]


def _take_out(holder: Any, name: str) -> None:
    del holder[int(name) if isinstance(holder, list) else name]


def label_filter(selector: str) -> Callable[[Json], bool]:
    """Return what a ``labelSelector`` parameter asks of objects.

    >>> label_filter("app in (a,b),tier!=db,!old")({"metadata": {"labels": {"app": "b"}}})
    True
    """
    terms = [_label_term(term) for term in re.split(r",(?![^(]*\))", selector) if term.strip()]
    return lambda each: all(term(each["metadata"].get("labels") or {}) for term in terms)


def _label_term(text: str) -> Callable[[Mapping[str, str]], bool]:
    term = text.strip()
    listed = re.fullmatch(r"(\S+)\s+(in|notin)\s+\(([^)]*)\)", term)
    if listed:
        key, verb, values = listed[1], listed[2], {each.strip() for each in listed[3].split(",")}
        if verb == "in":
            return lambda labels: labels.get(key) in values
        return lambda labels: labels.get(key) not in values
    compared = re.fullmatch(r"([^=!\s]+)\s*(==|=|!=)\s*(\S*)", term)
    if compared:
        key, verb, value = compared.groups()
        if verb == "!=":
            return lambda labels: labels.get(key) != value
        return lambda labels: labels.get(key) == value
    if term.startswith("!"):
        return lambda labels: term[1:].strip() not in labels
    if re.search(r"\s", term):
        raise StatusError(400, "BadRequest", f"unable to parse requirement: {term}")
    return lambda labels: term in labels


def field_filter(selector: str) -> Callable[[Json], bool]:
    """Return what a ``fieldSelector`` parameter asks of objects.

    >>> field_filter("spec.nodeName=n1")({"spec": {"nodeName": "n1"}})
    True
    """
    terms = []
    for term in filter(None, selector.split(",")):
        path, verb, value = re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", term).groups()  # type: ignore[union-attr]
        terms.append((path.split("."), verb == "!=", value))
    return lambda each: all(
        (_field(each, path) == value) is not negated for path, negated, value in terms
    )


def _field(value: Any, path: list[str]) -> str:
    for name in path:
        value = value.get(name, "") if isinstance(value, dict) else ""
    return str(value)
