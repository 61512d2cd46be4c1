"""Waiting until ports are up where they are bound.

Only ports count that a living chassis has: for one that is bound nowhere, or whose chassis
is dead, nothing says when it will be up. A port that is unbound or deleted while it is
waited for is waited for no more.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable

from southbound.rows import Chassis, PortBinding, RowId, port_scope


class UpWait:
    """One waiter. It is told the scopes that changed, and looks at the ports among them."""

    def __init__(self, ports: Iterable[str], row: Callable[[RowId], object]) -> None:
        """`ports` are ids of port bindings; `row` gives the rows as they are now."""
        self._row = row
        self._missing: dict[str, str] = {}
        self._done = asyncio.Event()
        for id_ in ports:
            binding = self._pending(id_)
            if binding is not None:
                self._missing[port_scope(binding.name)] = id_
        self._check()

    @property
    def missing(self) -> list[str]:
        """The names of ports that are not up."""
        bindings = filter(None, map(self._pending, self._missing.values()))
        return sorted(binding.name for binding in bindings)

    async def wait(self) -> None:
        await self._done.wait()

    def changed(self, scopes: Collection[str]) -> None:
        for scope in scopes:
            id_ = self._missing.get(scope)
            if id_ is not None and self._pending(id_) is None:
                del self._missing[scope]
        self._check()

    def _pending(self, id_: str) -> PortBinding | None:
        binding = self._row((PortBinding.table, id_))
        if not isinstance(binding, PortBinding) or binding.up or not binding.chassis:
            return None
        chassis = self._row((Chassis.table, binding.chassis))
        return binding if isinstance(chassis, Chassis) and chassis.alive else None

    def _check(self) -> None:
        if not self._missing:
            self._done.set()
