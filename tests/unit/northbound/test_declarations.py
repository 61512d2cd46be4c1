"""What follows from the declaration of a kind, and what is wrong with a wrong one."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar

import pytest

from northbound.apply import apply
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
        assert keys - {model.__tablename__} <= seen, model
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


@pytest.mark.parametrize("kind", SERVICES)
def test_what_a_document_says_is_checked_like_a_spec(kind: str) -> None:
    """Of an entry that was read, the spec is made without another check: it has to be the same."""
    service = SERVICES[kind]
    spec, properties = service.spec, service.declaration.properties
    own = spec.model_fields.keys() - properties.model_fields.keys()
    assert own <= {"name", *(field.name for field in service.owners)}
    for name, field in properties.model_fields.items():
        assert repr(spec.model_fields[name]) == repr(field)
    entry = {k: v for k, v in service.declaration.example.items() if k not in own}
    rest = {k: service.declaration.example.get(k) for k in own}
    read = properties.model_validate(entry)
    made = service.spec_of_entry({**read.model_dump(), **rest})
    assert made == service.read_spec(service.declaration.example)
    assert made.model_dump() == service.read_spec(made.model_dump()).model_dump()


def test_most_of_a_document_is_checked_once(
    network: Network, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[str] = []

    def read_spec(self: Service[Any, Any], values: Mapping[str, Any]) -> Any:
        if not isinstance(values, Spec):
            checked.append(self.kind)
        return read(self, values)

    read = Service.read_spec
    monkeypatch.setattr(Service, "read_spec", read_spec)
    ports = {f"p{n}": {"addresses": [f"0a:00:00:00:00:{n:02x}"]} for n in range(9)}
    document = {"document": "d", "logical_switches": {"web": {"ports": ports}}}
    with network.database.write(author="a") as tx:
        apply(tx, document)
    assert checked == []
    ports["p1"]["addresses"] = ["no address"]
    with network.database.write(author="a") as tx, pytest.raises(InvalidError, match="no address"):
        apply(tx, document)


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
