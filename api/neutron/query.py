"""Query parameters of lists: filters, fields, sorting and pages, as Neutron has them.

Repeated values of one filter are alternatives, different filters all have to hold. An unknown
filter is refused. A page says where the next and the one before begin, in links.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from api.neutron.attributes import Attribute, Attributes, Fits
from api.neutron.errors import BadRequestError
from api.neutron.values import boolean, integer

MAXIMUM_VALUES = 1000
"""How many parameters a query may have."""

_TAG_FILTERS = ("tags", "tags-any", "not-tags", "not-tags-any")
_LIMIT = integer(0, 1 << 31)


@dataclass(frozen=True)
class ListQuery:
    """What of a list is asked for."""

    filters: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """The values that each attribute may have, in their canonical form."""
    fits: Mapping[str, Fits] = field(default_factory=dict)
    """How filters are compared that have a way of their own."""
    tags: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """For each filter of tags those that it names."""
    fields: frozenset[str] = frozenset()
    """The attributes to show; all where it is empty."""
    sort: Sequence[tuple[str, bool]] = ()
    """Attributes to sort by, and for each whether it descends."""
    limit: int | None = None
    marker: str | None = None
    backwards: bool = False

    def matches(self, view: Mapping[str, Any]) -> bool:
        """Tell whether all filters hold for an object as it is shown."""
        return all(
            self.fits.get(name, _matches)(view.get(name), values)
            for name, values in self.filters.items()
        ) and self._has_tags(view.get("tags", ()))

    def _has_tags(self, tags: Sequence[str]) -> bool:
        there = set(tags)
        found = {name: [each in there for each in wanted] for name, wanted in self.tags.items()}
        return (
            all(found.get("tags", ()))
            and ("tags-any" not in found or any(found["tags-any"]))
            and ("not-tags" not in found or not all(found["not-tags"]))
            and not any(found.get("not-tags-any", ()))
        )

    def show(self, view: Mapping[str, Any]) -> dict[str, Any]:
        """Return those attributes of an object that are asked for."""
        if not self.fields:
            return dict(view)
        return {name: value for name, value in view.items() if name in self.fields}


def read_query(
    attributes: Attributes, parameters: QueryParams, extra: Sequence[Attribute] = ()
) -> ListQuery:
    """Return what the parameters of a list ask for, or raise BadRequestError.

    `extra` are filters that are no attributes.
    """
    pairs = parameters.multi_items()
    if len(pairs) > MAXIMUM_VALUES:
        raise BadRequestError(f"a query has at most {MAXIMUM_VALUES} parameters")
    known = {**attributes.by_name, **{each.name: each for each in extra}}
    filters: dict[str, list[Any]] = {}
    tags: dict[str, list[str]] = {}
    fields, keys, directions = set(), [], []
    rest: dict[str, str] = {}
    for name, value in pairs:
        if name == "fields":
            fields.add("project_id" if value == "tenant_id" else value)
            if value in ("tenant_id", "project_id"):
                fields.add("tenant_id")
        elif name == "sort_key":
            keys.append(value)
        elif name == "sort_dir":
            directions.append(value)
        elif name in ("limit", "marker", "page_reverse"):
            rest[name] = value
        elif name in _TAG_FILTERS and "tags" in known:
            tags.setdefault(name, []).extend(value.split(","))
        else:
            attribute = known.get("project_id" if name == "tenant_id" else name)
            if attribute is None or not attribute.filtered:
                raise BadRequestError(f"['{name[:100]}'] is invalid attribute for filtering")
            filters.setdefault(attribute.name, []).append(_filter_value(attribute, value))
    return ListQuery(
        filters,
        {name: fits for name in filters if (fits := known[name].fits) is not None},
        tags,
        frozenset(fields),
        _sort(attributes, keys, directions),
        _limit(rest.get("limit")),
        rest.get("marker"),
        _flag(rest.get("page_reverse", "false")),
    )


def page(views: Sequence[dict[str, Any]], query: ListQuery) -> tuple[list[dict[str, Any]], bool]:
    """Return the page of sorted `views` that is asked for, and whether there are more beyond.

    Raises BadRequestError where no object has the id that is the marker.
    """
    found = list(views)
    for name, descending in reversed([*query.sort, ("id", False)]):
        found.sort(key=lambda view: _sort_value(view.get(name)), reverse=descending)
    if query.backwards:
        found.reverse()
    if query.marker:
        place = next((i for i, view in enumerate(found) if view["id"] == query.marker), None)
        if place is None:
            raise BadRequestError(f"Marker {query.marker[:100]} could not be found")
        found = found[place + 1 :]
    more = bool(query.limit) and len(found) > (query.limit or 0)
    if query.limit:
        found = found[: query.limit]
    if query.backwards:
        found.reverse()
    return found, more


def page_links(
    url: str,
    parameters: QueryParams,
    shown: Sequence[Mapping[str, Any]],
    query: ListQuery,
    more: bool,
) -> list[dict[str, str]]:
    """Return the links to the pages beside one with a limit; none for a complete list."""
    if not query.limit or not shown:
        return []
    kept = [p for p in parameters.multi_items() if p[0] not in ("marker", "page_reverse")]
    links = []
    if more or query.backwards:
        href = urlencode([*kept, ("marker", shown[-1]["id"])])
        links.append({"rel": "next", "href": f"{url}?{href}"})
    if query.marker and (more or not query.backwards):
        href = urlencode([*kept, ("marker", shown[0]["id"]), ("page_reverse", "True")])
        links.append({"rel": "previous", "href": f"{url}?{href}"})
    return links


def _filter_value(attribute: Attribute, value: str) -> Any:
    """Return a filter's value as the attribute would have it; what it can't have fits nothing."""
    if value == "" or attribute.convert is None:
        return value
    if attribute.read_filter is not None:
        return attribute.read_filter(value)
    try:
        return attribute.convert(value)
    except ValueError:
        if attribute.convert is boolean or _is_number(attribute):
            raise BadRequestError(
                f"Invalid input for {attribute.name}. Reason: '{value}'."
            ) from None
        return value


def _is_number(attribute: Attribute) -> bool:
    try:
        return isinstance(attribute.convert("1"), int)
    except ValueError:
        return False


def _matches(value: Any, wanted: Sequence[Any]) -> bool:
    if isinstance(value, list):
        return any(each in value or each == value for each in wanted)
    return any(value == each or (each == "" and value is None) for each in wanted)


def _sort(
    attributes: Attributes, keys: Sequence[str], directions: Sequence[str]
) -> list[tuple[str, bool]]:
    if directions and len(directions) != len(keys):
        raise BadRequestError("The number of sort_keys and sort_dirs must be same")
    names = [("project_id" if key == "tenant_id" else key) for key in keys]
    for name in names:
        attribute = attributes.by_name.get(name)
        if attribute is None or not attribute.sorted:
            raise BadRequestError(f"['{name[:100]}'] is invalid attribute for sort key")
    for direction in directions:
        if direction not in ("asc", "desc"):
            raise BadRequestError("sort_dir must be 'asc' or 'desc'")
    return [(name, bool(directions) and directions[i] == "desc") for i, name in enumerate(names)]


def _sort_value(value: Any) -> tuple[int, Any]:
    """Return what orders values of any kind: those that are missing come first."""
    if value is None:
        return (0, "")
    if isinstance(value, int):
        return (1, value)
    return (2, str(value))


def _limit(value: str | None) -> int | None:
    if value is None:
        return None
    try:
        return int(_LIMIT(value)) or None
    except ValueError:
        raise BadRequestError(f"Limit must be an integer 0 or greater and not '{value}'") from None


def _flag(value: str) -> bool:
    try:
        return boolean(value)
    except ValueError as error:
        raise BadRequestError(f"Invalid input for page_reverse. Reason: {error}.") from None
