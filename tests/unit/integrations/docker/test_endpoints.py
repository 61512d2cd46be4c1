"""Addresses and endpoints of Docker's against a real server, with a host that is played."""

import httpx
import pytest

from cli.testbed.tcp_ports import free_ports
from integrations.docker import ids
from integrations.host.errors import CommandFailedError
from tests.unit.integrations.docker.conftest import (
    ENDPOINT,
    MAC,
    NET,
    Play,
    PlayedDocker,
    endpoint_body,
    items,
    ports,
    post,
)

pytestmark = pytest.mark.processes


# Addresses


def test_an_address_is_claimed_before_it_is_told(docker: PlayedDocker, api: httpx.Client) -> None:
    pool = docker.pool("10.7.0.0/24")
    docker.network("10.7.0.0/24")
    first = docker.address(pool)
    assert first == "10.7.0.2/24"
    assert docker.address(pool) == first  # made again, its answer having been lost
    (port,) = ports(api)
    assert port["dynamic_addresses"] == f"{MAC} 10.7.0.2"
    assert docker.address(pool, mac="02:42:00:00:00:02") == "10.7.0.3/24"
    assert docker.address(pool, mac="02:42:00:00:00:03", address="10.7.0.50") == "10.7.0.50/24"
    docker.call("IpamDriver.ReleaseAddress", PoolID=pool, Address="10.7.0.2")
    docker.call("IpamDriver.ReleaseAddress", PoolID=pool, Address="10.7.0.2")
    assert len(ports(api)) == 2


def test_both_families_of_an_interface_are_one_port(
    docker: PlayedDocker, api: httpx.Client
) -> None:
    pool4, pool6 = docker.pool("10.8.0.0/24"), docker.pool("fd00::/64")
    docker.network("10.8.0.0/24", "fd00::/64")
    assert docker.address(pool4) == "10.8.0.2/24"
    assert docker.address(pool6) == "fd00::42:ff:fe00:1/64"
    other = "02:42:00:00:00:02"
    assert docker.address(pool4, mac=other) == "10.8.0.3/24"
    assert docker.address(pool6, mac=other, address="fd00::77") == "fd00::77/64"
    third = "02:42:00:00:00:03"
    assert docker.address(pool4, mac=third, address="10.8.0.99") == "10.8.0.99/24"
    assert docker.address(pool6, mac=third) == "fd00::42:ff:fe00:3/64"
    assert docker.address(pool6, mac=third) == "fd00::42:ff:fe00:3/64"
    assert len(ports(api)) == 3


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("10.0.0.1", "is the gateway's"),
        ("10.1.0.1", "is not in 10.0.0.0/24"),
        ("10.0.0.255", "is no host's"),
        ("10.0.0.0", "is no host's"),
        ("fd00::1", "is not in"),
        ("10.0.0.60", "already taken"),
    ],
)
def test_addresses_that_cannot_be_had(docker: PlayedDocker, address: str, told: str) -> None:
    pool = docker.pool()
    docker.network("10.0.0.0/24")
    docker.address(pool, mac="02:42:00:00:00:60", address="10.0.0.60")
    options = {"com.docker.network.endpoint.macaddress": MAC}
    body = {"PoolID": pool, "Address": address, "Options": options}
    status, reason = docker.refusal("IpamDriver.RequestAddress", **body)
    assert (status, told in reason) == (409, True), reason


def test_an_exhausted_pool_says_so(docker: PlayedDocker) -> None:
    pool = docker.pool("10.0.0.0/30")
    docker.network("10.0.0.0/30")
    assert docker.address(pool) == "10.0.0.2/30"
    options = {"com.docker.network.endpoint.macaddress": "02:42:00:00:00:02"}
    told = docker.refusal("IpamDriver.RequestAddress", PoolID=pool, Options=options)[1]
    assert "10.0.0.0/30" in told


def test_an_address_of_a_pool_without_a_network_is_refused(docker: PlayedDocker) -> None:
    options = {"com.docker.network.endpoint.macaddress": MAC}
    told = docker.refusal("IpamDriver.RequestAddress", PoolID=docker.pool(), Options=options)[1]
    assert "no network has the pool" in told


# Endpoints


def test_an_endpoint_is_a_port_in_its_groups(docker: PlayedDocker, api: httpx.Client) -> None:
    for name in ("web", "all"):
        post(api, "port-groups", name=name)
    pool = docker.pool("10.6.0.0/24")
    docker.network("10.6.0.0/24", acl_profile="all")
    address = docker.address(pool)
    assert docker.endpoint(address, **{"treadle.acl-profile": "web"}) == {"Interface": {}}
    (port,) = ports(api)
    assert port["addresses"] == port["port_security"] == [f"{MAC} 10.6.0.2"]
    assert port["labels"][ids.ENDPOINT] == ENDPOINT
    groups = {each["name"]: each["ports"] for each in items(api, "port-groups")}
    assert groups == {"web": [port["name"]], "all": [port["name"]]}
    assert docker.host.plugged[ENDPOINT] == (port["id"], MAC, 1442)
    docker.endpoint(address)  # again
    body = {"NetworkID": NET, "EndpointID": ENDPOINT}
    docker.call("NetworkDriver.DeleteEndpoint", **body)
    docker.call("NetworkDriver.DeleteEndpoint", **body)
    assert (ports(api), docker.host.plugged) == ([], {})
    assert docker.call("IpamDriver.ReleaseAddress", PoolID=pool, Address="10.6.0.2") == {}


def test_joining_says_the_interface_and_the_gateways(docker: PlayedDocker) -> None:
    docker.pool("10.0.0.0/24")
    docker.pool("fd00::/64")
    docker.network("10.0.0.0/24", "fd00::/64")
    body = {"NetworkID": NET, "EndpointID": ENDPOINT, "SandboxKey": "/var/run/docker/netns/x"}
    assert docker.call("NetworkDriver.Join", **body) == {
        "InterfaceName": {"SrcName": f"tc{ENDPOINT[:12]}", "DstPrefix": "eth"},
        "Gateway": "10.0.0.1",
        "GatewayIPv6": "fd00::1",
        "DisableGatewayService": True,
    }


def test_an_internal_network_has_no_gateway(docker: PlayedDocker) -> None:
    body = docker.network_body("10.0.0.0/24", space="LocalDefault")
    body["Options"]["com.docker.network.internal"] = True
    docker.call("NetworkDriver.CreateNetwork", **body)
    answer = docker.call("NetworkDriver.Join", NetworkID=NET, EndpointID=ENDPOINT)
    assert "Gateway" not in answer
    assert answer["DisableGatewayService"] is True


def test_a_restarted_driver_remembers_its_networks(
    docker: PlayedDocker, api: httpx.Client, play: Play
) -> None:
    post(api, "port-groups", name="all")
    pool = docker.pool(switch="web")
    docker.network(
        "10.0.0.0/24", acl_profile="all", mtu="1300", port_security="false", switch="web"
    )
    restarted = play()
    restarted.endpoint(restarted.address(pool))
    (port,) = ports(api)
    assert port["port_security"] == []
    assert restarted.host.plugged[ENDPOINT] == (port["id"], MAC, 1300)
    assert items(api, "port-groups")[0]["ports"] == [port["name"]]
    stranger = play("hv2")
    status, told = stranger.refusal("NetworkDriver.CreateEndpoint", **endpoint_body("10.0.0.9/24"))
    assert (status, "isn't known to Treadle" in told) == (409, True)


def test_published_ports_are_refused_unless_asked_to_be_ignored(
    docker: PlayedDocker, api: httpx.Client
) -> None:
    docker.network("10.0.0.0/24", space="LocalDefault")
    published = {"com.docker.network.portmap": [{"Proto": 6, "Port": 80, "HostPort": 8080}]}
    exposed = {"com.docker.network.endpoint.exposedports": [{"Proto": 6, "Port": 80}]}
    body = endpoint_body("10.0.0.2/24", **published, **exposed)
    status, told = docker.refusal("NetworkDriver.CreateEndpoint", **body)
    assert (status, "load balancers" in told) == (409, True)
    assert (docker.host.plugged, ports(api)) == ({}, [])
    docker.endpoint("10.0.0.2/24", **exposed)
    docker.call("NetworkDriver.DeleteEndpoint", NetworkID=NET, EndpointID=ENDPOINT)
    docker.call("NetworkDriver.DeleteNetwork", NetworkID=NET)
    docker.network("10.0.0.0/24", space="LocalDefault", published_ports="ignore")
    docker.endpoint("10.0.0.2/24", **published)


def test_without_a_mac_address_one_is_made_up(docker: PlayedDocker) -> None:
    docker.network("10.0.0.0/24", space="LocalDefault")
    answer = docker.endpoint("10.0.0.2/24", mac="")
    again = docker.endpoint("10.0.0.2/24", mac="")
    assert answer == again
    assert docker.host.plugged[ENDPOINT][1] == answer["Interface"]["MacAddress"]


def test_a_users_mac_address_is_taken_once(docker: PlayedDocker, api: httpx.Client) -> None:
    pool = docker.pool()
    docker.network("10.0.0.0/24")
    docker.endpoint(docker.address(pool))
    options = {"com.docker.network.endpoint.macaddress": MAC}
    body = {"PoolID": pool, "Options": options}
    status, told = docker.refusal("IpamDriver.RequestAddress", **body)
    assert (status, f"MAC address {MAC}" in told) == (409, True)
    second = endpoint_body("10.0.0.9/24", endpoint="e2" * 32)
    status, told = docker.refusal("NetworkDriver.CreateEndpoint", **second)
    assert (status, f"endpoint {ENDPOINT[:12]}'s" in told) == (409, True)
    assert len(ports(api)) == 1


def test_an_endpoint_that_fails_leaves_nothing(docker: PlayedDocker, api: httpx.Client) -> None:
    pool = docker.pool()
    docker.network("10.0.0.0/24")
    docker.host.error = CommandFailedError(("ovs-vsctl",), 1, "database connection failed")
    body = endpoint_body(docker.address(pool))
    status, told = docker.refusal("NetworkDriver.CreateEndpoint", **body)
    assert (status, "database connection failed" in told) == (503, True)
    assert (docker.host.plugged, ports(api)) == ({}, [])
    assert "CreateEndpoint" in docker.call("Treadle.Status")["degraded"]["calls"]
    docker.host.error = None
    docker.endpoint(docker.address(pool))
    assert docker.call("Treadle.Status")["degraded"] == {}


def test_an_endpoint_that_no_agent_takes_fails_in_time(
    docker: PlayedDocker, api: httpx.Client
) -> None:
    docker.network("10.0.0.0/24", space="LocalDefault")
    docker.host.has_agent = False
    body = endpoint_body("10.0.0.2/24")
    status, told = docker.refusal("NetworkDriver.CreateEndpoint", **body)
    assert (status, "is the agent of this host running?" in told) == (503, True)
    assert (docker.host.plugged, ports(api)) == ({}, [])


def test_a_group_that_went_is_named(docker: PlayedDocker, api: httpx.Client) -> None:
    post(api, "port-groups", name="all")
    docker.network("10.0.0.0/24", space="LocalDefault", acl_profile="all")
    api.delete("/v1/port-groups/all").raise_for_status()
    status, told = docker.refusal("NetworkDriver.CreateEndpoint", **endpoint_body("10.0.0.2/24"))
    assert (status, "all" in told) == (409, True)
    assert (docker.host.plugged, ports(api)) == ({}, [])


def test_after_a_restart_of_the_host_the_port_is_found_by_its_label(
    docker: PlayedDocker, api: httpx.Client
) -> None:
    docker.network("10.0.0.0/24", space="LocalDefault")
    docker.endpoint("10.0.0.2/24")
    docker.host.plugged.clear()
    docker.call("NetworkDriver.DeleteEndpoint", NetworkID=NET, EndpointID=ENDPOINT)
    assert ports(api) == []


def test_what_is_told_of_an_endpoint(docker: PlayedDocker) -> None:
    docker.network("10.0.0.0/24", space="LocalDefault")
    body = {"NetworkID": NET, "EndpointID": ENDPOINT}
    told = docker.call("NetworkDriver.EndpointOperInfo", **body)
    assert told == {"Value": {"status": "unplugged"}}
    docker.endpoint("10.0.0.2/24")
    told = docker.call("NetworkDriver.EndpointOperInfo", **body)["Value"]
    assert told["status"] == "up"
    assert told["port"] == docker.host.plugged[ENDPOINT][0]
    docker.host.has_agent = False
    told = docker.call("NetworkDriver.EndpointOperInfo", **body)["Value"]
    assert told["status"] == "down"


def test_a_server_that_is_away_is_told_in_time(play: Play) -> None:
    docker = play(url=f"http://127.0.0.1:{free_ports(1)[0]}")
    docker.sessions.seconds = 2
    status, told = docker.refusal("NetworkDriver.DeleteNetwork", NetworkID=NET)
    assert (status, "refused" in told) == (503, True)
    status, told = docker.refusal("NetworkDriver.CreateEndpoint", **endpoint_body("10.0.0.2/24"))
    assert (status, "refused" in told) == (503, True)
    assert docker.host.plugged == {}
