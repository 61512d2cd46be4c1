"""openstacksdk, unmodified: what programs do beyond what the command line can."""

from collections.abc import Iterator

import pytest

from tests.compat.neutron.endpoints import endpoint
from tests.compat.openstack.sdk import Sdk, SdkError, sdk

pytestmark = [pytest.mark.processes, pytest.mark.timeout(600)]

_MISSING = "8d3a9b5e-0f57-4f0e-8d11-7a8c0c4a51f2"


@pytest.fixture(
    scope="module",
    params=[
        "treadle",
        pytest.param("neutron", marks=pytest.mark.compat),
    ],
)
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sdk]:
    name: str = request.param
    with (
        endpoint(name, tmp_path_factory.mktemp(name)) as api,
        sdk(api.users["administrator"].connection) as network,
    ):
        yield network


def refusal(network: Sdk, method: str, *arguments: object, **keywords: object) -> SdkError:
    with pytest.raises(SdkError) as raised:
        network(method, *arguments, **keywords)
    return raised.value


def test_what_is_not_there_is_found_out(network: Sdk) -> None:
    assert network("find_network", "nothing") is None
    assert network("find_port", _MISSING) is None
    error = refusal(network, "get_router", _MISSING)
    assert error.status == 404
    assert "NotFoundException" in error.types
    assert network("delete_subnet", _MISSING) is None  # the SDK ignores that it is missing
    assert refusal(network, "delete_subnet", _MISSING, ignore_missing=False).status == 404


def test_pages_and_order(network: Sdk) -> None:
    names = [f"page-{number}" for number in range(5)]
    made = [network("create_network", name=name)["id"] for name in names]
    for limit in (1, 2, 5, 7):
        paged = network("networks", limit=limit)
        assert sorted(each["id"] for each in paged) == sorted(made), limit
        assert len(paged) == len(made)
    marker, *rest = sorted(made)
    ordered = network("networks", sort_key="id", sort_dir="asc", marker=marker, limit=10)
    assert [each["id"] for each in ordered] == rest
    ordered = network("networks", sort_key="name", sort_dir="desc")
    assert [each["name"] for each in ordered] == names[::-1]
    for network_id in made:
        network("delete_network", network_id)


def test_many_at_once_or_none(network: Sdk) -> None:
    lan = network("create_network", name="lan")["id"]
    subnet = network("create_subnet", network_id=lan, ip_version=4, cidr="10.0.0.0/24")["id"]
    wanted = [{"network_id": lan, "name": f"port-{number}"} for number in range(3)]
    ports = network("create_ports", wanted)
    assert [each["name"] for each in ports] == ["port-0", "port-1", "port-2"]
    assert {each["fixed_ips"][0]["subnet_id"] for each in ports} == {subnet}
    assert len({each["fixed_ips"][0]["ip_address"] for each in ports}) == 3
    taken = [{"subnet_id": subnet, "ip_address": ports[0]["fixed_ips"][0]["ip_address"]}]
    more = [{"network_id": lan, "name": "more"}, {"network_id": lan, "fixed_ips": taken}]
    error = refusal(network, "create_ports", more)
    assert error.status == 409
    assert "ConflictException" in error.types
    assert network("ports", name="more") == []
    addresses = [each["fixed_ips"][0]["ip_address"] for each in ports[:2]]
    by_address = network("ports", fixed_ips=[f"ip_address={each}" for each in addresses])
    assert {each["id"] for each in by_address} == {each["id"] for each in ports[:2]}
    for port in ports:
        network("delete_port", port["id"])
    network("delete_network", lan)
    assert network("find_subnet", subnet) is None


def test_a_change_of_what_was_changed_meanwhile_is_refused(network: Sdk) -> None:
    first = network("create_network", name="first")
    revision = first["revision_number"]
    changed = network("update_network", first["id"], if_revision=revision, description="one")
    assert changed["revision_number"] > revision
    error = refusal(network, "update_network", first["id"], if_revision=revision, description="two")
    assert error.status == 412
    error = refusal(network, "delete_network", first["id"], if_revision=revision)
    assert error.status == 412
    assert network("get_network", first["id"])["description"] == "one"
    network("delete_network", first["id"], if_revision=changed["revision_number"])


def test_tags_are_replaced_as_a_whole(network: Sdk) -> None:
    first = network("create_network", name="first")["id"]
    it = {"object": ["get_network", first]}
    network("set_tags", it, ["a", "kuryr.net.uuid.lh:0123"])
    assert sorted(network("get_network", first)["tags"]) == ["a", "kuryr.net.uuid.lh:0123"]
    assert [each["id"] for each in network("networks", tags="kuryr.net.uuid.lh:0123")] == [first]
    network("set_tags", it, [])
    assert network("get_network", first)["tags"] == []
    network("delete_network", first)


def test_routers(network: Sdk) -> None:
    lan = network("create_network", name="lan")["id"]
    subnet = network("create_subnet", network_id=lan, ip_version=4, cidr="10.0.0.0/24")["id"]
    router = network("create_router", name="edge")["id"]
    added = network("add_interface_to_router", router, subnet_id=subnet)
    assert added["subnet_id"] == subnet
    port = network("get_port", added["port_id"])
    assert (port["device_owner"], port["device_id"]) == ("network:router_interface", router)
    assert port["fixed_ips"] == [{"subnet_id": subnet, "ip_address": "10.0.0.1"}]
    assert refusal(network, "delete_port", added["port_id"]).status == 409
    routes = [{"destination": "10.9.0.0/24", "nexthop": "10.0.0.9"}]
    assert (
        network("add_extra_routes_to_router", router, {"router": {"routes": routes}})["routes"]
        == routes
    )
    assert refusal(network, "remove_interface_from_router", router, subnet_id=subnet).status == 409
    network("remove_extra_routes_from_router", router, {"router": {"routes": routes}})
    removed = network("remove_interface_from_router", router, port_id=added["port_id"])
    assert removed["subnet_id"] == subnet
    assert network("find_port", added["port_id"]) is None
    network("delete_router", router)
    network("delete_network", lan)


def test_quotas(network: Sdk) -> None:
    project = network("create_network", name="first")
    assert network("update_quota", project["project_id"], network=1)["network"] == 1
    assert network("get_quota", project["project_id"])["network"] == 1
    used = network("get_quota", project["project_id"], details=True)["network"]
    assert (used["limit"], used["used"]) == (1, 1)
    error = refusal(network, "create_network", name="second")
    assert error.status == 409
    assert "Quota exceeded for resources: ['network']" in str(error)
    network("delete_quota", project["project_id"])
    network("delete_network", network("create_network", name="second")["id"])
    network("delete_network", project["id"])


def test_what_is_malformed(network: Sdk) -> None:
    error = refusal(network, "create_subnet", network_id=_MISSING, ip_version=4, cidr="10.0.0.0/24")
    assert error.status == 404
    lan = network("create_network", name="lan")["id"]
    for wrong in ("10.0.0.0/33", "nonsense"):
        error = refusal(network, "create_subnet", network_id=lan, ip_version=4, cidr=wrong)
        assert error.status == 400
        assert "BadRequestException" in error.types
    assert refusal(network, "create_port", network_id=lan, mac_address="one").status == 400
    assert refusal(network, "create_network", mtu="many").status == 400
    network("delete_network", lan)
