"""Ports that this agent is too old for degrade it, for as long as there are some."""

from chassis_agent.health import Health
from chassis_agent.local.unknown_types import UnknownPortTypes
from southbound.rows import Datapath, PortBinding


def port(key: str, kind: str) -> PortBinding:
    return PortBinding(key, "ls", key, 1, kind)


def test_they_are_told_until_they_are_gone() -> None:
    health = Health()
    types = UnknownPortTypes(health)
    types.change([Datapath("ls", "ls", "ls", 1), port("a", "vif")], [])
    assert not health.reasons
    types.change([port("b", "teleporter"), port("c", "teleporter"), port("d", "x" * 200)], [])
    assert health.reasons["port_types"] == (
        "no packet gets to ports that need a newer agent: "
        f"2 of type 'teleporter', 1 of type '{'x' * 64}'"
    )
    types.change([port("b", "vif")], [(PortBinding.table, "d")])
    assert "1 of type 'teleporter'" in health.reasons["port_types"]
    types.change([], [(PortBinding.table, "c")])
    assert not health.reasons
