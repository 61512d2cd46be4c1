"""What interfaces say about their ports: ``ovn-installed``. Pure.

Programs that wait for a port look at its interface: ``ovn-installed=true`` in the
``external_ids`` says that all flows of the port are in the switch, as agents of
OVN say it; ``treadle-installed`` says the same.
"""

from collections.abc import Collection, Mapping
from typing import Final

from chassis_agent.local.bindings import IFACE_ID
from chassis_agent.ovsdb.view import Interface

INSTALLED: Final = "ovn-installed"
INSTALLED_AT: Final = "ovn-installed-ts"
ALSO_INSTALLED: Final = "treadle-installed"


def mark_changes(
    interfaces: Mapping[str, Interface], installed: Collection[str], now_ms: int
) -> dict[str, dict[str, str | None]]:
    """The keys to set and to remove, by interface.

    `installed` names the interfaces whose ports have all their flows. Interfaces
    that never had anything to do with a port are left alone.
    """
    changes: dict[str, dict[str, str | None]] = {}
    for name, interface in interfaces.items():
        is_marked = interface.external_ids.get(INSTALLED) == "true"
        if name in installed:
            if not is_marked:
                changes[name] = {
                    INSTALLED: "true",
                    INSTALLED_AT: str(now_ms),
                    ALSO_INSTALLED: "true",
                }
        elif IFACE_ID in interface.external_ids and ALSO_INSTALLED in interface.external_ids:
            changes[name] = {INSTALLED: None, INSTALLED_AT: None, ALSO_INSTALLED: None}
    return changes
