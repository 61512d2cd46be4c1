"""Random subnets, pools and addresses fare on Treadle as on Neutron itself.

Each example is a few requests to both, of attributes that get in each other's way. Compared are
the statuses and types of refusals, and what is shown of what was made.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.compat.neutron.endpoints import Endpoint, endpoint

pytestmark = [pytest.mark.compat, pytest.mark.processes, pytest.mark.timeout(900)]

_TIMES = ("created_at", "updated_at", "revision_number")
_OF_TREADLE = {
    # Where Neutron answers as if it were a fault of its own.
    (500, "SubnetAllocationError"): (409, "SubnetAllocationError"),
    # A converter of ours refuses it, as what it is: an attribute's wrong value.
    (400, "InvalidSubnetServiceType"): (400, "HTTPBadRequest"),
    # Where Neutron fails, as it isn't prepared for such a value.
    (500, "HTTPInternalServerError"): (400, "InvalidInput"),
}
"""What Treadle answers where it answers something else than Neutron, on purpose."""

_COLLECTIONS = {"port": "ports", "net": "networks", "four": "subnetpools", "six": "subnetpools"}
"""Where what has a word is deleted, if it isn't a subnet."""
CIDRS = ["10.0.0.0/24", "10.0.0.128/25", "10.0.1.0/30", "10.0.2.0/31", "fd00::/64", "fd01::/96"]
ADDRESSES = [
    "10.0.0.0",
    "10.0.0.1",
    "10.0.0.5",
    "10.0.0.255",
    "10.0.1.1",
    "10.0.2.1",
    "192.0.2.1",
    "fd00::",
    "fd00::1",
    "fd00::800:ff:fe00:1",
    "fd01::5",
]
MODES = st.sampled_from([None, "slaac", "dhcpv6-stateless", "dhcpv6-stateful"])
address = st.sampled_from(ADDRESSES)
pools = st.lists(st.fixed_dictionaries({"start": address, "end": address}), max_size=2)
attributes: dict[str, st.SearchStrategy[Any]] = {
    "gateway_ip": st.none() | address,
    "allocation_pools": pools,
    "enable_dhcp": st.booleans(),
    "dns_nameservers": st.lists(address, max_size=6),
    "host_routes": st.lists(
        st.fixed_dictionaries({"destination": st.sampled_from(CIDRS), "nexthop": address}),
        max_size=2,
    ),
    "service_types": st.lists(st.sampled_from(["network:dhcp", "compute:nova", "x"]), max_size=2),
}
new_subnets = st.fixed_dictionaries(
    {"ip_version": st.sampled_from([4, 4, 6])},
    optional={
        **attributes,
        "cidr": st.sampled_from(CIDRS),
        "prefixlen": st.sampled_from([24, 25, 31, 64]),
        "ipv6_ra_mode": MODES,
        "ipv6_address_mode": MODES,
        "subnetpool_id": st.sampled_from(["four", "six"]),
        "use_default_subnetpool": st.booleans(),
    },
)
changes = st.fixed_dictionaries({}, optional=attributes)
fixed_ips = st.lists(
    st.fixed_dictionaries(
        {},
        optional={"ip_address": address, "subnet_id": st.sampled_from(["first", "second"])},
    ).filter(bool),
    max_size=2,
)


class Api:
    """One of the two, and the ids of what it has, by our words for it."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client
        self.ids: dict[str, str] = {}

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Send a request with words in place of ids; returns status, and type or body."""
        words = {"network_id", "subnetpool_id", "subnet_id"}

        def filled(value: Any) -> Any:
            if isinstance(value, dict):
                return {
                    name: self.ids.get(each, each) if name in words else filled(each)
                    for name, each in value.items()
                }
            return [filled(each) for each in value] if isinstance(value, list) else value

        path = re.sub(r"\{(\w+)\}", lambda found: self.ids[found[1]], path)
        answer = self.client.request(method, f"/v2.0/{path}", json=filled(body))
        if answer.is_error:
            return answer.status_code, answer.json()["NeutronError"]["type"]
        return answer.status_code, None if answer.status_code == 204 else answer.json()

    def make(self, word: str, kind: str, body: Mapping[str, Any]) -> Any:
        """Create an object and remember its id under a word."""
        status, made = self.ask("POST", f"{kind}s", {kind: body})
        if status == 201:
            self.ids[word] = made[kind]["id"]
        return status, made

    def shown(self, answer: Any) -> Any:
        """Return what has to be the same of an answer: ids by our words, no times."""
        words = {value: word for word, value in self.ids.items()}

        def plain(value: Any) -> Any:
            if isinstance(value, dict):
                return {
                    name: plain(each)
                    for name, each in value.items()
                    if name not in (*_TIMES, "project_id", "tenant_id")
                }
            if isinstance(value, list | tuple):
                return [plain(each) for each in value]
            return words.get(value, value) if isinstance(value, str) else value

        return plain(answer)


class Pair:
    """Both APIs, which are asked the same."""

    def __init__(self, treadle: Api, neutron: Api) -> None:
        self.treadle, self.neutron = treadle, neutron

    def make(self, word: str, kind: str, body: Mapping[str, Any]) -> bool:
        """Create an object on both; tells whether there is one now."""
        ours = self.treadle.make(word, kind, body)
        theirs = self.neutron.make(word, kind, body)
        self._compare(f"POST {kind}s {body}", ours, theirs)
        return bool(ours[0] == 201)

    def make_unseen(self, word: str, kind: str, body: Mapping[str, Any]) -> None:
        """Create an object on both, which has to succeed, and don't compare what is shown."""
        for api in (self.treadle, self.neutron):
            status, answer = api.make(word, kind, body)
            assert status == 201, answer

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        ours, theirs = self.treadle.ask(method, path, body), self.neutron.ask(method, path, body)
        self._compare(f"{method} {path} {body}", ours, theirs)
        return ours

    def _compare(self, request: str, ours: Any, theirs: Any) -> None:
        expected = _OF_TREADLE.get(theirs, theirs) if isinstance(theirs[1], str) else theirs
        mine, right = self.treadle.shown(ours), self.neutron.shown(expected)
        assert mine == right, f"{request}: {mine} instead of {right}"

    def forget(self, *words: str) -> None:
        """Delete what is called so, on both, if it is there."""
        for word in words:
            for api in (self.treadle, self.neutron):
                found = api.ids.pop(word, None)
                kind = _COLLECTIONS.get(word, "subnets")
                if found is not None:
                    assert api.client.delete(f"/v2.0/{kind}/{found}").status_code == 204


def client(asked: Endpoint) -> httpx.Client:
    """Return what asks an API as its administrator."""
    administrator = asked.users["administrator"]
    return httpx.Client(base_url=asked.url, headers=administrator.headers, timeout=60)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with (
        endpoint("treadle", tmp_path_factory.mktemp("treadle")) as ours,
        endpoint("neutron", tmp_path_factory.mktemp("neutron")) as theirs,
        client(ours) as treadle,
        client(theirs) as neutron,
    ):
        pair = Pair(Api(treadle), Api(neutron))
        # Neutron shows prefix lengths as texts, and as numbers when it has changed them.
        four = {"name": "four", "prefixes": ["10.0.0.0/23"], "max_prefixlen": 31}
        more = {"default_prefixlen": 24, "is_default": True}
        pair.make_unseen("four", "subnetpool", {**four, **more})
        pair.make_unseen("six", "subnetpool", {"name": "six", "prefixes": ["fd00::/63"]})
        yield pair
        pair.forget("four", "six")


def unique(values: Mapping[str, Any]) -> bool:
    """Whether no list of the values has something twice, which both refuse in words of theirs."""
    return all(
        not isinstance(each, list) or all(each.count(item) == 1 for item in each)
        for each in values.values()
    )


@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    subnets=st.lists(new_subnets.filter(unique), min_size=1, max_size=2),
    change=changes.filter(unique),
)
def test_subnets(pair: Pair, subnets: Sequence[dict[str, Any]], change: dict[str, Any]) -> None:
    pair.make_unseen("net", "network", {})
    try:
        for word, subnet in zip(("first", "second"), subnets, strict=False):
            if pair.make(word, "subnet", {"network_id": "net", **subnet}):
                pair.ask("PUT", f"subnets/{{{word}}}", {"subnet": change})
    finally:
        pair.forget("first", "second", "net")


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    cidrs=st.lists(st.sampled_from(CIDRS), min_size=1, max_size=2, unique=True),
    mode=MODES,
    asked=fixed_ips,
    then=fixed_ips,
    owner=st.sampled_from(["", "compute:nova", "network:router_interface"]),
)
def test_addresses(
    pair: Pair,
    cidrs: Sequence[str],
    mode: str | None,
    asked: list[dict[str, str]],
    then: list[dict[str, str]],
    owner: str,
) -> None:
    pair.make_unseen("net", "network", {})
    try:
        for word, cidr in zip(("first", "second"), cidrs, strict=False):
            version = 6 if ":" in cidr else 4
            modes = {"ipv6_ra_mode": mode, "ipv6_address_mode": mode} if version == 6 else {}
            small = {"gateway_ip": None, "enable_dhcp": False} if cidr.endswith("/31") else {}
            values = {"network_id": "net", "ip_version": version, "cidr": cidr, **modes, **small}
            pair.make(word, "subnet", values)
        body = {"network_id": "net", "mac_address": "0a:00:00:00:00:01", "device_owner": owner}
        answers = [
            api.make("port", "port", {**body, "fixed_ips": asked})
            for api in (pair.treadle, pair.neutron)
        ]
        compare_addresses(pair, f"POST {asked} {owner}", answers, asked)
        # Neutron asks routers whether it may change their ports.
        if answers[0][0] == 201 and not owner.startswith("network:"):
            change = {"port": {"fixed_ips": then}}
            answers = [
                api.ask("PUT", "ports/{port}", change) for api in (pair.treadle, pair.neutron)
            ]
            compare_addresses(pair, f"PUT {asked} -> {then} {owner}", answers, [*asked, *then])
    finally:
        pair.forget("port", "first", "second", "net")


def compare_addresses(
    pair: Pair, request: str, answers: Sequence[Any], asked: Sequence[Mapping[str, str]]
) -> None:
    """Compare what two ports have; which address a pool gives is up to each."""
    chosen = {each["ip_address"] for each in asked if "ip_address" in each}
    told = []
    for api, (status, answer) in zip((pair.treadle, pair.neutron), answers, strict=True):
        if isinstance(answer, str):
            told.append(_OF_TREADLE.get((status, answer), (status, answer)))
            continue
        shown = api.shown(answer["port"])["fixed_ips"]
        addresses = sorted(
            (each["subnet_id"], each["ip_address"] if each["ip_address"] in chosen else "any")
            for each in shown
        )
        told.append((status, addresses))
    assert told[0] == told[1], f"{request}: {told[0]} instead of {told[1]}"
