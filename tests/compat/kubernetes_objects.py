"""What a Kubernetes API server keeps: objects, their versions, and the history of changes.

:class:`ObjectStore` has the semantics, :mod:`tests.compat.fake_kubernetes` serves them over
HTTP. As in the real one, every change takes the next resource version of all; an object with
finalizers outlives its deletion until they are gone; a namespace outlives what is in it;
what all owners of are gone goes, too. There is no scheduler, no kubelet, no admission and no
validation beyond names and versions.
"""

import copy
import re
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tests.compat.kubernetes_requests import Json, StatusError, json_patch, merge_patch


@dataclass(frozen=True)
class Resource:
    """A type of objects as the API serves it; the core group is ``""``."""

    group: str
    version: str
    plural: str
    kind: str
    namespaced: bool = True
    has_status: bool = True
    """Whether ``status`` is written through its subresource alone."""

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version


RESOURCES: Final = (
    Resource("", "v1", "pods", "Pod"),
    Resource("", "v1", "namespaces", "Namespace", namespaced=False),
    Resource("", "v1", "nodes", "Node", namespaced=False),
    Resource("", "v1", "services", "Service"),
    Resource("", "v1", "endpoints", "Endpoints", has_status=False),
    Resource("", "v1", "events", "Event", has_status=False),
    Resource("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", has_status=False),
    Resource(
        *("policy.networking.k8s.io", "v1alpha1", "adminnetworkpolicies", "AdminNetworkPolicy"),
        namespaced=False,
    ),
    Resource(
        *("policy.networking.k8s.io", "v1alpha1", "baselineadminnetworkpolicies"),
        *("BaselineAdminNetworkPolicy",),
        namespaced=False,
    ),
    Resource(
        *("apiextensions.k8s.io", "v1", "customresourcedefinitions", "CustomResourceDefinition"),
        namespaced=False,
    ),
    # Kuryr writes the status of its objects with the rest of them.
    Resource("openstack.org", "v1", "kuryrports", "KuryrPort", has_status=False),
    Resource("openstack.org", "v1", "kuryrnetworks", "KuryrNetwork", has_status=False),
    Resource("openstack.org", "v1", "kuryrnetworkpolicies", "KuryrNetworkPolicy", has_status=False),
    Resource("openstack.org", "v1", "kuryrloadbalancers", "KuryrLoadBalancer", has_status=False),
)


@dataclass(frozen=True)
class Change:
    """One entry of the history: what an object was before and after, None where it wasn't."""

    revision: int
    resource: Resource
    before: Json | None
    after: Json | None

    @property
    def object(self) -> Json:
        last = self.after if self.after is not None else self.before
        assert last is not None
        return last


Key = tuple[Resource, str, str]
"""Resource, namespace (empty for what has none) and name."""

_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_SYSTEM_FIELDS = ("uid", "creationTimestamp", "deletionTimestamp", "namespace", "name")


class ObjectStore:
    """All objects of a cluster. Methods may be called from any thread.

    `changed` is notified at every change; it is the lock as well.
    """

    def __init__(self) -> None:
        self.changed = threading.Condition(threading.RLock())
        self.revision = 1
        self.compacted = 0
        """The resource version up to which history is forgotten."""
        self.history: list[Change] = []
        self.resources: dict[tuple[str, str, str], Resource] = {}
        self._objects: dict[Key, Json] = {}
        for resource in RESOURCES:
            self.register(resource)
        for name in ("default", "kube-system"):
            self.create(self.named("namespaces"), "", {"metadata": {"name": name}})

    def register(self, resource: Resource) -> None:
        """Serve a further type of objects, as a CustomResourceDefinition does."""
        with self.changed:
            self.resources[resource.group, resource.version, resource.plural] = resource

    def named(self, plural: str) -> Resource:
        """Return the resource of that plural, whatever its group."""
        return next(each for each in self.resources.values() if each.plural == plural)

    def compact(self) -> None:
        """Forget the history: who watches from an older version has to list again (410)."""
        with self.changed:
            self.compacted = self.revision
            self.history.clear()

    def list(self, resource: Resource, namespace: str = "") -> list[Json]:
        """Return copies of all objects of a namespace, or of all of them, in order of names."""
        with self.changed:
            found = [
                (key[1:], each)
                for key, each in self._objects.items()
                if key[0] == resource and namespace in ("", key[1])
            ]
            return [copy.deepcopy(each) for _, each in sorted(found, key=lambda pair: pair[0])]

    def get(self, resource: Resource, namespace: str, name: str) -> Json:
        with self.changed:
            return copy.deepcopy(self._existing(resource, namespace, name))

    def create(self, resource: Resource, namespace: str, value: Json) -> Json:
        with self.changed:
            body = copy.deepcopy(value)
            meta = _metadata(body)
            if "name" not in meta and meta.get("generateName"):
                meta["name"] = f"{meta['generateName']}{uuid.uuid4().hex[:5]}"
            name = meta.get("name")
            if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > 253:
                raise StatusError(422, "Invalid", f"metadata.name: Invalid value: {name!r}")
            self._check_place(resource, namespace, body)
            if (resource, namespace, name) in self._objects:
                raise StatusError(
                    409, "AlreadyExists", f'{resource.plural} "{name}" already exists'
                )
            if resource.namespaced:
                meta["namespace"] = namespace
            meta["uid"] = str(uuid.uuid4())
            meta["creationTimestamp"] = _now()
            meta["generation"] = 1
            meta.pop("deletionTimestamp", None)
            if resource.plural == "namespaces":
                meta.setdefault("labels", {})["kubernetes.io/metadata.name"] = name
                body["status"] = {"phase": "Active"}
            if resource.plural == "pods":
                body.setdefault("status", {}).setdefault("phase", "Pending")
            if resource.plural == "customresourcedefinitions":
                self._define(body)
            body["apiVersion"], body["kind"] = resource.api_version, resource.kind
            return self._store(resource, namespace, name, body)

    def update(
        self, resource: Resource, namespace: str, name: str, value: Json, *, status: bool = False
    ) -> Json:
        """Replace an object, or through the subresource its status alone."""
        return self._change(resource, namespace, name, lambda _: copy.deepcopy(value), status)

    def merge(
        self, resource: Resource, namespace: str, name: str, patch: Json, *, status: bool = False
    ) -> Json:
        """Apply a JSON merge patch (RFC 7396)."""
        return self._change(
            resource, namespace, name, lambda current: merge_patch(current, patch), status
        )

    def patch(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        operations: Any,
        *,
        status: bool = False,
    ) -> Json:
        """Apply a JSON patch (RFC 6902)."""
        return self._change(
            resource, namespace, name, lambda current: json_patch(current, operations), status
        )

    def delete(self, resource: Resource, namespace: str, name: str) -> Json:
        """Delete an object, or mark it as deleted while it has finalizers or contents."""
        with self.changed:
            current = self._existing(resource, namespace, name)
            if resource.plural == "namespaces":
                return self._delete_namespace(resource, name, current)
            if _metadata(current).get("finalizers"):
                return self._mark_deleted(resource, namespace, name, current)
            return self._remove(resource, namespace, name)

    def _change(
        self,
        resource: Resource,
        namespace: str,
        name: str,
        edit: Callable[[Json], Any],
        status: bool,
    ) -> Json:
        with self.changed:
            current = self._existing(resource, namespace, name)
            edited = edit(copy.deepcopy(current))
            if not isinstance(edited, dict):
                raise StatusError(400, "BadRequest", "an object has to be a JSON object")
            self._check_place(resource, namespace, edited)
            meta, kept = _metadata(edited), _metadata(current)
            if meta.get("name", name) != name or meta.get("uid", kept["uid"]) != kept["uid"]:
                raise StatusError(409, "Conflict", "metadata: name and uid can't be changed")
            said = meta.get("resourceVersion")
            if said and said != kept["resourceVersion"]:
                raise StatusError(
                    *(409, "Conflict"),
                    f'Operation cannot be fulfilled on {resource.plural} "{name}": the object has '
                    "been modified; please apply your changes to the latest version and try again",
                )
            if status and resource.has_status:
                edited = {**copy.deepcopy(current), "status": edited.get("status", {})}
            else:
                self._keep_system_fields(resource, edited, current)
            if _without_version(edited) == _without_version(current):
                return copy.deepcopy(current)
            done = _metadata(edited)
            if done.get("deletionTimestamp") and not done.get("finalizers"):
                if resource.plural != "namespaces":
                    return self._remove(resource, namespace, name)
                self._settle_namespace(name)
            return self._store(resource, namespace, name, edited)

    def _keep_system_fields(self, resource: Resource, edited: Json, current: Json) -> None:
        meta, kept = _metadata(edited), _metadata(current)
        for field in _SYSTEM_FIELDS:
            meta.pop(field, None)
            if field in kept:
                meta[field] = kept[field]
        if resource.has_status:
            edited.pop("status", None)
            if "status" in current:
                edited["status"] = copy.deepcopy(current["status"])
        changed = edited.get("spec") != current.get("spec")
        meta["generation"] = kept.get("generation", 1) + changed
        edited["apiVersion"], edited["kind"] = resource.api_version, resource.kind

    def _check_place(self, resource: Resource, namespace: str, body: Json) -> None:
        if not resource.namespaced:
            return
        if _metadata(body).get("namespace", namespace) != namespace:
            raise StatusError(
                *(400, "BadRequest"),
                "the namespace of the provided object does not match the namespace sent on the "
                "request",
            )
        self._existing(self.named("namespaces"), "", namespace)

    def _existing(self, resource: Resource, namespace: str, name: str) -> Json:
        found = self._objects.get((resource, namespace, name))
        if found is None:
            raise StatusError(404, "NotFound", f'{resource.plural} "{name}" not found')
        return found

    def _store(self, resource: Resource, namespace: str, name: str, body: Json) -> Json:
        before = self._objects.get((resource, namespace, name))
        self.revision += 1
        _metadata(body)["resourceVersion"] = str(self.revision)
        self._objects[resource, namespace, name] = body
        self._record(resource, before, body)
        return copy.deepcopy(body)

    def _remove(self, resource: Resource, namespace: str, name: str) -> Json:
        before = self._objects.pop((resource, namespace, name))
        self.revision += 1
        last = copy.deepcopy(before)
        _metadata(last)["resourceVersion"] = str(self.revision)
        self._record(resource, last, None)
        self._collect(str(_metadata(last)["uid"]))
        if namespace:
            self._settle_namespace(namespace)
        return last

    def _record(self, resource: Resource, before: Json | None, after: Json | None) -> None:
        self.history.append(
            Change(self.revision, resource, copy.deepcopy(before), copy.deepcopy(after))
        )
        self.changed.notify_all()

    def _mark_deleted(self, resource: Resource, namespace: str, name: str, current: Json) -> Json:
        if _metadata(current).get("deletionTimestamp"):
            return copy.deepcopy(current)
        marked = copy.deepcopy(current)
        _metadata(marked)["deletionTimestamp"] = _now()
        return self._store(resource, namespace, name, marked)

    def _delete_namespace(self, resource: Resource, name: str, current: Json) -> Json:
        marked = copy.deepcopy(current)
        marked["status"] = {"phase": "Terminating"}
        _metadata(marked).setdefault("deletionTimestamp", _now())
        last = self._store(resource, "", name, marked)
        for each, namespace, member in [key for key in self._objects if key[1] == name]:
            if (each, namespace, member) in self._objects:
                self.delete(each, namespace, member)
        self._settle_namespace(name)
        return last

    def _settle_namespace(self, name: str) -> None:
        """Let a namespace go that is deleted and has nothing in it any more."""
        resource = self.named("namespaces")
        namespace = self._objects.get((resource, "", name))
        if namespace is None or any(key[1] == name for key in self._objects):
            return
        meta = _metadata(namespace)
        if meta.get("deletionTimestamp") and not meta.get("finalizers"):
            self._remove(resource, "", name)

    def _collect(self, gone: str) -> None:
        """Delete what has no owner any more, as the garbage collector does."""
        uids = {_metadata(each)["uid"] for each in self._objects.values()}
        for key, each in list(self._objects.items()):
            owners = [owner.get("uid") for owner in _metadata(each).get("ownerReferences") or ()]
            if gone in owners and not uids.intersection(owners) and key in self._objects:
                self.delete(*key)

    def _define(self, body: Json) -> None:
        """Serve what a CustomResourceDefinition defines."""
        spec = body.get("spec", {})
        for version in spec.get("versions", ()):
            self.register(
                Resource(
                    *(spec["group"], version["name"]),
                    *(spec["names"]["plural"], spec["names"]["kind"]),
                    namespaced=spec.get("scope", "Namespaced") == "Namespaced",
                    has_status="status" in version.get("subresources", {}),
                )
            )


def events(changes: Iterable[Change], fits: Callable[[Json], bool]) -> Iterator[tuple[str, Json]]:
    """Yield the watch events of changes: what begins to fit is added, what stops to is deleted."""
    for change in changes:
        before = change.before is not None and fits(change.before)
        after = change.after is not None and fits(change.after)
        if after:
            yield ("MODIFIED" if before else "ADDED"), change.object
        elif before:
            last = copy.deepcopy(change.object)
            _metadata(last)["resourceVersion"] = str(change.revision)
            yield "DELETED", last


def _metadata(body: Json) -> Json:
    meta: Json = body.setdefault("metadata", {})
    return meta


def _without_version(body: Json) -> Json:
    meta = {k: v for k, v in _metadata(body).items() if k != "resourceVersion"}
    return {**body, "metadata": meta}


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
