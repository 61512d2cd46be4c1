"""What a user may say about an object: one pydantic model for each kind.

A spec is complete: a field that is left out has its default. A merge patch is
applied to the spec of the object as it stands, and the result is validated as a
whole. Validation brings every value into its canonical form, so that two specs
that mean the same are equal.

Other objects are referred to by name or id; whether they exist is not known
here, but to the services.
"""

from collections.abc import Callable, Mapping
from typing import Annotated, Any, ClassVar, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from northbound.addresses import parse_host
from northbound.errors import FieldProblem, InvalidError, PathElement
from northbound.identity import ID_PATTERN, canonical_id
from northbound.specs.declaration import Declaration, Filtered

OBJECT_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.:\-]*$"
ObjectName = Annotated[
    str,
    StringConstraints(pattern=OBJECT_NAME, max_length=255),
    Field(description="Letters, digits, and `_ . : -`; unique among its kind in its project."),
]
SetName = Annotated[
    str,
    StringConstraints(pattern=rf"^([A-Za-z_.][A-Za-z0-9_.]*|{ID_PATTERN})$", max_length=255),
    Field(description="As in a match after `$` or `@`: letters, digits, `_` and `.`; or its id."),
]
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
Reference = Annotated[str, StringConstraints(min_length=1, max_length=255, pattern=PRINTABLE)]
Label = Annotated[str, StringConstraints(max_length=255, pattern=PRINTABLE)]

_S = TypeVar("_S", bound="Spec")
_M = TypeVar("_M", bound=BaseModel)


def _id(text: str | None) -> str | None:
    return None if text is None else canonical_id(text)


class StrictModel(BaseModel):
    """Base of all that a request may hold: no unknown fields, and no values of another type."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        strict=True,
        use_attribute_docstrings=True,
        defer_build=True,
    )


class Spec(StrictModel):
    """Base of all specs."""

    declaration: ClassVar[Declaration]
    """What the kind is; properties that specs have in common with documents have none."""

    id: Annotated[str | None, AfterValidator(_id)] = None
    """A UUID of your choice, chosen when the object is made; else one is made up."""
    project: Annotated[ObjectName | None, Filtered()] = None
    """Whose the object is: that of what it is part of, else `default`. It stays so."""
    display_name: Annotated[Label, Filtered()] = ""
    """Free for people, and not unique."""
    labels: dict[Label, Label] = {}
    """Free for the user: to find and to group objects."""
    external_ids: dict[Label, Label] = {}
    """Free for integrations: what this object stands for elsewhere."""


class TunnelKey(BaseModel):
    """The number by which packets between chassis name the object."""

    model_config = ConfigDict(use_attribute_docstrings=True, defer_build=True)

    tunnel_key: int


class FieldError(ValueError):
    """What a check of the whole spec found wrong with one field: its path, then the reason."""

    def __init__(self, *path_and_reason: PathElement) -> None:
        *path, reason = path_and_reason
        super().__init__(reason)
        self.path = tuple(path)
        self.reason = str(reason)


def checked(parse: Callable[[str], object]) -> AfterValidator:
    """A validator that brings a text into the canonical form that `parse` gives."""
    return AfterValidator(lambda text: str(parse(text)))


def unique(values: list[str]) -> list[str]:
    """The same list without repetitions, in the same order."""
    return list(dict.fromkeys(values))


def one_of_each_family(addresses: list[str]) -> list[str]:
    """Return the same IP addresses; ValueError for two of one family."""
    if len({":" in each for each in addresses}) < len(addresses):
        raise ValueError("has one address of each family at most")
    return addresses


OneOfEachFamily = Annotated[
    list[Annotated[str, checked(parse_host)]],
    AfterValidator(unique),
    AfterValidator(one_of_each_family),
    Field(max_length=2),
]
"""IP addresses of hosts, one of each family at most."""


def checks_of(model: type[BaseModel]) -> frozenset[str]:
    """Return the names of the validators of a model, besides those in its fields' types."""
    validators = model.__pydantic_decorators__
    return frozenset(
        [
            *validators.field_validators,
            *validators.root_validators,
            *validators.model_validators,
            *validators.validators,
        ]
    )


def validate(spec: type[_S], values: Mapping[str, Any] | _S) -> _S:
    """`values` as a spec, or an :class:`InvalidError` that names each wrong field.

    What is one already passes: large ones are better read before they need the writer.
    """
    if isinstance(values, spec):
        return values
    assert isinstance(values, Mapping)  # noqa: S101 - of another kind it would be our fault
    try:
        return spec.model_validate(dict(values))
    except ValidationError as error:
        raise invalid(error) from None


def parse(model: type[_M], values: Mapping[str, Any]) -> _M:
    """`values` as such a model, or an :class:`InvalidError` that names each wrong field."""
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        raise invalid(error) from None


def invalid(error: ValidationError) -> InvalidError:
    """Pydantic's findings as ours."""
    return InvalidError([_problem(found) for found in error.errors(include_url=False)])


_REASONS = {
    "missing": "this field is required",
    "extra_forbidden": "there is no such field",
}


def _problem(found: Any) -> FieldProblem:
    path: tuple[PathElement, ...] = tuple(step for step in found["loc"] if step != "[key]")
    value: object = None if found["type"] == "missing" else found["input"]
    fault = found.get("ctx", {}).get("error")
    if isinstance(fault, FieldError):
        for step in fault.path:
            value = _member(value, step)
        return FieldProblem((*path, *fault.path), fault.reason, value)
    message = found["msg"].removeprefix("Value error, ")
    reason = _REASONS.get(found["type"], message[:1].lower() + message[1:])
    return FieldProblem(path, reason, value)


def _member(value: object, step: PathElement) -> object:
    if isinstance(value, Mapping):
        return value.get(step)
    if isinstance(value, list) and isinstance(step, int) and step < len(value):
        return value[step]
    return None


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396: `patch` laid over `target`; null takes a member away.

    >>> merge_patch({"a": 1, "b": {"c": 2, "d": 3}}, {"a": None, "b": {"c": 4}})
    {'b': {'c': 4, 'd': 3}}
    """
    if not isinstance(patch, Mapping):
        return patch
    merged = dict(target) if isinstance(target, Mapping) else {}
    for key, value in patch.items():
        if value is None:
            merged.pop(key, None)
        else:
            merged[key] = merge_patch(merged.get(key), value)
    return merged
