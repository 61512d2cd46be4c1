"""Subnet pools: prefixes from which subnets are allocated, by size or by choice."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from sqlalchemy import ColumnElement, or_, select

from api.neutron.attributes import (
    ID,
    PROJECT,
    REQUIRED,
    STANDARD,
    UNSET,
    Attribute,
    Attributes,
    read_only,
)
from api.neutron.context import Context
from api.neutron.errors import (
    BadRequestError,
    InvalidOperationError,
    NeutronError,
)
from api.neutron.prefixes import (
    BITS,
    SMALLEST_MINIMUM,
    Bounds,
    all_within,
    any_free,
    check_bounds,
    check_free,
    check_prefixlen,
    check_quota,
    merged,
    without,
)
from api.neutron.resource import Action, AnySelect, Resource, View, now, owned, standard_view
from api.neutron.values import MAXIMUM_ELEMENTS, boolean, cidr, integer, list_of, text
from northbound.addresses import Network
from northbound.identity import new_id
from northbound.models import NeutronSubnet, NeutronSubnetPool
from northbound.transaction import Reader, Transaction

_PREFIXES = list_of(cidr, unique=True)
_LENGTHS = ("min_prefixlen", "max_prefixlen", "default_prefixlen")


def _name(value: Any) -> str:
    name: str = text()(value)
    if not name.strip():
        raise ValueError(f"'{value}' Blank strings are not permitted")
    return name


class SubnetPools(Resource[NeutronSubnetPool]):
    name = "subnetpool"
    collection = "subnetpools"
    path = "subnetpools"
    title = "Subnet pool"
    attributes = Attributes(
        "subnetpool",
        (
            ID,
            Attribute("name", _name, REQUIRED),
            PROJECT,
            Attribute("prefixes", _PREFIXES, REQUIRED, filtered=False, sorted=False),
            *(Attribute(name, integer(0), UNSET) for name in _LENGTHS),
            Attribute("default_quota", integer(0), None),
            read_only("ip_version", integer()),
            Attribute("is_default", boolean, default=False, set_by_admin=True),
            Attribute("shared", boolean, default=False, set_by_admin=True, put=False),
            *STANDARD,
        ),
    )
    id_column = NeutronSubnetPool.id.expression
    columns: ClassVar[Mapping[str, ColumnElement[Any]]] = {
        "id": NeutronSubnetPool.id.expression,
        "project_id": NeutronSubnetPool.project.expression,
        "name": NeutronSubnetPool.name.expression,
        "ip_version": NeutronSubnetPool.ip_version.expression,
        "shared": NeutronSubnetPool.shared.expression,
        "is_default": NeutronSubnetPool.is_default.expression,
    }
    tags_column = NeutronSubnetPool.tags.expression

    def __init__(self) -> None:
        self.actions: Mapping[str, Action] = {
            "add_prefixes": self._add_prefixes,
            "remove_prefixes": self._remove_prefixes,
        }

    def select(self, context: Context) -> AnySelect:
        query = select(NeutronSubnetPool)
        if not context.scope.confined:
            return query
        own = NeutronSubnetPool.project == context.project
        return query.where(or_(own, NeutronSubnetPool.shared.is_(True)))

    def views(
        self,
        reader: Reader,
        context: Context,
        rows: Sequence[NeutronSubnetPool],
    ) -> list[View]:
        return [_view(row) for row in rows]

    def create(self, tx: Transaction, context: Context, values: Mapping[str, Any]) -> str:
        prefixes = merged(values["prefixes"])
        version = prefixes[0].version
        bounds = _bounds(version, values)
        if values["is_default"]:
            self._check_no_default(tx, version)
        time = now()
        pool = NeutronSubnetPool(
            id=new_id(),
            project=values["project_id"],
            name=values["name"],
            description=values["description"],
            ip_version=version,
            prefixes=[str(each) for each in prefixes],
            min_prefixlen=bounds.minimum,
            max_prefixlen=bounds.maximum,
            default_prefixlen=bounds.default,
            default_quota=values["default_quota"],
            shared=values["shared"],
            is_default=values["is_default"],
            created_at=time,
            updated_at=time,
        )
        tx.add(pool)
        return pool.id

    def update(
        self,
        tx: Transaction,
        context: Context,
        row: NeutronSubnetPool,
        changes: Mapping[str, Any],
    ) -> None:
        if changes.get("is_default") and not row.is_default:
            self._check_no_default(tx, row.ip_version)
        values = dict(changes)
        if "prefixes" in changes:
            values["prefixes"] = _grown(row, changes["prefixes"])
        for name, value in values.items():
            setattr(row, name, value)
        bounds = Bounds(row.min_prefixlen, row.max_prefixlen, row.default_prefixlen)
        check_bounds(row.ip_version, bounds)

    def delete(self, tx: Transaction, context: Context, row: NeutronSubnetPool) -> None:
        if _allocations(tx, row.id):
            message = "Unable to delete subnet pool: Subnet pool has existing allocations."
            raise NeutronError(400, "SubnetPoolDeleteError", message)
        tx.delete(row)

    def annex(self, tx: Transaction, row: NeutronSubnetPool) -> NeutronSubnetPool:
        return row

    def project_of(self, row: NeutronSubnetPool) -> str:
        return row.project

    # --- for subnets

    def default(self, reader: Reader, context: Context, version: int) -> str:
        """Return the id of the pool of subnets that name none; raises BadRequestError."""
        query = self.select(context).where(*_is_default(version))
        pools: list[NeutronSubnetPool] = self.rows(reader, query)
        if not pools:
            reason = f"No default subnetpool found for IPv{version}"
            raise BadRequestError(f"Bad subnets request: {reason}.", "BadRequest")
        return pools[0].id

    def allocate(
        self,
        tx: Transaction,
        context: Context,
        pool_id: str,
        values: Mapping[str, Any],
        block: Network | None,
    ) -> Network:
        """Return the address block of a new subnet of a pool: `block` where it is chosen.

        Else it is of the `prefixlen` in `values`, or of the pool's default, and around the
        gateway where that is said. Raises what refuses the allocation.
        """
        pool = self.find(tx, context, pool_id)
        if pool.ip_version != values["ip_version"]:
            raise BadRequestError(
                f"Bad subnets request: Cannot allocate IPv{values['ip_version']} subnet from "
                f"IPv{pool.ip_version} subnet pool.",
                "BadRequest",
            )
        prefixlen = values["prefixlen"]
        if prefixlen is None:
            prefixlen = pool.default_prefixlen if block is None else block.prefixlen
        bounds = Bounds(pool.min_prefixlen, pool.max_prefixlen, pool.default_prefixlen)
        check_prefixlen(prefixlen, bounds)
        allocations = tx.helper(_Allocated).of(pool.id)
        own = [block for block, project in allocations if project == values["project_id"]]
        check_quota(pool.ip_version, pool.default_quota, own, prefixlen)
        taken = [block for block, _ in allocations]
        gateway = values["gateway_ip"]
        if block is None and gateway not in (UNSET, None):
            block = ipaddress.ip_network(f"{gateway}/{prefixlen}", strict=False)
        if block is None:
            block = any_free(pool.prefixes, taken, prefixlen)
        else:
            check_free(pool.prefixes, taken, block)
        allocations.append((str(block), values["project_id"]))
        return block

    # ---

    def _check_no_default(self, tx: Transaction, version: int) -> None:
        query = select(NeutronSubnetPool.id).where(*_is_default(version))
        if tx.session.scalar(query.limit(1)) is not None:
            raise InvalidOperationError(
                "A default subnetpool for this IP family has already been set. Only one default "
                "may exist per IP family"
            )

    def _add_prefixes(
        self,
        tx: Transaction,
        context: Context,
        row: NeutronSubnetPool,
        body: Mapping[str, Any],
    ) -> View:
        added = _prefixes_of(body)
        if added:
            row.prefixes = _grown(row, [*row.prefixes, *added])
            row.updated_at = now()
        return {"prefixes": row.prefixes}

    def _remove_prefixes(
        self,
        tx: Transaction,
        context: Context,
        row: NeutronSubnetPool,
        body: Mapping[str, Any],
    ) -> View:
        left = _few_enough(without(row.prefixes, _prefixes_of(body)))
        if left == row.prefixes:
            return {"prefixes": row.prefixes}
        remaining = [ipaddress.ip_network(each) for each in left]
        if not all_within((block for block, _ in _allocations(tx, row.id)), remaining):
            raise BadRequestError(
                "Illegal update to prefixes: One or more prefixes to be removed is in use by a "
                "subnet.",
                "IllegalSubnetPoolPrefixUpdate",
            )
        row.prefixes = left
        row.updated_at = now()
        return {"prefixes": left}


def _is_default(version: int) -> tuple[ColumnElement[bool], ...]:
    return (NeutronSubnetPool.is_default.is_(True), NeutronSubnetPool.ip_version == version)


class _Allocated:
    """What is allocated of pools, for subnets that one transaction makes: read once for each."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._by_pool: dict[str, list[tuple[str, str]]] = {}

    def of(self, pool_id: str) -> list[tuple[str, str]]:
        """Return the blocks and their projects; those that are allocated are to be added."""
        if pool_id not in self._by_pool:
            self._by_pool[pool_id] = _allocations(self._tx, pool_id)
        return self._by_pool[pool_id]


def _allocations(reader: Reader, pool_id: str) -> list[tuple[str, str]]:
    """Return the address blocks of a pool's subnets, and whose those are."""
    query = select(NeutronSubnet.cidr, NeutronSubnet.project)
    rows = reader.session.execute(query.where(NeutronSubnet.subnetpool_id == pool_id))
    return [(block, project) for block, project in rows]


def _bounds(version: int, values: Mapping[str, Any]) -> Bounds:
    """Return the prefix lengths of a new pool's subnets, or refuse them."""
    low, high, default = (values[name] for name in _LENGTHS)
    minimum = SMALLEST_MINIMUM[version] if low is UNSET else low
    maximum = BITS[version] if high is UNSET else high
    bounds = Bounds(minimum, maximum, minimum if default is UNSET else default)
    check_bounds(version, bounds)
    return bounds


def _grown(row: NeutronSubnetPool, prefixes: Sequence[str]) -> list[str]:
    """Return new prefixes of a pool, which have to have the old ones in them."""
    new = merged(prefixes) if prefixes else []
    if not all_within(row.prefixes, new):
        raise BadRequestError(
            "Illegal update to prefixes: Existing prefixes must be a subset of the new prefixes.",
            "IllegalSubnetPoolPrefixUpdate",
        )
    if any(each.version != row.ip_version for each in new):
        message = "Cannot mix IPv4 and IPv6 prefixes in a subnet pool."
        raise BadRequestError(message, "PrefixVersionMismatch")
    return _few_enough([str(each) for each in new])


def _few_enough(prefixes: list[str]) -> list[str]:
    """Return the prefixes of a pool, or refuse them if they are too many."""
    if len(prefixes) > MAXIMUM_ELEMENTS:
        raise BadRequestError(
            f"A subnet pool has at most {MAXIMUM_ELEMENTS} prefixes, not {len(prefixes)}.",
            "IllegalSubnetPoolPrefixUpdate",
        )
    return prefixes


def _prefixes_of(body: Mapping[str, Any]) -> list[str]:
    """Return the prefixes of a body that adds or removes some."""
    if set(body) != {"prefixes"}:
        raise BadRequestError("Request body contains invalid data")
    try:
        prefixes: list[str] = _PREFIXES(body["prefixes"])
    except ValueError as error:
        raise BadRequestError(f"Request body contains invalid data: {error}") from None
    return prefixes


def _view(row: NeutronSubnetPool) -> View:
    names = ("id", "name", "prefixes", *_LENGTHS, "default_quota", "ip_version")
    view = {
        **{name: getattr(row, name) for name in names},
        "is_default": row.is_default,
        "shared": row.shared,
        **standard_view(row, row.version),
    }
    return owned(view, row.project)
