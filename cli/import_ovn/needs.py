"""What gives some columns and options of OVN a meaning, without which OVN passes over them.

Integrations write options wherever they might count: flags for multicast on switches that
don't look at it, a gateway's options on routers that have none. Where such an option stands
without what it needs no packet fares otherwise for it, and an import that doesn't keep it
loses nothing.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from cli.import_ovn.snapshot import Row, Snapshot


class Need(NamedTuple):
    """`what` completes "it means nothing without …"."""

    what: str
    is_met: Callable[[Row, Snapshot], bool]


def is_true(text: str) -> bool:
    """Whether OVN reads an option as true that is false when it is not given."""
    return text.lower() == "true"


def _any_owner(table: str, column: str, options: str, key: str) -> Callable[[Row, Snapshot], bool]:
    """Whether an option is true of a row that has the one asked about in `column`."""

    def is_met(row: Row, snapshot: Snapshot) -> bool:
        owners = snapshot.owners(row, table, column)
        return any(is_true(owner.mapping(options).get(key, "")) for owner in owners)

    return is_met


SNOOPING: Final = Need(
    "mcast_snoop on the switch",
    _any_owner("Logical_Switch", "ports", "other_config", "mcast_snoop"),
)
RELAY: Final = Need(
    "mcast_relay on the router", _any_owner("Logical_Router", "ports", "options", "mcast_relay")
)
ROUTER_TYPE: Final = Need("type router", lambda row, _: row.text("type") == "router")
MAX_RATE: Final = Need(
    "qos_max_rate", lambda row, _: row.mapping("options").get("qos_max_rate", "0") != "0"
)
GATEWAY_MTU: Final = Need("a gateway_mtu", lambda row, _: "gateway_mtu" in row.mapping("options"))
