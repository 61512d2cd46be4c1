"""What follows from the declaration of a kind, and what is wrong with a wrong one."""

from typing import Annotated, ClassVar

import pytest

from northbound.errors import InvalidError
from northbound.models import TRACKED, LogicalRouter
from northbound.services import LOGICAL_ROUTER_PORTS, SERVICES
from northbound.services.base import Service
from northbound.specs import SPECS, Spec
from northbound.specs.base import Reference
from northbound.specs.declaration import Declaration, RefersTo, in_order, referred_kinds
from northbound.specs.routing import LogicalRouterSpec
from tests.unit.northbound.network import Network


def test_referents_come_before_referrers() -> None:
    seen: set[str] = set()
    for spec in SPECS:
        assert referred_kinds(spec) <= seen, spec
        seen.add(spec.declaration.kind)
    assert seen == set(SERVICES)


def test_tables_come_after_those_that_their_keys_lead_to() -> None:
    seen: set[str] = set()
    for model in TRACKED:
        keys = {key.column.table.name for key in model.__table__.foreign_keys}
        assert keys <= seen, model
        seen.add(model.__tablename__)


class _A(Spec):
    declaration: ClassVar = Declaration("a", "as", Spec, (), {}, {})
    b: Annotated[Reference, RefersTo("b")]


class _B(Spec):
    declaration: ClassVar = Declaration("b", "bs", Spec, (), {}, {})
    a: Annotated[Reference, RefersTo("a")]


def test_kinds_cannot_refer_to_each_other_in_a_circle() -> None:
    with pytest.raises(ValueError, match="in a circle: a, b"):
        in_order([_A, _B])


def test_a_field_without_a_column_is_noticed() -> None:
    class Wider(LogicalRouterSpec):
        declaration: ClassVar = LogicalRouterSpec.declaration
        colour: str = "red"

    class Routers(Service[LogicalRouter, Wider]):
        model = LogicalRouter
        spec = Wider

    with pytest.raises(TypeError, match="logical_router lacks columns: colour"):
        Routers()


def test_what_belongs_to_one_owner_stays_there(network: Network) -> None:
    with network.database.write(author="test") as tx:
        for name in ("edge", "core"):
            SERVICES["logical_router"].create(tx, {"name": name})
        port = LOGICAL_ROUTER_PORTS.create(
            tx, {"name": "p", "logical_router": "edge", "networks": ["10.0.0.1/24"]}
        )
        with pytest.raises(InvalidError, match="logical_router: a port cannot move"):
            LOGICAL_ROUTER_PORTS.update(tx, port.id, {"logical_router": "core"})
