"""Numbers that name datapaths and ports on the wire between chassis, and what flows count.

A datapath (switch or router) has a 24-bit key, the Geneve VNI. A port has a
15-bit key within its datapath. A static route has a 16-bit number within its router, by which
a flow that spreads packets over several of them says which one it chose; so has a policy.
"""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from sqlalchemy import CompoundSelect, Integer, Select, String, bindparam, select, union

from northbound.allocation import Pool
from northbound.models import (
    LogicalRouter,
    LogicalRouterPort,
    LogicalSwitch,
    LogicalSwitchPort,
    RouterPolicy,
    StaticRoute,
)
from northbound.transaction import Transaction

DATAPATH_KEYS = (1, (1 << 24) - 1)
PORT_KEYS = (1, (1 << 15) - 1)
ROUTE_NUMBERS = (1, (1 << 16) - 1)


def _taken(keys: Select[Any] | CompoundSelect[Any]) -> Select[Any]:
    """At most `limit` of `keys` from `first` on, both of them parameters."""
    number = keys.subquery().c.tunnel_key
    query = select(number).where(number >= bindparam("first", type_=Integer)).order_by(number)
    return query.limit(bindparam("limit", type_=Integer))


_DATAPATHS = _taken(union(select(LogicalSwitch.tunnel_key), select(LogicalRouter.tunnel_key)))
_OWNER = bindparam("owner", type_=String)
_OF_SWITCH = _taken(
    select(LogicalSwitchPort.tunnel_key).where(LogicalSwitchPort.logical_switch_id == _OWNER)
)
_OF_ROUTER = _taken(
    union(
        select(LogicalRouterPort.tunnel_key).where(LogicalRouterPort.logical_router_id == _OWNER),
        select(LogicalRouterPort.redirect_key.label("tunnel_key")).where(
            LogicalRouterPort.logical_router_id == _OWNER
        ),
    )
)
_ROUTES = _taken(
    select(StaticRoute.number.label("tunnel_key")).where(StaticRoute.logical_router_id == _OWNER)
)
_POLICIES = _taken(
    select(RouterPolicy.number.label("tunnel_key")).where(RouterPolicy.logical_router_id == _OWNER)
)


class TunnelKeys:
    """The pools of tunnel keys that a transaction takes from."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._pools: dict[str, Pool] = {}

    def datapath(self) -> int:
        """A key for a new switch or router."""
        title = "the pool of datapath keys"
        return self._pool("datapath", title, DATAPATH_KEYS, _DATAPATHS).take()

    def switch_port(self, switch: LogicalSwitch) -> int:
        """A key for a new port of `switch`."""
        return self._port(_OF_SWITCH, switch)

    def router_port(self, router: LogicalRouter) -> int:
        """A key for a new port of `router`, or for what stands for a gateway port."""
        return self._port(_OF_ROUTER, router)

    def static_route(self, router: LogicalRouter) -> int:
        """A number for a new static route of `router`."""
        title = f"the pool of numbers of static routes of {router.name!r}"
        owner = {"owner": router.id}
        return self._pool(f"route/{router.id}", title, ROUTE_NUMBERS, _ROUTES, owner).take()

    def router_policy(self, router: LogicalRouter) -> int:
        """A number for a new policy of `router`."""
        title = f"the pool of numbers of policies of {router.name!r}"
        owner = {"owner": router.id}
        return self._pool(f"policy/{router.id}", title, ROUTE_NUMBERS, _POLICIES, owner).take()

    def _port(self, query: Select[Any], datapath: LogicalSwitch | LogicalRouter) -> int:
        title = f"the pool of port keys of {datapath.name!r}"
        owner = {"owner": datapath.id}
        return self._pool(f"port/{datapath.id}", title, PORT_KEYS, query, owner).take()

    def _pool(
        self,
        name: str,
        title: str,
        bounds: tuple[int, int],
        query: Select[Any],
        parameters: Mapping[str, str] = MappingProxyType({}),
    ) -> Pool:
        if name not in self._pools:

            def taken(first: int, limit: int) -> Sequence[int]:
                values = {"first": first, "limit": limit, **parameters}
                # No flush: what this transaction took already the pool knows by itself.
                return self._tx.connection.execute(query, values).scalars().all()

            self._pools[name] = Pool(self._tx, name, title, *bounds, taken)
        return self._pools[name]
