"""Tells users what of their objects isn't kept, as events of the cluster and in the log."""

import hashlib
import logging
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from integrations.kubernetes.api import KubernetesApi
from integrations.kubernetes.errors import ApiError

_LOG = logging.getLogger(__name__)
_MOST = 20
"""Events that are written at once; more come next time."""
_LONGEST = 1000
_MOST_OF_ONE = 5
"""Problems of one object that are told one by one: a tenant may write thousands in a policy."""
_PAUSE = 30.0
_SECONDS = 5.0


class ObjectRef(NamedTuple):
    """An object that an event is about."""

    api_version: str
    kind: str
    namespace: str
    name: str
    uid: str

    @classmethod
    def of(cls, kind: str, value: Mapping[str, Any]) -> "ObjectRef":
        meta = value.get("metadata")
        held = meta if isinstance(meta, dict) else {}
        namespace, name, uid = (str(held.get(each) or "") for each in ("namespace", "name", "uid"))
        return cls(str(value.get("apiVersion") or ""), kind, namespace, name, uid)


class Reporter:
    """Reports the first problems of an object once each; an event's name follows from both.

    What couldn't be reported is tried again half a minute later.
    """

    def __init__(self, api: KubernetesApi) -> None:
        self._api = api
        self._reported: set[tuple[ObjectRef, str]] = set()
        self._retry_at = 0.0

    def report(self, problems: Mapping[ObjectRef, Sequence[str]]) -> None:
        """Report what hasn't been reported; forget what is no problem any more."""
        present = {(ref, text) for ref, texts in problems.items() for text in _most(texts)}
        self._reported &= present
        if time.monotonic() < self._retry_at:
            return
        for ref, text in sorted(present - self._reported)[:_MOST]:
            where = f"{ref.namespace}/{ref.name}" if ref.namespace else ref.name
            _LOG.warning("%s %s: %s", ref.kind, where, text)
            try:
                self._create(ref, text)
            except ApiError as error:
                if error.status != 409:  # there already: of an earlier run
                    _LOG.warning("the event about %s %s can't be made: %s", ref.kind, where, error)
                    if error.status not in (403, 404):
                        self._retry_at = time.monotonic() + _PAUSE
                        return
            self._reported.add((ref, text))

    def _create(self, ref: ObjectRef, text: str) -> None:
        digest = hashlib.sha256(f"{ref.uid}\n{text}".encode()).hexdigest()[:16]
        namespace = ref.namespace or "default"
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        about = {
            "apiVersion": ref.api_version,
            "kind": ref.kind,
            "name": ref.name,
            "uid": ref.uid,
            **({"namespace": ref.namespace} if ref.namespace else {}),
        }
        value = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": f"{ref.name[:200]}.{digest}", "namespace": namespace},
            "involvedObject": about,
            "reason": "NotKept",
            "message": text[:_LONGEST],
            "type": "Warning",
            "source": {"component": "treadle-kube-controller"},
            "reportingComponent": "treadle-kube-controller",
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        self._api.create(f"/api/v1/namespaces/{namespace}/events", value, _SECONDS)


def _most(texts: Sequence[str]) -> list[str]:
    """Return the problems to tell of an object, the last of them how many more there are."""
    told = list(texts[:_MOST_OF_ONE])
    if len(texts) > _MOST_OF_ONE:
        told.append(f"{len(texts) - _MOST_OF_ONE} more problems")
    return told
