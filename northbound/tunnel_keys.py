"""Numbers that name datapaths and ports on the wire between chassis.

A datapath (switch or router) has a 24-bit key, the Geneve VNI. A port has a
15-bit key within its datapath.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Select, select, union
from sqlalchemy.orm import InstrumentedAttribute

from northbound.allocation import Pool
from northbound.models import (
    LogicalRouter,
    LogicalRouterPort,
    LogicalSwitch,
    LogicalSwitchPort,
)
from northbound.transaction import Transaction

DATAPATH_KEYS = (1, (1 << 24) - 1)
PORT_KEYS = (1, (1 << 15) - 1)


class TunnelKeys:
    """The pools of tunnel keys that a transaction takes from."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._pools: dict[str, Pool] = {}

    def datapath(self) -> int:
        """A key for a new switch or router."""
        name = "datapath"
        if name not in self._pools:
            keys = union(select(LogicalSwitch.tunnel_key), select(LogicalRouter.tunnel_key))
            title = "the pool of datapath keys"
            self._pools[name] = self._pool(name, title, DATAPATH_KEYS, keys)
        return self._pools[name].take()

    def switch_port(self, switch: LogicalSwitch) -> int:
        """A key for a new port of `switch`."""
        model = LogicalSwitchPort
        return self._port(model.tunnel_key, model.logical_switch_id, switch)

    def router_port(self, router: LogicalRouter) -> int:
        """A key for a new port of `router`."""
        model = LogicalRouterPort
        return self._port(model.tunnel_key, model.logical_router_id, router)

    def _port(
        self,
        key: InstrumentedAttribute[int],
        owner: InstrumentedAttribute[str],
        datapath: LogicalSwitch | LogicalRouter,
    ) -> int:
        name = f"port/{datapath.id}"
        if name not in self._pools:
            title = f"the pool of port keys of {datapath.name!r}"
            keys = select(key).where(owner == datapath.id)
            self._pools[name] = self._pool(name, title, PORT_KEYS, keys)
        return self._pools[name].take()

    def _pool(
        self,
        name: str,
        title: str,
        bounds: tuple[int, int],
        keys: Select[int] | CompoundSelect[Any],
    ) -> Pool:
        stored = keys.subquery()
        number = stored.c.tunnel_key

        def taken(first: int, limit: int) -> Sequence[int]:
            query = select(number).where(number >= first).order_by(number).limit(limit)
            with self._tx.session.no_autoflush:
                return self._tx.session.scalars(query).all()

        return Pool(self._tx, name, title, *bounds, taken)
