"""Gateway ports and gateway routers: what they need besides their fields, and what they refuse.

A *gateway port* names chassis, of which one is in charge of it; on its router something stands
for it, to which packets are sent on other chassis, and which has a tunnel key and the name
``cr-`` and the port's. A *gateway router* is on one chassis with all its ports, so that none
of these can name others.
"""

from typing import Final

from northbound.errors import InvalidError
from northbound.models import LogicalRouter, LogicalRouterPort, LogicalSwitchPort
from northbound.services.nexthops import ports_of
from northbound.transaction import Transaction
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
    redirect = f"{REDIRECT_PREFIX}{port.name}"
    for model in (LogicalRouterPort, LogicalSwitchPort):
        if tx.named(model, redirect, port.project) is not None:
            reason = f"what stands for this gateway port has the name of the port {redirect!r}"
            raise InvalidError.of("name", reason=reason, value=port.name)
    if port.redirect_key is None:
        port.redirect_key = tx.helper(TunnelKeys).router_port(router)


def refuse_redirect_name(tx: Transaction, port: LogicalRouterPort | LogicalSwitchPort) -> None:
    """Raise InvalidError for a port that is named as what stands for a gateway port."""
    if not port.name.startswith(REDIRECT_PREFIX):
        return
    name = port.name.removeprefix(REDIRECT_PREFIX)
    gateway = tx.named(LogicalRouterPort, name, port.project)
    if gateway is not None and is_gateway_port(gateway):
        reason = f"it is the name of what stands for the gateway port {name!r}"
        raise InvalidError.of("name", reason=reason, value=port.name)


class GatewayRouters:
    """The routers that a transaction puts on a chassis.

    They are checked at its end: a gateway port may become a plain one, and its router a gateway
    router, within one.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._placed: set[str] = set()

    def placed(self, router: LogicalRouter) -> None:
        """Raise InvalidError at the end if the router, on one chassis, has a gateway port."""
        if not self._placed:
            self._tx.at_end(self._check)
        self._placed.add(router.id)

    def _check(self) -> None:
        placed, self._placed = self._placed, set()
        for router_id in sorted(placed):
            router = self._tx.session.get(LogicalRouter, router_id)
            if router is None or router.chassis is None:
                continue
            found = [port.name for port in ports_of(self._tx, router_id) if is_gateway_port(port)]
            if found:
                reason = f"port {found[0]!r} of router {router.name!r} names chassis of its own"
                raise InvalidError.of("chassis", reason=reason, value=router.chassis)
