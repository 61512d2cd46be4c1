"""The systemd units: what the daemons may do on their hosts."""

from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"


def directives(unit: str) -> dict[str, list[str]]:
    """The values of each directive of a unit, in order."""
    found: dict[str, list[str]] = {}
    for line in (DEPLOY / unit).read_text().splitlines():
        name, is_directive, value = line.partition("=")
        if is_directive and not line.startswith("#"):
            found.setdefault(name, []).append(value)
    return found


@pytest.mark.parametrize("unit", ["treadle-agent.service", "treadle-server.service"])
def test_a_daemon_has_no_capabilities_and_writes_its_own_state_only(unit: str) -> None:
    found = directives(unit)
    assert found["CapabilityBoundingSet"] == [""]
    assert found["NoNewPrivileges"] == ["true"]
    assert found["ProtectSystem"] == ["strict"]
    assert "ReadWritePaths" not in found
    assert "AmbientCapabilities" not in found
    assert set(found["RestrictAddressFamilies"][0].split()) == {"AF_INET", "AF_INET6", "AF_UNIX"}


def test_the_agent_makes_only_system_calls_of_a_service() -> None:
    found = directives("treadle-agent.service")
    assert found["SystemCallFilter"] == ["@system-service", "~@privileged @resources"]
    assert found["MemoryDenyWriteExecute"] == found["RestrictNamespaces"] == ["true"]


def test_the_docker_driver_may_make_interfaces_and_no_more() -> None:
    found = directives("treadle-docker.service")
    assert found["CapabilityBoundingSet"] == ["CAP_NET_ADMIN"]
    assert found["NoNewPrivileges"] == found["RestrictNamespaces"] == ["true"]
    assert found["ProtectSystem"] == ["strict"]
    assert found["Before"] == ["docker.service"]
    # Other drivers' sockets are in the same directory.
    assert found["RuntimeDirectoryPreserve"] == ["yes"]
