"""Which provider networks a host needs to which no bridge of it leads."""

from typing import Any

import pytest

from chassis_agent.desired.flow_state import FlowState
from chassis_agent.inputs import Change, LocalPort, ProviderBridge, SpokenFor, ThisChassis
from southbound.rows import Announcement, Chassis, Datapath, Encap, PortBinding


def port(name: str, datapath: str, kind: str, key: int, **fields: Any) -> Change:
    row = PortBinding(f"id-{name}", datapath, name, key, kind, **fields)
    return PortBinding, name, row


def gateway(*candidates: str, **redirect: Any) -> list[Change]:
    """A gateway port of the router `r` on the switch `s`, which leads outside."""
    return [
        port("s-r", "s", "l3gateway", 1, peer="r-s", candidates=candidates),
        port("r-s", "r", "patch", 1, peer="s-r"),
        port(
            "cr-r-s",
            "r",
            "chassisredirect",
            2,
            candidates=candidates,
            distributed_port="r-s",
            **redirect,
        ),
    ]


def floating(logical: str) -> Change:
    row = Announcement("fip", "s", logical, "0a:00:00:00:00:07", ("192.0.2.7",))
    return Announcement, "fip", row


VM = port("vm", "s", "vif", 5, chassis="hv1")
HERE: Change = (LocalPort, "vm", LocalPort(4))


@pytest.fixture
def state() -> FlowState:
    """The chassis `hv1`, which has no bridge to the network that `s` leads to."""
    state = FlowState(lambda _: 1)
    state.apply(
        [
            (ThisChassis, "", ThisChassis("hv1", 9, "br-int")),
            (Chassis, "gw1", Chassis("gw1", encaps=(Encap("geneve", "192.0.2.2"),))),
            (Datapath, "s", Datapath("s", "ls", "s", 5)),
            (Datapath, "r", Datapath("r", "lr", "r", 6)),
            port("s-out", "s", "localnet", 3, network="physnet"),
        ]
    )
    return state


@pytest.mark.parametrize(
    "needing",
    [
        [VM, HERE],
        [port("s-r", "s", "patch", 1, peer="r-s"), port("r-s", "r", "patch", 1, peer="s-r")],
        gateway("gw1", "hv1"),
        gateway("gw1", network="physnet"),
        [*gateway("gw1"), port("vm", "in", "vif", 5), HERE, floating("vm")],
        [
            *gateway("gw1"),
            port("vm", "in", "vif", 5),
            HERE,
            port("vip", "in", "virtual", 6),
            (SpokenFor, "vip", SpokenFor("vm")),
            floating("vip"),
        ],
        [port("metal", "s", "external", 5, candidates=("hv1",))],
    ],
    ids=["workload", "routed", "stands in", "bridged", "floating", "virtual", "external"],
)
def test_what_a_host_needs_and_lacks_is_told(state: FlowState, needing: list[Change]) -> None:
    assert state.networks_out_of_reach == set()
    state.apply(needing)
    assert state.networks_out_of_reach == {"physnet"}
    assert state.self_check() == []
    state.apply([(ProviderBridge, "physnet", ProviderBridge("br-physnet"))])
    assert state.networks_out_of_reach == set()
    state.apply([(ProviderBridge, "physnet", None)])
    state.apply([(table, key, None) for table, key, _ in needing])
    assert state.networks_out_of_reach == set()
    assert state.self_check() == []


@pytest.mark.parametrize(
    "others",
    [
        gateway("gw1"),
        [VM],
        [port("meta", "s", "localport", 5), (LocalPort, "meta", LocalPort(4))],
        [*gateway("gw1"), port("vm", "in", "vif", 5, chassis="gw1"), floating("vm")],
        [*gateway("gw1"), port("vm", "in", "vif", 5), HERE],
    ],
    ids=["gateway elsewhere", "workload elsewhere", "local", "floating elsewhere", "by tunnel"],
)
def test_what_others_do_needs_no_bridge_here(state: FlowState, others: list[Change]) -> None:
    state.apply(others)
    assert state.networks_out_of_reach == set()
