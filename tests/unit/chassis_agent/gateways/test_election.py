"""Who is in charge of a port, as one chassis sees it."""

from typing import Any

import pytest

from chassis_agent.gateways.election import in_charge
from chassis_agent.gateways.sessions import GatewayHost, SessionState, TunnelSession
from chassis_agent.inputs import ThisChassis
from incremental import RecordedFacts
from southbound.rows import Chassis, Encap, PortBinding

RANKS = ("gw1", "gw2", "gw3")


def elected(
    own: str,
    *,
    ranks: tuple[str, ...] = RANKS,
    now: str = "",
    preemptive: bool = True,
    isolated: bool = False,
    **states: SessionState,
) -> str:
    """Who is in charge for `own`; `now` is who is as far as the server has heard."""
    row = PortBinding("p", "r", "cr-out", 2, "chassisredirect", chassis=now, preemptive=preemptive)
    row = _with_candidates(row, ranks)
    facts: dict[type[Any], dict[str, Any]] = {
        ThisChassis: {"": ThisChassis(own, 9)},
        TunnelSession: {name: TunnelSession(7, state) for name, state in states.items()},
        Chassis: {
            name: Chassis(name, encaps=(Encap("geneve", f"192.0.2.{n}"),))
            for n, name in enumerate(("hv1", *RANKS), 1)
        },
    }
    if isolated:
        facts[GatewayHost] = {"": GatewayHost(is_isolated=True)}
    return in_charge(RecordedFacts(facts), row)


def _with_candidates(row: PortBinding, ranks: tuple[str, ...]) -> PortBinding:
    return PortBinding(
        **{
            **{name: getattr(row, name) for name in row.__struct_fields__},
            "candidates": ranks,
        }
    )


@pytest.mark.parametrize("own", ["hv1", "gw1", "gw2", "gw3"])
def test_all_agree_while_all_are_alive(own: str) -> None:
    states: dict[str, Any] = {name: "up" for name in RANKS if name != own}
    assert elected(own, **states) == "gw1"


@pytest.mark.parametrize("own", ["hv1", "gw2", "gw3"])
def test_the_next_rank_follows_one_that_is_dead(own: str) -> None:
    states: dict[str, Any] = {"gw1": "down", "gw2": "up", "gw3": "up"}
    states.pop(own, None)
    assert elected(own, **states) == "gw2"


def test_of_what_is_not_known_yet_the_best_is_believed() -> None:
    assert elected("hv1") == "gw1"
    assert elected("gw2", gw1="unsettled", gw3="up") == "gw1"


def test_who_is_cut_off_is_not_in_charge() -> None:
    assert elected("gw1", isolated=True, gw2="down", gw3="down") == "gw2"
    assert elected("gw1", isolated=True, now="gw3", gw2="down", gw3="down") == "gw3"


def test_where_nobody_is_alive_the_last_one_is_sent_to() -> None:
    assert elected("hv1", gw1="down", gw2="down", gw3="down") == "gw1"
    assert elected("hv1", now="gw2", gw1="down", gw2="down", gw3="down") == "gw2"


def test_without_preemption_who_is_in_charge_stays_so() -> None:
    alive: dict[str, Any] = {"gw1": "up", "gw3": "up"}
    assert elected("gw2", preemptive=False, now="gw2", **alive) == "gw2"
    assert elected("hv1", preemptive=False, now="gw2", gw2="up", **alive) == "gw2"
    assert elected("hv1", preemptive=False, now="gw2", gw2="down", **alive) == "gw1"
    assert elected("hv1", preemptive=True, now="gw2", gw2="up", **alive) == "gw1"


def test_a_port_of_one_chassis_is_there_whatever_is_known_of_it() -> None:
    assert elected("hv1", ranks=("gw1",), gw1="down") == "gw1"
    assert elected("hv1", ranks=()) == ""
