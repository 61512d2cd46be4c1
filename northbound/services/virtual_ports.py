"""Virtual ports: which ports may have their address."""

from collections.abc import Sequence

from northbound.errors import InvalidError
from northbound.models import LogicalSwitchPort
from northbound.services.lookups import resolve
from northbound.transaction import Reader

_FIELD = "virtual_parents"


def named_parents(reader: Reader, port: LogicalSwitchPort, refs: Sequence[str]) -> list[str]:
    """Return the names of the parents of a virtual port, which were given by name or id.

    Raises InvalidError for one that isn't there, is no port of a workload, or on another switch.
    """
    names: dict[str, None] = {}
    for i, ref in enumerate(refs):
        parent = resolve(reader, LogicalSwitchPort, ref, _FIELD, i, home=port.project)
        reason = None
        if parent.project != port.project:
            reason = "belongs to another project"
        elif parent.type != "vif":
            reason = f"is a port of type {parent.type!r}: no workload is behind it"
        elif parent.logical_switch_id != port.logical_switch_id:
            reason = "is on another switch"
        if reason is not None:
            raise InvalidError.of(_FIELD, i, reason=reason, value=ref)
        names[parent.name] = None
    return list(names)
