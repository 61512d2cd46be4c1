"""A topology in Debian's OVN, and what ``ovn-trace`` says becomes of a packet there."""

import json
import signal
import subprocess
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from itertools import chain

from benchmarks.ovn import Ovn
from tests.differential.network.outcome import Outcome, any_of
from tests.differential.network.probe import Probe
from tests.differential.network.summary import NoVerdictError, traced_outcome
from tests.differential.network.topologies import Document

_LOOKUPS = 40
"""More lookups of connections than a packet makes; each one needs an answer of its own."""

_STATES = {"new": "trk,new", "est": "trk,est", "rpl": "trk,est,rpl", "inv": "trk,inv"}

_CLEAR = [
    argument
    for table in (
        "logical_switch",
        "logical_router",
        "port_group",
        "address_set",
        "static_mac_binding",
        "nat",
        "load_balancer",
        "dhcp_options",
    )
    for argument in ("--", "--all", "destroy", table)
]
_SECONDS = 10
"""Of a processor, for a packet: ``ovn-trace`` takes a small part of one."""
_ENDS = {
    -signal.SIGXCPU: "ovn-trace doesn't end",
    -signal.SIGKILL: "ovn-trace doesn't end",
    -signal.SIGABRT: "ovn-trace aborts where a router answers a solicitation",
    -signal.SIGSEGV: "ovn-trace overflows its stack on packets in circles",
}

Command = Sequence[str]


def load(ovn: Ovn, document: Document, further: Iterable[Command] = ()) -> None:
    """Make OVN's network what `document` says, and wait until it is translated.

    `further` commands are for what a document doesn't say.
    """
    ovn.nbctl(_CLEAR[1:])
    ovn.nbctl(["--all", "destroy", "ha_chassis_group"])  # Ports hold on to it until they are gone.
    ovn.load(chain(commands(document), further))
    ovn.nbctl(["--wait=sb", "sync"], timeout=60)


def resolve_static_mac_bindings(ovn: Ovn) -> None:
    """Let ``ovn-trace`` resolve what ovn-northd made of static MAC bindings.

    They are no logical flows: ovn-controller answers `get_arp` and `get_nd` by them, but
    ovn-trace 23.03 reads only the table of what was learned. No other binding is in it here,
    so that one that overrides and one that doesn't resolve the same.
    """
    columns = ("datapath", "logical_port", "ip", "mac")
    command = ["ovn-sbctl", f"--db={ovn.southbound}"]
    listed = subprocess.run(
        [*command, "--format=json", f"--columns={','.join(columns)}", "list", "static_mac_binding"],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
    )
    command += ["--all", "destroy", "mac_binding"]
    learned = f"timestamp={time.time() * 1000:.0f}"  # ovn-northd forgets what is old.
    for (_, datapath), port, ip, mac in json.loads(listed.stdout)["data"]:
        row = [
            f"datapath={datapath}",
            f"logical_port={port}",
            f'ip="{ip}"',
            f'mac="{mac}"',
            learned,
        ]
        command += ["--", "create", "mac_binding", *row]
    subprocess.run(command, check=True, timeout=60, capture_output=True)


def their_outcome(ovn: Ovn, probe: Probe, ways: int) -> Outcome:
    """What ``ovn-trace`` says; raises `NoVerdictError` where it doesn't tell.

    Of the `ways` that a hash may choose each is tried.

    23.03 aborts at the action ``nd_na_router``, which answers solicitations of routers'
    addresses, and overflows its stack, or doesn't end, when packets go around in circles.
    """
    states = [f"--ct={_STATES[probe.state]}"] * _LOOKUPS
    command = ["prlimit", f"--cpu={_SECONDS}", "--", "ovn-trace", f"--db={ovn.southbound}"]
    command += ["--summary", *states]
    return any_of(
        traced_outcome(partial(_summary, [*command, f"--select-id={way}"]), probe.packet)
        for way in range(1, ways + 1)
    )


def _summary(command: Command, packet: str) -> str:
    done = subprocess.run(
        [*command, packet], capture_output=True, text=True, check=False, timeout=300
    )
    if done.returncode in _ENDS:
        raise NoVerdictError(_ENDS[done.returncode])
    done.check_returncode()
    return done.stdout


def commands(document: Document) -> Iterator[Command]:
    """What ``ovn-nbctl`` has to do for a document whose objects aren't there yet."""
    for name, members in document["address_sets"].items():
        addresses = ",".join(f'"{address}"' for address in members["addresses"])
        yield ["create", "address_set", f"name={name}", f"addresses=[{addresses}]"]
    for name, group in document.get("ha_chassis_groups", {}).items():
        yield [f"--id=@{name}", "create", "ha_chassis_group", f"name={name}"]
        for ranked in group["chassis"]:
            words = [name, ranked["chassis"], str(ranked["priority"])]
            yield ["ha-chassis-group-add-chassis", *words]
    for name, switch in document["logical_switches"].items():
        yield ["ls-add", name]
        for port_name, port in switch["ports"].items():
            yield from _switch_port(name, port_name, port)
    for name, options in document.get("dhcp_options", {}).items():
        yield _dhcp_options(name, options)
        for switch in document["logical_switches"].values():
            for port_name, port in switch["ports"].items():
                for column in ("dhcpv4_options", "dhcpv6_options"):
                    if port.get(column) == name:
                        yield ["set", "logical_switch_port", port_name, f"{column}=@{name}"]
    for name, balancer in document.get("load_balancers", {}).items():
        yield _load_balancer(name, balancer)
        for switch in balancer.get("switches", ()):
            yield ["ls-lb-add", switch, name]
    for name, router in document["logical_routers"].items():
        yield from _router(name, router)
    for name, balancer in document.get("load_balancers", {}).items():
        for router in balancer.get("routers", ()):
            yield ["lr-lb-add", router, name]
    for name, group in document["port_groups"].items():
        yield ["pg-add", name, *group["ports"]]
    for kind in ("logical_switches", "port_groups"):
        for name, owner in document[kind].items():
            for acl in owner.get("acls", ()):
                yield _acl(kind, name, acl)


def _switch_port(switch: str, name: str, port: Document) -> Iterator[Command]:
    nested = [port["parent"], str(port["tag"])] if "parent" in port else []
    yield ["lsp-add", switch, name, *nested]
    if port.get("type") == "router":
        yield ["lsp-set-type", name, "router"]
        yield ["lsp-set-addresses", name, "router"]
        yield ["lsp-set-options", name, f"router-port={port['router_port']}"]
        return
    if port.get("type") == "external":
        yield ["lsp-set-type", name, "external"]
        if "ha_chassis_group" in port:
            group = f"ha_chassis_group=@{port['ha_chassis_group']}"
            yield ["set", "logical_switch_port", name, group]
    if port.get("type") in ("localnet", "l2gateway"):
        chassis = [f"l2gateway-chassis={each}" for each in port.get("requested_chassis", ())]
        yield ["lsp-set-type", name, port["type"]]
        yield ["lsp-set-options", name, f"network_name={port['network_name']}", *chassis]
        if "tag" in port:
            yield ["set", "logical_switch_port", name, f"tag_request={port['tag']}"]
            yield ["set", "logical_switch_port", name, f"tag={port['tag']}"]
    yield ["lsp-set-addresses", name, *port["addresses"]]
    if secured := port.get("port_security"):
        yield ["lsp-set-port-security", name, *secured]
    if not port.get("enabled", True):
        yield ["lsp-set-enabled", name, "disabled"]


def _router(name: str, router: Document) -> Iterator[Command]:
    yield ["lr-add", name]
    if not router.get("enabled", True):
        yield ["set", "logical_router", name, "enabled=false"]
    if "chassis" in router:
        yield ["set", "logical_router", name, f"options:chassis={router['chassis']}"]
    for field in ("always_learn_from_arp_request", "mac_binding_age_threshold"):
        if field in router:
            yield ["set", "logical_router", name, f"options:{field}={router[field]}".lower()]
    for option, ips in _forced_sources(router):
        yield ["set", "logical_router", name, f'options:{option}="{ips}"']
    for port_name, port in router["ports"].items():
        peer = [f"peer={port['peer']}"] if "peer" in port else []
        yield ["lrp-add", name, port_name, port["mac"], *port["networks"], *peer]
        if not port.get("enabled", True):
            yield ["lrp-set-enabled", port_name, "disabled"]
        if "ipv6_ra" in port:
            mode = port["ipv6_ra"]["address_mode"]
            told = f"ipv6_ra_configs:address_mode={mode}"
            yield ["set", "logical_router_port", port_name, told]
        if "redirect_type" in port:
            yield ["lrp-set-redirect-type", port_name, port["redirect_type"]]
        if port.get("reside_on_redirect_chassis"):
            option = "options:reside-on-redirect-chassis=true"
            yield ["set", "logical_router_port", port_name, option]
        if "route_table" in port:
            yield ["lrp-set-options", port_name, f"route_table={port['route_table']}"]
        for ranked in port.get("gateway_chassis", ()):
            words = [ranked["chassis"], str(ranked["priority"])]
            yield ["lrp-set-gateway-chassis", port_name, *words]
        for binding in port.get("static_mac_bindings", ()):
            yield _static_mac_binding(port_name, binding)
    for nat in router.get("nats", ()):
        yield _nat(name, nat)
    for policy in router.get("policies", ()):
        words = [str(policy["priority"]), policy["match"], policy["action"]]
        yield ["lr-policy-add", name, *words, *filter(None, [",".join(policy.get("nexthops", ()))])]
    for route in router["static_routes"]:
        options = [f"--policy={route['policy']}"]
        if route["nexthop"] != "discard":
            symmetric = route.get("ecmp_symmetric_reply")
            options.append("--ecmp-symmetric-reply" if symmetric else "--ecmp")
        if "route_table" in route:
            options.append(f"--route-table={route['route_table']}")
        yield [*options, "lr-route-add", name, route["ip_prefix"], route["nexthop"]]


def _forced_sources(router: Document) -> Iterator[tuple[str, str]]:
    for what in ("lb", "dnat"):
        if ips := router.get(f"{what}_force_snat_ips"):
            yield f"{what}_force_snat_ip", " ".join(ips)
    if router.get("lb_force_snat_router_ip"):
        yield "lb_force_snat_ip", "router_ip"


def _static_mac_binding(port: str, binding: Document) -> Command:
    """OVN's binding isn't part of the port, but names it."""
    overrides = str(binding.get("override_dynamic_mac", False)).lower()
    return [
        "create",
        "static_mac_binding",
        f"logical_port={port}",
        f'ip="{binding["ip"]}"',
        f'mac="{binding["mac"]}"',
        f"override_dynamic_mac={overrides}",
    ]


def _dhcp_options(name: str, document: Document) -> Command:
    options = document.get("dhcpv4")
    if options is None:
        said = {"server_id": document["dhcpv6"]["server_mac"]}
    else:
        said = {
            "server_id": options["server_id"],
            "server_mac": options["server_mac"],
            "router": options["routers"][0],
            "lease_time": options["lease_time"],
        }
    texts = [f'options:{key}="{value}"' for key, value in said.items()]
    return [f"--id=@{name}", "create", "dhcp_options", f'cidr="{document["cidr"]}"', *texts]


def _load_balancer(name: str, balancer: Document) -> Command:
    vips = []
    for vip in balancer["vips"]:
        address, port = vip["address"], vip.get("port")
        bracketed = f"[{address}]" if ":" in address else address
        text = address if port is None else f"{bracketed}:{port}"
        vips.append(f'vips:"{text}"="{",".join(vip.get("backends", ()))}"')
    words = [f"name={name}", f"protocol={balancer['protocol']}", *vips]
    words += [f"options:{key}=true" for key in ("reject", "skip_snat") if balancer.get(key)]
    if "neighbor_responder" in balancer:
        words.append(f"options:neighbor_responder={balancer['neighbor_responder']}")
    return ["create", "load_balancer", *words]


def _nat(router: str, nat: Document) -> Command:
    options = ["--stateless"] if nat.get("stateless") else []
    options += ["--portrange"] if "external_port_range" in nat else []
    words = [nat["type"], nat["external_ip"], nat["logical_ip"]]
    if "logical_port" in nat:
        words += [nat["logical_port"], nat["external_mac"]]
    if "external_port_range" in nat:
        words.append(nat["external_port_range"])
    return [*options, "lr-nat-add", router, *words]


def _acl(kind: str, owner: str, acl: Document) -> Command:
    """The match in parentheses: 23.03 joins that of a ``reject`` with ``&&`` as it stands."""
    of = "switch" if kind == "logical_switches" else "port-group"
    words = [acl["direction"], str(acl["priority"]), f"({acl['match']})", acl["action"]]
    return [f"--type={of}", "acl-add", owner, *words]
