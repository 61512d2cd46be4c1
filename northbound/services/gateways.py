"""Gateway ports and gateway routers: what they need besides their fields, and what they refuse.

A *gateway port* names chassis, of which one is in charge of it; on its router something stands
for it, to which packets are sent on other chassis, and which has a tunnel key and the name
``cr-`` and the port's. A *gateway router* is on one chassis with all its ports, so that none
of these can name others. Another port may reside where the one gateway port of its router is.
"""

from typing import Final

from northbound.errors import InvalidError, ReferencedError, Referent
from northbound.models import LogicalRouter, LogicalRouterPort, LogicalSwitchPort
from northbound.services.lookups import referent
from northbound.services.nexthops import ports_of
from northbound.transaction import Transaction
from northbound.tunnel_keys import TunnelKeys

REDIRECT_PREFIX: Final = "cr-"
LONGEST_NAME: Final = 255 - len(REDIRECT_PREFIX)


def is_gateway_port(port: LogicalRouterPort) -> bool:
    """Tell whether chassis are in charge of a router port."""
    return bool(port.gateway_chassis) or port.ha_chassis_group_id is not None


def field_of_gateway(port: LogicalRouterPort) -> str:
    """Return the field that makes a port a gateway port; empty where none does."""
    if port.gateway_chassis:
        return "gateway_chassis"
    return "" if port.ha_chassis_group_id is None else "ha_chassis_group"


def place_gateway(tx: Transaction, port: LogicalRouterPort, router: LogicalRouter) -> None:
    """Give a gateway port the key of what stands for it, and take it from one that is none.

    Raises InvalidError where the router or the port's name doesn't let it be one.
    """
    if not is_gateway_port(port):
        port.redirect_key = None
        return
    field = field_of_gateway(port)
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


class ResidentPorts:
    """The routers of which a transaction changes where ports reside: beside one gateway port.

    They are checked at its end: ports come and go in any order within it.
    """

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._changed: dict[str, tuple[str, Referent | None]] = {}

    def changed(self, router_id: str, field: str, gone: Referent | None = None) -> None:
        """Check at the end that ports of the router reside with its one gateway port, if any do.

        `field` is the one that is wrong otherwise, `gone` a port that is deleted.
        """
        if not self._changed:
            self._tx.at_end(self._check)
        self._changed.setdefault(router_id, (field, gone))

    def _check(self) -> None:
        changed, self._changed = self._changed, {}
        for router_id, (field, gone) in changed.items():
            ports = ports_of(self._tx, router_id)
            residing = [port for port in ports if port.reside_on_redirect_chassis]
            gateways = [port.name for port in ports if is_gateway_port(port)]
            if not residing or len(gateways) == 1:
                continue
            if gone is not None:
                raise ReferencedError(gone, [referent(port) for port in residing])
            reason = f"port {residing[0].name!r} resides where the router's one gateway port is"
            if gateways:
                reason += f", and {' and '.join(gateways)} are such"
            else:
                reason += ", and it has none"
            raise InvalidError.of(field, reason=reason, value=None)
