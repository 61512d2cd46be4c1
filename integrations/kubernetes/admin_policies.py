"""AdminNetworkPolicy and BaselineAdminNetworkPolicy (``policy.networking.k8s.io/v1alpha1``).

Their rules are in order, and the first that fits decides. ACLs of one priority are not in order,
but those that deny come before the rest. So rules share a priority, a *level*, as long as
that decides the same: whatever denies, then whatever does one other thing.

What can't be read is closed: a rule that allows does so for what of it can be read; one that denies
or passes on denies, besides what can be read, whatever else it may be about.
"""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from integrations.kubernetes.errors import UnsayableError
from integrations.kubernetes.objects import parse_name
from integrations.kubernetes.pod_sets import (
    ALL_PODS,
    PodSet,
    PortName,
    merged_networks,
    parse_network,
)
from integrations.kubernetes.policies import normal_ports, parse_protocol
from integrations.kubernetes.reading import (
    Json,
    integer_at,
    list_at,
    object_at,
    only_fields,
    text_at,
)
from integrations.kubernetes.rules import (
    ADMIN_TIER,
    BASELINE_TIER,
    DIRECTIONS,
    HIGHEST_ADMIN,
    HIGHEST_BASELINE,
    LEVELS,
    MAXIMUM_PORT,
    Action,
    Direction,
    Peer,
    Policy,
    Port,
    PortRange,
    Rule,
)
from integrations.kubernetes.selectors import parse_selector

MAXIMUM_RULES = 100
"""In each direction, as the API has it."""

_ACTIONS: dict[str, Action] = {"Allow": "allow", "Deny": "deny", "Pass": "pass"}


class _Part(NamedTuple):
    """A rule that doesn't know its priority yet."""

    action: Action
    peers: tuple[Peer, ...]
    ports: tuple[Port, ...] | None


def parse_admin_policy(value: Json) -> Policy:
    """Read an AdminNetworkPolicy. Raises UnsayableError where it has no name or no spec."""
    _, name, _ = parse_name(value)
    spec = object_at(value, "spec", "") or {}
    problems: list[str] = []
    top = HIGHEST_ADMIN
    try:
        top -= integer_at(spec, "priority", "spec", 0, 1000) * LEVELS
    except UnsayableError as error:
        problems.append(str(error))
    key = f"AdminNetworkPolicy {name}"
    return _policy(key, spec, ADMIN_TIER, top, tuple(_ACTIONS), problems)


def parse_baseline_policy(value: Json) -> Policy:
    """Read a BaselineAdminNetworkPolicy. Raises UnsayableError where it has no name."""
    _, name, _ = parse_name(value)
    spec = object_at(value, "spec", "") or {}
    key = f"BaselineAdminNetworkPolicy {name}"
    return _policy(key, spec, BASELINE_TIER, HIGHEST_BASELINE, ("Allow", "Deny"), [])


def _policy(
    key: str, spec: Json, tier: int, top: int, actions: tuple[str, ...], problems: list[str]
) -> Policy:
    """Read subject and rules. With `problems` before that its precedence isn't known."""
    is_closed = bool(problems)
    subject: PodSet | None = None
    try:
        subject = _subject(object_at(spec, "subject", "spec") or {})
    except UnsayableError as error:
        problems.append(str(error))
        is_closed = True
    rules: list[Rule] = []
    for direction in DIRECTIONS:
        parts = list(_parts(spec, direction, actions, problems))
        if is_closed:
            # It may be about any pod, or come before any other: then it allows nothing.
            parts = [part._replace(action="deny") for part in parts if part.action != "allow"]
        levelled = _with_levels(parts, direction, problems)
        rules += [
            Rule(direction, part.action, tier, top - level, subject or ALL_PODS, *part[1:])
            for level, part in levelled
        ]
    return Policy(key, tuple(rules), tuple(problems))


def _subject(value: Json) -> PodSet:
    found = _pods(only_fields(value, ("namespaces", "pods"), "spec.subject"), "spec.subject")
    if found is None:
        raise UnsayableError("spec.subject: says nothing")
    return found


def _pods(fields: Json, path: str) -> PodSet | None:
    """Read ``namespaces`` or ``pods``, of which there may be one."""
    namespaces, pods = object_at(fields, "namespaces", path), object_at(fields, "pods", path)
    if namespaces is not None and pods is not None:
        raise UnsayableError(f"{path}: has to be either namespaces or pods")
    if namespaces is not None:
        return PodSet(namespaces=parse_selector(namespaces, f"{path}.namespaces"))
    if pods is None:
        return None
    only_fields(pods, ("namespaceSelector", "podSelector"), f"{path}.pods")
    of = object_at(pods, "namespaceSelector", f"{path}.pods") or {}
    selected = object_at(pods, "podSelector", f"{path}.pods") or {}
    return PodSet(
        namespaces=parse_selector(of, f"{path}.pods.namespaceSelector"),
        pods=parse_selector(selected, f"{path}.pods.podSelector"),
    )


def _parts(
    spec: Json, direction: Direction, actions: tuple[str, ...], problems: list[str]
) -> Iterator[_Part]:
    path = f"spec.{direction}"
    try:
        listed = list_at(spec, direction, "spec")
    except UnsayableError as error:
        problems.append(str(error))
        yield _Part("deny", (None,), None)
        return
    for i, each in enumerate(listed):
        if i == MAXIMUM_RULES:
            problems.append(f"{path}: more than {MAXIMUM_RULES} rules; the rest denies")
            yield _Part("deny", (None,), None)
            return
        yield from _parts_of_rule(each, direction, actions, f"{path}[{i}]", problems)


def _parts_of_rule(
    value: Any, direction: Direction, actions: tuple[str, ...], path: str, problems: list[str]
) -> Iterator[_Part]:
    name = "from" if direction == "ingress" else "to"
    try:
        fields = only_fields(value, ("name", "action", "ports", name), path)
        said = text_at(fields, "action", path)
        if said not in actions:
            raise UnsayableError(f"{path}.action: {said[:80]!r} isn't supported")
        listed = list_at(fields, name, path)
        if not listed:
            raise UnsayableError(f"{path}.{name}: names no peers")
    except UnsayableError as error:
        problems.append(str(error))
        is_allowed = isinstance(value, dict) and value.get("action") == "Allow"
        if not is_allowed:
            yield _Part("deny", (None,), None)
        return
    action = _ACTIONS[said]
    ports, ports_left_out = _ports(fields, path, problems)
    peers, peers_left_out = _peers(listed, f"{path}.{name}", direction, problems)
    if peers and (ports is None or ports):
        yield _Part(action, peers, ports)
    if action != "allow" and (ports_left_out or peers_left_out):
        yield _Part("deny", (None,), None if ports_left_out else ports)


def _ports(fields: Json, path: str, problems: list[str]) -> tuple[tuple[Port, ...] | None, bool]:
    """Return the ports that could be read (None: all there are), and whether some could not."""
    ports: list[Port] = []
    try:
        listed = list_at(fields, "ports", path)
    except UnsayableError as error:
        problems.append(str(error))
        return (), True
    left_out = _collect(listed, f"{path}.ports", _port, ports, problems)
    return (normal_ports(ports) if listed else None), left_out


def _peers(
    listed: list[Any], path: str, direction: Direction, problems: list[str]
) -> tuple[tuple[Peer, ...], bool]:
    """Return the peers that could be read, and whether some could not."""
    peers: list[Peer] = []
    read = _ingress_peer if direction == "ingress" else _egress_peer
    left_out = _collect(listed, path, read, peers, problems)
    return tuple(dict.fromkeys(peers)), left_out


def _collect(
    listed: list[Any],
    path: str,
    read: Callable[[Any, str], Any],
    into: list[Any],
    problems: list[str],
) -> bool:
    """Read each of a list; return whether some couldn't be, which is told."""
    left_out = False
    for i, each in enumerate(listed):
        try:
            into.append(read(each, f"{path}[{i}]"))
        except UnsayableError as error:
            problems.append(str(error))
            left_out = True
    return left_out


def _ingress_peer(value: Any, path: str) -> Peer:
    found = _pods(only_fields(value, ("namespaces", "pods"), path), path)
    if found is None:
        raise UnsayableError(f"{path}: says nothing")
    return found


def _egress_peer(value: Any, path: str) -> Peer:
    fields = only_fields(value, ("namespaces", "pods", "networks"), path)
    networks = list_at(fields, "networks", path, 10_000)
    found = _pods(fields, path)
    if (found is None) is not bool(networks):
        raise UnsayableError(f"{path}: has to be one of namespaces, pods and networks")
    if found is not None:
        return found
    parsed = []
    for i, each in enumerate(networks):
        if not isinstance(each, str):
            raise UnsayableError(f"{path}.networks[{i}]: has to be a text")
        parsed.append(parse_network(each, f"{path}.networks[{i}]"))
    return merged_networks(parsed)


def _port(value: Any, path: str) -> Port:
    fields = only_fields(value, ("portNumber", "portRange", "namedPort"), path)
    number, span = object_at(fields, "portNumber", path), object_at(fields, "portRange", path)
    name = text_at(fields, "namedPort", path)
    if (number is not None) + (span is not None) + bool(name) != 1:
        raise UnsayableError(f"{path}: has to be one of portNumber, portRange and namedPort")
    if name:
        return PortName(name, "")
    if number is not None:
        only_fields(number, ("protocol", "port"), f"{path}.portNumber")
        port = integer_at(number, "port", f"{path}.portNumber", 1, MAXIMUM_PORT)
        return PortRange(parse_protocol(number, f"{path}.portNumber"), port, port)
    place = f"{path}.portRange"
    span = only_fields(span, ("protocol", "start", "end"), place)
    first = integer_at(span, "start", place, 1, MAXIMUM_PORT)
    last = integer_at(span, "end", place, first, MAXIMUM_PORT)
    return PortRange(parse_protocol(span, place), first, last)


def _with_levels(
    parts: list[_Part], direction: Direction, problems: list[str]
) -> Iterator[tuple[int, _Part]]:
    """Yield rules with their levels, the first first.

    A level has what denies and one other action, in this order. Rules that need more levels than
    there are deny everything.
    """
    level = 0
    other: Action | None = None
    for part in parts:
        if other is not None and part.action != other:
            level, other = level + 1, None
        if part.action != "deny":
            other = part.action
        if level == LEVELS - 1:
            problems.append(f"spec.{direction}: {LEVELS} actions alternate; the rest denies")
            yield level, _Part("deny", (None,), None)
            return
        yield level, part
