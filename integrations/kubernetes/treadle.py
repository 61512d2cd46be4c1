"""The conversation with Treadle's API: read what is kept of a cluster, and write batches."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from integrations.client import Client
from integrations.deadline import Deadline
from integrations.kubernetes.intent import (
    CLUSTER_LABEL,
    NAMESPACE_LABEL,
    POD_LABEL,
    UID_LABEL,
)
from integrations.kubernetes.kept import Kept, Operation
from integrations.kubernetes.objects import PodKey
from integrations.kubernetes.translation import PortOwner

SECONDS: Final = 60.0
LARGEST_BATCH: Final = 1_000
"""Operations of one transaction, which hold up everyone else's changes for about a second."""
LARGEST_BODY: Final = 4 * 1024 * 1024
"""Bytes of one transaction: a quarter of what a server takes, and of the answer that is read."""


class Picture(NamedTuple):
    """What was read: what is kept, the ports that stand for pods, and up to which revision.

    What came later may be in it as well, and is told by the revisions from `revision` on.
    """

    revision: int
    kept: Kept
    ports: dict[str, PortOwner]


class Treadle:
    """One cluster's objects in one project."""

    def __init__(self, client: Client, cluster: str, project: str) -> None:
        self._client, self._cluster, self._project = client, cluster, project

    def read(self) -> Picture:
        """Read everything anew. Raises ClientError, TimeLimitError."""
        deadline = Deadline(SECONDS)
        revision = int(self._client.get("/v1/status", deadline)["revision"])
        ours = {f"label.{CLUSTER_LABEL}": self._cluster, "project": self._project}
        kept = Kept()
        for each in self._client.items("/v1/address-sets", deadline, ours):
            kept.sets[each["id"]] = tuple(each["addresses"])
        groups = list(self._client.items("/v1/port-groups", deadline, ours))
        group_ids = {each["name"]: each["id"] for each in groups}
        for each in self._client.items("/v1/acls", deadline, ours):
            owner = group_ids.get(each["port_group"], "")
            kept.acls[each["id"]] = {**each, "port_group": owner}
        ports: dict[str, PortOwner] = {}
        ids: dict[str, str] = {}
        query = {"project": self._project}
        for each in self._client.items("/v1/logical-switch-ports", deadline, query):
            if each["project"] != self._project:
                continue
            ids[each["name"]] = each["id"]
            owner_of_port = port_owner(each["labels"])
            if owner_of_port is not None:
                ports[each["id"]] = owner_of_port
        for each in groups:
            # A port that went since the group was read isn't in it any more.
            kept.groups[each["id"]] = {ids[name] for name in each["ports"] if name in ids}
        return Picture(revision, kept, ports)

    def write(self, operations: Sequence[Operation]) -> int | None:
        """Carry out a batch; return its revision, or None if it changed nothing.

        Raises ClientError, TimeLimitError.

        What it makes has chosen ids, so that one that was done is refused when it is done again.
        """
        done = self._client.request(
            "POST",
            "/v1/transactions",
            Deadline(SECONDS),
            query={"project": self._project},
            body={"operations": list(operations)},
            repeatable=True,
        )
        return int(done["revision"]) if done["changed"] else None


def in_batches(
    operations: Sequence[Operation], most: int = LARGEST_BATCH
) -> Iterator[Sequence[Operation]]:
    """Yield operations in parts of at most `most`, and :data:`LARGEST_BODY` if they are several."""
    batch: list[Operation] = []
    size = 0
    for operation in operations:
        octets = len(json.dumps(operation))
        if batch and (len(batch) >= most or size + octets > LARGEST_BODY):
            yield batch
            batch, size = [], 0
        batch.append(operation)
        size += octets
    if batch:
        yield batch


def port_owner(labels: Mapping[str, Any]) -> PortOwner | None:
    """Return the pod that a switch port's labels name, or None.

    >>> port_owner({"treadle.kubernetes/namespace": "shop", "treadle.kubernetes/pod": "web"})
    PortOwner(pod=PodKey(namespace='shop', name='web'), uid='')
    """
    namespace, name = labels.get(NAMESPACE_LABEL), labels.get(POD_LABEL)
    if not isinstance(namespace, str) or not isinstance(name, str):
        return None
    return PortOwner(PodKey(namespace, name), str(labels.get(UID_LABEL) or ""))
