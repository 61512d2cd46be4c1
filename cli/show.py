"""``treadle show``: the network as a tree, or one kind of thing as a table."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.client import DEFAULT_URL, Client, Project, Token, TokenFile, Url
from cli.output import PIPED_WIDTH, AsJson, ExitCode, fail, print_json, print_table

if TYPE_CHECKING:
    from rich.tree import Tree

Item = dict[str, Any]
Column = tuple[str, Callable[[Item], Any]]


def _text(value: Any) -> str:
    """A value of an API document in a table's cell."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(map(_member, value))
    if isinstance(value, dict):
        return "  ".join(f"{name}={_text(each)}" for name, each in value.items())
    return "" if value is None else str(value)


def _member(value: Any) -> str:
    """One of a list: all of them have the same fields, which needn't be named."""
    return " ".join(map(_text, value.values())) if isinstance(value, dict) else _text(value)


def _columns(*fields: str) -> tuple[Column, ...]:
    def reader(field: str) -> Callable[[Item], Any]:
        return lambda item: item[field]

    return tuple((field.replace("_", " ").upper(), reader(field)) for field in fields)


def _unreachable(tunnels: Item) -> list[str]:
    """The chassis that packets don't get to; those of which it isn't known with a mark."""
    if not tunnels["probed"]:
        return ["?"]
    lost = [each["chassis"] for each in tunnels["unreachable"]]
    return [*lost, *(f"{name}?" for name in tunnels["pending"])]


REALISED: dict[str, tuple[Column, ...]] = {
    "chassis": (
        *_columns("name", "hostname", "alive", "connected", "last_heard"),
        ("REVISION", lambda chassis: chassis["applied_revision"]),
        ("TUNNEL", lambda chassis: [encap["ip"] for encap in chassis["encaps"]]),
        *_columns("ports"),
        ("UNREACHABLE", lambda chassis: _unreachable(chassis["tunnels"])),
        ("MTU", lambda chassis: min(chassis["tunnels"]["mtus"].values(), default=None)),
        ("DEGRADED", lambda chassis: sorted(chassis["degraded"])),
    ),
    "port-bindings": _columns("name", "datapath", "type", "chassis", "up", "addresses"),
}
"""The tables of what no user makes. Those of kinds of objects follow from what the server tells."""


def _owner(fields: list[str]) -> Callable[[Item], str]:
    """Tells what an object is part of; names of port groups as in a match."""

    def read(item: Item) -> str:
        field = next(field for field in fields if item[field])
        return f"@{item[field]}" if field == "port_group" else str(item[field])

    return read


def _object_columns(kind: Item) -> tuple[Column, ...]:
    """The columns of a kind of objects; where one of several owns an object they share one."""
    owners = kind["owners"]
    if len(owners) < 2:
        return _columns(*kind["columns"])
    others = (field for field in kind["columns"] if field not in owners)
    return ("OF", _owner(owners)), *_columns(*others)


def _tables(client: Client) -> dict[str, tuple[Column, ...]]:
    """All tables, by the names of the lists of REST."""
    kinds = client.items("/v1/kinds")
    objects = {kind["path"].removeprefix("/v1/"): _object_columns(kind) for kind in kinds}
    return objects | REALISED


def show(
    what: Annotated[
        str | None,
        typer.Argument(help="What to show: logical-switches, acls, chassis, …; else everything."),
    ] = None,
    project: Project = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Show the network: switches and their ports, where those are and whether they are up."""
    with Client(url, token, token_file) as client:
        if what is None and not as_json:
            for tree in _network(client, project):
                _print_tree(tree)
            return
        tables = _tables(client)
        kind = None if what is None else _kind(what, tables)
        if as_json:
            kinds = _readable(client, tables) if kind is None else (kind,)
            found = {each: list(_items(client, each, project)) for each in kinds}
            print_json(found if kind is None else found[kind])
        elif kind is not None:
            _print_items(tables[kind], _items(client, kind, project))


def _readable(client: Client, tables: Iterable[str]) -> list[str]:
    """Return those of `tables` that the token is good for."""
    realised = client.may_read("/v1/port-bindings")
    return [each for each in tables if realised or each not in REALISED]


def _items(client: Client, kind: str, project: str | None) -> Iterable[Item]:
    """Ask for the objects of a kind, where it has projects those of `project` alone."""
    if kind in REALISED:
        return client.items(f"/v1/{kind}")
    return client.items(f"/v1/{kind}", project=project)


def _kind(what: str, tables: Iterable[str]) -> str:
    """The kind that is meant: also by the name of one, or written as in a document."""
    word = what.replace("_", "-")
    meant = [kind for kind in tables if kind in (word, f"{word}s", f"{word}es")]
    if not meant:
        fail(f"{what!r} is none of {', '.join(tables)}", ExitCode.USAGE)
    return meant[0]


def _print_items(columns: tuple[Column, ...], items: Iterable[Item]) -> None:
    print_table(
        [heading for heading, _ in columns],
        ([_text(read(item)) for _, read in columns] for item in items),
    )


def _network(client: Client, project: str | None) -> Iterable["Tree"]:
    bindings: dict[str, Item] | None = None
    if client.may_read("/v1/port-bindings"):
        bindings = {binding["id"]: binding for binding in client.items("/v1/port-bindings")}
        yield _chassis(client, bindings.values())
    acls = list(_items(client, "acls", project))
    parts = _parts(client, project)
    yield from _switches(client, project, bindings, acls, parts)
    yield from _routers(client, project, bindings, parts)
    yield from _groups(client, project, acls, parts)
    yield from _others(client, project, parts)


_TREES = ("logical_switch", "logical_router", "port_group", "address_set")
"""Kinds that have trees of their own; of others that are part of nothing there is a line."""

_DRAWN = ("logical_switch_port", "logical_router_port", "static_route", "acl")
"""Kinds that are part of others and have lines of their own; others are drawn as they are."""

Parts = dict[tuple[str, str], list[tuple[str, str]]]
"""What is part of an object, in words, by the field that names it and its name."""


def _parts(client: Client, project: str | None) -> Parts:
    found: Parts = defaultdict(list)
    for kind in client.items("/v1/kinds"):
        if kind["kind"] in _DRAWN or not kind["owners"]:
            continue
        columns = [column for column in kind["columns"] if column not in kind["owners"]]
        for item in _items(client, kind["path"].removeprefix("/v1/"), project):
            owner = next(field for field in kind["owners"] if item[field])
            words = "  ".join(f"{field} {_text(item[field])}" for field in columns)
            name = _in_project(item["project"], item[owner])
            found[owner, name].append((kind["title"], words))
    return found


def _add_parts(tree: "Tree", parts: Parts, kind: str, item: Item) -> None:
    for title, words in parts.get((kind, _qualified(item)), ()):
        tree.add(_label(title, words))


def _chassis(client: Client, bindings: Iterable[Item]) -> "Tree":
    bound: dict[str, list[Item]] = defaultdict(list)
    for binding in bindings:
        bound[binding["chassis"] or ""].append(binding)
    tree = _tree("chassis", "")
    for chassis in client.items("/v1/chassis"):
        state = "alive" if chassis["alive"] else "dead"
        tunnels = ", ".join(f"{encap['type']} {encap['ip']}" for encap in chassis["encaps"])
        branch = tree.add(_label(chassis["name"], f"{state}  {tunnels}"))
        for binding in sorted(bound[chassis["name"]], key=_name):
            branch.add(_label(binding["name"], _upness(binding)))
    return tree


def _switches(
    client: Client,
    project: str | None,
    bindings: dict[str, Item] | None,
    acls: Iterable[Item],
    parts: Parts,
) -> Iterable["Tree"]:
    def add_port(tree: "Tree", port: Item) -> None:
        branch = tree.add(_label(port["name"], _port_line(port, bindings)))
        _add_parts(branch, parts, "logical_switch_port", port)

    ports = _by(_items(client, "logical-switch-ports", project), "logical_switch")
    rules = _by(acls, "logical_switch")
    for switch in _items(client, "logical-switches", project):
        subnets = "  ".join(filter(None, (switch["subnet4"], switch["subnet6"])))
        tree = _tree(f"switch {_qualified(switch)}", subnets)
        for port in ports.pop(_qualified(switch), ()):
            add_port(tree, port)
        _add_acls(tree, rules[_qualified(switch)])
        _add_parts(tree, parts, "logical_switch", switch)
        yield tree
    for name, others in ports.items():
        tree = _tree(f"switch {name}", "of another project")
        for port in others:
            add_port(tree, port)
        yield tree


def _routers(
    client: Client, project: str | None, bindings: dict[str, Item] | None, parts: Parts
) -> Iterable["Tree"]:
    ports = _by(_items(client, "logical-router-ports", project), "logical_router")
    routes = _by(_items(client, "static-routes", project), "logical_router")
    for router in _items(client, "logical-routers", project):
        place = [] if router["chassis"] is None else [f"on chassis {router['chassis']}"]
        state = "  ".join([*place, *([] if router["enabled"] else ["disabled"])])
        tree = _tree(f"router {_qualified(router)}", state)
        for port in ports[_qualified(router)]:
            peer = f"  peer {port['peer']}" if port["peer"] else ""
            networks = " ".join(port["networks"])
            hosting = _hosting((bindings or {}).get(port["id"]))
            line = f"{port['mac']} {networks}{peer}{_gateway(port)}{hosting}"
            branch = tree.add(_label(port["name"], line))
            _add_parts(branch, parts, "logical_router_port", port)
        for route in routes[_qualified(router)]:
            tree.add(_label("route", f"{route['ip_prefix']} via {route['nexthop']}"))
        _add_parts(tree, parts, "logical_router", router)
        yield tree


def _gateway(port: Item) -> str:
    """Which chassis are in charge of a router port, if any are."""
    if port["ha_chassis_group"]:
        return f"  gateway of group {port['ha_chassis_group']}"
    return f"  gateway on {_text(port['gateway_chassis'])}" if port["gateway_chassis"] else ""


def _hosting(binding: Item | None) -> str:
    """Which chassis has a port that is on one at a time, if any says so."""
    hosting = None if binding is None else binding["hosting_chassis"]
    return f"  hosted by {hosting}" if hosting else ""


def _groups(
    client: Client, project: str | None, acls: Iterable[Item], parts: Parts
) -> Iterable["Tree"]:
    rules = _by(acls, "port_group")
    for group in _items(client, "port-groups", project):
        tree = _tree(f"port group @{_qualified(group)}", " ".join(group["ports"]))
        _add_acls(tree, rules[_qualified(group)])
        _add_parts(tree, parts, "port_group", group)
        yield tree
    for members in _items(client, "address-sets", project):
        yield _tree(f"address set ${_qualified(members)}", " ".join(members["addresses"]))


def _others(client: Client, project: str | None, parts: Parts) -> Iterable["Tree"]:
    """Yield the objects that have no tree of their own and are part of none, with their columns."""
    for kind in client.items("/v1/kinds"):
        if kind["kind"] in _TREES or kind["owners"]:
            continue
        # What has no name is told from others by what comes first.
        said, *columns = (column for column in kind["columns"] if column != "id")
        for item in _items(client, kind["path"].removeprefix("/v1/"), project):
            words = "  ".join(f"{column} {_text(item[column])}" for column in columns)
            tree = _tree(f"{kind['title']} {_in_project(item['project'], item[said])}", words)
            if said == "name":
                _add_parts(tree, parts, kind["kind"], item)
            yield tree


def _add_acls(tree: "Tree", acls: Iterable[Item]) -> None:
    for acl in sorted(acls, key=lambda acl: (acl["direction"], acl["tier"], -acl["priority"])):
        place = f"{acl['direction']} tier {acl['tier']} priority {acl['priority']}"
        tree.add(_label("acl", f"{place}: {acl['match']} -> {acl['action']}"))


def _port_line(port: Item, bindings: dict[str, Item] | None) -> str:
    if port["type"] == "router":
        return f"to router port {port['router_port']}"
    addresses = port["dynamic_addresses"] or ", ".join(port["addresses"]) or "no address"
    disabled = "" if port["enabled"] else "  disabled"
    if bindings is None:
        return f"{addresses}{disabled}"
    binding = bindings.get(port["id"])
    if binding is None:
        return f"{addresses}  not translated yet{disabled}"
    where = f"on {binding['chassis']}" if binding["chassis"] else "not bound"
    return f"{addresses}  {where}, {_upness(binding)}{disabled}"


def _upness(binding: Item) -> str:
    return "up" if binding["up"] else "down"


def _name(item: Item) -> str:
    return str(item["name"])


def _by(items: Iterable[Item], field: str) -> dict[str, list[Item]]:
    found: dict[str, list[Item]] = defaultdict(list)
    for item in items:
        if item[field] is not None:
            found[_in_project(item["project"], item[field])].append(item)
    return found


def _qualified(item: Item) -> str:
    """Return the name of an object, with its project if that isn't `default`."""
    return _in_project(item["project"], item["name"])


def _in_project(project: str, name: str) -> str:
    """Qualify a name that an object of `project` refers to another by.

    >>> _in_project("acme", "web"), _in_project("acme", "zoo/web"), _in_project("default", "web")
    ('acme/web', 'zoo/web', 'web')
    """
    from northbound.names import DEFAULT_PROJECT, PROJECT_SIGN

    if PROJECT_SIGN not in name and project != DEFAULT_PROJECT:
        return f"{project}{PROJECT_SIGN}{name}"
    return name.removeprefix(f"{DEFAULT_PROJECT}{PROJECT_SIGN}")


def _label(name: str, rest: str) -> Any:
    from rich.text import Text

    return Text.assemble((name, "bold"), "  ", rest)


def _tree(name: str, rest: str) -> "Tree":
    from rich.tree import Tree

    return Tree(_label(name, rest))


def _print_tree(tree: "Tree") -> None:
    from rich.console import Console

    console = Console()
    (console if console.is_terminal else Console(width=PIPED_WIDTH)).print(tree)
