"""What ``openstack`` is asked to do with each resource, and what it has to show then.

All that is said here holds of Neutron itself, which ``./run test --compat`` checks with the
release that is pinned. In commands ``{it}`` stands for the name of what the case is about, or
for its id; lists may come in any order.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Change:
    """A command, and what ``show`` then has."""

    command: str
    shown: dict[str, Any]


@dataclass(frozen=True)
class Case:
    """One resource: `noun` is what the command line calls it.

    `before` are commands for what it needs, `after` those that take them away again.
    """

    noun: str
    options: str
    shown: dict[str, Any]
    changes: tuple[Change, ...] = ()
    before: tuple[str, ...] = ()
    after: tuple[str, ...] = ()


LAN = ("network create lan", "subnet create lan4 --network lan --subnet-range 10.0.0.0/24")
LAN6 = (
    "subnet create lan6 --network lan --ip-version 6 --subnet-range fd00:1::/64"
    " --ipv6-ra-mode slaac --ipv6-address-mode slaac"
)
NO_LAN = ("network delete lan",)

CASES = {
    "network": Case(
        "network",
        "--description one --mtu 1400 --disable --disable-port-security --tag a --tag b:c",
        {
            "name": "thing",
            "description": "one",
            "mtu": 1400,
            "admin_state_up": False,
            "port_security_enabled": False,
            "shared": False,
            "router:external": False,
            "status": "ACTIVE",
            "subnets": [],
            "tags": ["a", "b:c"],
        },
        (
            Change(
                "network set {it} --description two --mtu 1300 --enable --enable-port-security",
                {
                    "description": "two",
                    "mtu": 1300,
                    "admin_state_up": True,
                    "port_security_enabled": True,
                },
            ),
            Change("network set {it} --tag d", {"tags": ["a", "b:c", "d"]}),
            Change("network unset {it} --tag b:c", {"tags": ["a", "d"]}),
            Change("network unset {it} --all-tag", {"tags": []}),
        ),
    ),
    "subnet": Case(
        "subnet",
        "--network lan --subnet-range 10.1.0.0/24 --gateway 10.1.0.254 --no-dhcp"
        " --allocation-pool start=10.1.0.10,end=10.1.0.99 --dns-nameserver 9.9.9.9"
        " --host-route destination=10.9.0.0/24,gateway=10.1.0.7 --description one --tag a",
        {
            "name": "thing",
            "cidr": "10.1.0.0/24",
            "ip_version": 4,
            "gateway_ip": "10.1.0.254",
            "enable_dhcp": False,
            "allocation_pools": [{"start": "10.1.0.10", "end": "10.1.0.99"}],
            "dns_nameservers": ["9.9.9.9"],
            "host_routes": [{"destination": "10.9.0.0/24", "nexthop": "10.1.0.7"}],
            "description": "one",
            "subnetpool_id": None,
            "service_types": [],
            "tags": ["a"],
        },
        (
            Change(
                "subnet set {it} --dhcp --gateway 10.1.0.1 --dns-nameserver 8.8.8.8"
                " --host-route destination=10.8.0.0/24,gateway=10.1.0.8 --description two"
                " --allocation-pool start=10.1.0.100,end=10.1.0.120",
                {
                    "enable_dhcp": True,
                    "gateway_ip": "10.1.0.1",
                    "dns_nameservers": ["8.8.8.8", "9.9.9.9"],
                    "host_routes": [
                        {"destination": "10.8.0.0/24", "nexthop": "10.1.0.8"},
                        {"destination": "10.9.0.0/24", "nexthop": "10.1.0.7"},
                    ],
                    "allocation_pools": [
                        {"start": "10.1.0.10", "end": "10.1.0.99"},
                        {"start": "10.1.0.100", "end": "10.1.0.120"},
                    ],
                    "description": "two",
                },
            ),
            Change(
                "subnet unset {it} --dns-nameserver 9.9.9.9"
                " --host-route destination=10.9.0.0/24,gateway=10.1.0.7"
                " --allocation-pool start=10.1.0.10,end=10.1.0.99 --tag a",
                {
                    "dns_nameservers": ["8.8.8.8"],
                    "host_routes": [{"destination": "10.8.0.0/24", "nexthop": "10.1.0.8"}],
                    "allocation_pools": [{"start": "10.1.0.100", "end": "10.1.0.120"}],
                    "tags": [],
                },
            ),
            Change(
                "subnet set {it} --no-dns-nameservers --no-host-route --gateway none",
                {"dns_nameservers": [], "host_routes": [], "gateway_ip": None},
            ),
            Change("subnet set {it} --gateway 10.1.0.1", {"gateway_ip": "10.1.0.1"}),
            Change("subnet unset {it} --gateway", {"gateway_ip": None}),
        ),
        ("network create lan",),
        NO_LAN,
    ),
    "subnet with all defaults": Case(
        "subnet",
        "--network lan --subnet-range 10.1.0.0/24",
        {
            "gateway_ip": "10.1.0.1",
            "allocation_pools": [{"start": "10.1.0.2", "end": "10.1.0.254"}],
            "enable_dhcp": True,
            "dns_nameservers": [],
            "host_routes": [],
            "ipv6_ra_mode": None,
            "ipv6_address_mode": None,
        },
        (),
        ("network create lan",),
        NO_LAN,
    ),
    "subnet of IPv6": Case(
        "subnet",
        "--network lan --ip-version 6 --subnet-range fd00:1::/64 --gateway fd00:1::1"
        " --ipv6-ra-mode slaac --ipv6-address-mode slaac",
        {
            "cidr": "fd00:1::/64",
            "ip_version": 6,
            "gateway_ip": "fd00:1::1",
            "allocation_pools": [{"start": "fd00:1::2", "end": "fd00:1::ffff:ffff:ffff:ffff"}],
            "ipv6_ra_mode": "slaac",
            "ipv6_address_mode": "slaac",
        },
        (),
        ("network create lan",),
        NO_LAN,
    ),
    "subnet of a pool": Case(
        "subnet",
        "--network lan --subnet-pool addresses --prefix-length 27",
        {"cidr": "10.64.0.0/27", "gateway_ip": "10.64.0.1", "ip_version": 4},
        (),
        (
            "network create lan",
            "subnet pool create addresses --pool-prefix 10.64.0.0/16 --default-prefix-length 26",
        ),
        (*NO_LAN, "subnet pool delete addresses"),
    ),
    "subnet pool": Case(
        "subnet pool",
        "--pool-prefix 10.66.0.0/16 --pool-prefix 10.64.0.0/16 --default-prefix-length 26"
        " --min-prefix-length 20 --max-prefix-length 28 --description one --tag a"
        " --default-quota 1000",
        {
            "name": "thing",
            "prefixes": ["10.64.0.0/16", "10.66.0.0/16"],
            "default_prefixlen": 26,
            "min_prefixlen": 20,
            "max_prefixlen": 28,
            "default_quota": 1000,
            "ip_version": 4,
            "is_default": False,
            "shared": False,
            "description": "one",
            "address_scope_id": None,
            "tags": ["a"],
        },
        (
            Change(
                "subnet pool set {it} --pool-prefix 10.65.0.0/16 --default-prefix-length 25"
                " --min-prefix-length 21 --max-prefix-length 29 --description two",
                {
                    "prefixes": ["10.64.0.0/15", "10.66.0.0/16"],
                    "default_prefixlen": 25,
                    "min_prefixlen": 21,
                    "max_prefixlen": 29,
                    "description": "two",
                },
            ),
            Change("subnet pool unset {it} --tag a", {"tags": []}),
        ),
    ),
    "port": Case(
        "port",
        "--network lan --fixed-ip subnet=lan4,ip-address=10.0.0.105 --device dev1"
        " --device-owner compute:x --description one --tag a --vnic-type normal"
        " --allowed-address ip-address=10.0.0.200,mac-address=02:00:00:00:00:06"
        " --security-group group1",
        {
            "name": "thing",
            "admin_state_up": True,
            "device_id": "dev1",
            "device_owner": "compute:x",
            "binding_vnic_type": "normal",
            "allowed_address_pairs": [
                {"mac_address": "02:00:00:00:00:06", "ip_address": "10.0.0.200"}
            ],
            "port_security_enabled": True,
            "status": "DOWN",
            "description": "one",
            "tags": ["a"],
        },
        (
            Change(
                "port set {it} --disable --device dev2 --description two"
                " --fixed-ip subnet=lan4,ip-address=10.0.0.106",
                {
                    "admin_state_up": False,
                    "device_id": "dev2",
                    "description": "two",
                },
            ),
            Change("port set {it} --enable --tag b", {"admin_state_up": True, "tags": ["a", "b"]}),
            Change(
                "port unset {it} --device --device-owner --tag a"
                " --fixed-ip subnet=lan4,ip-address=10.0.0.106"
                " --allowed-address ip-address=10.0.0.200,mac-address=02:00:00:00:00:06",
                {
                    "device_id": "",
                    "device_owner": "",
                    "tags": ["b"],
                    "allowed_address_pairs": [],
                },
            ),
            Change(
                "port unset {it} --security-group group1",
                {"security_group_ids": []},
            ),
            Change("port set {it} --no-fixed-ip", {"fixed_ips": []}),
            Change(
                "port set {it} --no-security-group --no-allowed-address --disable-port-security",
                {
                    "security_group_ids": [],
                    "allowed_address_pairs": [],
                    "port_security_enabled": False,
                },
            ),
        ),
        (*LAN, "security group create group1"),
        (*NO_LAN, "security group delete group1"),
    ),
    "router": Case(
        "router",
        "--description one --disable --tag a",
        {
            "name": "thing",
            "description": "one",
            "admin_state_up": False,
            "external_gateway_info": None,
            "routes": [],
            "status": "ACTIVE",
            "tags": ["a"],
        },
        (
            Change(
                "router set {it} --enable --description two",
                {"admin_state_up": True, "description": "two"},
            ),
            Change("router unset {it} --tag a", {"tags": []}),
            Change(
                "router add subnet {it} lan4", {"interfaces_info": [{"ip_address": "10.0.0.1"}]}
            ),
            Change(
                "router set {it} --route destination=10.7.0.0/24,gateway=10.0.0.9",
                {"routes": [{"destination": "10.7.0.0/24", "nexthop": "10.0.0.9"}]},
            ),
            Change(
                "router add route {it} --route destination=10.6.0.0/24,gateway=10.0.0.9",
                {
                    "routes": [
                        {"destination": "10.6.0.0/24", "nexthop": "10.0.0.9"},
                        {"destination": "10.7.0.0/24", "nexthop": "10.0.0.9"},
                    ]
                },
            ),
            Change(
                "router remove route {it} --route destination=10.6.0.0/24,gateway=10.0.0.9",
                {"routes": [{"destination": "10.7.0.0/24", "nexthop": "10.0.0.9"}]},
            ),
            Change(
                "router unset {it} --route destination=10.7.0.0/24,gateway=10.0.0.9",
                {"routes": []},
            ),
            Change("router remove subnet {it} lan4", {"interfaces_info": []}),
            Change("router add port {it} leg", {"interfaces_info": [{"ip_address": "10.0.0.77"}]}),
            Change("router remove port {it} leg", {"interfaces_info": []}),
        ),
        (*LAN, "port create leg --network lan --fixed-ip subnet=lan4,ip-address=10.0.0.77"),
        NO_LAN,
    ),
    "security group": Case(
        "security group",
        "--description one --stateless --tag a",
        {
            "name": "thing",
            "description": "one",
            "stateful": False,
            "tags": ["a"],
            "is_shared": False,
            "rules": [
                {
                    "direction": "egress",
                    "ethertype": ethertype,
                    "protocol": None,
                    "port_range_min": None,
                    "port_range_max": None,
                    "remote_ip_prefix": None,
                    "remote_group_id": None,
                    "remote_address_group_id": None,
                }
                for ethertype in ("IPv4", "IPv6")
            ],
        },
        (
            Change(
                "security group set {it} --description two --stateful",
                {"description": "two", "stateful": True},
            ),
            Change("security group unset {it} --tag a", {"tags": []}),
        ),
    ),
    "address group": Case(
        "address group",
        "--address 10.0.0.1 --address 10.1.0.0/24 --description one",
        {
            "name": "thing",
            "addresses": ["10.0.0.1/32", "10.1.0.0/24"],
            "description": "one",
        },
        (
            Change(
                "address group set {it} --description two --address 10.2.0.0/24",
                {
                    "addresses": ["10.0.0.1/32", "10.1.0.0/24", "10.2.0.0/24"],
                    "description": "two",
                },
            ),
            Change(
                "address group unset {it} --address 10.0.0.1/32",
                {"addresses": ["10.1.0.0/24", "10.2.0.0/24"]},
            ),
            Change(
                "address group set {it} --address 10.0.0.1 --address fd00::/64",
                {"addresses": ["10.0.0.1/32", "10.1.0.0/24", "10.2.0.0/24", "fd00::/64"]},
            ),
            Change(
                "address group unset {it} --address 10.0.0.1 --address 10.1.0.0/24"
                " --address 10.2.0.0/24 --address fd00::/64",
                {"addresses": []},
            ),
        ),
    ),
}

ADMINISTRATORS_CASES = {
    "network that is shared": Case(
        "network",
        "--share",
        {"shared": True, "provider:network_type": "geneve", "provider:physical_network": None},
        (Change("network set {it} --no-share", {"shared": False}),),
    ),
    "port of an administrator": Case(
        "port",
        "--network lan --mac-address 02:00:00:00:00:05 --disable-port-security"
        " --no-security-group --no-fixed-ip",
        {
            "mac_address": "02:00:00:00:00:05",
            "port_security_enabled": False,
            "security_group_ids": [],
            "fixed_ips": [],
            "binding_host_id": "",
            "binding_vif_type": "unbound",
            "binding_profile": {},
            "binding_vif_details": {},
        },
        (
            Change(
                "port set {it} --mac-address 02:00:00:00:00:07",
                {"mac_address": "02:00:00:00:00:07"},
            ),
            Change(
                "port set {it} --host no-such-host",
                {"binding_host_id": "no-such-host", "binding_vif_type": "binding_failed"},
            ),
            Change(
                "port unset {it} --host", {"binding_host_id": "", "binding_vif_type": "unbound"}
            ),
        ),
        LAN,
        NO_LAN,
    ),
}
"""What takes an administrator, at least in part."""

ADMINISTRATORS_COMMANDS = (
    "default security group rule create --protocol tcp --for-custom-sg",
    "network create thing --share",
    "network create thing --provider-network-type geneve",
    "network set lan --share",
    "subnet pool create thing --pool-prefix 10.0.0.0/8 --share",
    "port create thing --network lan --host somewhere",
    "port set one --host somewhere",
)
"""What the owner of the network ``lan`` with the port ``one`` is refused."""


@dataclass(frozen=True)
class Rule:
    """Options of ``security group rule create``, and what it shows."""

    options: str
    shown: dict[str, Any]


RULES = (
    Rule(
        "--protocol tcp --dst-port 80:90 --remote-ip 10.0.0.0/24 --description one",
        {
            "direction": "ingress",
            "ether_type": "IPv4",
            "protocol": "tcp",
            "port_range_min": 80,
            "port_range_max": 90,
            "remote_ip_prefix": "10.0.0.0/24",
            "remote_group_id": None,
            "remote_address_group_id": None,
            "description": "one",
        },
    ),
    Rule(
        "--egress --ethertype IPv6 --remote-group others",
        {
            "direction": "egress",
            "ether_type": "IPv6",
            "protocol": None,
            "port_range_min": None,
            "port_range_max": None,
        },
    ),
    Rule(
        "--protocol icmp --icmp-type 8 --icmp-code 0",
        {"protocol": "icmp", "port_range_min": 8, "port_range_max": 0},
    ),
    Rule(
        "--ethertype IPv6 --protocol ipv6-icmp --icmp-type 128",
        {"protocol": "ipv6-icmp", "port_range_min": 128, "port_range_max": None},
    ),
    Rule("--protocol 132 --dst-port 5", {"protocol": "132", "port_range_min": 5}),
    Rule("--protocol udp --remote-address-group addresses", {"protocol": "udp"}),
)


DEFAULT_RULES = (
    Rule(
        "--protocol tcp --dst-port 80:90 --remote-ip 10.0.0.0/24 --description one"
        " --for-default-sg",
        {
            "direction": "ingress",
            "ether_type": "IPv4",
            "protocol": "tcp",
            "port_range_min": 80,
            "port_range_max": 90,
            "remote_ip_prefix": "10.0.0.0/24",
            "description": "one",
            "used_in_default_sg": True,
            "used_in_non_default_sg": False,
        },
    ),
    Rule(
        "--egress --ethertype IPv6 --protocol ipv6-icmp --icmp-type 128 --for-custom-sg",
        {
            "direction": "egress",
            "ether_type": "IPv6",
            "protocol": "ipv6-icmp",
            "port_range_min": 128,
            "port_range_max": None,
            "used_in_default_sg": False,
            "used_in_non_default_sg": True,
        },
    ),
)
"""Of what new security groups begin with, by ``default security group rule create``."""
