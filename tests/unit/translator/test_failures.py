"""What can't be translated is told, and closed: nothing passes that might not have."""

from typing import Any

import pytest

from benchmarks import topology
from incremental import Engine
from translator.derivations import relations, router, switch, switch_port
from translator.derivations.result import Flows
from translator.features.acl.flows import acl_flows
from translator.features.neighbours.relations import neighbours
from translator.features.port_security.flows import port_security_flows
from translator.features.routing.flows import static_route_flows
from translator.graph import translation
from translator.intent import row_of


@pytest.fixture
def engine() -> Engine:
    engine = Engine(translation())
    engine.apply(row_of(table, image) for table, image in topology.network(2))
    assert not engine.failures
    return engine


def texts(flows: Flows) -> list[str]:
    return [f"{flow.template.stage} {flow.match}: {flow.template.name}" for flow in flows.flows]


def test_an_acl_that_cannot_be_read_drops_everything(engine: Engine) -> None:
    broken = topology.default_acl(0, 0, match="ip4 &&")
    engine.apply([row_of("acl", broken)])
    placement = (topology.object_id("ls0"), broken["id"])
    assert texts(engine.rows(acl_flows)[placement]) == ["ls_in_acl_eval_0 1: drop"]
    assert "Syntax error" in engine.failures["acl_flows", placement].error
    engine.apply([row_of("acl", topology.default_acl(0, 0))])
    assert not engine.failures
    assert texts(engine.rows(acl_flows)[placement]) == [
        "ls_in_acl_eval_0 inport == @pg0 && ip4: allow"
    ]


def test_a_port_that_cannot_be_translated_is_closed(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(switch_port, port_security_flows.__name__, fail)
    changed = topology.port(0, 0, enabled=False)
    engine.apply([row_of("logical_switch_port", changed)])
    changed["enabled"] = True
    engine.apply([row_of("logical_switch_port", changed)])
    assert engine.failures["switch_port_flows", changed["id"]].error == "RuntimeError: out of luck"
    found = engine.rows(switch_port.switch_port_flows)[changed["id"]]
    assert [flow.template.name for flow in found.flows] == ["disabled", "disabled"]
    other = engine.rows(switch_port.switch_port_flows)[topology.port(0, 1)["id"]]
    assert len(other.flows) > 5, "the others go on"


def test_a_switch_that_cannot_be_translated_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Any:
        raise RuntimeError("out of luck")

    monkeypatch.setattr(switch, "switch_acl_flows", fail)
    engine = Engine(translation())
    engine.apply(row_of(table, image) for table, image in topology.network(2))
    found = engine.rows(switch.switch_flows)[topology.object_id("ls0")]
    assert [(flow.template.name, flow.priority) for flow in found.flows] == [("closed", 65535)]


def test_a_router_that_cannot_be_translated_is_closed() -> None:
    flows = router.closed_router_flows(None, "r").flows  # type: ignore[arg-type]
    assert [(flow.template.name, flow.priority) for flow in flows] == [("closed", 65535)]


def test_a_route_to_nowhere_is_told(engine: Engine) -> None:
    route = {**topology.static_route(0, 0), "nexthop": "203.0.113.1"}
    engine.apply([row_of("static_route", route)])
    failure = engine.failures["static_route_flows", route["id"]]
    assert failure.error.startswith("UnreachableNextHopError: no port of the router")
    assert route["id"] not in engine.rows(static_route_flows)
    port = {
        **topology.router_port(0),
        "id": "new",
        "name": "new",
        "networks": ["203.0.113.2/24"],
    }
    engine.apply([row_of("logical_router_port", port)])
    assert not engine.failures, "a port came that can reach it"
    assert engine.rows(static_route_flows)[route["id"]].flows


def test_relations_of_what_is_gone_are_empty(engine: Engine) -> None:
    engine.apply([(relations.LogicalSwitchPort, topology.uplink(0)["id"], None)])
    assert not engine.rows(relations.attached_router_ports)
    assert not engine.rows(neighbours)
    assert not engine.failures
