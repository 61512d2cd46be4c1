"""What is refused, with the status and the sentence that Neutron has for it."""

from dataclasses import dataclass, field

from tests.compat.openstack.cases import LAN, LAN6, NO_LAN


@dataclass(frozen=True)
class Refusal:
    """A command that is refused with a status and a sentence, of which `said` is a part."""

    command: str
    status: int | None
    said: str
    before: tuple[str, ...] = field(default=())
    after: tuple[str, ...] = field(default=())


_ROUTED = (*LAN, "router create edge", "router add subnet edge lan4")
_NOT_ROUTED = ("router remove subnet edge lan4", "router delete edge", *NO_LAN)
_GUARDED = (
    "security group create guard",
    "security group rule create guard --protocol tcp --dst-port 80",
)

REFUSALS = {
    "what isn't there": Refusal("network show nothing", None, "No Network found for nothing"),
    "a subnet that overlaps": Refusal(
        "subnet create more --network lan --subnet-range 10.0.0.0/25",
        400,
        "overlaps with another subnet",
        LAN,
        NO_LAN,
    ),
    "a gateway that isn't in the subnet's pools": Refusal(
        "subnet create more --network lan --subnet-range 10.1.0.0/24 --gateway 10.1.0.5"
        " --allocation-pool start=10.1.0.2,end=10.1.0.9",
        409,
        "Gateway ip 10.1.0.5 conflicts with allocation pool 10.1.0.2-10.1.0.9",
        LAN,
        NO_LAN,
    ),
    "a network in use": Refusal(
        "network delete lan",
        409,
        "There are one or more ports still in use on the network",
        (*LAN, "port create one --network lan --device-owner compute:x"),
        ("port delete one", *NO_LAN),
    ),
    "a subnet in use": Refusal(
        "subnet delete lan4",
        409,
        "One or more ports have an IP allocation from this subnet",
        (*LAN, "port create one --network lan"),
        ("port delete one", *NO_LAN),
    ),
    "an address that is taken": Refusal(
        "port create two --network lan --fixed-ip ip-address=10.0.0.9",
        409,
        "IP address 10.0.0.9 already allocated in subnet",
        (*LAN, "port create one --network lan --fixed-ip ip-address=10.0.0.9"),
        ("port delete one", *NO_LAN),
    ),
    "an address of no subnet": Refusal(
        "port create two --network lan --fixed-ip ip-address=10.3.0.9",
        400,
        "10.3.0.9",
        LAN,
        NO_LAN,
    ),
    "a router in use": Refusal(
        "router delete edge", 409, "has ports still attached", _ROUTED, _NOT_ROUTED
    ),
    "a router's interface deleted as a port": Refusal(
        "subnet delete lan4", 409, "from this subnet", _ROUTED, _NOT_ROUTED
    ),
    "an interface twice": Refusal(
        "router add subnet edge lan4", 400, "already has a port", _ROUTED, _NOT_ROUTED
    ),
    "an interface that a route needs": Refusal(
        "router remove subnet edge lan4",
        409,
        "it is required by one or more routes",
        (*_ROUTED, "router set edge --route destination=10.7.0.0/24,gateway=10.0.0.9"),
        ("router set edge --no-route", *_NOT_ROUTED),
    ),
    "a route to nowhere": Refusal(
        "router set edge --route destination=10.7.0.0/24,gateway=10.9.0.9",
        400,
        "the nexthop is not connected with router",
        _ROUTED,
        _NOT_ROUTED,
    ),
    "a rule twice": Refusal(
        "security group rule create guard --protocol tcp --dst-port 80",
        409,
        "Security group rule already exists. Rule id is ",
        _GUARDED,
        ("security group delete guard",),
    ),
    "ports without a protocol": Refusal(
        "security group rule create guard --dst-port 90:90",
        400,
        "Must also specify protocol if port range is given",
        _GUARDED,
        ("security group delete guard",),
    ),
    "a group in use": Refusal(
        "security group delete guard",
        409,
        "in use",
        (*LAN, *_GUARDED, "port create one --network lan --security-group guard"),
        ("port delete one", "security group delete guard", *NO_LAN),
    ),
    "an address group in use": Refusal(
        "address group delete addresses",
        409,
        "in use on one or more security group rules",
        (
            "address group create addresses --address 10.0.0.0/24",
            "security group create guard",
            "security group rule create guard --remote-address-group addresses",
        ),
        ("security group delete guard", "address group delete addresses"),
    ),
    "a subnet larger than its pool allows": Refusal(
        "subnet create one --network lan --subnet-pool addresses --prefix-length 20",
        400,
        "minimum allowed prefix is 24",
        (
            "network create lan",
            "subnet pool create addresses --pool-prefix 10.64.0.0/16 --min-prefix-length 24",
        ),
        (*NO_LAN, "subnet pool delete addresses"),
    ),
    "a pool in use": Refusal(
        "subnet pool delete addresses",
        400,
        "Subnet pool has existing allocations",
        (
            "network create lan",
            "subnet pool create addresses --pool-prefix 10.64.0.0/16 --default-prefix-length 26",
            "subnet create one --network lan --subnet-pool addresses",
        ),
        (*NO_LAN, "subnet pool delete addresses"),
    ),
    "an address that a group has already": Refusal(
        "address group set hosts --address 10.0.0.1",
        400,
        "Addresses ['10.0.0.1/32'] already exist in the address group",
        ("address group create hosts --address 10.0.0.1",),
        ("address group delete hosts",),
    ),
    "an address that a group hasn't": Refusal(
        "address group unset hosts --address 10.9.0.0/24",
        404,
        "Addresses ['10.9.0.0/24'] not found in the address group",
        ("address group create hosts --address 10.0.0.1",),
        ("address group delete hosts",),
    ),
    "an address of a subnet whose addresses follow from the MAC": Refusal(
        "port create one --network lan --fixed-ip subnet=lan6,ip-address=fd00:1::9",
        400,
        "IPv6 address fd00:1::9 cannot be directly assigned to a port on subnet",
        (*LAN, LAN6),
        NO_LAN,
    ),
}
