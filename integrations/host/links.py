"""Interfaces, their addresses and routes, by ``ip -batch``.

A namespace is given by the path of its file, such as ``/run/netns/NAME`` or ``/proc/PID/ns/net``;
None is the caller's own.
"""

import re
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from integrations.deadline import Deadline
from integrations.host.commands import run, run_json
from integrations.host.errors import CommandFailedError, HostError, InterfaceTakenError

_NAME_LIMIT = 15
_NAME = re.compile(r"[A-Za-z0-9_.][A-Za-z0-9_.\-]*")
_PATH = re.compile(r"/[^\s\"'\\#]*")
_ALIAS = re.compile(r"[^\x00-\x1f\"\\\x7f]{0,255}")
_ABSENT = ("does not exist", "Cannot find device")


class Route(NamedTuple):
    """A route of a namespace; `gateway` None is a destination on the link itself."""

    destination: str
    """A network with its prefix length: ``0.0.0.0/0`` or ``::/0`` for all."""
    gateway: str | None = None
    mtu: int | None = None
    advmss: int | None = None
    priority: int | None = None
    table: int | None = None
    scope: int | None = None


class Link(NamedTuple):
    """What is known of an interface."""

    name: str
    ifindex: int
    peer_ifindex: int | None
    """What it is linked to, in another namespace: the other end of a veth, a macvlan's parent."""
    peer_name: str
    """The same where that is in this namespace."""
    kind: str
    """Such as ``veth`` or ``macvlan``; empty for hardware."""
    mac: str
    mtu: int
    up: bool
    alias: str
    addresses: tuple[str, ...]
    """With their prefix lengths, link-local ones left out."""


def is_interface_name(name: str) -> bool:
    """Tell whether an interface can be named so, here and in a line of ``ip -batch``.

    >>> is_interface_name("eth0"), is_interface_name("a b"), is_interface_name("x" * 16)
    (True, False, False)
    """
    return len(name) <= _NAME_LIMIT and name not in (".", "..") and bool(_NAME.fullmatch(name))


def make_veth(
    host_name: str,
    name: str,
    deadline: Deadline,
    *,
    namespace: str | None,
    mtu: int | None = None,
    mac: str | None = None,
    alias: str | None = None,
) -> bool:
    """Make a pair of interfaces: `host_name` here, up, and `name` in the namespace, down.

    If that pair is there already nothing is done, and False returned. Raises
    :class:`InterfaceTakenError` if another interface of the namespace has the name; what else has
    `host_name` here is replaced. `alias` is a free text of the one here, without quotes.
    """
    _check_names(host_name, name)
    if namespace is not None:
        _check_namespace(namespace)
    size = f" mtu {mtu}" if mtu is not None else ""
    address = f" address {mac}" if mac is not None else ""
    where = f" netns {namespace}" if namespace is not None else ""
    lines = [
        f"link add name {host_name}{size} type veth peer name {name}{address}{size}{where}",
        f"link set dev {host_name}{_alias(alias)} up",
    ]
    try:
        batch(lines, deadline)
    except CommandFailedError:
        near, far = find_link(host_name, deadline), find_link(name, deadline, namespace=namespace)
        if near is not None and far is not None and _are_pair(near, far):
            batch(lines[1:], deadline)
            return False
        if far is not None:
            raise InterfaceTakenError(name, namespace or "this namespace") from None
        if near is None:
            raise
        remove_link(host_name, deadline)
        batch(lines, deadline)
    return True


def make_macvlan(
    parent: str,
    name: str,
    deadline: Deadline,
    *,
    namespace: str,
    mode: str,
    temporary_name: str,
    mtu: int | None = None,
    mac: str | None = None,
    alias: str | None = None,
) -> None:
    """Make a macvlan interface on `parent`, which is here, and move it into the namespace, down.

    It has `temporary_name` meanwhile, and `alias` from then on. Raises
    :class:`InterfaceTakenError` if an interface of the namespace has the name.
    """
    _check_names(parent, name, temporary_name)
    _check_namespace(namespace)
    size = f" mtu {mtu}" if mtu is not None else ""
    address = f" address {mac}" if mac is not None else ""
    make = f"link add link {parent} name {temporary_name}{address}{size} type macvlan mode {mode}"
    if find_link(name, deadline, namespace=namespace) is not None:
        raise InterfaceTakenError(name, namespace)
    remove_link(temporary_name, deadline)
    lines = [make, f"link set dev {temporary_name} netns {namespace} name {name}"]
    if alias is not None:
        lines.insert(1, f"link set dev {temporary_name}{_alias(alias)}")
    batch(lines, deadline)


def move_link(
    name: str,
    new_name: str,
    deadline: Deadline,
    *,
    namespace: str | None,
    into: str,
    alias: str,
) -> None:
    """Move an interface from one namespace into another under another name, with this alias."""
    _check_names(name, new_name)
    _check_namespace(into)
    line = f"link set dev {name} down netns {into} name {new_name}{_alias(alias)}"
    batch([line], deadline, namespace=namespace)


def rename_link(name: str, new_name: str, deadline: Deadline) -> None:
    """Set an interface down and give it another name, and no alias."""
    _check_names(name, new_name)
    batch([f"link set dev {name} down name {new_name}{_alias('')}"], deadline)


def configure(
    name: str,
    deadline: Deadline,
    *,
    namespace: str | None,
    mac: str | None = None,
    mtu: int | None = None,
    addresses: Iterable[str] = (),
    routes: Iterable[Route] = (),
) -> None:
    """Give an interface its MAC, MTU, addresses (with prefix lengths) and routes, and set it up.

    IPv6 addresses are used at once, without asking whether another host has them: Treadle gives
    each out once.
    """
    _check_names(name)
    lines = []
    if mac is not None:
        lines.append(f"link set dev {name} address {mac}")
    if mtu is not None:
        lines.append(f"link set dev {name} mtu {mtu}")
    lines.append(f"link set dev {name} up")
    lines += [
        f"address replace {address} dev {name}{' nodad' if ':' in address else ''}"
        for address in addresses
    ]
    lines += [_route_line(name, route) for route in routes]
    batch(lines, deadline, namespace=namespace)


def _route_line(name: str, route: Route) -> str:
    words = [f"route replace {route.destination}"]
    if route.gateway is not None:
        words.append(f"via {route.gateway}")
    words.append(f"dev {name}")
    numbers = {
        "mtu": route.mtu,
        "advmss": route.advmss,
        "metric": route.priority,
        "table": route.table,
        "scope": route.scope,
    }
    words += [f"{word} {value}" for word, value in numbers.items() if value is not None]
    return " ".join(words)


def allow_ipv6(name: str, deadline: Deadline, *, namespace: str | None) -> None:
    """Let an interface have IPv6 addresses, where its namespace has been made without."""
    _check_names(name)
    # A setting below /proc/sys/net is that of the namespace of the process that opens it.
    setting = f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6"
    run(["tee", setting], deadline, stdin="0", namespace=namespace)


def fill_in_checksums(name: str, deadline: Deadline, *, namespace: str | None) -> None:
    """Have the kernel fill in checksums of what the interface sends.

    Switches in userspace see packets before any hardware would do so.
    """
    _check_names(name)
    run(["ethtool", "-K", name, "tx", "off"], deadline, namespace=namespace)


def remove_link(name: str, deadline: Deadline, *, namespace: str | None = None) -> bool:
    """Remove an interface, and with one end of a veth the other; return whether it was there."""
    _check_names(name)
    try:
        batch([f"link delete dev {name}"], deadline, namespace=namespace)
    except CommandFailedError as error:
        if any(word in error.output for word in _ABSENT):
            return False
        raise
    return True


def find_link(name: str, deadline: Deadline, *, namespace: str | None = None) -> Link | None:
    """Return what is known of an interface, or None if there is none of that name."""
    _check_names(name)
    argv = ["ip", "-j", "-d", "address", "show", "dev", name]
    try:
        entries = run_json(argv, deadline, namespace=namespace)
    except CommandFailedError as error:
        if any(word in error.output for word in _ABSENT):
            return None
        raise
    return next((_link(entry) for entry in entries if entry.get("ifname") == name), None)


def list_links(deadline: Deadline, *, namespace: str | None = None) -> list[Link]:
    """Return all interfaces of a namespace."""
    argv = ["ip", "-j", "-d", "address", "show"]
    return [_link(entry) for entry in run_json(argv, deadline, namespace=namespace) if entry]


def list_routes(
    name: str, deadline: Deadline, *, namespace: str | None = None, table: int | None = None
) -> list[Route]:
    """Return the routes over an interface, of both families."""
    _check_names(name)
    routes: list[Route] = []
    for family, everything, length in (("-4", "0.0.0.0/0", 32), ("-6", "::/0", 128)):
        argv = ["ip", "-j", family, "route", "show", "dev", name]
        if table is not None:
            argv += ["table", str(table)]
        try:
            entries = run_json(argv, deadline, namespace=namespace)
        except CommandFailedError as error:
            # A table without any route is none, to ip.
            if "table does not exist" not in error.output:
                raise
            entries = []
        routes += [_route(entry, everything, length) for entry in entries]
    return routes


def batch(lines: Sequence[str], deadline: Deadline, *, namespace: str | None = None) -> None:
    """Run lines of ``ip``, one after the other, to the first that fails."""
    text = "".join(f"{line}\n" for line in lines)
    try:
        run(["ip", "-batch", "-"], deadline, stdin=text, namespace=namespace)
    except CommandFailedError as error:
        raise CommandFailedError(("ip",), error.code, _with_line(error.output, lines)) from None


def _with_line(output: str, lines: Sequence[str]) -> str:
    """Return what ``ip`` said, with the line that it speaks of in place of its number."""
    said, marker, number = output.rpartition("Command failed -:")
    if marker and number.strip().isdigit() and 0 < int(number) <= len(lines):
        return f"{said.strip()} ({lines[int(number) - 1]})"
    return output


def _check_names(*names: str) -> None:
    for name in names:
        if not is_interface_name(name):
            raise HostError(f"{name!r} can't be the name of an interface")


def _alias(alias: str | None) -> str:
    if alias is None:
        return ""
    if not _ALIAS.fullmatch(alias):
        raise HostError(f"{alias!r} can't be the alias of an interface")
    return f' alias "{alias}"'


def _check_namespace(path: str) -> None:
    """Refuse what a line of ``ip -batch`` would not read as one word."""
    if not _PATH.fullmatch(path):
        raise HostError(f"{path!r} can't be the path of a network namespace")


def _are_pair(near: Link, far: Link) -> bool:
    return (
        near.kind == far.kind == "veth"
        and (near.peer_ifindex == far.ifindex or near.peer_name == far.name)
        and (far.peer_ifindex == near.ifindex or far.peer_name == near.name)
    )


def _link(entry: dict[str, Any]) -> Link:
    return Link(
        name=entry["ifname"],
        ifindex=entry["ifindex"],
        peer_ifindex=entry.get("link_index"),
        peer_name=entry.get("link") or "",
        kind=entry.get("linkinfo", {}).get("info_kind", ""),
        mac=entry.get("address", ""),
        mtu=entry["mtu"],
        up="UP" in entry["flags"],
        alias=entry.get("ifalias", ""),
        addresses=tuple(
            f"{address['local']}/{address['prefixlen']}"
            for address in entry.get("addr_info", ())
            if address.get("scope") != "link"
        ),
    )


def _route(entry: dict[str, Any], everything: str, length: int) -> Route:
    destination = everything if entry["dst"] == "default" else entry["dst"]
    metrics = {name: value for part in entry.get("metrics", ()) for name, value in part.items()}
    return Route(
        destination=destination if "/" in destination else f"{destination}/{length}",
        gateway=entry.get("gateway"),
        mtu=metrics.get("mtu"),
        advmss=metrics.get("advmss"),
        priority=entry.get("metric"),
    )
