"""What becomes of every table, column and option of OVN's northbound schema.

`KEPT` is what the translation reads, and what has nothing to say here: counters, states
that OVN itself writes, tunnel keys. Everything else is `Unsupported` wherever it says
something, and so is whatever a newer schema has and this table doesn't name. What counts
is the effect: where OVN itself passes over an option, see `needs`, nothing is lost.
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from cli.import_ovn import needs
from cli.import_ovn.copied import SOURCES, copied_columns
from cli.import_ovn.findings import Report
from cli.import_ovn.needs import Need
from cli.import_ovn.snapshot import Row, Snapshot


class Unsupported(NamedTuple):
    """Something that Treadle has not."""

    reason: str
    changes_verdicts: bool = True
    harmless: str | None = None
    """The value of an option that says what goes without saying.

    OVN takes any value of a flag but the one word that turns it for this one.
    """
    needs: Need | None = None
    """Without which OVN itself passes over it."""

    def is_harmless(self, value: str) -> bool:
        if self.harmless in ("true", "false"):
            return value.lower() != ("false" if self.harmless == "true" else "true")
        return value == self.harmless


KEPT: Final = None
Column = Unsupported | Mapping[str, Unsupported | None] | None
"""One column; a mapping tells apart the keys of a column that is a map of options."""

_UNKNOWN = Unsupported("is unknown here")
_NO_MULTICAST = Unsupported("multicast is flooded", harmless="false")
_NO_METERS = Unsupported("there are no meters", changes_verdicts=False)
_NO_LIMIT = Unsupported("all that it sends passes: there are no rate limits", harmless="0")
_NO_RATE = Unsupported("no rate is kept free for it", harmless="0")
_NO_PLUGGING = Unsupported("interfaces are made by somebody else", changes_verdicts=False)
_NO_MIRRORS = Unsupported("there are no mirrors", changes_verdicts=False)
_NO_SAMPLING = Unsupported("packets are not sampled", changes_verdicts=False)
_NOT_ADVERTISED = Unsupported("there is no interconnection", changes_verdicts=False)
_UNUSED = Unsupported("is left behind; what uses it is listed by itself", changes_verdicts=False)
_OWN_KEYS = Unsupported("tunnel keys are Treadle's own", changes_verdicts=False)

TABLES: Final[Mapping[str, Mapping[str, Column] | Unsupported | None]] = {
    "NB_Global": {
        "name": KEPT,
        "nb_cfg": KEPT,
        "nb_cfg_timestamp": KEPT,
        "sb_cfg": KEPT,
        "sb_cfg_timestamp": KEPT,
        "hv_cfg": KEPT,
        "hv_cfg_timestamp": KEPT,
        "external_ids": KEPT,
        "connections": KEPT,
        "ssl": KEPT,
        "ipsec": Unsupported("tunnels are not encrypted"),
        "options": {
            "always_tunnel": Unsupported(
                "what goes between workloads on a provider network goes by that", harmless="false"
            ),
            "controller_event": Unsupported("there are no controller events", False, "false"),
            "debug_drop_collector_set": _NO_SAMPLING,
            "debug_drop_domain_id": _NO_SAMPLING,
            "default_acl_drop": Unsupported("what no ACL matches is allowed", harmless="false"),
            "ic-route-adv": _NOT_ADVERTISED,
            "ic-route-adv-default": _NOT_ADVERTISED,
            "ic-route-blacklist": _NOT_ADVERTISED,
            "ic-route-learn": _NOT_ADVERTISED,
            "ic-route-learn-default": _NOT_ADVERTISED,
            "ignore_lsp_down": Unsupported("ports that are down are answered for", harmless="true"),
            "use_ct_inv_match": Unsupported("invalid connections are told apart", harmless="true"),
            "mac_binding_removal_limit": KEPT,
            "mac_prefix": KEPT,
            "max_tunid": KEPT,
            "northd_internal_version": KEPT,
            "northd_probe_interval": KEPT,
            "northd_trim_timeout": KEPT,
            "nbctl_probe_interval": KEPT,
            "svc_monitor_mac": KEPT,
            "use_logical_dp_groups": KEPT,
            "use_parallel_build": KEPT,
        },
    },
    "Logical_Switch": {
        "name": KEPT,
        "ports": KEPT,
        "acls": KEPT,
        "external_ids": KEPT,
        "qos_rules": Unsupported("there is no QoS"),
        "load_balancer": KEPT,
        "load_balancer_group": KEPT,
        "dns_records": KEPT,
        "copp": _NO_METERS,
        "forwarding_groups": Unsupported("there are no forwarding groups"),
        "other_config": {
            "subnet": KEPT,
            "exclude_ips": KEPT,
            "ipv6_prefix": KEPT,
            "mac_only": Unsupported("new dynamic ports get IP addresses, too", False, "false"),
            "mcast_snoop": _NO_MULTICAST,
            "mcast_querier": KEPT,
            "mcast_flood_unregistered": KEPT,
            "mcast_table_size": KEPT,
            "mcast_idle_timeout": KEPT,
            "mcast_query_interval": KEPT,
            "mcast_query_max_response": KEPT,
            "mcast_eth_src": KEPT,
            "mcast_ip4_src": KEPT,
            "mcast_ip6_src": KEPT,
            "fdb_age_threshold": KEPT,
            # Routers that don't have the address take no notice.
            "broadcast-arps-to-all-routers": Unsupported("ARP is flooded", False, "true"),
            "requested-tnl-key": _OWN_KEYS,
            "vlan-passthru": KEPT,
        },
    },
    "Logical_Switch_Port": {
        "name": KEPT,
        "type": KEPT,
        "addresses": KEPT,
        "dynamic_addresses": KEPT,
        "port_security": KEPT,
        "up": KEPT,
        "enabled": KEPT,
        "external_ids": KEPT,
        "parent_name": KEPT,
        "tag_request": KEPT,
        "tag": KEPT,
        "dhcpv4_options": KEPT,
        "dhcpv6_options": KEPT,
        "mirror_rules": _NO_MIRRORS,
        "ha_chassis_group": KEPT,
        "options": {
            "router-port": KEPT,
            "requested-chassis": KEPT,
            "requested-tnl-key": _OWN_KEYS,
            "nat-addresses": Unsupported(
                "what is reached through it is announced in any case", changes_verdicts=False
            ),
            "exclude-lb-vips-from-garp": KEPT,
            "arp_proxy": Unsupported("there is no ARP proxy", needs=needs.ROUTER_TYPE),
            "activation-strategy": KEPT,
            "iface-id-ver": Unsupported("is not compared when a port is bound", False),
            "qos_min_rate": _NO_RATE,
            "qos_max_rate": _NO_LIMIT,
            "qos_burst": _NO_LIMIT._replace(needs=needs.MAX_RATE),
            "hostname": KEPT,
            "vif-plug-type": _NO_PLUGGING,
            "vif-plug-mtu-request": _NO_PLUGGING,
            "mcast_flood": _NO_MULTICAST._replace(needs=needs.SNOOPING),
            "mcast_flood_reports": _NO_MULTICAST._replace(needs=needs.SNOOPING),
            # Of types of ports that are left out, which says it all.
            "network_name": KEPT,
            "ethtype": KEPT,
            "localnet_learn_fdb": KEPT,
            "l2gateway-chassis": KEPT,
            "vtep-physical-switch": KEPT,
            "vtep-logical-switch": KEPT,
            "virtual-ip": KEPT,
            "virtual-parents": KEPT,
        },
    },
    "ACL": {
        "name": KEPT,
        "priority": KEPT,
        "direction": KEPT,
        "match": KEPT,
        "action": KEPT,
        "tier": KEPT,
        "log": KEPT,
        "severity": KEPT,
        "label": KEPT,
        "external_ids": KEPT,
        "meter": KEPT,
        "sample_new": _NO_SAMPLING,
        "sample_est": _NO_SAMPLING,
        "options": {
            "apply-after-lb": KEPT,
            "log-related": Unsupported("related packets are not logged", False, "false"),
        },
    },
    "Address_Set": {"name": KEPT, "addresses": KEPT, "external_ids": KEPT},
    "Port_Group": {"name": KEPT, "ports": KEPT, "acls": KEPT, "external_ids": KEPT},
    "Logical_Router": {
        "name": KEPT,
        "ports": KEPT,
        "static_routes": KEPT,
        "enabled": KEPT,
        "external_ids": KEPT,
        "policies": KEPT,
        "nat": KEPT,
        "load_balancer": KEPT,
        "load_balancer_group": KEPT,
        "copp": _NO_METERS,
        "options": {
            "chassis": KEPT,
            "dnat_force_snat_ip": KEPT,
            "lb_force_snat_ip": KEPT,
            "snat-ct-zone": KEPT,
            "mcast_relay": Unsupported("multicast is not routed", harmless="false"),
            "dynamic_neigh_routers": KEPT,
            "always_learn_from_arp_request": KEPT,
            "requested-tnl-key": _OWN_KEYS,
            "mac_binding_age_threshold": KEPT,
        },
    },
    "Logical_Router_Port": {
        "name": KEPT,
        "mac": KEPT,
        "networks": KEPT,
        "peer": KEPT,
        "enabled": KEPT,
        "external_ids": KEPT,
        "gateway_chassis": KEPT,
        "ha_chassis_group": KEPT,
        "ipv6_ra_configs": {
            "address_mode": KEPT,
            "router_preference": KEPT,
            "route_info": KEPT,
            "mtu": KEPT,
            "send_periodic": KEPT,
            "max_interval": KEPT,
            "min_interval": KEPT,
            "rdnss": KEPT,
            "dnssl": KEPT,
        },
        "ipv6_prefix": KEPT,
        "status": KEPT,
        "options": {
            "reside-on-redirect-chassis": KEPT,
            "redirect-type": KEPT,
            "mcast_flood": _NO_MULTICAST._replace(needs=needs.RELAY),
            "requested-tnl-key": _OWN_KEYS,
            "prefix_delegation": Unsupported("no prefix is asked for", harmless="false"),
            "prefix": KEPT,
            "route_table": KEPT,
            "gateway_mtu": KEPT,
            "gateway_mtu_bypass": Unsupported(
                "the size of all packets is checked", needs=needs.GATEWAY_MTU
            ),
        },
    },
    "Logical_Router_Static_Route": {
        "ip_prefix": KEPT,
        "nexthop": KEPT,
        "output_port": KEPT,
        "policy": KEPT,
        "external_ids": KEPT,
        "route_table": KEPT,
        "bfd": KEPT,
        "selection_fields": KEPT,
        "options": {
            "ecmp_symmetric_reply": KEPT,
            "origin": KEPT,
        },
    },
    "Logical_Router_Policy": {
        "priority": KEPT,
        "match": KEPT,
        "action": KEPT,
        "nexthop": KEPT,
        "nexthops": KEPT,
        "output_port": KEPT,
        "chain": KEPT,
        "jump_chain": KEPT,
        "external_ids": KEPT,
        "bfd_sessions": KEPT,
        "options": {"pkt_mark": KEPT},
    },
    **{table: copied_columns(each.ovn) for table, each in SOURCES.items() if each.ovn},
    "DHCP_Options": KEPT,
    "Load_Balancer": {
        "name": KEPT,
        "vips": KEPT,
        "protocol": KEPT,
        "external_ids": KEPT,
        "health_check": KEPT,
        "ip_port_mappings": KEPT,
        "selection_fields": KEPT,
        "options": {
            "reject": KEPT,
            "hairpin_snat_ip": KEPT,
            "skip_snat": KEPT,
            "add_route": Unsupported("no router gets routes by itself", harmless="false"),
            "neighbor_responder": KEPT,
            "template": KEPT,
            "address-family": KEPT,
            "affinity_timeout": KEPT,
            "event": Unsupported("there are no controller events", False, "false"),
            "distributed": Unsupported("hypervisors balance over all backends", harmless="false"),
            # Connections to backends that are gone end in any case.
            "ct_flush": KEPT,
        },
    },
    "Load_Balancer_Group": {"name": KEPT, "load_balancer": KEPT},
    "DNS": {"records": KEPT, "external_ids": KEPT, "options": {"ovn-owned": KEPT}},
    "Copp": _UNUSED,
    "Meter": KEPT,
    "Mirror": _UNUSED,
    "BFD": {
        "logical_port": KEPT,
        "dst_ip": KEPT,
        "min_tx": KEPT,
        "min_rx": KEPT,
        "detect_mult": KEPT,
        "status": KEPT,
        "options": KEPT,
        "external_ids": KEPT,
    },
    "HA_Chassis_Group": {"name": KEPT, "ha_chassis": KEPT, "external_ids": KEPT},
    "Chassis_Template_Var": {"chassis": KEPT, "variables": KEPT, "external_ids": KEPT},
    # How to reach the database itself.
    "Connection": KEPT,
    "SSL": KEPT,
    # Parts of what is listed where it is used.
    "Forwarding_Group": KEPT,
    "Gateway_Chassis": KEPT,
    "HA_Chassis": KEPT,
    "Load_Balancer_Health_Check": KEPT,
    "Meter_Band": KEPT,
    "NAT": {
        "type": KEPT,
        "external_ip": KEPT,
        "logical_ip": KEPT,
        "external_mac": KEPT,
        "logical_port": KEPT,
        "external_port_range": KEPT,
        "gateway_port": KEPT,
        "external_ids": KEPT,
        "allowed_ext_ips": KEPT,
        "exempted_ext_ips": KEPT,
        "match": KEPT,
        "priority": KEPT,
        "options": {
            "stateless": KEPT,
            "add_route": Unsupported("no route is made for it", harmless="false"),
        },
    },
    "QoS": KEPT,
}


def report_unsupported(snapshot: Snapshot, report: Report) -> None:
    """Report all that the translation does not look at, though it says something."""
    for table in snapshot.tables:
        treatment = TABLES.get(table, _UNKNOWN)
        if treatment is KEPT:
            continue
        for row in snapshot.rows(table):
            found = (
                [("", treatment)]
                if isinstance(treatment, Unsupported)
                else _unsupported_in(row, treatment)
            )
            for column, unsupported in found:
                _tell(report, row, column, unsupported, snapshot)


def _tell(
    report: Report, row: Row, column: str, unsupported: Unsupported, snapshot: Snapshot
) -> None:
    need = unsupported.needs
    if need is not None and not need.is_met(row, snapshot):
        report.noted(row, column, f"OVN passes over it, too: it means nothing without {need.what}")
    elif unsupported.changes_verdicts:
        report.lost(row, column, unsupported.reason)
    else:
        report.noted(row, column, unsupported.reason)


def _unsupported_in(
    row: Row, treatments: Mapping[str, Column]
) -> Iterator[tuple[str, Unsupported]]:
    for column in sorted(row.columns):
        treatment = treatments.get(column, _UNKNOWN)
        if treatment is KEPT or row.says_nothing(column):
            continue
        if isinstance(treatment, Unsupported):
            yield column, treatment
            continue
        for key, value in row.mapping(column).items():
            option = treatment.get(key, _UNKNOWN)
            if option is not None and not option.is_harmless(value):
                yield f"{column}:{key}", option
