"""Numbers that name datapaths and ports on the wire between chassis.

A datapath (switch or router) has a 24-bit key, the Geneve VNI. A port has a
15-bit key within its datapath.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CompoundSelect, Select, select, union

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
        return self._take(
            "datapath",
            "the pool of datapath keys",
            DATAPATH_KEYS,
            union(select(LogicalSwitch.tunnel_key), select(LogicalRouter.tunnel_key)),
        )

    def switch_port(self, switch: LogicalSwitch) -> int:
        """A key for a new port of `switch`."""
        keys = select(LogicalSwitchPort.tunnel_key)
        keys = keys.where(LogicalSwitchPort.logical_switch_id == switch.id)
        return self._take(
            f"port/{switch.id}", f"the pool of port keys of {switch.name!r}", PORT_KEYS, keys
        )

    def router_port(self, router: LogicalRouter) -> int:
        """A key for a new port of `router`."""
        keys = select(LogicalRouterPort.tunnel_key)
        keys = keys.where(LogicalRouterPort.logical_router_id == router.id)
        return self._take(
            f"port/{router.id}", f"the pool of port keys of {router.name!r}", PORT_KEYS, keys
        )

    def _take(
        self,
        key: str,
        title: str,
        bounds: tuple[int, int],
        keys: Select[int] | CompoundSelect[Any],
    ) -> int:
        pool = self._pools.get(key)
        if pool is None:
            stored = keys.subquery()
            number = stored.c.tunnel_key

            def taken(first: int, limit: int) -> Sequence[int]:
                query = select(number).where(number >= first).order_by(number).limit(limit)
                with self._tx.session.no_autoflush:
                    return self._tx.session.scalars(query).all()

            pool = self._pools[key] = Pool(self._tx, key, title, *bounds, taken)
        return pool.take()
