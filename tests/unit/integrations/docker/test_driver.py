"""Every call of Docker's against a real server, with a host that is played."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.testbed.lab import _free_ports
from cli.testbed.server import Server as Treadle
from integrations.deadline import Deadline, TimeLimitError
from integrations.docker import ids
from integrations.docker.endpoints import EndpointDriver
from integrations.docker.fields import network_of
from integrations.docker.ipam import IpamDriver, PendingPools
from integrations.docker.networks import NetworkDriver
from integrations.docker.records import Records
from integrations.docker.routes import Routes
from integrations.docker.session import Sessions
from integrations.host.bridge import BridgePort
from integrations.host.errors import CommandFailedError
from tests.databases import new_database

pytestmark = pytest.mark.processes

NET, OTHER, ENDPOINT = "a1" * 32, "b2" * 32, "e1" * 32
MAC = "02:42:00:00:00:01"
SPACE = "treadle-local"


@pytest.fixture(scope="module")
def treadle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Treadle]:
    server = Treadle(tmp_path_factory.mktemp("server"), *_free_ports(2))
    process = server.start()
    try:
        server.wait_until_ready(process)
        yield server
    finally:
        process.stop()


@pytest.fixture
def api(treadle: Treadle) -> Iterator[httpx.Client]:
    """The server's API; what a test made is removed at its end."""
    with treadle.client() as client:
        yield client
        for kind in ("port-groups", "logical-switches", "logical-routers"):
            for item in client.get(f"/v1/{kind}?limit=1000").json()["items"]:
                client.delete(f"/v1/{kind}/{item['id']}?cascade=true").raise_for_status()


class PlayedHost:
    """Stands in for interfaces and Open vSwitch; `error` is what plugging fails with."""

    bridge = "br-int"

    def __init__(self) -> None:
        self.plugged: dict[str, tuple[str, str, int]] = {}
        self.error: Exception | None = None
        self.has_agent = True

    def plug(
        self, endpoint: str, network: str, port: str, mac: str, mtu: int, deadline: Deadline
    ) -> None:
        self.plugged[endpoint] = port, mac, mtu
        if self.error is not None:
            raise self.error

    def unplug(self, endpoint: str, deadline: Deadline) -> None:
        self.plugged.pop(endpoint, None)

    def wait_up(self, endpoint: str, deadline: Deadline) -> None:
        if not self.has_agent:
            raise TimeLimitError("not in time")

    def find(self, endpoint: str, deadline: Deadline) -> BridgePort | None:
        if endpoint not in self.plugged:
            return None
        facts = {"iface-id": self.plugged[endpoint][0]}
        if self.has_agent:
            facts["treadle-installed"] = "true"
        return BridgePort("td", facts, 1, "")

    def is_there(self, endpoint: str, deadline: Deadline) -> bool:
        return endpoint in self.plugged


class PlayedDocker:
    """Calls the driver of one host as Docker does."""

    def __init__(
        self,
        url: str,
        host: str = "hv1",
        *,
        wide: bool = False,
        token: str | None = None,
        project: str = "default",
    ) -> None:
        self.sessions = Sessions(url, token, None, plain_text=False, seconds=10)
        self.host = PlayedHost()
        self.name = host
        records, pending = Records(host), PendingPools()
        self.routes = Routes(
            self.sessions,
            IpamDriver(records, pending, project, network_of("10.192.0.0/10"), wide=wide),
            NetworkDriver(records, pending, project, wide=wide),
            EndpointDriver(records, self.host, 1442),  # type: ignore[arg-type]
        )

    def call(self, name: str, **body: Any) -> dict[str, Any]:
        answer = self.routes.answer(name, json.dumps(body).encode())
        assert answer.status == 200, answer.body
        return answer.body

    def refusal(self, name: str, **body: Any) -> tuple[int, str]:
        answer = self.routes.answer(name, json.dumps(body).encode())
        assert answer.body["Err"] == answer.body["Error"]
        return answer.status, answer.body["Err"]

    def pool(self, subnet: str = "10.0.0.0/24", space: str = SPACE, **options: str) -> str:
        given = {f"treadle.{key}": value for key, value in options.items()}
        v6 = ":" in subnet
        answer = self.call(
            "IpamDriver.RequestPool", AddressSpace=space, Pool=subnet, V6=v6, Options=given
        )
        assert answer["Pool"] == subnet
        return str(answer["PoolID"])

    def network_body(
        self, *subnets: str, network: str = NET, space: str = SPACE, **options: str
    ) -> dict[str, Any]:
        given = {f"treadle.{key.replace('_', '-')}": value for key, value in options.items()}
        data = [
            {"AddressSpace": space, "Pool": each, "Gateway": _gateway(each)} for each in subnets
        ]
        return {
            "NetworkID": network,
            "Options": {"com.docker.network.generic": given},
            "IPv4Data": [each for each in data if "." in each["Pool"]],
            "IPv6Data": [each for each in data if ":" in each["Pool"]],
        }

    def network(self, *subnets: str, **options: str) -> None:
        self.call("NetworkDriver.CreateNetwork", **self.network_body(*subnets, **options))

    def address(self, pool: str, mac: str = MAC, address: str = "") -> str:
        options = {"com.docker.network.endpoint.macaddress": mac}
        body = {"PoolID": pool, "Address": address, "Options": options}
        return str(self.call("IpamDriver.RequestAddress", **body)["Address"])

    def endpoint(
        self,
        *addresses: str,
        mac: str = MAC,
        endpoint: str = ENDPOINT,
        network: str = NET,
        **options: Any,
    ) -> dict[str, Any]:
        body = endpoint_body(*addresses, mac=mac, endpoint=endpoint, network=network, **options)
        return self.call("NetworkDriver.CreateEndpoint", **body)


def _gateway(subnet: str) -> str:
    network = network_of(subnet)
    return f"{network.network_address + 1}/{network.prefixlen}"


def endpoint_body(
    *addresses: str,
    mac: str = MAC,
    endpoint: str = ENDPOINT,
    network: str = NET,
    **options: Any,
) -> dict[str, Any]:
    interface = {"MacAddress": mac}
    for address in addresses:
        interface["AddressIPv6" if ":" in address else "Address"] = address
    return {
        "NetworkID": network,
        "EndpointID": endpoint,
        "Interface": interface,
        "Options": options,
    }


Play = Callable[..., PlayedDocker]


@pytest.fixture
def play(treadle: Treadle, api: httpx.Client) -> Iterator[Play]:
    """Makes hosts with Docker: ``play("hv2")``."""
    played: list[PlayedDocker] = []

    def make(*words: str, url: str = treadle.url, wide: bool = False) -> PlayedDocker:
        played.append(PlayedDocker(url, *words, wide=wide))
        return played[-1]

    yield make
    for each in played:
        each.sessions.close()


@pytest.fixture
def docker(play: Play) -> PlayedDocker:
    return play()


def items(api: httpx.Client, kind: str) -> list[dict[str, Any]]:
    answer = api.get(f"/v1/{kind}?limit=1000")
    answer.raise_for_status()
    found: list[dict[str, Any]] = answer.json()["items"]
    return found


def ports(api: httpx.Client, role: str = "endpoint") -> list[dict[str, Any]]:
    return [
        each for each in items(api, "logical-switch-ports") if each["labels"].get(ids.ROLE) == role
    ]


def post(api: httpx.Client, kind: str, **values: Any) -> dict[str, Any]:
    answer = api.post(f"/v1/{kind}", json=values)
    assert answer.is_success, answer.text
    made: dict[str, Any] = answer.json()
    return made


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
    docker = play(url=f"http://127.0.0.1:{_free_ports(1)[0]}")
    docker.sessions.seconds = 2
    status, told = docker.refusal("NetworkDriver.DeleteNetwork", NetworkID=NET)
    assert (status, "refused" in told) == (503, True)
    status, told = docker.refusal("NetworkDriver.CreateEndpoint", **endpoint_body("10.0.0.2/24"))
    assert (status, "refused" in told) == (503, True)
    assert docker.host.plugged == {}


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
    server = Treadle(tmp_path, *_free_ports(2))
    new_database(server.database)
    admin, token = (_token(server, *words) for words in (("admin",), ("operator", "acme")))
    process = server.start({"TREADLE_SERVER__API__AUTHENTICATION": "true"})
    try:
        server.wait_until_ready(process)
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {admin}"}) as api:
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
