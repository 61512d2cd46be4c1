"""The configuration of a network, which the runtime writes to the plugin's standard input.

Field by field it is described in ``docs/cni.md``. Fields that are not known are refused: a wrong
name would silently leave out what it was meant to ask for. Those of the specification that are
of no use here are ignored, as are names with a ``/`` or a ``.``, which belong to others.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from integrations.cni.environment import Invocation
from integrations.cni.errors import INVALID_ENVIRONMENT, CniError, invalid
from integrations.cni.fields import (
    Fields,
    parse_interface,
    parse_ip,
    parse_mac,
    parse_network,
)
from integrations.cni.result import check_previous
from integrations.cni.versions import check_version
from integrations.host.links import Route, is_interface_name

DEFAULT_URL = "http://127.0.0.1:6680"
DEFAULT_TIMEOUT = 30
DEFAULT_MTU = 1442
"""What is left of 1500 octets of an underlay by outer IPv4, UDP and Geneve with an option."""

OVERLAY, MACVLAN, HOST_DEVICE = "overlay", "macvlan", "host-device"
MODES = (OVERLAY, MACVLAN, HOST_DEVICE)
MACVLAN_MODES = ("bridge", "private", "vepa", "passthru")
_NAME_LIMIT = 255
_NETWORK = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,254}")

_OF_THE_SPECIFICATION = frozenset(
    {
        *("cniVersion", "cniVersions", "name", "type", "disableCheck", "disableGC"),
        *("loadOnlyInlinedPlugins", "capabilities", "args", "runtimeConfig", "prevResult", "dns"),
        "ipMasq",
    }
)
_OURS = frozenset(
    {
        *("url", "tokenFile", "caFile", "plainText", "project", "switch", "createSwitch", "mode"),
        *("bridge", "chassis", "mtu", "portGroups", "portSecurity", "labels", "gateways"),
        *("defaultRoute", "routes", "timeout", "master", "macvlanMode", "device", "representor"),
        "ipam",
    }
)


class SwitchToCreate(NamedTuple):
    """What a logical switch is made as, if it isn't there."""

    subnet4: str | None
    subnet6: str | None
    exclude_ips: list[str]
    labels: dict[str, str]


class Server(NamedTuple):
    """Where Treadle is, and how to show who asks."""

    url: str
    token_file: str | None
    ca_file: str | None
    plain_text: bool
    project: str | None


class Configuration(NamedTuple):
    """One network, as one interface of a container is to be in it."""

    version: str
    network: str
    """The network's name, which its attachments have in common."""
    server: Server
    timeout: int
    """Seconds for a whole verb."""
    mode: str
    switch: str
    create_switch: SwitchToCreate | None
    bridge: str | None
    """The integration bridge; None is what the agent's settings say."""
    chassis: str | None
    """What this hypervisor is called; None is what Open vSwitch says."""
    mtu: int | None
    port_groups: list[str]
    port_security: bool
    labels: dict[str, str]
    gateways: list[str]
    """At most one of each family."""
    asks_router: bool
    """Whether there are to be default routes, and the switch's router says where they lead."""
    routes: list[Route]
    dns: dict[str, Any]
    master: str | None
    macvlan_mode: str
    device: str | None
    representor: str | None
    mac: str | None
    """Asked for by the runtime or the user."""
    ips: list[str]
    """Asked for, with prefix lengths where they were given."""
    previous: dict[str, Any] | None
    """What plugins before told, or for DEL and CHECK what ADD did."""
    valid_attachments: list[tuple[str, str]] | None
    """For GC: container id and interface of all that are still used."""


def read_configuration(document: Mapping[str, Any], invocation: Invocation) -> Configuration:
    """Read the configuration; raise a :class:`CniError` that names what is wrong."""
    fields = Fields(document)
    version = fields.text("cniVersion") or "0.1.0"
    check_version(version, invocation.command)
    _refuse_unknown(fields)
    network = fields.needed_text("name")
    if not _NETWORK.fullmatch(network):
        raise invalid(
            "name", f"{network[:300]!r} has to be letters, digits, _, dots and hyphens, 255 at most"
        )
    mode = _one_of(fields, "mode", MODES)
    gateways = _gateways(fields)
    runtime = fields.object("runtimeConfig")
    wishes = fields.object("args").object("cni")
    configuration = Configuration(
        version=version,
        network=network,
        server=Server(
            url=fields.text("url") or DEFAULT_URL,
            token_file=fields.text("tokenFile"),
            ca_file=fields.text("caFile"),
            plain_text=fields.boolean("plainText", False),
            project=fields.text("project"),
        ),
        timeout=fields.integer("timeout", 1, 600) or DEFAULT_TIMEOUT,
        mode=mode,
        switch=_name(fields.text("switch") or network, "switch"),
        create_switch=_switch_to_create(fields),
        bridge=_interface_name(fields, "bridge"),
        chassis=fields.text("chassis"),
        mtu=fields.integer("mtu", 576, 65535) or (DEFAULT_MTU if mode == OVERLAY else None),
        port_groups=fields.texts("portGroups"),
        port_security=fields.boolean("portSecurity", True),
        labels=fields.text_map("labels"),
        gateways=gateways,
        asks_router=fields.boolean("defaultRoute", False) and not gateways,
        routes=_routes(fields, gateways),
        dns=_dns(fields),
        master=_interface_name(fields, "master"),
        macvlan_mode=_one_of(fields, "macvlanMode", MACVLAN_MODES),
        device=_interface_name(fields, "device"),
        representor=_interface_name(fields, "representor"),
        mac=_mac(invocation, runtime, wishes),
        ips=_ips(invocation, runtime, wishes),
        previous=check_previous(fields.object("prevResult")) if "prevResult" in fields else None,
        valid_attachments=_valid_attachments(fields, invocation),
    )
    _check_mode(configuration)
    return configuration


def _refuse_unknown(fields: Fields) -> None:
    for name in fields:
        if name not in _OURS | _OF_THE_SPECIFICATION and "/" not in name and "." not in name:
            raise invalid(name[:300], "there is no such field")
    if fields.object("ipam").raw():
        raise invalid("ipam", "addresses come from the logical switch: leave it out")


def _check_mode(configuration: Configuration) -> None:
    """Refuse what the mode has no use for, and the lack of what it needs."""
    needed = {MACVLAN: ["master"], HOST_DEVICE: ["device", "representor"]}
    given = configuration._asdict()
    for mode, names in needed.items():
        for name in names:
            if configuration.mode == mode and given[name] is None:
                raise invalid(name, f"is needed for mode {mode!r}")
            if configuration.mode != mode and given[name] is not None:
                raise invalid(name, f"is for mode {mode!r}")
    if configuration.mode == MACVLAN and configuration.port_groups:
        raise invalid(
            "portGroups", "packets of mode 'macvlan' pass no switch of Treadle's: no ACL would hold"
        )


def _name(text: str, where: str) -> str:
    if len(text) > _NAME_LIMIT:
        raise invalid(where, f"is longer than {_NAME_LIMIT} characters")
    return text


def _one_of(fields: Fields, name: str, values: tuple[str, ...]) -> str:
    value = fields.text(name) or values[0]
    if value not in values:
        raise invalid(fields.where(name), f"{value!r} is none of {', '.join(values)}")
    return value


def _interface_name(fields: Fields, name: str) -> str | None:
    value = fields.text(name)
    if value is not None and not is_interface_name(value):
        raise invalid(fields.where(name), f"{value!r} can't be the name of an interface")
    return value


def _switch_to_create(fields: Fields) -> SwitchToCreate | None:
    if "createSwitch" not in fields:
        return None
    wanted = fields.object("createSwitch")
    known = ("subnet4", "subnet6", "excludeIPs", "labels")
    for name in wanted:
        if name not in known:
            raise invalid(wanted.where(name[:300]), "there is no such field")
    return SwitchToCreate(
        subnet4=wanted.text("subnet4"),
        subnet6=wanted.text("subnet6"),
        exclude_ips=wanted.texts("excludeIPs"),
        labels=wanted.text_map("labels"),
    )


def _gateways(fields: Fields) -> list[str]:
    gateways = [parse_ip(text, f"gateways[{i}]") for i, text in enumerate(fields.texts("gateways"))]
    if len({":" in gateway for gateway in gateways}) != len(gateways):
        raise invalid("gateways", "takes one of each family")
    return gateways


def _routes(fields: Fields, gateways: list[str]) -> list[Route]:
    """Return the routes, and the default routes if the configuration asks for them."""
    by_family = {":" in gateway: gateway for gateway in gateways}
    routes = _default_routes(gateways) if fields.boolean("defaultRoute", False) else []
    for entry in fields.objects("routes"):
        for name in entry:
            if name not in ("dst", "gw", "mtu", "advmss", "priority", "table", "scope"):
                raise invalid(entry.where(name[:300]), "there is no such field")
        destination = parse_network(entry.needed_text("dst"), entry.where("dst"))
        given = entry.text("gw")
        gateway = parse_ip(given, entry.where("gw")) if given else by_family.get(":" in destination)
        if gateway is not None and (":" in gateway) != (":" in destination):
            raise invalid(entry.where("gw"), "is of another family than dst")
        routes.append(
            Route(
                destination,
                gateway,
                mtu=entry.integer("mtu", 68, 65535),
                advmss=entry.integer("advmss", 1, 65535),
                priority=entry.integer("priority", 0, 2**32 - 1),
                table=entry.integer("table", 1, 2**32 - 1),
                scope=entry.integer("scope", 0, 255),
            )
        )
    return routes


def _default_routes(gateways: list[str]) -> list[Route]:
    return [Route("::/0" if ":" in gateway else "0.0.0.0/0", gateway) for gateway in gateways]


def with_router(configuration: Configuration, gateways: list[str]) -> Configuration:
    """Return the configuration with default routes to what a router says are the gateways."""
    by_family = {":" in gateway: gateway for gateway in gateways}
    routes = [
        route
        if route.gateway is not None
        else route._replace(gateway=by_family.get(":" in route.destination))
        for route in configuration.routes
    ]
    return configuration._replace(
        gateways=gateways, asks_router=False, routes=[*_default_routes(gateways), *routes]
    )


def _dns(fields: Fields) -> dict[str, Any]:
    dns = fields.object("dns")
    lists = {name: dns.texts(name) for name in ("nameservers", "search", "options")}
    domain = dns.text("domain")
    return {
        **({"domain": domain} if domain else {}),
        **{name: values for name, values in lists.items() if values},
    }


def _mac(invocation: Invocation, runtime: Fields, wishes: Fields) -> str | None:
    """Return the MAC that was asked for; the runtime's own word goes first."""
    for fields in (runtime, wishes):
        text = fields.text("mac")
        if text is not None:
            return parse_mac(text, fields.where("mac"))
    if invocation.args.get("MAC"):
        return _of_args(parse_mac, invocation.args["MAC"])
    return None


def _ips(invocation: Invocation, runtime: Fields, wishes: Fields) -> list[str]:
    """Return the addresses that were asked for; the runtime's own word goes first."""
    for fields in (runtime, wishes):
        texts = fields.texts("ips")
        if texts:
            return [_host(text, f"{fields.where('ips')}[{i}]") for i, text in enumerate(texts)]
    if invocation.args.get("IP"):
        return [_of_args(_host, text) for text in invocation.args["IP"].split(",")]
    return []


def _host(text: str, where: str) -> str:
    return parse_interface(text, where) if "/" in text else parse_ip(text, where)


def _of_args(parse: Callable[[str, str], str], text: str) -> str:
    try:
        return parse(text, "CNI_ARGS")
    except CniError as error:
        raise CniError(INVALID_ENVIRONMENT, error.message) from None


def _valid_attachments(fields: Fields, invocation: Invocation) -> list[tuple[str, str]] | None:
    if invocation.command != "GC":
        return None
    name = "cni.dev/valid-attachments"
    if name not in fields:
        raise invalid(name, "is needed: without it everything would be removed")
    return [
        (entry.needed_text("containerID"), entry.needed_text("ifname"))
        for entry in fields.objects(name)
    ]
