"""``openstack``, unmodified, creates, shows, changes and deletes all that the Neutron API has."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import cache
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.compat.neutron.endpoints import PASSWORD, PROJECTS, Endpoint, endpoint
from tests.compat.openstack.cases import (
    ADMINISTRATORS_CASES,
    ADMINISTRATORS_COMMANDS,
    CASES,
    DEFAULT_RULES,
    LAN,
    LAN6,
    RULES,
    Case,
)
from tests.compat.openstack.client import Openstack, differences, openstack
from tests.compat.openstack.refusals import REFUSALS, Refusal

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

NAME = "thing"


Login = tuple[str, str]
"""Which API, and which of its users."""

ADMINISTRATORS: list[Any] = [
    ("treadle", "administrator"),
    pytest.param(("neutron", "administrator"), marks=pytest.mark.compat),
]
# Neutron takes all requests for an administrator's where it has no Keystone.
USERS: list[Any] = [*ADMINISTRATORS, ("treadle", "tenant")]
TENANTS: list[Any] = [("treadle", "tenant")]


def named(login: Login) -> str:
    return " ".join(login)


@pytest.fixture(scope="module")
def client_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Login], Openstack]]:
    """Gives the program as a user has it; APIs are started when they are first asked for."""
    with ExitStack() as stack:

        @cache
        def api(name: str) -> Endpoint:
            return stack.enter_context(endpoint(name, tmp_path_factory.mktemp(name)))

        @cache
        def client(login: Login) -> Openstack:
            name, user = login
            return stack.enter_context(openstack(*api(name).users[user].options))

        yield client


@pytest.fixture
def user(
    request: pytest.FixtureRequest, client_of: Callable[[Login], Openstack]
) -> Iterator[Openstack]:
    """The program as a user who has nothing yet, and has nothing left at the end."""
    client = client_of(request.param)
    yield client
    left_behind = everything(client)
    if left_behind:
        tidy(client)
    assert left_behind == []


def everything(client: Openstack) -> list[str]:
    """What there is, but for default security groups: they come by themselves."""
    nouns = ("network", "subnet", "subnet pool", "port", "router", "address group")
    there = [f"{noun} {row['ID']}" for noun in nouns for row in client.json(f"{noun} list")]
    groups = client.json("security group list")
    return there + [f"security group {each['ID']}" for each in groups if each["Name"] != "default"]


def tidy(client: Openstack) -> None:
    """Delete what a test that failed has left, so that the next one finds nothing of it."""
    for router in client.json("router list"):
        client(f"router set {router['ID']} --no-route")
        shown = client.json(f"router show {router['ID']}")
        for interface in shown["interfaces_info"]:
            client(f"router remove port {router['ID']} {interface['port_id']}")
    nouns = ("router", "port", "network", "subnet pool", "security group", "address group")
    for noun in nouns:
        for row in client.json(f"{noun} list"):
            if row["Name"] != "default":
                client(f"{noun} delete {row['ID']}")


@pytest.mark.parametrize("user", USERS, ids=named, indirect=True)
@pytest.mark.parametrize("by", ["name", "id"])
@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_life_of(user: Openstack, case: Case, by: str) -> None:
    live(user, case, by)


@pytest.mark.parametrize("user", ADMINISTRATORS, ids=named, indirect=True)
@pytest.mark.parametrize("by", ["name", "id"])
@pytest.mark.parametrize("case", ADMINISTRATORS_CASES.values(), ids=ADMINISTRATORS_CASES)
def test_life_with_an_administrator_of(user: Openstack, case: Case, by: str) -> None:
    live(user, case, by)


@pytest.mark.parametrize("user", TENANTS, ids=named, indirect=True)
@pytest.mark.parametrize("command", ADMINISTRATORS_COMMANDS)
def test_a_tenant_is_refused(user: Openstack, command: str) -> None:
    user("network create lan")
    user("port create one --network lan")
    assert "403: " in user.refusal(command)
    user("port delete one")
    user("network delete lan")


def live(user: Openstack, case: Case, by: str) -> None:
    """Create, show, list, change and delete what a case is about."""
    for command in case.before:
        user(command)
    created = user.json(f"{case.noun} create {case.options} {NAME}")
    assert differences({"name": NAME, **case.shown}, created) == []
    it = NAME if by == "name" else created["id"]
    assert differences(case.shown, user.json(f"{case.noun} show {it}")) == []
    for change in case.changes:
        user(change.command.format(it=it))
        shown = user.json(f"{case.noun} show {it}")
        assert differences(change.shown, shown) == [], change.command
    user(f"{case.noun} set {it} --name other")
    assert [row["ID"] for row in user.json(f"{case.noun} list") if row["Name"] == "other"] == [
        created["id"]
    ]
    user(f"{case.noun} delete {'other' if by == 'name' else it}")
    assert "found" in user.refusal(f"{case.noun} show {it}")
    for command in case.after:
        user(command)


@pytest.mark.parametrize("user", USERS, ids=named, indirect=True)
def test_rules_of_security_groups(user: Openstack) -> None:
    user("security group create guard")
    user("security group create others")
    user("address group create addresses --address 10.0.0.0/24")
    made = []
    for rule in RULES:
        created = user.json(f"security group rule create guard {rule.options}")
        assert differences(rule.shown, created) == []
        shown = user.json(f"security group rule show {created['id']}")
        assert differences(rule.shown, shown) == []
        made.append(created["id"])
    listed = {row["ID"] for row in user.json("security group rule list guard")}
    assert set(made) < listed
    for rule_id in made:
        user(f"security group rule delete {rule_id}")
    assert {row["ID"] for row in user.json("security group rule list guard")} == listed - set(made)
    user("security group delete guard others")
    user("address group delete addresses")


@pytest.mark.parametrize("user", ADMINISTRATORS, ids=named, indirect=True)
def test_rules_of_new_security_groups(user: Openstack) -> None:
    before = {row["ID"] for row in user.json("default security group rule list")}
    made = []
    for rule in DEFAULT_RULES:
        created = user.json(f"default security group rule create {rule.options}")
        assert differences(rule.shown, created) == []
        shown = user.json(f"default security group rule show {created['id']}")
        assert differences(rule.shown, shown) == []
        made.append(created["id"])
    assert {row["ID"] for row in user.json("default security group rule list")} == before | {*made}
    for_custom = DEFAULT_RULES[1].shown
    rules = user.json("security group create guard")["rules"]
    assert ("egress", for_custom["protocol"], 128) in {
        (each["direction"], each["protocol"], each["port_range_min"]) for each in rules
    }
    assert "tcp" not in {each["protocol"] for each in rules}
    user("security group delete guard")
    user(f"default security group rule delete {' '.join(made)}")
    assert {row["ID"] for row in user.json("default security group rule list")} == before
    assert "found" in user.refusal(f"default security group rule show {made[0]}")


@pytest.mark.parametrize("user", USERS, ids=named, indirect=True)
def test_addresses_that_follow_from_the_mac(user: Openstack) -> None:
    for command in (*LAN, LAN6):
        user(command)

    def subnets(port: str) -> list[str]:
        names = {row["ID"]: row["Name"] for row in user.json("subnet list --network lan")}
        shown = user.json(f"port show {port}")["fixed_ips"]
        return sorted(names[each["subnet_id"]] for each in shown)

    created = user.json("port create one --network lan --fixed-ip subnet=lan6")
    (fixed_ip,) = created["fixed_ips"]
    assert fixed_ip["ip_address"] == eui64("fd00:1::", created["mac_address"])
    user("port create two --network lan --fixed-ip subnet=lan4 --fixed-ip subnet=lan6")
    user("port create three --network lan --fixed-ip subnet=lan4")
    user("port create four --network lan")
    assert {subnets(port) == ["lan4", "lan6"] for port in ("two", "three", "four")} == {True}
    user("port set one --fixed-ip subnet=lan4")
    assert subnets("one") == ["lan4", "lan6"]
    user("port set one --no-fixed-ip --fixed-ip subnet=lan6")
    assert user.json("port show one")["fixed_ips"] == [fixed_ip]
    listed = user.json("port list --network lan --fixed-ip subnet=lan6")
    assert len(listed) == 4
    user("port delete one two three four")
    user("network delete lan")


def eui64(prefix: str, mac: str) -> str:
    """The address of an interface in a network of 64 bits (RFC 4291, appendix A)."""
    octets = bytes.fromhex(mac.replace(":", ""))
    interface = bytes([octets[0] ^ 2, *octets[1:3], 0xFF, 0xFE, *octets[3:]])
    return str(IPv6Address(IPv6Address(prefix).packed[:8] + interface))


@pytest.mark.parametrize("user", USERS, ids=named, indirect=True)
@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
def test_what_is_refused(user: Openstack, refusal: Refusal) -> None:
    for command in refusal.before:
        user(command)
    message = user.refusal(refusal.command)
    assert refusal.said in message
    if refusal.status is not None:
        assert f"{refusal.status}: Client Error" in message
    for command in refusal.after:
        user(command)


@pytest.mark.parametrize("user", USERS, ids=named, indirect=True)
def test_lists(user: Openstack) -> None:
    for name, tags in (("n1", "a b"), ("n2", "b"), ("n3", "")):
        user(f"network create {name} {' '.join(f'--tag {tag}' for tag in tags.split())}")

    def names(options: str) -> set[str]:
        return {row["Name"] for row in user.json(f"network list {options}")} & {"n1", "n2", "n3"}

    assert names("") == {"n1", "n2", "n3"}
    assert names("--name n2") == {"n2"}
    assert names("--tags a,b") == {"n1"}
    assert names("--any-tags a,b") == {"n1", "n2"}
    assert names("--not-tags a,b") == {"n2", "n3"}
    assert names("--not-any-tags a,b") == {"n3"}
    assert names("--long --sort-column Name") == {"n1", "n2", "n3"}
    assert names("--share") == set()
    user("subnet create s1 --network n1 --subnet-range 10.0.0.0/24")
    user("subnet create s2 --network n2 --ip-version 6 --subnet-range fd00:2::/64")
    assert [row["Name"] for row in user.json("subnet list --network n1")] == ["s1"]
    assert "s2" in {row["Name"] for row in user.json("subnet list --ip-version 6 --long")}
    assert [row["Name"] for row in user.json("subnet list --subnet-range 10.0.0.0/24")] == ["s1"]
    user("port create p1 --network n1 --fixed-ip ip-address=10.0.0.9 --device d1")
    ports = {
        "--network n1": ["p1"],
        "--fixed-ip ip-address=10.0.0.9": ["p1"],
        "--fixed-ip subnet=s1 --long": ["p1"],
        "--device-id d1": ["p1"],
        "--network n2": [],
    }
    for options, expected in ports.items():
        shown = [row["Name"] for row in user.json(f"port list {options}")]
        assert shown == expected, options
    user("port delete p1")
    user("network delete n1 n2 n3")


@pytest.mark.parametrize("user", ADMINISTRATORS, ids=named, indirect=True)
def test_what_can_only_be_read(user: Openstack) -> None:
    aliases = {row["Alias"] for row in user.json("extension list --network")}
    assert {
        "standard-attr-tag",
        "security-group",
        "router",
        "quotas",
        "subnet_allocation",
    } <= aliases
    shown = user.json("extension show standard-attr-tag")
    assert shown["alias"] == "standard-attr-tag"
    assert "could not be found" in user.refusal(f"network agent show {uuid4()}")
    assert user.json("network agent list") == []
    assert user.json("availability zone list --network") == []
    user("network create lan")
    user("subnet create lan4 --network lan --subnet-range 10.0.0.0/24")
    user("port create one --network lan --fixed-ip ip-address=10.0.0.9")
    availability = user.json("ip availability show lan")
    assert differences({"total_ips": 253, "used_ips": 1, "network_name": "lan"}, availability) == []
    assert "lan" in {row["Network Name"] for row in user.json("ip availability list")}
    user(LAN6)
    listed = {row["Network Name"]: row for row in user.json("ip availability list --ip-version 6")}
    assert (listed["lan"]["Total IPs"], listed["lan"]["Used IPs"]) == (2**64 - 1, 1)
    user("port delete one")
    user("network delete lan")


def test_a_user_logs_in_with_a_password(tmp_path: Path) -> None:
    with endpoint("treadle", tmp_path) as api:
        where = ("--os-auth-type", "password", "--os-auth-url", f"{api.url}/identity/v3")
        user = ("--os-username", "tenant", "--os-user-domain-id", "default")
        project = ("--os-project-name", PROJECTS["tenant"], "--os-project-domain-id", "default")
        with openstack(*where, *user, *project, "--os-password", PASSWORD) as client:
            assert client.json("token issue")["project_id"] == PROJECTS["tenant"]
            assert client.json("network create lan")["project_id"] == PROJECTS["tenant"]
            limits = {row["Resource"]: row["Limit"] for row in client.json("quota show --network")}
            assert limits["networks"] == -1
            client("network delete lan")
        with openstack(*where, *user, *project, "--os-password", "wrong") as client:
            assert "401" in client.refusal("network list")
