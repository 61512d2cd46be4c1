"""What changes of flows mean to others than the switch: gathered until they are told. Pure.

:class:`News` reads it off the deltas of the engine. Each `take_…` gives what came since its last
call.
"""

from chassis_agent.derivations.acls import port_acls
from chassis_agent.derivations.announcements import (
    Announced,
    AnnouncedKey,
    announced_by_gateway,
    announced_row,
    announced_workload,
)
from chassis_agent.derivations.live_backends import LiveBackends, live_backends, placed_front
from chassis_agent.derivations.logical import used_sets
from chassis_agent.derivations.translations import translations
from incremental import Delta
from southbound.rows import Translation, VirtualAddress


class News:
    """What ACLs, load balancers, NATs, announcements and sets have changed into."""

    def __init__(self) -> None:
        self._acl_changes: set[str] = set()
        self._changed_backends: set[str] = set()
        self._gone_fronts: dict[tuple[str, str], VirtualAddress] = {}
        self._lost_translations: set[Translation] = set()
        self._announcement_changes: dict[AnnouncedKey, Announced | None] = {}
        self._set_changes: dict[str, bool] = {}

    def note(self, delta: Delta) -> None:
        """Gather what a batch has changed."""
        for (_, name), change in delta.of(used_sets).items():
            self._set_changes[name] = change.after is not None
        for port, change in delta.of(port_acls).items():
            if change.before is not None and change.after is not None:
                self._acl_changes.add(port)
        for name, change in delta.of(live_backends).items():
            if change.after is not None and _has_lost_any(change.before, change.after):
                self._changed_backends.add(name)
        for use, change in delta.of(placed_front).items():
            if change.before is None:
                if change.after is not None and change.after.ends_connections:
                    self._changed_backends.add(use[0])
            elif _is_elsewhere(change.before, change.after):
                self._gone_fronts[use] = change.before
        for change in delta.of(translations).values():
            if change.before is not None and change.before != change.after:
                self._lost_translations.add(change.before)
        for source in (announced_row, announced_workload, announced_by_gateway):
            for key, change in delta.of(source).items():
                self._announcement_changes[source, key] = change.after

    def take_set_changes(self) -> dict[str, bool]:
        """Return the sets that flows are made from since the last call, or no longer are.

        These are address sets, port groups and sets of backends; True stands for the first.
        """
        changes, self._set_changes = self._set_changes, {}
        return changes

    def take_acl_changes(self) -> set[str]:
        """Return the local ports whose ACLs changed since the last call."""
        ports, self._acl_changes = self._acl_changes, set()
        return ports

    def take_announcement_changes(self) -> dict[AnnouncedKey, Announced | None]:
        """Return what is to be announced from now on, or not any more, since the last call."""
        changes, self._announcement_changes = self._announcement_changes, {}
        return changes

    def take_changed_backends(self) -> set[str]:
        """Return the sets of backends that have lost some since the last call, or are new."""
        sets, self._changed_backends = self._changed_backends, set()
        return sets

    def take_gone_fronts(self) -> dict[tuple[str, str], VirtualAddress]:
        """Return the virtual addresses that are gone since the last call.

        By set of backends, and datapath.
        """
        gone, self._gone_fronts = self._gone_fronts, {}
        return gone

    def take_lost_translations(self) -> set[Translation]:
        """Return what was translated until the last call, and isn't any more, or otherwise."""
        lost, self._lost_translations = self._lost_translations, set()
        return lost


def _has_lost_any(before: LiveBackends | None, after: LiveBackends) -> bool:
    """Return whether connections may have to end, to backends that are no longer in use."""
    if not after.row.ends_connections:
        return False
    if before is None or before.row != after.row:
        return True
    return not set(before.members) <= set(after.members)


def _is_elsewhere(before: VirtualAddress, after: VirtualAddress | None) -> bool:
    """Tell whether there is nothing any more that connections to `before` could be to."""
    if after is None:
        return True
    return (before.address, before.port, before.protocol) != (
        after.address,
        after.port,
        after.protocol,
    )
