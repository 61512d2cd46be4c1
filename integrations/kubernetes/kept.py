"""What Treadle holds of a cluster, and what has to be done so that it holds what it should.

:class:`Kept` is the state that was read from Treadle, or written, since then followed by its
revisions. :func:`plan` compares it with a translation, all of it or only what has been touched,
and returns the operations of a batch in an order in which each can be carried out.
"""

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from integrations.kubernetes.acls import Acl
from integrations.kubernetes.intent import Intent, Values
from integrations.kubernetes.pod_sets import Networks
from integrations.kubernetes.translation import (
    PENDING_GROUP,
    Group,
    Touched,
    Translation,
)

Operation = dict[str, Any]
Size = Group | Networks
"""What is as large as a cluster or a policy makes it: a port group, or an address set."""

_ACL_FIELDS: Final = (
    *("name", "direction", "tier", "priority", "match", "action", "external_ids"),
)


class Kept:
    """Port groups, address sets and ACLs that are there, by their ids."""

    def __init__(self) -> None:
        self.groups: dict[str, set[str]] = {}
        """The ports (ids) of each group."""
        self.sets: dict[str, tuple[str, ...]] = {}
        self.acls: dict[str, Values] = {}

    def see_membership(self, group: str, port: str, is_in: bool) -> bool:
        """Follow a change of members; return whether the group is one of these."""
        ports = self.groups.get(group)
        if ports is None:
            return False
        if is_in:
            ports.add(port)
        else:
            ports.discard(port)
        return True

    def forget_port(self, port: str) -> None:
        """Take in that a port is gone, which takes it out of all groups."""
        for ports in self.groups.values():
            ports.discard(port)

    def carried_out(self, operations: Iterable[Operation]) -> None:
        """Take in that operations of :func:`plan` were done."""
        for each in operations:
            ref, values = each.get("ref", ""), each.get("values") or {}
            match each["kind"], each["action"]:
                case "port_group", "create":
                    self.groups[values["id"]] = set(values["ports"])
                case "port_group", "change_members":
                    self.groups[ref].difference_update(each["remove"])
                    self.groups[ref].update(each["add"])
                case "port_group", "delete":
                    self.groups.pop(ref, None)
                    for acl in [a for a, held in self.acls.items() if held["port_group"] == ref]:
                        del self.acls[acl]
                case "address_set", "create":
                    self.sets[values["id"]] = tuple(values["addresses"])
                case "address_set", "update":
                    self.sets[ref] = tuple(values["addresses"])
                case "address_set", "delete":
                    self.sets.pop(ref, None)
                case "acl", "create":
                    self.acls[values["id"]] = values
                case "acl", "update":
                    self.acls[ref] = {**self.acls[ref], **values}
                case "acl", "delete":
                    self.acls.pop(ref, None)


class Planner:
    """Compares what is kept with what a translation says, as far as the server takes it.

    `refused` are ACLs that it doesn't take. Groups that are `too_large` for it take in no more
    ports: those that would be subject to one's ACLs and aren't in it are kept closed, by being in
    the group of ports without a known pod.
    """

    def __init__(
        self,
        intent: Intent,
        translation: Translation,
        kept: Kept,
        refused: Collection[Acl] = (),
        too_large: Collection[Size] = (),
    ) -> None:
        self._intent, self._translation, self._kept = intent, translation, kept
        self._refused, self._too_large = refused, too_large
        self._closing = _closing(intent, translation, refused)

    def everything(self) -> list[Operation]:
        """Return what makes all that is kept what it should be, and removes the rest."""
        translation, intent, kept = self._translation, self._intent, self._kept
        groups = {intent.group_id(group): group for group in translation.groups()}
        sets = {intent.set_id(networks): networks for networks in translation.networks()}
        acls = {intent.names.acl_id(acl): acl for acl in translation.users}
        pending = {acl["id"] for acl in intent.pending_acls()}
        steps = [
            *(self._group(group) for group in groups.values()),
            *(self._networks(networks) for networks in sets.values()),
            *(self._acl(acl) for acl in acls.values()),
            *(_delete("acl", each) for each in kept.acls if each not in acls.keys() | pending),
            *(_delete("port_group", each) for each in kept.groups if each not in groups),
            *(_delete("address_set", each) for each in kept.sets if each not in sets),
        ]
        return self._in_order(step for found in (*steps, self._pending_acls()) for step in found)

    def touched(self, touched: Touched) -> list[Operation]:
        """Return what has to be done for what was touched."""
        groups: set[Group] = set(touched.groups)
        groups.update(group for group, _ in touched.memberships)
        steps = [
            *(self._group(group, touched) for group in groups),
            *(self._networks(networks) for networks in touched.networks),
            *(self._acl(acl) for acl in touched.acls),
        ]
        return self._in_order(step for found in steps for step in found)

    def _group(self, group: Group, touched: Touched | None = None) -> Iterator[Operation]:
        """Yield what a group needs; with `touched`, only its ports that were are looked at."""
        group_id = self._intent.group_id(group)
        present = self._kept.groups.get(group_id)
        if not self._translation.has_group(group):
            if present is not None:
                yield from _delete("port_group", group_id)
            return
        if present is None:
            yield _create("port_group", self._intent.group(group, self._ports(group)))
            return
        wanted = self._ports(group)
        if touched is None or group in touched.groups:
            add, remove = wanted - present, present - wanted
        else:
            ports = {port for each, port in touched.memberships if each == group}
            add, remove = (wanted & ports) - present, (present & ports) - wanted
        if add:
            yield _change_members(group_id, sorted(add), [])
        if remove:
            yield _change_members(group_id, [], sorted(remove))

    def _ports(self, group: Group) -> frozenset[str]:
        """Return the ports that a group should have, as far as the server takes them."""
        ports = self._translation.ports(group)
        if not self._too_large:
            return ports
        if group != PENDING_GROUP:
            return ports - self._left_out(group)
        owners = {acl.owner for acl in self._translation.users}
        return ports.union(*map(self._left_out, owners))

    def _left_out(self, group: Group) -> frozenset[str]:
        """Return the ports that should be in a group, and aren't as it is too large."""
        if group not in self._too_large:
            return frozenset()
        present = self._kept.groups.get(self._intent.group_id(group), set())
        return self._translation.ports(group) - present

    def _networks(self, networks: Networks) -> Iterator[Operation]:
        set_id = self._intent.set_id(networks)
        present = self._kept.sets.get(set_id)
        if not self._translation.has_networks(networks):
            if present is not None:
                yield from _delete("address_set", set_id)
        elif networks in self._too_large:
            return
        elif present is None:
            yield _create("address_set", self._intent.address_set(networks))
        elif sorted(present) != sorted(networks.members):
            values = {"addresses": list(networks.members)}
            yield {"action": "update", "kind": "address_set", "ref": set_id, "values": values}

    def _in_order(self, operations: Iterable[Operation]) -> list[Operation]:
        """Return operations so that what is referred to is there, and nothing opens on the way.

        Where there are too many for one transaction, its parts are carried out in this order: ACLs
        that refuse come before those that allow, ports enter groups before they leave others, and
        they leave the group of ports without a known pod last of all.
        """
        pending = self._intent.group_id(PENDING_GROUP)

        def place(operation: Operation) -> tuple[int, int]:
            then = 0
            if operation["action"] == "change_members":
                is_leaving = bool(operation["remove"])
                then = is_leaving + (is_leaving and operation["ref"] == pending)
            elif (operation.get("values") or {}).get("action") in ("allow-related", "pass"):
                then = 1
            return _ORDER.index((operation["kind"], operation["action"])), then

        return sorted(operations, key=place)

    def _acl(self, acl: Acl) -> Iterator[Operation]:
        acl_id = self._intent.names.acl_id(acl)
        present = self._kept.acls.get(acl_id)
        users = self._translation.users.get(acl)
        if users is None or (acl in self._refused and acl not in self._closing):
            if present is not None:
                yield from _delete("acl", acl_id)
            return
        values = self._intent.acl(acl, users)
        if acl in self._refused:
            values |= {"match": self._intent.names.match(_closed(acl)), "action": "drop"}
        yield from _acl_steps(values, present)

    def _pending_acls(self) -> Iterator[Operation]:
        for values in self._intent.pending_acls():
            yield from _acl_steps(values, self._kept.acls.get(values["id"]))

    def pending_group(self) -> list[Operation]:
        """Return what the group of ports without a known pod needs, if it isn't there at all."""
        if self._intent.group_id(PENDING_GROUP) in self._kept.groups:
            return []
        made = _create("port_group", self._intent.group(PENDING_GROUP, ()))
        return self._in_order([made, *self._pending_acls()])


def _closing(intent: Intent, translation: Translation, refused: Collection[Acl]) -> frozenset[Acl]:
    """Return the refused ACLs in whose place there has to be one that drops all they may be about.

    Without one that allows, less is allowed. Of several that come to the same one does.
    """
    first: dict[Acl, Acl] = {}
    for acl in sorted(refused, key=intent.names.acl_id):
        if acl.action != "allow" and _closed(acl) not in translation.users:
            first.setdefault(_closed(acl), acl)
    return frozenset(first.values())


def _closed(acl: Acl) -> Acl:
    """Return what drops all that an ACL may be about."""
    return acl._replace(action="deny", peer=None, ports=None, within=None)


def _acl_steps(values: Values, present: Values | None) -> Iterator[Operation]:
    if present is None:
        yield _create("acl", values)
        return
    changed = {field: values[field] for field in _ACL_FIELDS if values[field] != present.get(field)}
    if "external_ids" in changed:
        # A merge patch adds to what is there: what isn't wanted any more has to be said.
        gone = dict.fromkeys(present.get("external_ids", {}), None)
        changed["external_ids"] = {**gone, **values["external_ids"]}
    if changed:
        yield {"action": "update", "kind": "acl", "ref": values["id"], "values": changed}


def _create(kind: str, values: Values) -> Operation:
    return {"action": "create", "kind": kind, "values": values}


def _change_members(group: str, add: list[str], remove: list[str]) -> Operation:
    return {
        "action": "change_members",
        "kind": "port_group",
        "ref": group,
        "add": add,
        "remove": remove,
    }


def _delete(kind: str, ref: str) -> Iterator[Operation]:
    yield {"action": "delete", "kind": kind, "ref": ref}


_ORDER: Final = (
    ("address_set", "create"),
    ("address_set", "update"),
    ("port_group", "create"),
    ("acl", "create"),
    ("acl", "update"),
    ("port_group", "change_members"),
    ("acl", "delete"),
    ("port_group", "delete"),
    ("address_set", "delete"),
)
