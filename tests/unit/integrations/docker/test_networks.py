"""Networks of Docker's against a real server: switches and routers, shared and of their own."""

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from tests.unit.integrations.docker.conftest import (
    MAC,
    NET,
    OTHER,
    SPACE,
    Play,
    PlayedDocker,
    endpoint_body,
    items,
    ports,
    post,
)

pytestmark = pytest.mark.processes


# Networks


def test_a_network_makes_a_switch_and_takes_it_away(
    docker: PlayedDocker, api: httpx.Client
) -> None:
    docker.pool()
    docker.network("10.0.0.0/24")
    (switch,) = items(api, "logical-switches")
    assert (switch["subnet4"], switch["exclude_ips"]) == ("10.0.0.0/24", ["10.0.0.1"])
    assert switch["name"] == f"docker-{NET[:12]}"
    (record,) = ports(api, "network")
    assert (record["enabled"], record["addresses"]) == (False, [])
    docker.network("10.0.0.0/24")  # the same call again, its answer having been lost
    assert len(items(api, "logical-switch-ports")) == 1
    docker.call("NetworkDriver.DeleteNetwork", NetworkID=NET)
    docker.call("NetworkDriver.DeleteNetwork", NetworkID=NET)
    assert items(api, "logical-switches") == []


def test_a_switch_that_was_there_stays(docker: PlayedDocker, api: httpx.Client) -> None:
    post(api, "logical-switches", name="web", subnet4="10.0.0.0/24", subnet6="fd00::/64")
    docker.pool("10.0.0.0/24", switch="web")
    docker.pool("fd00::/64", switch="web")
    # What either option says holds for both.
    docker.network("10.0.0.0/24", "fd00::/64")
    (record,) = ports(api, "network")
    assert record["logical_switch"] == "web"
    docker.call("NetworkDriver.DeleteNetwork", NetworkID=NET)
    assert [each["name"] for each in items(api, "logical-switches")] == ["web"]
    assert items(api, "logical-switch-ports") == []


def test_hosts_share_a_switch_that_goes_with_the_last(
    docker: PlayedDocker, api: httpx.Client, play: Play
) -> None:
    second = play("hv2")
    for each, network in ((docker, NET), (second, OTHER)):
        each.pool(switch="web")
        each.network("10.0.0.0/24", network=network, switch="web")
    assert [each["name"] for each in items(api, "logical-switches")] == ["web"]
    docker.call("NetworkDriver.DeleteNetwork", NetworkID=NET)
    assert [each["name"] for each in items(api, "logical-switches")] == ["web"]
    second.call("NetworkDriver.DeleteNetwork", NetworkID=OTHER)
    assert items(api, "logical-switches") == []


def test_hosts_that_leave_a_switch_at_once_leave_none(
    docker: PlayedDocker, api: httpx.Client, play: Play
) -> None:
    hosts = [docker, play("hv2"), play("hv3")]
    for _ in range(5):
        for host in hosts:
            host.pool(switch="web")
            host.network("10.0.0.0/24", switch="web", router="edge")
        with ThreadPoolExecutor() as pool:
            body = {"NetworkID": NET}
            calls = [
                pool.submit(host.call, "NetworkDriver.DeleteNetwork", **body) for host in hosts
            ]
            assert [call.result() for call in calls] == [{}, {}, {}]
        assert items(api, "logical-switches") == items(api, "logical-routers") == []


def test_hosts_that_join_a_switch_at_once_share_it(
    docker: PlayedDocker, api: httpx.Client, play: Play
) -> None:
    hosts = [docker, play("hv2"), play("hv3")]
    with ThreadPoolExecutor() as pool:
        for host in hosts:
            host.pool(switch="web")
        calls = [pool.submit(host.network, "10.0.0.0/24", switch="web") for host in hosts]
        for call in calls:
            call.result()
    assert len(items(api, "logical-switches")) == 1
    assert len(ports(api, "network")) == 3


def test_a_made_switch_that_others_use_stays(docker: PlayedDocker, api: httpx.Client) -> None:
    docker.pool(switch="web")
    docker.network("10.0.0.0/24", switch="web")
    post(api, "logical-switches/web/ports", name="vm-1", addresses=["dynamic"])
    docker.call("NetworkDriver.DeleteNetwork", NetworkID=NET)
    assert [each["name"] for each in items(api, "logical-switch-ports")] == ["vm-1"]


def test_kept_addresses_and_ranges_are_excluded(docker: PlayedDocker, api: httpx.Client) -> None:
    body = {"AddressSpace": SPACE, "Pool": "10.0.0.0/24", "SubPool": "10.0.0.64/26"}
    pool = docker.call("IpamDriver.RequestPool", **body)["PoolID"]
    aux = {"PoolID": pool, "Address": "10.0.0.70"}
    assert docker.call("IpamDriver.RequestAddress", **aux)["Address"] == "10.0.0.70/24"
    made = docker.network_body("10.0.0.0/24")
    made["IPv4Data"][0]["AuxAddresses"] = {"router": "10.0.0.70/24"}
    docker.call("NetworkDriver.CreateNetwork", **made)
    (switch,) = items(api, "logical-switches")
    assert set(switch["exclude_ips"]) == {
        "10.0.0.1",
        "10.0.0.70",
        "10.0.0.0..10.0.0.63",
        "10.0.0.128..10.0.0.255",
    }
    assert docker.address(str(pool)) == "10.0.0.64/24"


def test_on_a_switch_that_was_there_kept_addresses_are_claimed(
    docker: PlayedDocker, api: httpx.Client
) -> None:
    post(api, "logical-switches", name="web", subnet4="10.0.0.0/24")
    post(api, "logical-switches/web/ports", name="vm", addresses=["0a:00:00:00:00:01 10.0.0.9"])
    docker.pool(switch="web")
    made = docker.network_body("10.0.0.0/24", switch="web")
    made["IPv4Data"][0]["Gateway"] = "10.0.0.2/24"
    made["IPv4Data"][0]["AuxAddresses"] = {"vm": "10.0.0.9/24"}
    docker.call("NetworkDriver.CreateNetwork", **made)
    (record,) = ports(api, "network")
    assert record["dynamic_addresses"].split()[1:] == ["10.0.0.2"]


def test_the_gateway_may_be_a_router_that_joins_networks(
    docker: PlayedDocker, api: httpx.Client
) -> None:
    docker.pool("10.1.0.0/24")
    docker.pool("10.2.0.0/24")
    docker.network("10.1.0.0/24", router="edge")
    docker.network("10.2.0.0/24", network=OTHER, router="edge")
    assert [each["name"] for each in items(api, "logical-routers")] == ["edge"]
    networks = [each["networks"] for each in items(api, "logical-router-ports")]
    assert sorted(networks) == [["10.1.0.1/24"], ["10.2.0.1/24"]]
    docker.call("NetworkDriver.DeleteNetwork", NetworkID=NET)
    assert len(items(api, "logical-router-ports")) == 1
    docker.call("NetworkDriver.DeleteNetwork", NetworkID=OTHER)
    assert items(api, "logical-routers") == items(api, "logical-switches") == []


def test_a_router_that_was_there_stays(docker: PlayedDocker, api: httpx.Client) -> None:
    post(api, "logical-routers", name="edge")
    docker.pool()
    docker.network("10.0.0.0/24", router="edge")
    docker.call("NetworkDriver.DeleteNetwork", NetworkID=NET)
    assert [each["name"] for each in items(api, "logical-routers")] == ["edge"]
    assert items(api, "logical-router-ports") == []


def test_with_dockers_own_addresses_the_switch_gives_none_out(
    docker: PlayedDocker, api: httpx.Client
) -> None:
    docker.network("172.20.0.0/16", space="LocalDefault")
    (switch,) = items(api, "logical-switches")
    assert (switch["subnet4"], switch["exclude_ips"]) == (None, [])
    docker.endpoint("172.20.0.2/16")
    (port,) = ports(api)
    assert port["addresses"] == [f"{MAC} 172.20.0.2"]


def test_an_address_that_another_port_holds_is_refused_by_name(
    docker: PlayedDocker, api: httpx.Client
) -> None:
    post(api, "logical-switches", name="web")
    post(api, "logical-switches/web/ports", name="vm", addresses=["0a:00:00:00:00:01 10.0.0.9"])
    docker.network("10.0.0.0/24", space="LocalDefault", switch="web")
    body = endpoint_body("10.0.0.9/24")
    status, reason = docker.refusal("NetworkDriver.CreateEndpoint", **body)
    assert (status, "'10.0.0.9'" in reason, "vm" in reason) == (409, True, True)
    assert docker.host.plugged == {}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"acl_profile": "nobody"}, "project default has no port group nobody"),
        ({"colour": "red"}, "there is no option treadle.colour"),
        ({"switch": "other"}, "differ"),
        ({"project": "acme"}, "differ"),
    ],
)
def test_networks_that_cannot_be(
    docker: PlayedDocker, api: httpx.Client, change: dict[str, str], told: str
) -> None:
    docker.pool(switch="web")
    body = docker.network_body("10.0.0.0/24", **change)
    status, reason = docker.refusal("NetworkDriver.CreateNetwork", **body)
    assert (status, told in reason) == (409, True), reason
    assert items(api, "logical-switches") == []


def test_a_switch_with_another_subnet_is_refused(docker: PlayedDocker, api: httpx.Client) -> None:
    post(api, "logical-switches", name="web", subnet4="10.9.0.0/24")
    body = docker.network_body("10.0.0.0/24", space="LocalDefault", switch="web")
    told = docker.refusal("NetworkDriver.CreateNetwork", **body)[1]
    assert "subnet4 of switch web is 10.9.0.0/24" in told


def test_two_subnets_of_a_family_are_refused(docker: PlayedDocker) -> None:
    body = docker.network_body("10.0.0.0/24", "10.1.0.0/24", space="LocalDefault")
    told = docker.refusal("NetworkDriver.CreateNetwork", **body)[1]
    assert "one subnet of each family" in told


def test_the_same_addresses_twice_need_a_name(docker: PlayedDocker, api: httpx.Client) -> None:
    docker.pool()
    docker.network("10.0.0.0/24")
    body = {"AddressSpace": SPACE, "Pool": "10.0.0.0/24"}
    assert f"network {NET[:12]}'s already" in docker.refusal("IpamDriver.RequestPool", **body)[1]
    docker.pool(switch="second")
    docker.network("10.0.0.0/24", network=OTHER, switch="second")
    assert len(items(api, "logical-switches")) == 2
