"""Keeps Treadle's port groups and ACLs as a cluster's policies say.

One thread does everything that decides: it takes what the others have seen of the cluster
(:mod:`~integrations.kubernetes.reflector`) and of Treadle (:mod:`~integrations.kubernetes.feed`)
from one queue, brings the translation up to date, and writes the difference as one transaction.

What always holds:

- Nothing is written before all kinds of objects were listed once, but for the group of pending
  ports, which new pods are put into whether the cluster's API answers or not.
- What was read of Treadle is followed by its revisions. A gap among them, a refused batch and a
  change to our objects by others are followed by reading and comparing everything.
- A refusal that is about an ACL, or about a group that has too many members, costs what needs it,
  which is told at its policies, and nothing else (:mod:`~integrations.kubernetes.refusals`).
"""

import logging
import queue
import time
from collections.abc import Callable, Iterable
from typing import Any, Final

from integrations.client import Client, ClientError, RefusedError
from integrations.deadline import TimeLimitError
from integrations.kubernetes.api import KubernetesApi
from integrations.kubernetes.errors import UnsayableError
from integrations.kubernetes.feed import Feed, Revision, is_token_refused
from integrations.kubernetes.health import Health
from integrations.kubernetes.intent import Intent
from integrations.kubernetes.kept import Kept, Operation, Planner
from integrations.kubernetes.reflector import Listed, Reflector, Seen
from integrations.kubernetes.refusals import Refusals, gone_ports
from integrations.kubernetes.reporting import ObjectRef, Reporter
from integrations.kubernetes.translation import PENDING_GROUP, Group, Translation
from integrations.kubernetes.treadle import Treadle, in_batches, port_owner
from integrations.kubernetes.watched import KINDS, apply_object, remove_object

_LOG = logging.getLogger(__name__)
_QUEUE: Final = 10_000
_IDLE_SECONDS: Final = 1.0
_AT_ONCE: Final = 2_000
"""What was seen that is taken in before it is written."""
_ATTEMPTS: Final = 100
"""How often it is written again at once, each time without what was refused before."""
_FIRST_PAUSE: Final = 0.2
_LONGEST_PAUSE: Final = 15.0

ObjectKey = tuple[str, str, str]
"""Kind, namespace and name."""


class Controller:
    """`connect` opens a connection to Treadle; the controller and its feed have one each."""

    def __init__(
        self,
        api: KubernetesApi,
        connect: Callable[[], Client],
        cluster: str,
        project: str,
        health: Health,
    ) -> None:
        self._health = health
        self._cluster, self._project = cluster, project
        self._queue: queue.Queue[Listed | Seen | Revision] = queue.Queue(_QUEUE)
        self._reflectors = [
            Reflector(api, kind, self._queue, health.tell) for kind in KINDS.values()
        ]
        self._feed = Feed(connect, self._queue, health.tell)
        self._reporter = Reporter(api)
        self._connect = connect
        self._client = connect()
        self._treadle = Treadle(self._client, cluster, project)
        self._intent = Intent(cluster, project)
        self._translation = Translation()
        self._kept = Kept()
        self._present: dict[str, set[tuple[str, str]]] = {}
        """The objects of each kind that was listed."""
        self._refs: dict[ObjectKey, ObjectRef] = {}
        self._unreadable: dict[ObjectKey, str] = {}
        self._refusals = Refusals(self._intent, self._translation)
        self._foreign: set[tuple[Group, str]] = set()
        """Memberships that others have changed since they were looked at."""
        self._left: set[tuple[str, str]] = set()
        """Ids of groups and of ports that left them by the revision that is looked at."""
        self._written: set[int] = set()
        """Revisions of our own that the feed hasn't told of yet."""
        self._next_revision = -1
        """What the feed tells next; -1 before anything was read."""
        self._has_to_read = True
        self._has_to_compare = True
        self._failures = 0
        self._retry_at = 0.0
        self._is_stopping = False
        health.tell("writing", "not yet")

    def run(self) -> None:
        """Work until :meth:`stop`."""
        for reflector in self._reflectors:
            reflector.start()
        try:
            while not self._is_stopping:
                self.turn()
        finally:
            for each in self._reflectors:
                each.stop()
            self._feed.stop()
            self._client.close()

    def stop(self) -> None:
        """Have :meth:`run` return soon. May be called from a signal handler."""
        self._is_stopping = True

    def turn(self) -> None:
        """Take in what was seen, and write what follows from it."""
        for item in self._take():
            try:
                self._see(item)
            except Exception as error:
                # A fault of our own: what was to be learned from the item isn't, and is told.
                _LOG.exception("what was seen can't be taken in")
                self._health.tell("fault", repr(error)[:200])
                self._health.count("faults_total")
                self._has_to_read = True
        self._health.turn()
        if time.monotonic() < self._retry_at:
            return
        try:
            if self._has_to_read:
                self._read()
            if len(self._present) == len(KINDS):
                for _ in range(_ATTEMPTS):
                    if self._write():
                        break
                self._reporter.report(self._problems())
        except (ClientError, TimeLimitError) as error:
            self._fail(f"can't be written: {error}")
            if is_token_refused(error):
                self._reconnect()
        except Exception as error:
            _LOG.exception("a fault of the controller")
            self._fail(f"fault: {error!r}")
        self._count()

    def _reconnect(self) -> None:
        """Read the token's file again, which may have another by now."""
        try:
            client = self._connect()
        except ClientError as error:
            self._fail(str(error))
            return
        self._client.close()
        self._client = client
        self._treadle = Treadle(client, self._cluster, self._project)

    def _take(self) -> Iterable[Listed | Seen | Revision]:
        """Yield what is in the queue, having waited a moment if nothing is."""
        try:
            yield self._queue.get(timeout=_IDLE_SECONDS)
            for _ in range(_AT_ONCE):
                yield self._queue.get_nowait()
        except queue.Empty:
            return

    def _see(self, item: Listed | Seen | Revision) -> None:
        match item:
            case Listed(kind, values):
                self._replace_all(kind, values)
            case Seen(kind, value, is_gone):
                ref = ObjectRef.of(kind, value)
                if is_gone:
                    self._forget(kind, ref.namespace, ref.name)
                else:
                    self._apply(kind, value)
            case Revision():
                self._follow(item)

    # --- the cluster

    def _replace_all(self, kind: str, values: list[dict[str, Any]]) -> None:
        before = self._present.setdefault(kind, set())
        refs = [ObjectRef.of(kind, value) for value in values]
        for namespace, name in before - {(ref.namespace, ref.name) for ref in refs}:
            self._forget(kind, namespace, name)
        fault: Exception | None = None
        for value in values:
            try:
                self._apply(kind, value)
            except Exception as error:
                _LOG.exception("an object of %s can't be taken in; the others are", kind)
                fault = error
        if fault is not None:
            raise fault

    def _apply(self, kind: str, value: dict[str, Any]) -> None:
        ref = ObjectRef.of(kind, value)
        key = (kind, ref.namespace, ref.name)
        self._present.setdefault(kind, set()).add(key[1:])
        self._refs[key] = ref
        try:
            apply_object(self._translation, kind, value)
        except UnsayableError as error:
            self._unreadable[key] = str(error)
        else:
            self._unreadable.pop(key, None)

    def _forget(self, kind: str, namespace: str, name: str) -> None:
        self._present.setdefault(kind, set()).discard((namespace, name))
        self._refs.pop((kind, namespace, name), None)
        self._unreadable.pop((kind, namespace, name), None)
        remove_object(self._translation, kind, namespace, name)

    def _problems(self) -> dict[ObjectRef, list[str]]:
        """Return what isn't kept, by the objects whose it is."""
        found: dict[ObjectRef, list[str]] = {}
        if not (self._translation.problems or self._unreadable or self._refusals.any()):
            return found
        policies = {_policy_key(key): ref for key, ref in self._refs.items()}
        for policy, texts in self._translation.problems.items():
            if policy in policies:
                found.setdefault(policies[policy], []).extend(texts)
        for key, text in self._unreadable.items():
            found.setdefault(self._refs[key], []).append(text)
        for policy, reasons in self._refusals.by_policy().items():
            if policy in policies:
                found.setdefault(policies[policy], []).extend(reasons)
        return found

    # --- Treadle

    def _read(self) -> None:
        """Read anew what is kept and which ports there are."""
        picture = self._treadle.read()
        self._kept = picture.kept
        for port in set(self._translation.policy_ports()) - picture.ports.keys():
            self._translation.set_port(port, None)
        for port, owner in picture.ports.items():
            self._translation.set_port(port, owner)
        self._written.clear()
        self._next_revision = picture.revision + 1
        self._feed.follow(self._next_revision)
        self._has_to_read, self._has_to_compare = False, True
        self._health.count("reads_total")
        self._carry_out(self._planner().pending_group())

    def _follow(self, revision: Revision) -> None:
        """Take in what a revision of Treadle changed."""
        if revision.number != self._next_revision:
            return  # of before it was read anew
        self._next_revision += 1
        if revision.number in self._written:
            self._written.discard(revision.number)
            return
        if revision.changes is None:
            self._has_to_read = True
            return
        for change in revision.changes:
            self._follow_change(change)
        for group, port in self._left:
            # A port that is gone has left all groups. Others have taken one out that isn't.
            if self._translation.stands_for_pod(port):
                self._see_foreign_member(group, port)
        self._left.clear()

    def _follow_change(self, change: dict[str, Any]) -> None:
        after, object_id = change.get("after"), str(change.get("object_id"))
        image = after or change.get("before") or {}
        match change.get("table"):
            case "logical_switch_port":
                is_ours = after is not None and image.get("project") == self._project
                labels = image.get("labels")
                owner = port_owner(labels) if is_ours and isinstance(labels, dict) else None
                self._translation.set_port(object_id, owner)
            case "port_group_port":
                group, port = str(image["port_group_id"]), str(image["logical_switch_port_id"])
                if not self._kept.see_membership(group, port, after is not None):
                    return
                if after is None:
                    self._left.add((group, port))
                else:
                    self._see_foreign_member(group, port)
            case "port_group" | "address_set" | "acl" as kind:
                kept = self._kept
                is_kept = any(object_id in of for of in (kept.groups, kept.sets, kept.acls))
                if is_kept or image.get("port_group_id") in kept.groups:
                    _LOG.warning("%s %s was changed by others: comparing", kind, object_id)
                    self._has_to_read = True
            case "address_set_address":
                if image.get("address_set_id") in self._kept.sets:
                    self._has_to_read = True

    def _see_foreign_member(self, group: str, port: str) -> None:
        """Look again at a membership that others changed: mostly CNI, which makes pending ports."""
        if group == self._intent.group_id(PENDING_GROUP):
            self._foreign.add((PENDING_GROUP, port))
        else:
            self._has_to_compare = True

    def _planner(self) -> Planner:
        refusals = self._refusals
        return Planner(
            self._intent, self._translation, self._kept, refusals.acls, refusals.too_large
        )

    def _write(self) -> bool:
        """Write what differs from what should be; return False if a part of it was refused."""
        touched = self._translation.take_touched()
        touched = touched._replace(memberships=touched.memberships | self._foreign)
        self._foreign.clear()
        is_smaller = self._refusals.refresh()
        if self._has_to_compare or is_smaller or self._refusals.too_large:
            operations = self._planner().everything()
            self._health.count("comparisons_total")
        else:
            operations = self._planner().touched(touched)
        # Until it is known that they were done, only a comparison tells what is there.
        self._has_to_compare = True
        if not self._carry_out(operations):
            return False
        self._has_to_compare = False
        self._refusals.carried_out()
        self._failures = 0
        self._health.tell("writing", "")
        return True

    def _carry_out(self, operations: list[Operation]) -> bool:
        """Write batch by batch; return False if it has to be worked out anew, without a part."""
        for batch in in_batches(operations, self._refusals.largest_batch):
            try:
                revision = self._treadle.write(batch)
            except RefusedError as error:
                gone = gone_ports(error, batch)
                for port in gone:
                    # Pods end all the time: the feed tells it a moment later than the refusal.
                    self._translation.set_port(port, None)
                    self._kept.forget_port(port)
                if gone or self._refusals.learn(error, batch, operations):
                    # Of this batch nothing was done, and what is kept is known as before.
                    _LOG.warning("without what is refused: %s", error)
                    self._health.count("refusals_total")
                    return False
                self._has_to_read = True
                raise
            except (ClientError, TimeLimitError):
                self._has_to_read = True
                raise
            if revision is not None:
                self._written.add(revision)
            self._kept.carried_out(batch)
            self._health.count("transactions_total")
            self._health.count("operations_total", len(batch))
        return True

    def _fail(self, reason: str) -> None:
        self._failures += 1
        self._health.tell("writing", reason)
        self._health.count("failures_total")
        _LOG.warning("%s", reason)
        pause = min(_LONGEST_PAUSE, _FIRST_PAUSE * 2 ** min(self._failures - 1, 10))
        self._retry_at = time.monotonic() + pause

    def _count(self) -> None:
        translation, health = self._translation, self._health
        for kind in KINDS:
            if kind not in self._present:
                health.tell(f"{kind} listed", "not yet")
            else:
                health.tell(f"{kind} listed", "")
        health.gauge("ports", sum(1 for _ in translation.policy_ports()))
        health.gauge("ports_pending", len(translation.pending()))
        health.gauge("acls", len(translation.users))
        health.gauge("port_groups", sum(1 for _ in translation.groups()))
        health.gauge("policies", sum(1 for _ in translation.policies()))
        health.gauge(
            "policies_not_kept", len(translation.problems.keys() | self._refusals.by_policy())
        )


def _policy_key(key: ObjectKey) -> str:
    """Return what a translation calls the policy that is such an object."""
    kind, namespace, name = key
    return f"{kind} {namespace}/{name}" if namespace else f"{kind} {name}"
