"""Rows of what switches and routers have learned of their neighbours."""

from typing import ClassVar

from southbound.rows.base import Row, datapath_scope


class MacBinding(Row, frozen=True, array_like=True, tag="mac_binding"):
    """A neighbour that a router learned on one of its ports.

    `learned_at` is seconds since the epoch on the server's clock.
    """

    table: ClassVar[str] = "mac_binding"

    datapath: str
    port: str
    ip: str
    mac: str
    chassis: str = ""
    learned_at: float = 0.0

    @property
    def key(self) -> str:
        return f"{self.port}/{self.ip}"

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)


class FdbEntry(Row, frozen=True, array_like=True, tag="fdb"):
    """A MAC address that a switch learned behind one of its `unknown` ports."""

    table: ClassVar[str] = "fdb"

    datapath: str
    mac: str
    port: str
    chassis: str = ""
    learned_at: float = 0.0

    @property
    def key(self) -> str:
        return f"{self.datapath}/{self.mac}"

    @property
    def scopes(self) -> tuple[str, ...]:
        return (datapath_scope(self.datapath),)
