"""What OpenStack's and Kubernetes' integrations with OVN write on every site, for ovn-nbctl.

The objects, columns and options are those of Neutron's ML2/OVN driver with its Octavia provider,
and of ovn-kubernetes, with names of their kinds: a project with a router to a provider network,
a floating IP, a trunk, a virtual address, DNS, a load balancer; and a node with its gateway router,
pods, services of all types, network policies and an egress IP.
"""

from collections.abc import Iterator

NETWORK, PROVIDER = "neutron-6f0c3f2e", "neutron-c1a7e5b0"
PORT1, PORT2, SUBPORT, VIRTUAL, METADATA = (
    "7d510001",
    "7d510002",
    "7d51000a",
    "7d51000b",
    "7d51000c",
)


def port(switch: str, name: str, addresses: str, **options: str) -> list[str]:
    """A switch port with its addresses and options."""
    commands = [f"lsp-add {switch} {name}", f"lsp-set-addresses {name} {addresses}"]
    if options:
        texts = (f"{key.replace('_', '-')}={value}" for key, value in options.items())
        commands.append(f"lsp-set-options {name} {' '.join(texts)}")
    return commands


def router_port(switch: str, name: str, peer: str, *options: str) -> list[str]:
    return [
        f"lsp-add {switch} {name}",
        f"lsp-set-type {name} router",
        f"lsp-set-addresses {name} router",
        f"lsp-set-options {name} router-port={peer} {' '.join(options)}",
    ]


def neutron() -> Iterator[str]:
    yield from (
        (
            "create meter name=acl_log_meter unit=pktps fair=true bands=@b -- "
            "--id=@b create meter_band action=drop rate=100 burst_size=25"
        ),
        f"ls-add {NETWORK}",
        (
            f"set logical_switch {NETWORK} 'external_ids:\"neutron:network_name\"=private' "
            "'external_ids:\"neutron:mtu\"=1442' 'external_ids:\"neutron:revision_number\"=2' "
            "other_config:mcast_snoop=false other_config:mcast_flood_unregistered=false "
            "other_config:vlan-passthru=false"
        ),
        f"ls-add {PROVIDER}",
        (
            f"set logical_switch {PROVIDER} other_config:mcast_snoop=false "
            "other_config:mcast_flood_unregistered=false other_config:vlan-passthru=false"
        ),
        f"lsp-add {PROVIDER} provnet-c1a7e5b0",
        "lsp-set-type provnet-c1a7e5b0 localnet",
        "lsp-set-addresses provnet-c1a7e5b0 unknown",
        (
            "lsp-set-options provnet-c1a7e5b0 network_name=physnet1 mcast_flood=false "
            "mcast_flood_reports=true localnet_learn_fdb=false"
        ),
        "set logical_switch_port provnet-c1a7e5b0 tag=100",
    )
    for switch, number in ((NETWORK, ""), (PROVIDER, "d")):
        yield from port(
            switch, METADATA + number, f'"fa:16:3e:10:0{len(number)}:02 10.0.{len(number)}.2"'
        )
        yield f"lsp-set-type {METADATA}{number} localport"
        yield f"lsp-set-enabled {METADATA}{number} enabled"
    ports = " ".join(
        f"-- lsp-add {NETWORK} {name} -- set logical_switch_port {name} "
        "dhcpv4_options=@d dhcpv6_options=@s enabled=true"
        for name in (PORT1, PORT2)
    )
    yield (
        "--id=@d create dhcp_options cidr=10.0.0.0/24 options:server_id=10.0.0.1 "
        "'options:server_mac=\"fa:16:3e:77:77:77\"' options:lease_time=43200 options:mtu=1442 "
        "options:router=10.0.0.1 'options:dns_server=\"{10.0.0.3, 8.8.8.8}\"' "
        '\'options:domain_name="\\"openstacklocal\\""\' '
        "'options:classless_static_route=\"{169.254.169.254/32,10.0.0.2, 0.0.0.0/0,10.0.0.1}\"' "
        "external_ids:subnet_id=5a1b -- --id=@s create dhcp_options 'cidr=\"fd00::/64\"' "
        "'options:server_id=\"fa:16:3e:66:66:66\"' options:dhcpv6_stateless=true "
        f"'options:dns_server=\"fd00::3\"' {ports}"
    )
    for number, name in enumerate((PORT1, PORT2), 1):
        addresses = f'"fa:16:3e:10:01:0{number} 10.0.0.1{number} fd00::1{number}"'
        yield f"lsp-set-addresses {name} {addresses}"
        yield f"lsp-set-port-security {name} {addresses}"
        yield (
            f"lsp-set-options {name} requested-chassis=node-{number}.cloud.example "
            "mcast_flood_reports=true mcast_flood=false"
        )
        yield f"set logical_switch_port {name} 'external_ids:\"neutron:port_name\"=vm{number}'"
    yield f"lsp-add {NETWORK} {SUBPORT} {PORT1} 101"
    yield f'lsp-set-addresses {SUBPORT} "fa:16:3e:10:01:0a 10.0.0.20"'
    yield f"lsp-add {NETWORK} {VIRTUAL}"
    yield f"lsp-set-type {VIRTUAL} virtual"
    yield f'lsp-set-addresses {VIRTUAL} "fa:16:3e:10:01:0b 10.0.0.30"'
    yield f"lsp-set-options {VIRTUAL} virtual-ip=10.0.0.30 virtual-parents={PORT1},{PORT2}"
    yield from (
        "lr-add neutron-41aa",
        (
            "set logical_router neutron-41aa enabled=true "
            "options:always_learn_from_arp_request=false options:dynamic_neigh_routers=true "
            "options:mac_binding_age_threshold=0"
        ),
        "lrp-add neutron-41aa lrp-in fa:16:3e:20:00:01 10.0.0.1/24 fd00::1/64",
        (
            "set logical_router_port lrp-in options:gateway_mtu=1500 "
            "options:reside-on-redirect-chassis=false "
            "ipv6_ra_configs:address_mode=dhcpv6_stateless ipv6_ra_configs:mtu=1442 "
            "ipv6_ra_configs:send_periodic=true"
        ),
        "lrp-add neutron-41aa lrp-out fa:16:3e:20:00:02 172.24.4.10/24",
        "set logical_router_port lrp-out options:reside-on-redirect-chassis=false",
        "lrp-set-gateway-chassis lrp-out gw-1 2",
        "lrp-set-gateway-chassis lrp-out gw-2 1",
        *router_port(NETWORK, "in", "lrp-in"),
        *router_port(
            PROVIDER, "out", "lrp-out", "nat-addresses=router", "exclude-lb-vips-from-garp=true"
        ),
        "lr-route-add neutron-41aa 0.0.0.0/0 172.24.4.1",
        "lr-nat-add neutron-41aa snat 172.24.4.10 10.0.0.0/24",
        f"lr-nat-add neutron-41aa dnat_and_snat 172.24.4.21 10.0.0.11 {PORT1} fa:16:3e:30:00:01",
        "lr-nat-add neutron-41aa dnat_and_snat 172.24.4.22 10.0.0.12",
        "pg-add neutron_pg_drop 7d510001 7d510002",
        "acl-add neutron_pg_drop to-lport 1001 'outport == @neutron_pg_drop && ip' drop",
        "acl-add neutron_pg_drop from-lport 1001 'inport == @neutron_pg_drop && ip' drop",
        "pg-add pg_0a11 7d510001 7d510002",
        "acl-add pg_0a11 from-lport 1002 'inport == @pg_0a11 && ip4' allow-related",
        (
            "acl-add pg_0a11 to-lport 1002 "
            "'outport == @pg_0a11 && ip4 && ip4.src == $pg_0a11_ip4' allow-related"
        ),
        (
            "--log --severity=info --meter=acl_log_meter acl-add pg_0a11 to-lport 1002 "
            "'outport == @pg_0a11 && ip4 && ip4.src == 0.0.0.0/0 && tcp && tcp.dst == 22' "
            "allow-related"
        ),
        (
            "--id=@n create dns 'records:vm1=\"10.0.0.11 fd00::11\"' "
            '\'records:"vm1.openstack.example"="10.0.0.11 fd00::11"\' '
            '\'records:"11.0.0.10.in-addr.arpa"="vm1.openstack.example"\' '
            f"external_ids:ls_name={NETWORK} -- set logical_switch {NETWORK} dns_records=@n"
        ),
        "lb-add 0c7a-tcp 10.0.0.40:80 10.0.0.11:8080,10.0.0.12:8080 tcp",
        (
            "set load_balancer 0c7a-tcp options:hairpin_snat_ip=10.0.0.40 "
            "selection_fields=ip_src,ip_dst,tp_src,tp_dst"
        ),
        f"ls-lb-add {NETWORK} 0c7a-tcp",
        "lr-lb-add neutron-41aa 0c7a-tcp",
        "lb-add pf-floatingip-9b2e-tcp 172.24.4.30:2222 10.0.0.11:22 tcp",
        "lr-lb-add neutron-41aa pf-floatingip-9b2e-tcp",
    )


CLUSTER, NODE, GATEWAY = "ovn_cluster_router", "ovn-worker", "GR_ovn-worker"


def kubernetes() -> Iterator[str]:
    yield from (
        f"lr-add {CLUSTER}",
        (
            f"set logical_router {CLUSTER} external_ids:k8s-cluster-router=yes "
            "options:mcast_relay=false options:always_learn_from_arp_request=false"
        ),
        "ls-add join",
        f"lrp-add {CLUSTER} rtoj-{CLUSTER} 0a:58:64:40:00:01 100.64.0.1/16",
        *router_port("join", f"jtor-{CLUSTER}", f"rtoj-{CLUSTER}"),
        f"ls-add {NODE}",
        (
            f"set logical_switch {NODE} other_config:subnet=10.244.0.0/24 "
            "other_config:exclude_ips=10.244.0.2 other_config:mcast_snoop=false"
        ),
        f"lrp-add {CLUSTER} rtos-{NODE} 0a:58:0a:f4:00:01 10.244.0.1/24",
        f"set logical_router_port rtos-{NODE} options:gateway_mtu=1400",
        f"lrp-set-gateway-chassis rtos-{NODE} 1f1c-chassis 1",
        *router_port(NODE, f"stor-{NODE}", f"rtos-{NODE}"),
        *port(NODE, f"k8s-{NODE}", '"0a:58:0a:f4:00:02 10.244.0.2"'),
    )
    for number, name in ((5, "shop_web-1"), (6, "shop_web-2")):
        address = f'"0a:58:0a:f4:00:0{number} 10.244.0.{number}"'
        yield from port(NODE, name, address, requested_chassis=NODE, iface_id_ver=f"5e1f{number}")
        yield f"lsp-set-port-security {name} {address}"
        yield f"set logical_switch_port {name} external_ids:namespace=shop external_ids:pod=true"
    yield from (
        f"lr-add {GATEWAY}",
        (
            f"set logical_router {GATEWAY} options:chassis=1f1c-chassis "
            "options:dynamic_neigh_routers=true options:always_learn_from_arp_request=false "
            "options:lb_force_snat_ip=router_ip options:snat-ct-zone=0 "
            "options:mac_binding_age_threshold=300 external_ids:physical_ip=172.18.0.3"
        ),
        f"lrp-add {GATEWAY} rtoj-{GATEWAY} 0a:58:64:40:00:02 100.64.0.2/16",
        *router_port("join", f"jtor-{GATEWAY}", f"rtoj-{GATEWAY}"),
        f"ls-add ext_{NODE}",
        f"lsp-add ext_{NODE} breth0_{NODE}",
        f"lsp-set-type breth0_{NODE} localnet",
        f"lsp-set-addresses breth0_{NODE} unknown",
        f"lsp-set-options breth0_{NODE} network_name=physnet",
        f"lrp-add {GATEWAY} rtoe-{GATEWAY} 02:42:ac:12:00:03 172.18.0.3/16",
        f"set logical_router_port rtoe-{GATEWAY} external_ids:gateway-physical-ip=yes",
        *router_port(
            *(f"ext_{NODE}", f"etor-{GATEWAY}", f"rtoe-{GATEWAY}"),
            *("nat-addresses=router", "exclude-lb-vips-from-garp=true"),
        ),
        (
            f"create static_mac_binding logical_port=rtoe-{GATEWAY} ip=169.254.169.4 "
            "'mac=\"0a:58:a9:fe:a9:04\"' override_dynamic_mac=true"
        ),
        f"lr-nat-add {GATEWAY} snat 172.18.0.3 10.244.0.0/16",
        f"lr-nat-add {GATEWAY} snat 172.18.0.3 100.64.0.0/16",
        f"lr-route-add {GATEWAY} 10.244.0.0/16 100.64.0.1",
        f"lr-route-add {GATEWAY} 0.0.0.0/0 172.18.0.1 rtoe-{GATEWAY}",
        f"lr-route-add {GATEWAY} 169.254.169.0/29 169.254.169.4 rtoe-{GATEWAY}",
        f"--policy=src-ip lr-route-add {CLUSTER} 10.244.0.0/24 100.64.0.2",
        f"lr-route-add {CLUSTER} 100.64.0.2 100.64.0.2",
        (
            f"lr-policy-add {CLUSTER} 1004 "
            f"'inport == \"rtos-{NODE}\" && ip4.dst == 172.18.0.3 /* {NODE} */' reroute 10.244.0.2"
        ),
        f"lr-policy-add {CLUSTER} 102 'ip4.src == 10.244.0.0/16 && ip4.dst == 10.244.0.0/16' allow",
        (
            f"lr-policy-add {CLUSTER} 100 'ip4.src == 10.244.0.5' reroute 100.64.0.2,100.64.0.3 "
            "pkt_mark=1008"
        ),
        (
            "--id=@g create load_balancer_group name=clusterLBGroup "
            f"-- add logical_switch {NODE} load_balancer_group @g "
            f"-- add logical_router {GATEWAY} load_balancer_group @g"
        ),
    )
    service = "options:event=false options:skip_snat=false options:neighbor_responder=none"
    vips = (
        ("Service_default/kubernetes_TCP_cluster", "10.96.0.1:443", "172.18.0.3:6443", ""),
        (
            *("Service_shop/web_TCP_cluster", "10.96.7.7:80", "10.244.0.5:8080,10.244.0.6:8080"),
            "options:affinity_timeout=10800",
        ),
        ("Service_shop/empty_UDP_cluster", "10.96.7.8:53", "", ""),
    )
    for number, (name, vip, backends, more) in enumerate(vips):
        protocol = "udp" if "UDP" in name else "tcp"
        yield (
            f"--id=@lb{number} create load_balancer name={name} protocol={protocol} "
            f'\'vips:"{vip}"="{backends}"\' options:reject=true {service} '
            "'options:hairpin_snat_ip=\"169.254.169.5 fd69::5\"' "
            f"'external_ids:\"k8s.ovn.org/kind\"=Service' {more} "
            f"-- add load_balancer_group clusterLBGroup load_balancer @lb{number}"
        )
    yield from (
        "create chassis_template_var chassis=1f1c-chassis variables:NODEIP_IPv4_0=172.18.0.3",
        (
            "--id=@t create load_balancer name=Service_shop/web_TCP_node_switch_template "
            "protocol=tcp options:template=true options:address-family=ipv4 options:reject=true "
            '\'vips:"^NODEIP_IPv4_0:30080"="10.244.0.5:8080,10.244.0.6:8080"\' '
            f"-- add logical_router {GATEWAY} load_balancer @t"
        ),
        'create address_set name=a1411 \'addresses="10.244.0.5","10.244.0.6"\'',
        "pg-add a9550 shop_web-1 shop_web-2",
        "acl-add a9550 to-lport 1000 'outport == @a9550' drop",
        (
            "acl-add a9550 to-lport 1001 'ip4.src == {$a1411} && outport == @a9550 && tcp' "
            "allow-related"
        ),
        "--apply-after-lb acl-add a9550 from-lport 1000 'inport == @a9550' drop",
        "--apply-after-lb acl-add a9550 from-lport 1001 'inport == @a9550 && (arp || nd)' allow",
    )
