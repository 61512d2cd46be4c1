"""What one NAT costs, however many its router has: counted in derivations, reads and flows."""

from collections import Counter
from typing import Any

import pytest

from incremental import Engine
from translator.features.nat.flows import nat_flows, nat_switch_flows
from translator.features.nat.rows import Nat
from translator.graph import translation
from translator.intent import key_of, row_of

OVN_FLOWS = {None: 16, "hv1": 6}
"""What Debian's OVN 23.03 has for a floating IP at a gateway port, and on a gateway router: what
``ovn-sbctl lflow-list`` has more with a hundred of them, divided by these."""


def image(table: str, **values: Any) -> tuple[str, dict[str, Any]]:
    return table, {"project": "default", "external_ids": {}, "labels": {}, **values}


def nat(number: int, **values: Any) -> tuple[str, dict[str, Any]]:
    low = f"{number // 250}.{number % 250 + 2}"
    fields = {
        "id": f"nat-{number}",
        "logical_router_id": "r",
        "type": "dnat_and_snat",
        "external_ip": f"172.16.{low}",
        "logical_ip": f"10.0.{low}",
        "external_port_range": None,
        "logical_port": None,
        "external_mac": None,
        "gateway_port_id": None,
        "stateless": False,
        "allowed_external_ips_id": None,
        "exempted_external_ips_id": None,
    }
    return image("nat", **fields | values)


def network(count: int, chassis: str | None = None) -> Engine:
    """A router with a gateway port on a switch, and as many floating IPs."""
    rows = [
        image("logical_switch", id="s", name="out", tunnel_key=1, type="overlay"),
        image("logical_router", id="r", name="r", enabled=True, tunnel_key=2, chassis=chassis),
        image(
            "logical_router_port",
            id="r-out",
            logical_router_id="r",
            name="r-out",
            tunnel_key=1,
            enabled=True,
            mac="0a:00:00:00:00:01",
            networks=["172.16.0.1/16"],
            peer=None,
            gateway_chassis=[] if chassis else [{"chassis": "hv1", "priority": 1}],
            ha_chassis_group_id=None,
            redirect_key=None if chassis else 2,
        ),
        *(nat(number) for number in range(count)),
    ]
    engine = Engine(translation())
    engine.apply(row_of(table, values) for table, values in rows)
    assert not engine.failures
    return engine


@pytest.fixture(scope="module", params=[10, 1000])
def engine(request: pytest.FixtureRequest) -> Engine:
    return network(request.param)


def runs_of(engine: Engine, *rows: tuple[str, dict[str, Any]]) -> Counter[str]:
    return engine.apply([row_of(table, values) for table, values in rows]).runs


def test_one_nat_costs_the_same(engine: Engine) -> None:
    """Added, changed and gone: nothing else is derived."""
    own = dict.fromkeys(
        ("external_address", "nat_flows", "nat_switch_flows", "nat_announcement", "translation"), 1
    )
    assert runs_of(engine, nat(5000)) == own
    assert runs_of(engine, nat(5000, logical_ip="10.0.99.99")) == own
    gone = engine.apply([(*key_of(*nat(5000)), None)])
    assert gone.runs.total() == 0, "what goes is not derived"


def test_a_nat_looks_at_few_things(engine: Engine) -> None:
    for derivation in (nat_flows, nat_switch_flows):
        assert engine.most_reads(derivation) <= 8


@pytest.mark.parametrize("chassis", [None, "hv1"])
def test_a_floating_ip_has_no_more_flows_than_in_ovn(chassis: str | None) -> None:
    engine = network(10, chassis)
    asked = 1
    """By the switch, of the router: see `nat_switch_flows`."""
    own = engine.rows(nat_flows)
    assert len(own) == len(engine.rows(Nat))
    for flows in own.values():
        assert 0 < len(flows.flows) + asked <= OVN_FLOWS[chassis]
