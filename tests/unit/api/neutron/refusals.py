"""What each route of the Neutron API refuses, for :mod:`tests.unit.api.neutron.test_refusals`.

What routes of one shape have in common follows from :data:`KINDS`; what is a route's own is in
:data:`MORE`. Who asks is one of the callers of these tests, a member of a project by default.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

UNKNOWN = "0b4b5f0e-52c1-4d1f-9d1f-0f4f3f6b7a11"


@dataclass(frozen=True)
class Refusal:
    """A request, and the status and type of its refusal.

    `path` is below ``/v2.0/``. Words in braces stand for ids of objects that are there.
    """

    path: str
    status: int
    type: str = "HTTPBadRequest"
    body: Any = None
    caller: str = "alice"
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Kind:
    """What is particular of a resource, of which the caller sees `mine` alone."""

    name: str
    missing: str
    """The type of the error for what doesn't exist."""
    mine: str
    theirs: str
    new: Mapping[str, Any] = field(default_factory=dict)
    """What has to be given to create one."""
    caller: str = "alice"


KINDS = {
    "networks": Kind("network", "NetworkNotFound", "{network}", "{their_network}"),
    "subnets": Kind(
        "subnet",
        "SubnetNotFound",
        "{subnet}",
        "{their_subnet}",
        {"network_id": "{network}", "ip_version": 4, "cidr": "10.9.0.0/24"},
    ),
    "subnetpools": Kind(
        "subnetpool",
        "SubnetPoolNotFound",
        "{pool}",
        "{their_pool}",
        {"name": "pool", "prefixes": ["10.64.0.0/16"]},
    ),
    "ports": Kind("port", "PortNotFound", "{port}", "{their_port}", {"network_id": "{network}"}),
    "routers": Kind("router", "RouterNotFound", "{router}", "{their_router}"),
    "security-groups": Kind(
        "security_group", "SecurityGroupNotFound", "{group}", "{their_group}", {"name": "guard"}
    ),
    "security-group-rules": Kind(
        "security_group_rule",
        "SecurityGroupRuleNotFound",
        "{rule}",
        "{their_rule}",
        {"security_group_id": "{group}", "direction": "ingress", "protocol": "icmp"},
    ),
    "address-groups": Kind(
        "address_group", "AddressGroupNotFound", "{addresses}", "{their_addresses}"
    ),
    # These two are the same for all projects, of which an admin has no less than all.
    "default-security-group-rules": Kind(
        "default_security_group_rule",
        "DefaultSecurityGroupRuleNotFound",
        "{default_rule}",
        UNKNOWN,
        {"direction": "ingress", "used_in_default_sg": True, "used_in_non_default_sg": True},
        caller="",
    ),
    "network-ip-availabilities": Kind(
        "network_ip_availability", "NetworkNotFound", "{network}", UNKNOWN, caller=""
    ),
}

_OF_ANOTHER = {"network_id": "{their_network}"}
MORE: dict[str, Sequence[Refusal]] = {
    "GET /v2.0/extensions/{alias}": [Refusal("extensions/colours", 404, "ExtensionNotFound")],
    "GET /v2.0/quotas": [Refusal("quotas", 403, "PolicyNotAuthorized")],
    "GET /v2.0/quotas/{project}": [Refusal("quotas/zoo", 403, "PolicyNotAuthorized")],
    "GET /v2.0/quotas/{project}/default": [
        Refusal("quotas/zoo/default", 403, "PolicyNotAuthorized")
    ],
    "GET /v2.0/quotas/{project}/details": [
        Refusal("quotas/zoo/details", 403, "PolicyNotAuthorized")
    ],
    "GET /v2.0/quotas/{project}/details.json": [
        Refusal("quotas/zoo/details.json", 403, "PolicyNotAuthorized")
    ],
    "PUT /v2.0/quotas/{project}": [
        Refusal("quotas/acme", 403, "PolicyNotAuthorized", {"quota": {"network": -1}}),
        Refusal("quotas/acme", 400, body={"quota": {"network": "many"}}, caller=""),
        Refusal("quotas/acme", 400, body={"quota": {"network": 0}}, caller=""),
        Refusal("quotas/acme", 400, body={"quota": {"colours": 7}}, caller=""),
        Refusal("quotas/acme", 400, body={"quota": [7]}, caller=""),
        Refusal("quotas/acme", 400, body={}, caller=""),
    ],
    "DELETE /v2.0/quotas/{project}": [
        Refusal("quotas/acme", 403, "PolicyNotAuthorized"),
        Refusal("quotas/acme", 404, "TenantQuotaNotFound", caller=""),
    ],
    "GET /v2.0/agents": [Refusal("agents?colour=red", 400)],
    "POST /v2.0/agents": [Refusal("agents", 400, "BadRequest", {"agent": {}}, "")],
    "GET /v2.0/agents/{id}": [
        Refusal("agents/{agent}", 404, "AgentNotFound"),
        Refusal(f"agents/{UNKNOWN}", 404, "AgentNotFound", caller=""),
        Refusal("agents/{agent}?colour=red", 400, caller=""),
    ],
    "PUT /v2.0/agents/{id}": [
        Refusal("agents/{agent}", 403, "PolicyNotAuthorized", {"agent": {}}),
        Refusal(f"agents/{UNKNOWN}", 404, "AgentNotFound", {"agent": {}}, ""),
        Refusal("agents/{agent}", 400, "BadRequest", {"agent": {"admin_state_up": False}}, ""),
    ],
    "DELETE /v2.0/agents/{id}": [
        Refusal("agents/{agent}", 403, "PolicyNotAuthorized"),
        Refusal(f"agents/{UNKNOWN}", 404, "AgentNotFound", caller=""),
        Refusal("agents/{agent}", 409, "AgentInUse", caller=""),
    ],
    "GET /v2.0/availability_zones": [Refusal("availability_zones?colour=red", 400)],
    "POST /v2.0/networks": [
        Refusal("networks", 403, "PolicyNotAuthorized", {"network": {"shared": True}}),
        Refusal("networks", 403, "PolicyNotAuthorized", {"network": {"project_id": "zoo"}}),
        Refusal("networks", 400, body={"network": {"mtu": "large"}}),
    ],
    "PUT /v2.0/networks/{id}": [
        Refusal("networks/{shared}", 403, "PolicyNotAuthorized", {"network": {"name": "mine"}}),
    ],
    "DELETE /v2.0/networks/{id}": [
        Refusal("networks/{network}", 409, "NetworkInUse"),
        Refusal("networks/{shared}", 403, "PolicyNotAuthorized"),
    ],
    "POST /v2.0/subnets": [
        Refusal(
            "subnets", 404, "NetworkNotFound", {"subnet": {**KINDS["subnets"].new, **_OF_ANOTHER}}
        ),
        Refusal(
            "subnets",
            400,
            "InvalidInput",
            {"subnet": {**KINDS["subnets"].new, "cidr": "10.0.0.0/25"}},
        ),
        Refusal("subnets", 400, body={"subnet": {**KINDS["subnets"].new, "cidr": "10.0.0.0/33"}}),
    ],
    "PUT /v2.0/subnets/{id}": [
        Refusal("subnets/{subnet}", 400, body={"subnet": {"cidr": "10.1.0.0/24"}}),
        Refusal("subnets/{subnet}", 409, "GatewayIpInUse", {"subnet": {"gateway_ip": None}}),
    ],
    "DELETE /v2.0/subnets/{id}": [Refusal("subnets/{subnet}", 409, "SubnetInUse")],
    "POST /v2.0/subnetpools": [
        Refusal("subnetpools", 400, body={"subnetpool": {"name": "p", "prefixes": ["nonsense"]}}),
        Refusal(
            "subnetpools",
            403,
            "PolicyNotAuthorized",
            {"subnetpool": {**KINDS["subnetpools"].new, "shared": True}},
        ),
    ],
    "DELETE /v2.0/subnetpools/{id}": [Refusal("subnetpools/{pool}", 400, "SubnetPoolDeleteError")],
    "PUT /v2.0/subnetpools/{id}/add_prefixes": [
        Refusal("subnetpools/{pool}/add_prefixes", 400, body={}),
        Refusal("subnetpools/{pool}/add_prefixes", 400, body={"prefixes": ["nonsense"]}),
    ],
    "PUT /v2.0/subnetpools/{id}/remove_prefixes": [
        Refusal("subnetpools/{pool}/remove_prefixes", 400, body={}),
        Refusal(
            "subnetpools/{pool}/remove_prefixes",
            400,
            "IllegalSubnetPoolPrefixUpdate",
            {"prefixes": ["10.64.0.0/16"]},
        ),
    ],
    "POST /v2.0/ports": [
        Refusal("ports", 404, "NetworkNotFound", {"port": _OF_ANOTHER}),
        Refusal(
            "ports",
            409,
            "IpAddressAlreadyAllocated",
            {"port": {"network_id": "{network}", "fixed_ips": [{"ip_address": "10.0.0.9"}]}},
        ),
        Refusal(
            "ports",
            403,
            "PolicyNotAuthorized",
            {"port": {"network_id": "{network}", "binding:host_id": "hv1"}},
        ),
        Refusal(
            "ports",
            404,
            "SecurityGroupNotFound",
            {"port": {"network_id": "{network}", "security_groups": ["{their_group}"]}},
        ),
    ],
    "PUT /v2.0/ports/{id}": [
        Refusal("ports/{port}", 403, "PolicyNotAuthorized", {"port": {"binding:host_id": "hv1"}}),
        Refusal("ports/{port}", 400, body={"port": {"network_id": "{network}"}}),
    ],
    "DELETE /v2.0/ports/{id}": [Refusal("ports/{leg}", 409, "ServicePortInUse")],
    "DELETE /v2.0/routers/{id}": [Refusal("routers/{router}", 409, "RouterInUse")],
    "PUT /v2.0/routers/{id}/add_router_interface": [
        Refusal("routers/{router}/add_router_interface", 400, "BadRequest", {}),
        Refusal(
            "routers/{router}/add_router_interface", 400, "BadRequest", {"subnet_id": "{subnet}"}
        ),
        Refusal(
            "routers/{router}/add_router_interface",
            404,
            "SubnetNotFound",
            {"subnet_id": "{their_subnet}"},
        ),
        Refusal("routers/{router}/add_router_interface", 409, "PortInUse", {"port_id": "{port}"}),
    ],
    "PUT /v2.0/routers/{id}/remove_router_interface": [
        Refusal("routers/{router}/remove_router_interface", 400, "BadRequest", {}),
        Refusal(
            "routers/{router}/remove_router_interface",
            404,
            "RouterInterfaceNotFound",
            {"port_id": "{port}"},
        ),
        Refusal(
            "routers/{router}/remove_router_interface",
            409,
            "RouterInterfaceInUseByRoute",
            {"subnet_id": "{subnet}"},
        ),
    ],
    "PUT /v2.0/routers/{id}/add_extraroutes": [
        Refusal("routers/{router}/add_extraroutes", 400, body={}),
        Refusal(
            "routers/{router}/add_extraroutes",
            400,
            "InvalidRoutes",
            {"router": {"routes": [{"destination": "10.8.0.0/24", "nexthop": "10.9.0.1"}]}},
        ),
    ],
    "PUT /v2.0/routers/{id}/remove_extraroutes": [
        Refusal("routers/{router}/remove_extraroutes", 400, body={"router": {"routes": 7}}),
    ],
    "PUT /v2.0/security-groups/{id}": [
        Refusal(
            "security-groups/{group}",
            409,
            "SecurityGroupInUse",
            {"security_group": {"stateful": False}},
        ),
    ],
    "DELETE /v2.0/security-groups/{id}": [
        Refusal("security-groups/{group}", 409, "SecurityGroupInUse")
    ],
    "POST /v2.0/security-group-rules": [
        Refusal(
            "security-group-rules",
            409,
            "SecurityGroupRuleExists",
            {
                "security_group_rule": {
                    "security_group_id": "{group}",
                    "direction": "ingress",
                    "protocol": "tcp",
                }
            },
        ),
        Refusal(
            "security-group-rules",
            404,
            "SecurityGroupNotFound",
            {"security_group_rule": {"security_group_id": "{their_group}", "direction": "ingress"}},
        ),
    ],
    "POST /v2.0/default-security-group-rules": [
        Refusal(
            "default-security-group-rules",
            403,
            "PolicyNotAuthorized",
            {"default_security_group_rule": KINDS["default-security-group-rules"].new},
        ),
    ],
    "DELETE /v2.0/default-security-group-rules/{id}": [
        Refusal("default-security-group-rules/{default_rule}", 403, "PolicyNotAuthorized"),
    ],
    "GET /v2.0/network-ip-availabilities/{id}": [
        Refusal("network-ip-availabilities/{network}", 404, "NetworkNotFound")
    ],
    "POST /v2.0/address-groups": [
        Refusal("address-groups", 400, body={"address_group": {"addresses": ["nonsense"]}}),
    ],
    "DELETE /v2.0/address-groups/{id}": [
        Refusal("address-groups/{addresses}", 409, "AddressGroupInUse")
    ],
    "PUT /v2.0/address-groups/{id}/add_addresses": [
        Refusal(
            "address-groups/{addresses}/add_addresses",
            400,
            "AddressesAlreadyExist",
            {"addresses": ["10.0.0.1/32"]},
        ),
    ],
    "PUT /v2.0/address-groups/{id}/remove_addresses": [
        Refusal(
            "address-groups/{addresses}/remove_addresses",
            404,
            "AddressesNotFound",
            {"addresses": ["10.0.0.7/32"]},
        ),
    ],
}
ANY_ELSE = [
    Refusal(path, 404, "HTTPNotFound")
    for path in ("colours", "networks/{network}/colours", "networks/")
]


def refusals_of(route: str) -> list[Refusal]:
    """Return what a route refuses: what all of its shape do, and what is its own."""
    method, path = route.split()
    _, collection, *rest = path.removeprefix("/").split("/") + [""] * 2
    kind = KINDS.get(collection)
    shared = [] if kind is None else list(_of_shape(method, collection, kind, *filter(None, rest)))
    return [*shared, *MORE.get(route, ())]


def _of_shape(
    method: str, path: str, kind: Kind, member: str = "", action: str = "", tag: str = ""
) -> Iterator[Refusal]:
    """Yield what every resource refuses on a route of this shape."""
    if not member:
        yield from _of_collection(method, path, kind)
        return
    suffix = f"/{action}" if action else ""
    suffix += "/red" if tag else ""
    bodies: dict[str, Any] = {"": {kind.name: {}}, "tags": {"tags": ["red"]}}
    body = bodies.get(action, {}) if method in ("PUT", "POST") and not tag else None
    for id_ in (UNKNOWN, kind.theirs):
        yield Refusal(f"{path}/{id_}{suffix}", 404, kind.missing, body, kind.caller)
    mine = f"{path}/{kind.mine}{suffix}"
    if method == "GET":
        if not action:
            yield Refusal(f"{mine}?colour=red", 400, caller=kind.caller)
        if tag:
            yield Refusal(mine, 404, "TagNotFound", caller=kind.caller)
        return
    yield Refusal(mine, 403, "PolicyNotAuthorized", body, "rita")
    if not action:
        yield from _of_change(method, mine, kind, body)
    elif tag:
        if method == "PUT":
            yield Refusal(f"{mine},blue", 400)
            yield Refusal(f"{mine}{'d' * 255}", 400)
        else:
            yield Refusal(mine, 404, "TagNotFound")
    elif action == "tags" and method != "DELETE":
        for wrong in ([], {}, {"tags": "red"}, {"tags": [7]}, {"tags": ["a,b"]}):
            yield Refusal(mine, 400, body=wrong)
        yield Refusal(mine, 400, body={"tags": [str(number) for number in range(51)]})
    elif method == "PUT":
        yield Refusal(mine, 400, body=[])


def _of_collection(method: str, path: str, kind: Kind) -> Iterator[Refusal]:
    if method == "GET":
        for query in (
            "colour=red",
            "sort_key=colour",
            "limit=-1",
            "limit=few",
            f"marker={UNKNOWN}",
        ):
            yield Refusal(f"{path}?{query}", 400, caller=kind.caller)
        return
    collection = path.replace("-", "_")
    yield Refusal(path, 403, "PolicyNotAuthorized", {kind.name: kind.new}, "rita")
    wrong = [
        {},
        [],
        {kind.name: []},
        {kind.name: {}, "more": 1},
        {collection: []},
        {collection: [7]},
    ]
    wrong += [{kind.name: {**kind.new, name: 7}} for name in ("colour", "revision_number")]
    wrong += [{kind.name: {**kind.new, "description": 7}}]
    wrong += [
        {kind.name: {name: value for name, value in kind.new.items() if name != missing}}
        for missing in kind.new
        if missing not in ("name", "cidr", "protocol")  # they may be left out
    ]
    for body in wrong:
        yield Refusal(path, 400, body=body, caller=kind.caller)


def _of_change(method: str, mine: str, kind: Kind, body: Any) -> Iterator[Refusal]:
    if kind.caller == "alice":
        old, wrong = ({"If-Match": f"revision_number={each}"} for each in ("999999", "one"))
        mismatch = "RevisionNumberConstraintFailed"
        yield Refusal(mine, 412, mismatch, body, headers=old)
        yield Refusal(mine, 400, body=body, headers=wrong)
    if method == "PUT":
        for each in (
            {},
            [],
            {kind.name: 7},
            {kind.name: {"colour": 7}},
            {kind.name: {"id": UNKNOWN}},
        ):
            yield Refusal(mine, 400, body=each)
