"""What the Kubernetes documentation says of policies, word by word and by brute force.

Reads objects as the API has them and shares nothing with the product: every question goes through
all policies, all rules, all peers. Pods with the host's network and pods that have ended take no
part.
"""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

Json = Mapping[str, Any]


class Cluster(NamedTuple):
    """All that decides: namespaces by name with their labels, pods, and policies of each kind."""

    namespaces: Mapping[str, Mapping[str, str]]
    pods: Sequence[Json]
    policies: Sequence[Json] = ()
    admin: Sequence[Json] = ()
    baseline: Sequence[Json] = ()


class End(NamedTuple):
    """One end of a connection: an address, and the pod that has it, if one does."""

    address: str
    pod: Json | None = None


class Service(NamedTuple):
    """What is asked for at the destination; ICMP has no port."""

    protocol: str
    port: int = 0


def is_allowed(cluster: Cluster, source: End, destination: End, service: Service) -> bool:
    """The source may send it, and the destination may receive it."""
    return _passes(cluster, "egress", source, destination, destination, service) and _passes(
        cluster, "ingress", destination, source, destination, service
    )


def _passes(
    cluster: Cluster, direction: str, own: End, other: End, destination: End, service: Service
) -> bool:
    if own.pod is None:
        return True
    context = (cluster, direction, own, other, destination, service)
    for policy in sorted(cluster.admin, key=lambda each: each["spec"]["priority"]):
        verdict = _admin_verdict(policy, *context)
        if verdict == "Pass":
            break
        if verdict is not None:
            return verdict == "Allow"
    isolating = [
        policy
        for policy in cluster.policies
        if policy["metadata"]["namespace"] == own.pod["metadata"]["namespace"]
        and _selects(policy["spec"].get("podSelector") or {}, _labels(own.pod))
        and direction.capitalize() in _types(policy["spec"])
    ]
    if isolating:
        return any(
            _rule_fits(rule, policy["metadata"]["namespace"], *context)
            for policy in isolating
            for rule in policy["spec"].get(direction) or ()
        )
    for policy in cluster.baseline:
        verdict = _admin_verdict(policy, *context)
        if verdict is not None:
            return verdict == "Allow"
    return True


def _types(spec: Json) -> Sequence[str]:
    if spec.get("policyTypes"):
        types: Sequence[str] = spec["policyTypes"]
        return types
    return ("Ingress", "Egress") if spec.get("egress") else ("Ingress",)


def _rule_fits(
    rule: Json,
    namespace: str,
    cluster: Cluster,
    direction: str,
    own: End,
    other: End,
    destination: End,
    service: Service,
) -> bool:
    peers = rule.get("from" if direction == "ingress" else "to")
    if peers and not any(_peer_fits(peer, namespace, cluster, other) for peer in peers):
        return False
    ports = rule.get("ports")
    return not ports or any(_port_fits(port, destination, service) for port in ports)


def _peer_fits(peer: Json, namespace: str, cluster: Cluster, other: End) -> bool:
    if peer.get("ipBlock") is not None:
        address = ipaddress.ip_address(other.address)
        block = peer["ipBlock"]
        return address in ipaddress.ip_network(block["cidr"], strict=False) and not any(
            address in ipaddress.ip_network(each, strict=False)
            for each in block.get("except") or ()
        )
    if other.pod is None:
        return False
    its = other.pod["metadata"]["namespace"]
    if peer.get("namespaceSelector") is None:
        if its != namespace:
            return False
    elif not _selects(peer["namespaceSelector"], cluster.namespaces[its]):
        return False
    selector = peer.get("podSelector")
    return selector is None or _selects(selector, _labels(other.pod))


def _port_fits(port: Json, destination: End, service: Service) -> bool:
    protocol = port.get("protocol") or "TCP"
    if service.protocol != protocol:
        return False
    if port.get("port") is None:
        return True
    if isinstance(port["port"], str):
        return _names(destination, port["port"], service)
    if port.get("endPort") is not None:
        return bool(port["port"] <= service.port <= port["endPort"])
    return bool(service.port == port["port"])


def _names(destination: End, name: str, service: Service) -> bool:
    """Whether the destination has a container port of that name which is the one asked for."""
    return destination.pod is not None and any(
        port.get("name") == name
        and port["containerPort"] == service.port
        and (port.get("protocol") or "TCP") == service.protocol
        for container in destination.pod["spec"].get("containers") or ()
        for port in container.get("ports") or ()
    )


def _admin_verdict(
    policy: Json,
    cluster: Cluster,
    direction: str,
    own: End,
    other: End,
    destination: End,
    service: Service,
) -> str | None:
    """The action of the first rule that fits."""
    spec = policy["spec"]
    if not _is_in(spec["subject"], cluster, own):
        return None
    for rule in spec.get(direction) or ():
        peers = rule["from" if direction == "ingress" else "to"]
        if not any(_admin_peer_fits(peer, cluster, other) for peer in peers):
            continue
        ports = rule.get("ports")
        if ports and not any(_admin_port_fits(port, destination, service) for port in ports):
            continue
        return str(rule["action"])
    return None


def _admin_peer_fits(peer: Json, cluster: Cluster, other: End) -> bool:
    if peer.get("networks") is not None:
        address = ipaddress.ip_address(other.address)
        return any(address in ipaddress.ip_network(each) for each in peer["networks"])
    return _is_in(peer, cluster, other)


def _is_in(selection: Json, cluster: Cluster, end: End) -> bool:
    if end.pod is None:
        return False
    of_namespace = cluster.namespaces[end.pod["metadata"]["namespace"]]
    if selection.get("namespaces") is not None:
        return _selects(selection["namespaces"], of_namespace)
    pods = selection["pods"]
    return _selects(pods["namespaceSelector"], of_namespace) and _selects(
        pods["podSelector"], _labels(end.pod)
    )


def _admin_port_fits(port: Json, destination: End, service: Service) -> bool:
    if "namedPort" in port:
        return _names(destination, port["namedPort"], service)
    if "portNumber" in port:
        number = port["portNumber"]
        return (service.protocol, service.port) == (number["protocol"], number["port"])
    span = port["portRange"]
    return service.protocol == span["protocol"] and span["start"] <= service.port <= span["end"]


def _labels(pod: Json) -> Mapping[str, str]:
    return pod["metadata"].get("labels") or {}


def _selects(selector: Json, labels: Mapping[str, str]) -> bool:
    for key, value in (selector.get("matchLabels") or {}).items():
        if labels.get(key) != value:
            return False
    for expression in selector.get("matchExpressions") or ():
        key, values = expression["key"], expression.get("values") or ()
        fits = {
            "In": key in labels and labels[key] in values,
            "NotIn": key not in labels or labels[key] not in values,
            "Exists": key in labels,
            "DoesNotExist": key not in labels,
        }
        if not fits[expression["operator"]]:
            return False
    return True
