"""Whatever is sent to the Neutron API, the answer is never a fault of the server.

Bodies are samples of all resources with some attributes replaced by arbitrary JSON, so that
most get past the first check and meet the others.
"""

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from api.neutron.app import create_neutron_app
from api.neutron.auth.authenticators import trust_local
from api.neutron.resource import Resource
from api.neutron.resources import Resources
from api.neutron.settings import NeutronLimits
from northbound.database import open_database
from tests.databases import new_database
from tests.unit.api.conftest import serve

Send = Callable[..., httpx.Response]

NETWORK, POOL, GROUP = (f"0b4b5f0e-52c1-4d1f-9d1f-00000000000{i}" for i in range(3))
SAMPLES: dict[str, dict[str, Any]] = {
    "network": {"name": "net", "mtu": 1400},
    "subnet": {
        "network_id": NETWORK,
        "ip_version": 4,
        "cidr": "10.0.0.0/24",
        "allocation_pools": [{"start": "10.0.0.9", "end": "10.0.0.99"}],
    },
    "subnetpool": {"name": "pool", "prefixes": ["10.0.0.0/16"], "default_prefixlen": 24},
    "port": {"network_id": NETWORK, "device_id": "vm", "name": "port"},
    "router": {"name": "router"},
    "security_group": {"name": "group"},
    "security_group_rule": {
        "security_group_id": GROUP,
        "direction": "ingress",
        "protocol": "tcp",
        "port_range_min": 80,
        "port_range_max": 90,
        "remote_ip_prefix": "10.0.0.0/24",
    },
    "address_group": {"name": "addresses", "addresses": ["10.0.0.0/24"]},
}
"""The least, or a little more, that creates an object of each resource."""

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
words = st.sampled_from(
    [
        NETWORK,
        POOL,
        GROUP,
        "0a:00:00:00:00:01",
        "ff:ff:ff:ff:ff:ff",
        "10.0.0.11",
        "10.0.0.0/24",
        "10.0.0.1/31",
        "0.0.0.0/0",
        "fd00::1/64",
        "fd00::/128",
        "::ffff:10.0.0.1",
        "fe80::1%eth0",
        "fe80::1%eth0/64",
        "slaac",
        "True",
        "network:x",
        "\x00",
        "a\ud800",
        "9" * 400,
    ]
)
keys = st.sampled_from(
    ["start", "end", "destination", "nexthop", "ip_address", "mac_address", "subnet_id"]
)
values = st.recursive(
    scalars | words,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys | words, inner, max_size=3),
    max_leaves=6,
)

RESOURCES = {each.name: each for each in Resources.make(NeutronLimits()).all}
CREATED = [name for name, each in RESOURCES.items() if "create" in each.operations]


@pytest.fixture(scope="module")
def send(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Send]:
    loop = asyncio.new_event_loop()
    file = tmp_path_factory.mktemp("any-request") / "treadle.db"
    database = open_database(new_database(file))
    serving = serve(database)
    server = loop.run_until_complete(serving.__aenter__())
    app = create_neutron_app(server.backend, trust_local)
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    client = httpx.AsyncClient(transport=transport, base_url="http://localhost")

    def send(method: str, path: str, body: Any = None) -> httpx.Response:
        content = None if body is None else json.dumps(body)
        headers = {"Content-Type": "application/json"}
        request = client.request(method, f"/v2.0/{path}", content=content, headers=headers)
        return loop.run_until_complete(request)

    for kind, ref, name in (
        ("logical-switches", NETWORK, "net"),
        ("port-groups", GROUP, "group"),
    ):
        made = server.client.post(f"/v1/{kind}", json={"id": ref, "name": name})
        assert loop.run_until_complete(made).is_success
    yield send
    loop.run_until_complete(serving.__aexit__(None, None, None))
    loop.run_until_complete(client.aclose())
    database.close()
    loop.close()


def check(answer: httpx.Response) -> None:
    assert answer.status_code < 500, answer.text
    if answer.is_error and answer.status_code != 405:
        assert set(answer.json()["NeutronError"]) == {"type", "message", "detail"}


@st.composite
def requests(draw: st.DrawFn) -> tuple[Resource[Any], dict[str, Any]]:
    """A resource, and a body for it of which a part is arbitrary."""
    resource = RESOURCES[draw(st.sampled_from(CREATED))]
    body = dict(SAMPLES.get(resource.name, {}))
    attributes = [*resource.attributes.by_name, "anything"]
    for name in draw(st.lists(st.sampled_from(attributes), min_size=1, max_size=3)):
        body[name] = draw(values)
    return resource, body


@settings(max_examples=250, suppress_health_check=[HealthCheck.too_slow])
@given(requests(), st.booleans())
def test_objects(send: Send, request: tuple[Resource[Any], dict[str, Any]], whole: bool) -> None:
    resource, body = request
    made = send("POST", resource.path, {resource.name: body})
    check(made)
    sample = (
        made
        if made.is_success
        else send("POST", resource.path, {resource.name: SAMPLES.get(resource.name, {})})
    )
    if not sample.is_success:
        return
    path = f"{resource.path}/{sample.json()[resource.name]['id']}"
    changeable = {
        name: value
        for name, value in body.items()
        if whole or getattr(resource.attributes.by_name.get(name), "put", False)
    }
    check(send("PUT", path, {resource.name: changeable}))
    for action in resource.actions:
        check(send("PUT", f"{path}/{action}", body))
    check(send("GET", path))
    check(send("DELETE", path))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(CREATED), st.sampled_from(["POST", "PUT"]), values)
def test_bodies(send: Send, name: str, method: str, noise: Any) -> None:
    resource = RESOURCES[name]
    path = resource.path if method == "POST" else f"{resource.path}/{NETWORK}"
    for body in (noise, {name: noise}, {resource.collection: noise}):
        if body is not None:
            check(send(method, path, body))


texts = st.text(st.characters(codec="utf-8"), max_size=9)


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(list(RESOURCES)), st.data())
def test_queries_and_paths(send: Send, name: str, data: st.DataObject) -> None:
    resource = RESOURCES[name]
    names = [*resource.attributes.by_name, "limit", "marker", "sort_key", "sort_dir", "fields"]
    names += ["tags", "not-tags-any", "page_reverse", *(each.name for each in resource.filters)]
    words = st.sampled_from(["1", "True", "x", NETWORK, "10.0.0.0/24", "", "asc", "id"]) | texts
    pairs = data.draw(st.lists(st.tuples(st.sampled_from(names) | texts, words), max_size=3))
    check(send("GET", f"{resource.path}?{urlencode(pairs)}"))
    ref = quote(data.draw(texts | st.just(NETWORK.upper())), safe="")
    for method, path in (
        ("GET", ref),
        ("DELETE", ref),
        ("PUT", f"{ref}/tags/{ref}"),
        ("GET", f"{ref}/tags"),
    ):
        check(send(method, f"{resource.path}/{path}"))
