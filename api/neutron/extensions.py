"""The extensions that the API has, by the aliases that clients look for.

The list decides how some clients behave: Kuryr's driver for Docker finds its objects by tags
where ``standard-attr-tag`` is there, and by names where it isn't. So aliases can be hidden.
"""

from collections.abc import Iterable
from typing import Any

_UPDATED = "2026-01-01T00:00:00-00:00"

EXTENSIONS: dict[str, tuple[str, str]] = {
    "aap-reject-multicast": (
        "Reject multicast addresses in pairs",
        "Pairs have addresses of hosts",
    ),
    "address-group": ("Address group", "Addresses that rules name together"),
    "agent": ("agent", "Chassis show as agents"),
    "agent-resources-synced": ("Agent's Resource Sync", "Agents say nothing of it"),
    "agent_sort_key": ("Agents list sort keys", "Lists of agents are sorted as asked"),
    "allowed-address-pairs": ("Allowed Address Pairs", "Ports have addresses besides their own"),
    "availability_zone": ("Availability Zone", "All chassis are in one"),
    "availability_zone_filter": ("Availability Zone Filter Extension", "Zones can be filtered"),
    "binding": ("Port Binding", "On which host ports are"),
    "data-plane-status": ("Port data plane status", "What others see of a port's packets"),
    "default-subnetpools": ("Default Subnetpools", "Subnets may be of the default pool"),
    "dns-domain-ports": ("Port DNS domains", "Ports have domains of their own"),
    "dns-integration": ("DNS Integration", "Ports have names, networks a domain"),
    "empty-string-filtering": (
        "Empty String Filtering Extension",
        "Filters may ask for empty texts",
    ),
    "extra_dhcp_opt": ("Neutron Extra DHCP options", "Options of ports for DHCP are kept"),
    "external-net": ("External Network", "Networks through which routers reach the world"),
    "extraroute": ("Neutron Extra Route", "Routers have routes besides their networks"),
    "extraroute-atomic": ("Atomically add/remove extra routes", "Single routes come and go"),
    "filter-validation": ("Filter parameters validation", "Refuses filters that are none"),
    "ip-substring-filtering": (
        "IP address substring filtering",
        "Ports are found by parts of addresses",
    ),
    "net-mtu": ("Network MTU", "Networks have an MTU"),
    "net-mtu-writable": ("Network MTU (writable)", "It can be set"),
    "network_availability_zone": (
        "Network Availability Zone",
        "Networks may ask for availability zones",
    ),
    "network-ip-availability": (
        "Network IP Availability",
        "How many addresses of a network are left",
    ),
    "network-ip-availability-details": (
        "Network IP Availability Details",
        "How many of them are in allocation pools",
    ),
    "pagination": ("Pagination support", "Lists come in pages"),
    "port-device-profile": ("Port device profile", "Kept for those who schedule"),
    "port-mac-address-regenerate": (
        "Port MAC address regenerate",
        "A port gets another MAC address",
    ),
    "port-numa-affinity-policy": ("Port NUMA affinity policy", "Kept for those who schedule"),
    "port-numa-affinity-policy-socket": ("Port NUMA affinity policy socket", "Kept as the others"),
    "port-security": ("Port Security", "Ports are held to their addresses"),
    "port-security-groups-filtering": (
        "Port filtering on security groups",
        "Ports are found by groups",
    ),
    "project-id": ("project_id field enabled", "Projects are called so"),
    "provider": ("Provider Network", "What networks are made of"),
    "quota-check-limit-default": (
        "Quota engine limit check by default",
        "A quota isn't set below what is used, unless forced",
    ),
    "quota_details": ("Quota details management support", "How much of a quota is used"),
    "quotas": ("Quota management support", "How many objects a project may have"),
    "revision-if-match": (
        "If-Match constraints based on revision_number",
        "Changes of one revision",
    ),
    "router": ("Neutron L3 Router", "Routers between subnets"),
    "router_availability_zone": ("Router Availability Zone", "Routers may ask for zones"),
    "security-group": ("security-group", "What reaches ports is what rules allow"),
    "security-groups-normalized-cidr": (
        "Normalized CIDR field for security group rules",
        "Rules show the network that their prefix lies in",
    ),
    "security-groups-remote-address-group": (
        "Remote address group id field for security group rules",
        "The other end of a rule may be an address group",
    ),
    "security-groups-rules-belongs-to-default-sg": (
        "Security group rule belongs to the project's default security group",
        "Rules tell whether they are of a default group",
    ),
    "security-groups-shared-filtering": (
        "Security group filtering on the shared field",
        "No group is shared, and they can be filtered by that",
    ),
    "sorting": ("Sorting support", "Lists are sorted as asked"),
    "standard-attr-description": ("standard-attr-description", "Objects have descriptions"),
    "standard-attr-revisions": ("Resource revision numbers", "Objects have revision numbers"),
    "standard-attr-tag": ("Tag support for resources", "Objects have tags"),
    "standard-attr-timestamp": ("Resource timestamps", "Objects tell when they changed"),
    "stateful-security-group": ("Stateful security group", "Groups track connections or don't"),
    "subnet-external-network": (
        "Subnet belongs to an external network",
        "Subnets tell whether their network is an external one",
    ),
    "subnet-service-types": ("Subnet service types", "Subnets set aside for owners of ports"),
    "subnet_allocation": ("Subnet Allocation", "Subnets are allocated from pools"),
    "subnetpool-prefix-ops": (
        "Subnet Pool Prefix Operations",
        "Prefixes are added to pools and removed",
    ),
    "tag-creation": ("Tag creation", "Objects are created with tags"),
    "tag-ports-during-bulk-creation": (
        "Tag Ports During Bulk Creation",
        "Many ports are made with tags",
    ),
    "uplink-status-propagation": ("Port Uplink Status Propagation", "Kept for those who plug"),
    "uplink-status-propagation-updatable": (
        "Updatable uplink status propagation",
        "It can be changed",
    ),
}


def shown_extensions(hidden: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Return what is told of the extensions that aren't hidden, by alias."""
    left_out = frozenset(hidden)
    return {
        alias: {
            "alias": alias,
            "name": name,
            "description": description,
            "updated": _UPDATED,
            "links": [],
        }
        for alias, (name, description) in EXTENSIONS.items()
        if alias not in left_out
    }
