"""The driver's calls against a real server: what it is, pools, swarms and projects."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.testbed.server import Server as Treadle
from cli.testbed.tcp_ports import free_ports
from tests.databases import new_database
from tests.unit.integrations.docker.conftest import (
    ENDPOINT,
    NET,
    SPACE,
    Play,
    PlayedDocker,
    items,
    ports,
    post,
)

pytestmark = pytest.mark.processes


# What the driver is


def test_it_introduces_itself(docker: PlayedDocker, play: Play) -> None:
    assert docker.call("Plugin.Activate") == {"Implements": ["NetworkDriver", "IpamDriver"]}
    assert docker.call("NetworkDriver.GetCapabilities")["Scope"] == "local"
    wide = play(wide=True)
    assert wide.call("NetworkDriver.GetCapabilities")["Scope"] == "global"
    assert docker.call("IpamDriver.GetCapabilities")["RequiresMACAddress"] is True
    spaces = docker.call("IpamDriver.GetDefaultAddressSpaces")
    assert len(set(spaces.values())) == 2
    assert docker.call("NetworkDriver.GwAllocCheck", Options={})["SkipIPv4"] is False


def test_unknown_calls_are_not_implemented(docker: PlayedDocker) -> None:
    assert docker.refusal("NetworkDriver.Dance")[0] == 404


def test_calls_without_meaning_here_succeed(docker: PlayedDocker) -> None:
    for name in ("DiscoverNew", "DiscoverDelete"):
        assert docker.call(f"NetworkDriver.{name}", DiscoveryType=1, DiscoveryData={}) == {}
    for name in ("ProgramExternalConnectivity", "RevokeExternalConnectivity", "Leave"):
        assert docker.call(f"NetworkDriver.{name}", NetworkID=NET, EndpointID=ENDPOINT) == {}


@pytest.mark.parametrize(
    "name",
    [
        *(f"NetworkDriver.{each}" for each in ("CreateNetwork", "DeleteNetwork")),
        *(f"NetworkDriver.{each}" for each in ("AllocateNetwork", "FreeNetwork")),
        *(f"NetworkDriver.{each}" for each in ("CreateEndpoint", "DeleteEndpoint", "Join")),
        *(f"NetworkDriver.{each}" for each in ("Leave", "EndpointOperInfo")),
        *(f"IpamDriver.{each}" for each in ("RequestPool", "ReleasePool")),
        *(f"IpamDriver.{each}" for each in ("RequestAddress", "ReleaseAddress")),
    ],
)
@pytest.mark.parametrize(
    "octets",
    [b"", b"{}", b"[1]", b"{", b'{"NetworkID": 7, "PoolID": 7}', b'{"NetworkID": "../x"}'],
)
def test_each_call_refuses_what_docker_would_not_send(
    docker: PlayedDocker, name: str, octets: bytes
) -> None:
    answer = docker.routes.answer(name, octets)
    assert answer.status in (400, 409)
    assert answer.body["Err"]


# Pools


def test_a_pool_is_nothing_until_a_network_has_it(docker: PlayedDocker, api: httpx.Client) -> None:
    pool = docker.pool()
    assert docker.pool() == pool
    gateway = {"RequestAddressType": "com.docker.network.gateway"}
    body = {"PoolID": pool, "Options": gateway}
    assert docker.call("IpamDriver.RequestAddress", **body)["Address"] == "10.0.0.1/24"
    body["Address"] = "10.0.0.77"
    assert docker.call("IpamDriver.RequestAddress", **body)["Address"] == "10.0.0.77/24"
    assert docker.call("IpamDriver.ReleaseAddress", PoolID=pool, Address="10.0.0.77") == {}
    assert docker.call("IpamDriver.ReleasePool", PoolID=pool) == {}
    assert items(api, "logical-switches") == []


def test_pools_of_which_nothing_is_said(docker: PlayedDocker) -> None:
    found = set()
    for _ in range(2):
        answer = docker.call("IpamDriver.RequestPool", AddressSpace=SPACE, Pool="")
        found.add(answer["Pool"])
    assert found == {"10.192.0.0/24", "10.192.1.0/24"}
    answer = docker.call("IpamDriver.RequestPool", AddressSpace=SPACE, Pool="", V6=True)
    assert answer["Pool"].startswith("fd")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"AddressSpace": "LocalDefault"}, "no address space 'LocalDefault'"),
        ({"Pool": "10.0.0.0/24", "V6": True}, "is no IPv6 network"),
        ({"Pool": "10.0.0.1/24"}, "host bits"),
        ({"Pool": "10.0.0.0/31"}, "/30 is the smallest"),
        ({"Pool": "fd00::/48", "V6": True}, "are /64"),
        ({"Pool": "10.0.0.0/24", "SubPool": "10.1.0.0/25"}, "is not in"),
        ({"Options": {"treadle.switch": "none"}}, "there is no switch none in project default"),
        ({"Options": {"treadle.color": "red"}}, "there is no option treadle.color"),
        ({"Options": {"treadle.switch": 5}}, "is no text"),
    ],
)
def test_pools_that_cannot_be(docker: PlayedDocker, body: dict[str, Any], told: str) -> None:
    status, reason = docker.refusal("IpamDriver.RequestPool", **{"AddressSpace": SPACE, **body})
    assert status in (400, 409)
    assert told in reason


def test_a_pool_of_a_switch_has_its_subnets(docker: PlayedDocker, api: httpx.Client) -> None:
    post(api, "logical-switches", name="web", subnet4="10.5.0.0/24")
    options = {"treadle.switch": "web"}
    body: dict[str, Any] = {"AddressSpace": SPACE, "Options": options}
    assert docker.call("IpamDriver.RequestPool", **body)["Pool"] == "10.5.0.0/24"
    for wrong, told in (
        ({"Pool": "10.6.0.0/24"}, "subnet4 of switch web is 10.5.0.0/24"),
        ({"V6": True}, "switch web has no subnet6"),
        ({"Pool": "10.5.0.0/24", "SubPool": "10.5.0.0/25"}, "exclude_ips"),
    ):
        assert told in docker.refusal("IpamDriver.RequestPool", **body, **wrong)[1]


def test_a_routers_address_is_the_gateway(docker: PlayedDocker, api: httpx.Client) -> None:
    post(api, "logical-switches", name="web", subnet4="10.5.0.0/24")
    post(api, "logical-routers", name="edge")
    mac = "0a:00:00:00:00:aa"
    post(
        api,
        "logical-routers/edge/ports",
        name="edge-web",
        mac=mac,
        networks=["10.5.0.9/24"],
    )
    post(api, "logical-switches/web/ports", name="web-edge", router_port="edge-web")
    pool = docker.pool("10.5.0.0/24", switch="web")
    gateway = {"RequestAddressType": "com.docker.network.gateway"}
    answer = docker.call("IpamDriver.RequestAddress", PoolID=pool, Options=gateway)
    assert answer["Address"] == "10.5.0.9/24"


# A swarm


def test_a_network_of_a_swarm(api: httpx.Client, play: Play) -> None:
    network = "0123456789abcdefghijklmno"
    manager, worker = (play(name, wide=True) for name in ("m", "w"))
    pool = manager.pool(space="treadle-global")
    options = {"treadle.mtu": "1400"}
    body = manager.network_body("10.0.0.0/24", network=network, space="treadle-global")
    allocated = manager.call(
        "NetworkDriver.AllocateNetwork",
        **{**body, "Options": options},
    )
    assert allocated == {"Options": options}
    # The manager knows no interface yet, and so no MAC address.
    address = manager.call("IpamDriver.RequestAddress", PoolID=pool)["Address"]
    assert address == "10.0.0.2/24"
    for host in (manager, worker):
        host.call("NetworkDriver.CreateNetwork", **body)
    assert len(items(api, "logical-switches")) == 1
    for host in (manager, worker):
        host.call("NetworkDriver.DeleteNetwork", NetworkID=network)
    assert len(items(api, "logical-switches")) == 1
    manager.call("IpamDriver.ReleaseAddress", PoolID=pool, Address="10.0.0.2")
    manager.call("NetworkDriver.FreeNetwork", NetworkID=network)
    assert items(api, "logical-switches") == []


# A project


def test_with_a_token_of_one_project(tmp_path: Path) -> None:
    """All that a host asks is within its project, switches that others share included."""
    server = Treadle(tmp_path, *free_ports(2))
    new_database(server.database)
    admin, token = (_token(server, *words) for words in (("admin",), ("operator", "acme")))
    process = server.start({"TREADLE_SERVER__API__AUTHENTICATION": "true"})
    try:
        server.wait_until_ready(process)
        with httpx.Client(
            base_url=server.url, timeout=30, headers={"Authorization": f"Bearer {admin}"}
        ) as api:
            docker = PlayedDocker(server.url, token=token, project="acme")
            pool = docker.pool()
            docker.network("10.0.0.0/24", router="edge")
            docker.endpoint(docker.address(pool))
            (port,) = ports(api)
            assert port["project"] == "acme"
            body = {"NetworkID": NET, "EndpointID": ENDPOINT}
            docker.call("NetworkDriver.EndpointOperInfo", **body)
            docker.call("NetworkDriver.DeleteEndpoint", **body)
            docker.call("IpamDriver.ReleaseAddress", PoolID=pool, Address="10.0.0.2")
            docker.call("NetworkDriver.DeleteNetwork", NetworkID=NET)
            assert items(api, "logical-switches") == items(api, "logical-routers") == []
            shared = post(api, "logical-switches", name="all", subnet4="10.9.0.0/24", shared=True)
            post(api, "logical-switches", name="hidden", subnet4="10.9.0.0/24")
            pool = docker.pool("10.9.0.0/24", switch=shared["id"])
            docker.network("10.9.0.0/24", switch=shared["id"])
            docker.endpoint(docker.address(pool))
            (port,) = ports(api)
            assert (port["project"], port["logical_switch"]) == ("acme", "default/all")
            docker.call("NetworkDriver.DeleteEndpoint", **body)
            docker.call("NetworkDriver.DeleteNetwork", NetworkID=NET)
            assert items(api, "logical-switch-ports") == []
            hidden = {"AddressSpace": SPACE, "Options": {"treadle.switch": "hidden"}}
            told = docker.refusal("IpamDriver.RequestPool", **hidden)[1]
            assert "no switch hidden in project acme" in told
            docker.sessions.close()
    finally:
        process.stop()


def _token(server: Treadle, role: str, project: str | None = None) -> str:
    options = [] if project is None else ["--project", project]
    argv = [sys.executable, "-m", "cli.main", "token", "create", f"a-{role}", "--role", role]
    done = subprocess.run(
        [*argv, *options, "--database", str(server.database)],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()[-1]
