"""What of other projects a caller sees, over all resources."""

from tests.unit.api.neutron.conftest import Neutron

PATHS = (
    "networks",
    "subnets",
    "subnetpools",
    "ports",
    "routers",
    "security-groups",
    "security-group-rules",
    "address-groups",
)


async def make_one_of_each(neutron: Neutron, caller: str) -> None:
    network = await neutron.make("networks", caller, name="blue")
    values = {"network_id": network["id"], "ip_version": 4, "cidr": "10.0.0.0/24"}
    await neutron.make("subnets", caller, **values)
    await neutron.make("subnetpools", caller, name="pool", prefixes=["10.0.0.0/8"])
    await neutron.make("ports", caller, network_id=network["id"])  # and a security group
    await neutron.make("routers", caller, name="edge")
    await neutron.make("address-groups", caller, addresses=["10.0.0.0/8"])


async def test_each_sees_its_own_and_some_see_all(neutron: Neutron) -> None:
    for caller in ("alice", "bob"):
        await make_one_of_each(neutron, caller)
    for path in PATHS:
        projects = {
            caller: {each["project_id"] for each in await neutron.get(path, caller)}
            for caller in ("alice", "bob", "rita", "vera", "")
        }
        both = {"acme", "zoo"}
        assert (projects["alice"], projects["bob"]) == ({"acme"}, {"zoo"}), path
        assert projects["rita"] == {"acme"}, path
        # A reader of all projects sees what an admin does, and changes nothing.
        assert projects["vera"] == projects[""] >= both, path
        for one in await neutron.get(path):
            ref = f"{path}/{one['id']}"
            assert await neutron.get(f"{ref}?fields=id", "vera") == {"id": one["id"]}
            await neutron.refused(403, "PolicyNotAuthorized", "DELETE", ref, caller="vera")
            if one["project_id"] == "zoo":
                for caller in ("alice", "rita"):
                    assert (await neutron.call("GET", ref, caller=caller)).status_code == 404
                assert (await neutron.call("DELETE", ref, caller="alice")).status_code == 404
