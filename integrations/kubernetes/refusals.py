"""What Treadle refused of a batch, so that the rest is kept without it.

A refusal names the operation that it is about. Where that is an ACL's match, the ACL is left out
or closed. Where a port group or an address set has more members than the server takes, it takes in
no more of them, and ACLs of which it is the other end count as refused: less is allowed by what
lacks a peer, but not less denied. Where the batch was too large as a whole, the next is smaller.
Ports that are gone, of which the feed hasn't told yet, are named by :func:`gone_ports`.

What was refused is forgotten once nothing needs it any more, and of what was too large once
it is smaller than that.
"""

from collections.abc import Sequence
from typing import Any

from integrations.client import FieldProblem, RefusedError
from integrations.kubernetes.acls import Acl
from integrations.kubernetes.intent import Intent
from integrations.kubernetes.kept import Operation, Size
from integrations.kubernetes.pod_sets import Networks
from integrations.kubernetes.translation import PENDING_GROUP, Translation
from integrations.kubernetes.treadle import LARGEST_BATCH


class Refusals:
    """What is refused of a translation."""

    def __init__(self, intent: Intent, translation: Translation) -> None:
        self._intent, self._translation = intent, translation
        self.largest_batch = LARGEST_BATCH
        """How many operations the server took at once."""
        self.acls: dict[Acl, str] = {}
        """The ACLs that aren't kept, and why."""
        self.too_large: dict[Size, int] = {}
        """Groups and sets with the numbers of members that were too many."""
        self._matches: dict[Acl, str] = {}
        self._fresh: set[Size] = set()
        """What was learned to be too large, while nothing was written without it yet."""

    def learn(
        self, error: RefusedError, batch: Sequence[Operation], planned: Sequence[Operation] = ()
    ) -> bool:
        """Take in a refusal; return whether there is something else to try now.

        `planned` are all operations that the batch is a part of.
        """
        for problem in error.errors:
            operation, parts = _place(problem, batch)
            values: dict[str, Any] = operation.get("values") or {}
            object_id = str(values.get("id") or operation.get("ref"))
            if parts == ["values", "match"]:
                reason = f"Treadle refuses {values.get('match')}: {problem.reason}"
                if self._learn_match(object_id, reason):
                    return True
            elif error.type == "too-large" and parts[-1:] in (["ports"], ["addresses"]):
                return self._learn_size(object_id, planned)
        if error.type == "too-large" and len(batch) > 1:
            self.largest_batch = len(batch) // 2
            return True
        return False

    def refresh(self) -> bool:
        """Forget what is no longer so; return whether groups that were too large may grow again."""
        translation = self._translation
        users = translation.users
        self._matches = {acl: why for acl, why in self._matches.items() if acl in users}
        still = {
            size: most
            for size, most in self.too_large.items()
            if size in self._fresh or self._size(size) >= most
        }
        is_smaller = len(still) < len(self.too_large)
        self.too_large = still
        self.acls = dict(self._matches)
        for acl in users if still else ():
            for size in (acl.peer, acl.networks()):
                if size in still:
                    self.acls[acl] = f"more members than Treadle takes: {size}"
        return is_smaller

    def carried_out(self) -> None:
        """Take in that all was written, but for what is refused."""
        self._fresh.clear()

    def by_policy(self) -> dict[str, list[str]]:
        """Return what isn't kept, by the keys of the policies that it is of."""
        told: dict[str, set[str]] = {}
        for acl, policies in self._translation.users.items() if self.any() else ():
            texts = [self.acls[acl]] if acl in self.acls else []
            if acl.owner in self.too_large:
                texts.append(f"more pods than Treadle takes; the rest is closed: {acl.owner}")
            for policy in policies if texts else ():
                told.setdefault(policy, set()).update(texts)
        return {policy: sorted(texts) for policy, texts in told.items()}

    def any(self) -> bool:
        return bool(self.acls or self.too_large)

    def _learn_match(self, acl_id: str, reason: str) -> bool:
        acls = {self._intent.names.acl_id(acl): acl for acl in self._translation.users}
        acl = acls.get(acl_id)
        if acl is None or acl in self._matches:
            return False
        self._matches[acl] = reason
        return True

    def _learn_size(self, object_id: str, planned: Sequence[Operation]) -> bool:
        translation, intent = self._translation, self._intent
        sizes: dict[str, Size] = {
            **{intent.group_id(each): each for each in translation.groups()},
            **{intent.set_id(each): each for each in translation.networks()},
        }
        size = sizes.get(object_id)
        if size is None or size == PENDING_GROUP or size in self.too_large:
            return False
        # Ports enter before others leave: it may have been too large only for as long.
        is_left = any(each.get("ref") == object_id and each.get("remove") for each in planned)
        self.too_large[size] = self._size(size) + is_left
        self._fresh.add(size)
        return True

    def _size(self, size: Size) -> int:
        """Return how many members a group or a set should have."""
        if isinstance(size, Networks):
            return len(size.members) if self._translation.has_networks(size) else 0
        return len(self._translation.ports(size))


def gone_ports(error: RefusedError, batch: Sequence[Operation]) -> list[str]:
    """Return the ports of groups that a refusal names, which aren't there any more.

    Nothing else can be wrong with one: it was read of Treadle by its id.
    """
    gone = []
    for problem in error.errors:
        operation, parts = _place(problem, batch)
        if operation.get("kind") != "port_group" or len(parts) < 2 or not parts[-1].isdigit():
            continue
        members = (operation.get("values") or operation).get(parts[-2])
        if isinstance(members, list) and int(parts[-1]) < len(members):
            gone.append(members[int(parts[-1])])
    return gone


def _place(problem: FieldProblem, batch: Sequence[Operation]) -> tuple[Operation, list[str]]:
    """Return the operation that a problem is about, and where in it; both empty for none."""
    parts = problem.where.split("/")
    if parts[0] != "operations" or len(parts) < 2 or not parts[1].isdigit():
        return {}, []
    number = int(parts[1])
    return (batch[number], parts[2:]) if number < len(batch) else ({}, [])
