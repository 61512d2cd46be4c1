"""NetworkPolicy (``networking.k8s.io/v1``), read into rules.

What it selects is isolated in each direction of its ``policyTypes``: there only what some policy
allows gets through. A rule, or a part of one, that can't be read allows nothing; it is told among
the policy's problems. If it can't be read which pods a policy is about, all of its namespace
are isolated. So what isn't understood is closed.
"""

from typing import Any

from integrations.kubernetes.errors import UnsayableError
from integrations.kubernetes.objects import PROTOCOLS, parse_name
from integrations.kubernetes.pod_sets import PodSet, PortName, networks_without, parse_network
from integrations.kubernetes.reading import (
    Json,
    integer_at,
    list_at,
    object_at,
    only_fields,
    text_at,
)
from integrations.kubernetes.rules import (
    ALLOWED,
    DIRECTIONS,
    ISOLATED,
    MAXIMUM_PORT,
    POLICY_TIER,
    Direction,
    Peer,
    Policy,
    Port,
    PortRange,
    Rule,
    merge_ranges,
)
from integrations.kubernetes.selectors import EVERYTHING, parse_selector

_PEERS = {"ingress": "from", "egress": "to"}


def parse_network_policy(value: Json) -> Policy:
    """Read a NetworkPolicy. Raises UnsayableError only where it has no name."""
    namespace, name, _ = parse_name(value)
    key = f"NetworkPolicy {namespace}/{name}"
    try:
        spec = object_at(value, "spec", "") or {}
        selector = object_at(spec, "podSelector", "spec") or {}
        subject = PodSet(namespace, pods=parse_selector(selector, "spec.podSelector"))
    except UnsayableError as error:
        closed = tuple(_isolation(direction, PodSet(namespace)) for direction in DIRECTIONS)
        return Policy(key, closed, (str(error),))
    problems: list[str] = []
    try:
        directions = _directions(spec)
    except UnsayableError as error:
        problems.append(str(error))
        directions = DIRECTIONS
    rules: list[Rule] = []
    for direction in directions:
        rules.append(_isolation(direction, subject))
        try:
            listed = list_at(spec, direction, "spec")
        except UnsayableError as error:
            problems.append(str(error))
            continue
        for i, each in enumerate(listed):
            try:
                rule = _rule(each, direction, subject, f"spec.{direction}[{i}]", problems)
            except UnsayableError as error:
                problems.append(str(error))
                continue
            if rule is not None:
                rules.append(rule)
    return Policy(key, tuple(rules), tuple(problems))


def _isolation(direction: Direction, subject: PodSet) -> Rule:
    return Rule(direction, "deny", POLICY_TIER, ISOLATED, subject)


def _directions(spec: Json) -> tuple[Direction, ...]:
    types = list_at(spec, "policyTypes", "spec")
    if not types:
        return DIRECTIONS if list_at(spec, "egress", "spec") else ("ingress",)
    found: list[Direction] = [each for each in DIRECTIONS if each.capitalize() in types]
    unknown = [each for each in types if each not in ("Ingress", "Egress")]
    if unknown:
        raise UnsayableError(f"spec.policyTypes: {str(unknown[0])[:80]!r} isn't supported")
    return tuple(found)


def _rule(
    value: Any, direction: Direction, subject: PodSet, path: str, problems: list[str]
) -> Rule | None:
    """Read one rule; what of its peers and ports can't be read is left out, and told."""
    name = _PEERS[direction]
    fields = only_fields(value, (name, "ports"), path)
    listed = list_at(fields, name, path)
    peers: list[Peer] = [] if listed else [None]
    for i, each in enumerate(listed):
        try:
            peers.append(_peer(each, subject.namespace, f"{path}.{name}[{i}]"))
        except UnsayableError as error:
            problems.append(str(error))
    listed = list_at(fields, "ports", path)
    ports: list[Port] = []
    for i, each in enumerate(listed):
        try:
            ports.append(parse_port(each, f"{path}.ports[{i}]"))
        except UnsayableError as error:
            problems.append(str(error))
    if not peers or (listed and not ports):
        return None
    unique = tuple(dict.fromkeys(peers))
    allowed = normal_ports(ports) if listed else None
    return Rule(direction, "allow", POLICY_TIER, ALLOWED, subject, unique, allowed)


def _peer(value: Any, namespace: str, path: str) -> Peer:
    fields = only_fields(value, ("podSelector", "namespaceSelector", "ipBlock"), path)
    block = object_at(fields, "ipBlock", path)
    pods = object_at(fields, "podSelector", path)
    namespaces = object_at(fields, "namespaceSelector", path)
    if block is not None:
        if pods is not None or namespaces is not None:
            raise UnsayableError(f"{path}: has to be either a block or selectors")
        return _block(block, f"{path}.ipBlock")
    if pods is None and namespaces is None:
        raise UnsayableError(f"{path}: says nothing")
    selected = EVERYTHING if pods is None else parse_selector(pods, f"{path}.podSelector")
    if namespaces is None:
        return PodSet(namespace, pods=selected)
    of = parse_selector(namespaces, f"{path}.namespaceSelector")
    return PodSet(namespaces=of, pods=selected)


def _block(value: Json, path: str) -> Peer:
    fields = only_fields(value, ("cidr", "except"), path)
    block = parse_network(text_at(fields, "cidr", path), f"{path}.cidr")
    exceptions = []
    for i, each in enumerate(list_at(fields, "except", path)):
        if not isinstance(each, str):
            raise UnsayableError(f"{path}.except[{i}]: has to be a text")
        exceptions.append(parse_network(each, f"{path}.except[{i}]"))
    return networks_without(block, exceptions, path)


def parse_port(value: Any, path: str) -> Port:
    """Read a port of a rule: a number, a range up to ``endPort``, a name, or a protocol alone."""
    fields = only_fields(value, ("protocol", "port", "endPort"), path)
    protocol = parse_protocol(fields, path)
    port = fields.get("port")
    if port is None:
        if fields.get("endPort") is not None:
            raise UnsayableError(f"{path}.endPort: needs a port to begin at")
        return PortRange(protocol)
    if isinstance(port, str):
        if fields.get("endPort") is not None:
            raise UnsayableError(f"{path}.endPort: can't follow the name of a port")
        return PortName(port, protocol)
    first = integer_at(fields, "port", path, 1, MAXIMUM_PORT)
    if fields.get("endPort") is None:
        return PortRange(protocol, first, first)
    return PortRange(protocol, first, integer_at(fields, "endPort", path, first, MAXIMUM_PORT))


def parse_protocol(fields: Json, path: str) -> str:
    protocol = text_at(fields, "protocol", path) or "TCP"
    if protocol not in PROTOCOLS:
        raise UnsayableError(f"{path}.protocol: {protocol[:80]!r} isn't supported")
    return protocol


def normal_ports(ports: list[Port]) -> tuple[Port, ...]:
    """Return ports in one order and without repetitions, ranges first."""
    ranges = merge_ranges(each for each in ports if isinstance(each, PortRange))
    names = sorted({each for each in ports if isinstance(each, PortName)})
    return (*ranges, *names)
