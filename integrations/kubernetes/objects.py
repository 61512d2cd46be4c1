"""Pods and namespaces, reduced to what policies ask of them."""

from typing import Any, NamedTuple

from integrations.kubernetes.errors import UnsayableError
from integrations.kubernetes.reading import Json, list_at, object_at, text_at
from integrations.kubernetes.selectors import Labels

PROTOCOLS = ("TCP", "UDP", "SCTP")

_FINISHED = ("Succeeded", "Failed")
_STATIC_POD = "kubernetes.io/config.hash"
"""A static pod's own uid: the kubelet tells it to CNI, and its mirror in the API has another."""


class PodKey(NamedTuple):
    """Which pod: at one time there is at most one of a name in a namespace."""

    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name}"


class ContainerPort(NamedTuple):
    """A port of a container that has a name."""

    name: str
    protocol: str
    number: int


class Pod(NamedTuple):
    """A pod, as policies see it. `uids` are all that may be meant by it."""

    key: PodKey
    uids: frozenset[str]
    labels: tuple[tuple[str, str], ...]
    ports: frozenset[ContainerPort]
    is_concerned: bool
    """Whether policies are about it: not for what has the host's network, nor once it ended."""


def parse_labels(value: Json, path: str) -> dict[str, str]:
    labels = object_at(value, "labels", path) or {}
    if not all(isinstance(held, str) for held in labels.values()):
        raise UnsayableError(f"{path}.labels: have to be texts")
    return dict(labels)


def parse_name(value: Json) -> tuple[str, str, str]:
    """Return namespace (empty for what has none), name and uid of any object."""
    meta = object_at(value, "metadata", "") or {}
    name = text_at(meta, "name", "metadata")
    if not name:
        raise UnsayableError("metadata.name: is missing")
    return text_at(meta, "namespace", "metadata"), name, text_at(meta, "uid", "metadata")


def parse_namespace(value: Json) -> tuple[str, Labels]:
    """Return the name and the labels of a namespace.

    The label ``kubernetes.io/metadata.name``, which every API server sets, is taken from the
    name itself, as a selector by it must not be evaded.
    """
    _, name, _ = parse_name(value)
    labels = parse_labels(object_at(value, "metadata", "") or {}, "metadata")
    return name, {**labels, "kubernetes.io/metadata.name": name}


def parse_pod(value: Json) -> Pod:
    """Read a pod; raise UnsayableError."""
    namespace, name, uid = parse_name(value)
    meta = object_at(value, "metadata", "") or {}
    spec = object_at(value, "spec", "") or {}
    status = object_at(value, "status", "") or {}
    annotations = object_at(meta, "annotations", "metadata") or {}
    uids = {uid, str(annotations.get(_STATIC_POD) or "")} - {""}
    ended = text_at(status, "phase", "status") in _FINISHED
    return Pod(
        PodKey(namespace, name),
        frozenset(uids),
        tuple(sorted(parse_labels(meta, "metadata").items())),
        _named_ports(spec),
        not ended and spec.get("hostNetwork") is not True,
    )


def _named_ports(spec: Json) -> frozenset[ContainerPort]:
    """Return the named ports of all containers, those of sidecars (init containers) included."""
    found: set[ContainerPort] = set()
    for field in ("containers", "initContainers"):
        for i, container in enumerate(list_at(spec, field, "spec")):
            path = f"spec.{field}[{i}]"
            if not isinstance(container, dict):
                raise UnsayableError(f"{path}: has to be an object")
            if field == "initContainers" and container.get("restartPolicy") != "Always":
                continue
            for port in list_at(container, "ports", path):
                found.update(_named_port(port))
    return frozenset(found)


def _named_port(value: Any) -> tuple[ContainerPort, ...]:
    if not isinstance(value, dict):
        return ()
    name, number = value.get("name"), value.get("containerPort")
    protocol = value.get("protocol") or "TCP"
    is_port = isinstance(number, int) and not isinstance(number, bool) and 0 < number < 65536
    if not isinstance(name, str) or not name or not is_port or protocol not in PROTOCOLS:
        return ()
    return (ContainerPort(name, protocol, int(number or 0)),)
