"""A real server, with hosts and a Docker that are played."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from cli.testbed.server import Server as Treadle
from cli.testbed.tcp_ports import free_ports
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

NET, OTHER, ENDPOINT = "a1" * 32, "b2" * 32, "e1" * 32
MAC = "02:42:00:00:00:01"
SPACE = "treadle-local"


@pytest.fixture(scope="module")
def treadle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Treadle]:
    server = Treadle(tmp_path_factory.mktemp("server"), *free_ports(2))
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
