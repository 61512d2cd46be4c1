"""The transactions that the agent runs on the Open vSwitch database.

An edit is a function of a :class:`Transaction`. It compares with what is there
and writes only the difference: it runs again whenever the database changed under
it, and an edit that changes nothing costs no message. Maps are changed key by
key, so that keys of other programs are left alone.
"""

from collections.abc import Callable, Mapping
from typing import Any, Protocol, TypeAlias


class Transaction(Protocol):
    """What an edit may do. Rows are python-ovs' rows: columns are attributes."""

    def find(self, table: str, name: str) -> Any | None:
        """The bridge or interface of that name."""

    def root(self) -> Any:
        """The one row of the table ``Open_vSwitch``."""

    def insert(self, table: str) -> Any:
        """A new row."""


Edit: TypeAlias = Callable[[Transaction], None]


def ensure_bridge(name: str, datapath_type: str) -> Edit:
    """The integration bridge, as ``ovs-vsctl add-br`` makes it.

    ``fail_mode=secure``: without a controller the switch keeps its flows and
    doesn't start to learn. ``disable-in-band`` keeps hidden flows out.
    """

    def edit(transaction: Transaction) -> None:
        bridge = transaction.find("Bridge", name)
        if bridge is None:
            bridge = transaction.insert("Bridge")
            bridge.name = name
            bridge.ports = [_new_port(transaction, name, "internal", {})]
            bridge.datapath_type = datapath_type
            bridge.fail_mode = "secure"
            bridge.other_config = {"disable-in-band": "true"}
            transaction.root().addvalue("bridges", bridge)
            return
        if bridge.fail_mode != ["secure"]:
            bridge.fail_mode = "secure"
        if datapath_type and bridge.datapath_type != datapath_type:
            bridge.datapath_type = datapath_type
        _set_keys(bridge, "other_config", {"disable-in-band": "true"})

    return edit


def ensure_tunnel_port(bridge_name: str, port_name: str, options: Mapping[str, str]) -> Edit:
    """The one flow-based Geneve port of the bridge."""

    def edit(transaction: Transaction) -> None:
        bridge = transaction.find("Bridge", bridge_name)
        interface = transaction.find("Interface", port_name)
        if bridge is None:
            return
        if interface is None:
            bridge.addvalue("ports", _new_port(transaction, port_name, "geneve", options))
            return
        if interface.type != "geneve":
            interface.type = "geneve"
        if interface.options != dict(options):
            interface.options = dict(options)

    return edit


def set_bridge_external_ids(bridge_name: str, changes: Mapping[str, str | None]) -> Edit:
    """Sets keys of a bridge; ``None`` removes one."""

    def edit(transaction: Transaction) -> None:
        bridge = transaction.find("Bridge", bridge_name)
        if bridge is not None:
            _set_keys(bridge, "external_ids", changes)

    return edit


def set_interface_external_ids(changes: Mapping[str, Mapping[str, str | None]]) -> Edit:
    """Sets keys of interfaces, by their names. One that is gone meanwhile is left out."""

    def edit(transaction: Transaction) -> None:
        for name, keys in changes.items():
            interface = transaction.find("Interface", name)
            if interface is not None:
                _set_keys(interface, "external_ids", keys)

    return edit


def _new_port(transaction: Transaction, name: str, kind: str, options: Mapping[str, str]) -> Any:
    interface = transaction.insert("Interface")
    interface.name = name
    interface.type = kind
    interface.options = dict(options)
    port = transaction.insert("Port")
    port.name = name
    port.interfaces = [interface]
    return port


def _set_keys(row: Any, column: str, changes: Mapping[str, str | None]) -> None:
    present = getattr(row, column)
    for key, value in changes.items():
        if value is None:
            if key in present:
                row.delkey(column, key)
        elif present.get(key) != value:
            row.setkey(column, key, value)
