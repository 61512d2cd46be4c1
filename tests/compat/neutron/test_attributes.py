"""Attributes are taken, defaulted, shown and refused as Neutron's own definitions say.

Every attribute of each resource is tried that Neutron declares for the extensions which the API
offers. An API that hides an extension isn't asked for its attributes.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from tests.compat.neutron.definitions import SEARCH_ONLY, UNSET, Attributes, attributes_of
from tests.compat.neutron.endpoints import endpoint

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

_MISSING = "8d3a9b5e-0f57-4f0e-8d11-7a8c0c4a51f2"


@dataclass(frozen=True)
class Sample:
    """A resource: what it is called, and the least that creates one.

    Strings in braces stand for ids of samples that have to be there. Neutron itself doesn't do
    all that it declares: `odd` are attributes of which it does something else, `unsorted` those
    that it says one can sort by, and can't.
    """

    singular: str
    body: Mapping[str, Any]
    odd: frozenset[str] = frozenset()
    unsorted: frozenset[str] = frozenset()


SAMPLES = {
    # Their MTU follows from the configuration; the others come and go with other attributes.
    "networks": Sample("network", {}, frozenset({"mtu", "is_default", "segments"})),
    "subnets": Sample(
        "subnet", {"network_id": "{networks}", "ip_version": 4, "cidr": "10.0.0.0/24"}
    ),
    "subnetpools": Sample(
        "subnetpool", {"name": "pool", "prefixes": ["10.64.0.0/16"]}, unsorted=frozenset({"shared"})
    ),
    "ports": Sample(
        "port",
        {"network_id": "{networks}"},
        frozenset({"device_profile", "numa_affinity_policy", "extra_dhcp_opts"}),
    ),
    "routers": Sample("router", {}),
    "security_groups": Sample("security_group", {}),
    "security_group_rules": Sample(
        "security_group_rule",
        {"security_group_id": "{security_groups}", "direction": "ingress", "protocol": "tcp"},
        unsorted=frozenset({"normalized_cidr"}),
    ),
    "address_groups": Sample(
        "address_group", {"addresses": ["10.0.0.0/24"]}, unsorted=frozenset({"description"})
    ),
}

_WRONG_BY_VALIDATOR: dict[str, Any] = {
    "type:uuid": "no-id",
    "type:uuid_or_none": "no-id",
    "type:uuid_list": ["no-id"],
    "type:subnetpool_id_or_none": "no-id",
    "type:boolean": "maybe",
    "type:dict_or_none": "text",
    "type:fixed_ips": [{"ip_address": "nowhere"}],
    "type:hostroutes": [{"destination": "10.0.0.0/24"}],
    "type:ip_address_or_none": "nowhere",
    "type:ip_pools": [{"start": "10.0.0.9"}],
    "type:mac_address": "one",
    "type:nameservers": ["nowhere"],
    "type:non_negative": -1,
    "type:not_empty_name_string": "",
    "type:subnet_list": ["nowhere"],
    "type:subnet_or_none": "nowhere",
    "type:values": "nonsense",
    "type:allowed_address_pairs": [{"mac_address": "one"}],
}
_WRONG_BY_CONVERTER: dict[str, Any] = {
    "convert_to_boolean": "maybe",
    "convert_to_int": "many",
    "convert_ethertype_to_case_insensitive": "IPv5",
    "convert_ip_prefix_to_cidr": "nowhere",
    "convert_protocol": "no-such-protocol",
    "convert_validate_port_value": 65536,
}
_LONG = ("type:string", "type:name_string", "type:string_or_none")


class Api:
    """One Neutron API, with a sample of each resource."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        listed = client.get("/v2.0/extensions").json()["extensions"]
        self.extensions = {each["alias"] for each in listed}
        self._samples: dict[str, dict[str, Any]] = {}

    def sample(self, collection: str) -> dict[str, Any]:
        """The sample of a collection as it was created, which it is when it is first needed."""
        if collection not in self._samples:
            self._samples[collection] = self.create(collection, self.body(collection))
        return self._samples[collection]

    def path(self, collection: str) -> str:
        return f"/v2.0/{collection.replace('_', '-')}"

    def attributes(self, collection: str) -> Attributes:
        return attributes_of(collection, self.extensions)

    def body(self, collection: str, **more: Any) -> dict[str, Any]:
        """The body that creates a sample, with other attributes besides."""
        filled = dict(SAMPLES[collection].body)
        for key, value in filled.items():
            if isinstance(value, str) and value.startswith("{"):
                filled[key] = self.sample(value.strip("{}"))["id"]
        return {**filled, **more}

    def post(self, collection: str, values: dict[str, Any]) -> httpx.Response:
        body = {SAMPLES[collection].singular: values}
        return self.client.post(self.path(collection), json=body)

    def create(self, collection: str, values: dict[str, Any]) -> dict[str, Any]:
        answer = self.post(collection, values)
        assert answer.status_code == 201, f"{collection} {values}: {answer.text}"
        created: dict[str, Any] = answer.json()[SAMPLES[collection].singular]
        return created

    def put(self, collection: str, values: dict[str, Any]) -> httpx.Response:
        path = f"{self.path(collection)}/{self.sample(collection)['id']}"
        return self.client.put(path, json={SAMPLES[collection].singular: values})

    def show(self, collection: str) -> dict[str, Any]:
        answer = self.client.get(f"{self.path(collection)}/{self.sample(collection)['id']}")
        shown: dict[str, Any] = answer.json()[SAMPLES[collection].singular]
        return shown

    def close(self) -> None:
        """Delete the samples, each before what it needs."""
        for collection, sample in reversed(self._samples.items()):
            answer = self.client.delete(f"{self.path(collection)}/{sample['id']}")
            assert answer.status_code == 204, answer.text


@pytest.fixture(
    scope="module",
    params=[
        "treadle",
        pytest.param("neutron", marks=pytest.mark.compat),
    ],
)
def api(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    name: str = request.param
    with (
        endpoint(name, tmp_path_factory.mktemp(name)) as where,
        httpx.Client(
            base_url=where.url, headers=where.users["administrator"].headers, timeout=60
        ) as client,
    ):
        api = Api(client)
        yield api
        api.close()


every_collection = pytest.mark.parametrize("collection", SAMPLES)


def problems_with(answer: httpx.Response, status: int, *words: str) -> list[str]:
    """What of an answer isn't as it should be: its status, and what its message says."""
    request = f"{answer.request.method} {answer.request.url.raw_path.decode()}"
    sent = answer.request.content.decode()
    told = f"{request} {sent}: {answer.status_code} {answer.text[:300]}"
    if answer.status_code != status:
        return [f"{status} expected: {told}"]
    if status < 400:
        return []
    error = answer.json()["NeutronError"]
    if set(error) != {"type", "message", "detail"}:
        return [f"a body of another form: {told}"]
    return [f"{word} missing: {told}" for word in words if word not in error["message"]]


@every_collection
def test_what_is_visible_is_shown_and_nothing_else(api: Api, collection: str) -> None:
    attributes = api.attributes(collection)
    visible = {name for name, facts in attributes.items() if facts["is_visible"]}
    shown = set(api.show(collection))
    odd = SAMPLES[collection].odd
    assert visible - shown - odd == set()
    assert shown - visible - odd == set()


@every_collection
def test_defaults(api: Api, collection: str) -> None:
    created = api.sample(collection)
    given = SAMPLES[collection].body
    wrong = {
        name: created[name]
        for name, facts in api.attributes(collection).items()
        if facts["is_visible"]
        and facts["allow_post"]
        and facts.get("default", UNSET) != UNSET
        and name not in given
        and name not in SAMPLES[collection].odd
        and created[name] != facts["default"]
    }
    assert wrong == {}


@every_collection
def test_required(api: Api, collection: str) -> None:
    problems: list[str] = []
    for name, facts in api.attributes(collection).items():
        if name in SAMPLES[collection].body and "default" not in facts:
            body = api.body(collection)
            del body[name]
            problems += problems_with(api.post(collection, body), 400, name)
    assert problems == []


@every_collection
def test_what_can_not_be_created_or_changed(api: Api, collection: str) -> None:
    problems: list[str] = []
    before = api.show(collection)
    for name, facts in api.attributes(collection).items():
        if name in SAMPLES[collection].odd:
            continue
        if not facts["allow_post"]:
            answer = api.post(collection, api.body(collection, **{name: before.get(name)}))
            said = f"Attribute '{name}' not allowed in POST"
            problems += problems_with(answer, 400, said)
        if not facts["allow_put"]:
            answer = api.put(collection, {name: before.get(name)})
            # A project has two names, of which one is told.
            called = "" if name in ("project_id", "tenant_id") else name
            problems += problems_with(answer, 400, f"Cannot update read-only attribute {called}")
    assert problems == []
    assert api.show(collection) == before


@every_collection
def test_what_is_unknown(api: Api, collection: str) -> None:
    said = ("Unrecognized attribute(s) 'colour'",)
    answer = api.post(collection, api.body(collection, colour="blue"))
    problems = problems_with(answer, 400, *said)
    problems += problems_with(api.put(collection, {"colour": "blue"}), 400, *said)
    answer = api.client.get(api.path(collection), params={"colour": "blue"})
    problems += problems_with(answer, 400, "['colour'] is invalid attribute for filtering")
    answer = api.client.get(f"{api.path(collection)}/{_MISSING}")
    problems += problems_with(answer, 404, _MISSING)
    answer = api.client.get(f"{api.path(collection)}/no-id")
    problems += problems_with(answer, 404, "no-id")
    assert problems == []


@every_collection
def test_wrong_values(api: Api, collection: str) -> None:
    problems: list[str] = []
    before = api.show(collection)
    for name, facts in api.attributes(collection).items():
        if name in SAMPLES[collection].odd:
            continue
        for value in wrong_values(facts):
            if facts["allow_post"]:
                answer = api.post(collection, api.body(collection, **{name: value}))
                problems += problems_with(answer, 400)
            if facts["allow_put"]:
                problems += problems_with(api.put(collection, {name: value}), 400)
    assert problems == []
    assert api.show(collection) == before


def wrong_values(facts: Mapping[str, Any]) -> list[Any]:
    """Values that an attribute of these facts can't have."""
    wrong: list[Any] = []
    for validator, argument in (facts.get("validate") or {}).items():
        if validator in _WRONG_BY_VALIDATOR:
            wrong.append(_WRONG_BY_VALIDATOR[validator])
        if validator in _LONG and argument:
            wrong += ["x" * (argument + 1), {"no": "text"}]
    if facts.get("convert_to") in _WRONG_BY_CONVERTER:
        wrong.append(_WRONG_BY_CONVERTER[facts["convert_to"]])
    return wrong


@every_collection
def test_filters(api: Api, collection: str) -> None:
    problems: list[str] = []
    shown = api.show(collection)
    for name, facts in api.attributes(collection).items():
        if name in SEARCH_ONLY or name in SAMPLES[collection].odd:
            continue
        value = shown.get(name)
        if isinstance(value, (list, dict)) or value is None:
            value = "anything"
        answer = api.client.get(api.path(collection), params={name: str(value)})
        if not facts.get("is_filter"):
            said = f"['{name}'] is invalid attribute for filtering"
            problems += problems_with(answer, 400, said)
        elif value == "anything":
            # What an attribute that has no value is asked for may itself be refused.
            problems += [] if answer.status_code in (200, 400) else [answer.text]
        else:
            problems += problems_with(answer, 200)
            ids = {each["id"] for each in answer.json().get(collection, ())}
            if shown["id"] not in ids:
                problems.append(f"not found by {name}={value}")
    assert problems == []


@every_collection
def test_sorting_and_fields(api: Api, collection: str) -> None:
    problems: list[str] = []
    for name, facts in api.attributes(collection).items():
        answer = api.client.get(api.path(collection), params={"sort_key": name, "sort_dir": "asc"})
        if name in SAMPLES[collection].unsorted:
            pass
        elif facts.get("is_sort_key"):
            problems += problems_with(answer, 200)
        else:
            problems += problems_with(answer, 400)
        if facts["is_visible"] and name not in SAMPLES[collection].odd:
            answer = api.client.get(api.path(collection), params={"fields": name})
            problems += problems_with(answer, 200)
            keys = {key for each in answer.json()[collection] for key in each}
            if name not in keys or keys - {name} - {"project_id", "tenant_id"}:
                problems.append(f"fields={name}: {keys}")
    assert problems == []
