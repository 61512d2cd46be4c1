"""Rows of virtual addresses, and of how their backends are."""

from typing import ClassVar

from southbound.rows.base import Row, datapath_scope, set_scope


class VirtualAddress(Row, frozen=True, array_like=True, tag="virtual_address"):
    """The virtual address that a set of backends is for.

    `set` carries its sigil. `port` is 0, and `protocol` empty, where it is for the whole address.
    If it `ends_connections`, those to backends that are no longer in use end. On each chassis
    something else is an `address` that is a variable, ``^NODE``, of the IP version `family`, and a
    port that is one: its name is the `port_variable`.
    """

    table: ClassVar[str] = "virtual_address"

    set: str
    address: str
    port: int = 0
    protocol: str = ""
    ends_connections: bool = True
    port_variable: str = ""
    family: int = 0

    @property
    def key(self) -> str:
        return self.set

    @property
    def has_port(self) -> bool:
        """Whether it is for one port, and not for the whole address."""
        return bool(self.port or self.port_variable)

    @property
    def version(self) -> int:
        """The IP version of the address."""
        return self.family or (6 if ":" in self.address else 4)

    @property
    def scopes(self) -> tuple[str, ...]:
        return (set_scope(self.set),)


class BackendCheck(Row, frozen=True, array_like=True, tag="backend_check"):
    """That a member of a set of backends is in use only while it answers, and who asks it.

    `port` is the logical port behind which it is, on the switch `datapath`; the agent that has the
    port asks, from the address `source`. Both are empty if there is no such port. `mac` is the
    backend's own, empty if that isn't known. `interval` and `timeout` are seconds, the counts are
    of answers, or of questions without one, that follow each other.
    """

    table: ClassVar[str] = "backend_check"

    set: str
    member: str
    protocol: str
    datapath: str
    port: str
    mac: str
    source: str
    interval: int
    timeout: int
    success_count: int
    failure_count: int

    @property
    def key(self) -> str:
        return f"{self.set}/{self.member}"

    @property
    def scopes(self) -> tuple[str, ...]:
        ask = (datapath_scope(self.datapath),) if self.datapath else ()
        return (set_scope(self.set), *ask)


class BackendStatus(Row, frozen=True, array_like=True, tag="backend_status"):
    """Whether a member of a set of backends answers, as its chassis said last.

    `reason` says why not. `since` is seconds since the epoch on the server's clock.
    """

    table: ClassVar[str] = "backend_status"

    set: str
    member: str
    up: bool
    reason: str = ""
    chassis: str = ""
    since: float = 0.0

    @property
    def key(self) -> str:
        return f"{self.set}/{self.member}"

    @property
    def scopes(self) -> tuple[str, ...]:
        return (set_scope(self.set),)
