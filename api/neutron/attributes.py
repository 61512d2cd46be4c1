"""Attributes of resources: what of a body is taken, with which defaults, from whom.

The rules are Neutron's. A body that creates an object names no read-only attribute and all
that are required; one that changes it names only what can be changed. What isn't known is
refused. Some attributes are for admins: others neither see nor set them.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, NamedTuple

from api.neutron.context import Context
from api.neutron.errors import BadRequestError, InvalidInputError, NotAuthorizedError
from api.neutron.tags import tags_value
from api.neutron.values import Converter, boolean, given, integer, line, text, uuid


class _Marker:
    def __init__(self, words: str) -> None:
        self._words = words

    def __repr__(self) -> str:
        return self._words


REQUIRED: Final[Any] = _Marker("REQUIRED")
"""The default of an attribute that has to be given."""
UNSET: Final[Any] = _Marker("UNSET")
"""What stands for an attribute that wasn't given, and whose default depends on others."""


Fits = Callable[[Any, Sequence[Any]], bool]
"""Whether an attribute's value is one for the values that its filter has."""


class Attribute(NamedTuple):
    """An attribute: how it is read, its default, and who may do what with it.

    `set_by_admin` is about giving it a value, `shown_to_admin` about seeing it; one that isn't
    `visible` is only taken, or a filter. A filter's value
    is read as the attribute's are, unless `read_filter` does that, and one of them has to be the
    attribute's value, or in it, unless `fits` decides.
    """

    name: str
    convert: Converter
    default: Any = None
    post: bool = True
    put: bool = True
    set_by_admin: bool = False
    shown_to_admin: bool = False
    visible: bool = True
    filtered: bool = True
    sorted: bool = True
    read_filter: Converter | None = None
    fits: Fits | None = None


class Attributes:
    """The attributes of one resource, in the order in which they are shown."""

    def __init__(self, resource: str, attributes: Sequence[Attribute]) -> None:
        self.resource = resource
        self.by_name: Final = {attribute.name: attribute for attribute in attributes}

    def read_new(self, context: Context, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values of all attributes that an object is created with.

        Raises BadRequestError, InvalidInputError or NotAuthorizedError.
        """
        given = self._known(body)
        values = {}
        for attribute in self.by_name.values():
            if attribute.name in given and not attribute.post:
                raise BadRequestError(f"Attribute '{attribute.name}' not allowed in POST")
            if attribute.name in given:
                self._check_setter(context, attribute, "create")
                values[attribute.name] = self._convert(attribute, given[attribute.name])
            elif attribute.default is REQUIRED:
                raise BadRequestError(
                    f"Failed to parse request. Required attribute '{attribute.name}' not specified"
                )
            elif attribute.post:
                values[attribute.name] = attribute.default
        return self._owned(context, values)

    def read_changes(self, context: Context, body: Mapping[str, Any]) -> dict[str, Any]:
        """Return the values that an object's attributes are changed to."""
        changes = {}
        for name, value in self._known(body).items():
            attribute = self.by_name[name]
            if not attribute.put:
                raise BadRequestError(f"Cannot update read-only attribute {name}")
            self._check_setter(context, attribute, "update")
            changes[name] = self._convert(attribute, value)
        return changes

    def are_for(self, context: Context, filters: Iterable[str]) -> bool:
        """Tell whether the caller may see what it filters by: else it could guess the values."""
        by_name = self.by_name
        return context.is_admin or not any(
            name in by_name and by_name[name].shown_to_admin for name in filters
        )

    def shown(self, context: Context, view: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the caller may see of `view`."""
        hidden = {
            each.name
            for each in self.by_name.values()
            if not each.visible or (each.shown_to_admin and not context.is_admin)
        }
        return {name: value for name, value in view.items() if name not in hidden}

    def _known(self, body: Mapping[str, Any]) -> dict[str, Any]:
        given = dict(body)
        tenant = given.pop("tenant_id", UNSET)
        if tenant is not UNSET:
            if given.get("project_id", tenant) != tenant:
                raise BadRequestError("'project_id' and 'tenant_id' do not match")
            given["project_id"] = tenant
        unknown = sorted(name for name in given if name not in self.by_name)
        if unknown:
            names = ", ".join(str(name)[:100] for name in unknown[:10])
            raise BadRequestError(f"Unrecognized attribute(s) '{names}'")
        return given

    def _check_setter(self, context: Context, attribute: Attribute, verb: str) -> None:
        if attribute.set_by_admin and not context.is_admin:
            raise NotAuthorizedError(f"{verb}_{self.resource}:{attribute.name}")

    def _convert(self, attribute: Attribute, value: Any) -> Any:
        try:
            return attribute.convert(value)
        except ValueError as error:
            raise InvalidInputError(attribute.name, str(error)) from None

    def _owned(self, context: Context, values: dict[str, Any]) -> dict[str, Any]:
        """Let `values` have the caller's project where they say none, or refuse another's."""
        if "project_id" not in values:
            return values
        project = values["project_id"] or context.project
        if not context.owns(project):
            raise NotAuthorizedError(f"create_{self.resource}:project_id")
        return {**values, "project_id": project}


_TEXT = text()


def read_only(name: str, convert: Converter = _TEXT, **more: Any) -> Attribute:
    """Return an attribute that only the server sets."""
    return Attribute(name, convert, post=False, put=False, **more)


ID = read_only("id", uuid)
NAME = Attribute("name", given(line), "")
DESCRIPTION = Attribute("description", given(text()), "", sorted=False)
PROJECT = Attribute("project_id", text(), None, put=False)
ADMIN_STATE_UP = Attribute("admin_state_up", boolean, True)
STATUS = read_only("status")
UNTAGGED = (
    DESCRIPTION,
    read_only("created_at", filtered=False, sorted=False),
    read_only("updated_at", filtered=False, sorted=False),
    read_only("revision_number", integer(), sorted=False),
)
"""What Neutron's resources have in common, those included that have no tags."""
STANDARD = (
    *UNTAGGED,
    read_only("tags", tags_value, filtered=False, sorted=False),
)
