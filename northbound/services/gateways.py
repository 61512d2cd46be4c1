"""Gateway ports and gateway routers: what they need besides their fields, and what they refuse.

A *gateway port* names chassis, of which one is in charge of it; on its router something stands
for it, to which packets are sent on other chassis, and which has a tunnel key and the name
``cr-`` and the port's. A *gateway router* is on one chassis with all its ports, so that none
of these can name others.
"""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import select

from northbound.errors import InvalidError
from northbound.models import LogicalRouter, LogicalRouterPort
from northbound.transaction import Reader, Transaction
from northbound.tunnel_keys import TunnelKeys

REDIRECT_PREFIX: Final = "cr-"
LONGEST_NAME: Final = 255 - len(REDIRECT_PREFIX)


def is_gateway_port(port: LogicalRouterPort) -> bool:
    """Tell whether chassis are in charge of a router port."""
    return bool(port.gateway_chassis) or port.ha_chassis_group_id is not None


def place_gateway(tx: Transaction, port: LogicalRouterPort, router: LogicalRouter) -> None:
    """Give a gateway port the key of what stands for it, and take it from one that is none.

    Raises InvalidError where the router or the port's name doesn't let it be one.
    """
    if not is_gateway_port(port):
        port.redirect_key = None
        return
    field = "gateway_chassis" if port.gateway_chassis else "ha_chassis_group"
    if router.chassis is not None:
        reason = f"router {router.name!r} is on chassis {router.chassis!r} with all its ports"
        raise InvalidError.of(field, reason=reason, value=None)
    if len(port.name) > LONGEST_NAME:
        reason = f"the name of a gateway port has at most {LONGEST_NAME} characters"
        raise InvalidError.of("name", reason=reason, value=port.name)
    if port.redirect_key is None:
        port.redirect_key = tx.helper(TunnelKeys).router_port(router)


def refuse_gateway_router(reader: Reader, router: LogicalRouter) -> None:
    """Raise InvalidError if a router that shall be on one chassis has a gateway port."""
    if router.chassis is None:
        return
    found = [port.name for port in _ports_of(reader, router) if is_gateway_port(port)]
    if found:
        reason = f"its port {found[0]!r} names chassis of its own"
        raise InvalidError.of("chassis", reason=reason, value=router.chassis)


def _ports_of(reader: Reader, router: LogicalRouter) -> Sequence[LogicalRouterPort]:
    query = select(LogicalRouterPort).where(LogicalRouterPort.logical_router_id == router.id)
    return reader.session.scalars(query.order_by(LogicalRouterPort.name)).all()
