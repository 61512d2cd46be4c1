"""Routes with `ecmp_symmetric_reply`, which are for gateway routers alone.

That is checked when the transaction ends: the router may be put on a chassis, or the routes
changed, within it, in any order.
"""

from sqlalchemy import select

from northbound.errors import InvalidError
from northbound.models import LogicalRouter, StaticRoute
from northbound.transaction import Transaction


class SymmetricReplies:
    """Refuses routes whose replies no chassis could take back by the way their requests came."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._changed: dict[str, str] = {}
        """The field that is wrong where a router is on no chassis, by router."""

    def check(self, router_id: str, field: str = "ecmp_symmetric_reply") -> None:
        """Look at the routes of a router in the end; `field` is the one that was changed."""
        if not self._changed:
            self._tx.at_end(self._refuse)
        self._changed.setdefault(router_id, field)

    def _refuse(self) -> None:
        changed, self._changed = self._changed, {}
        self._tx.flush()
        for router_id, field in sorted(changed.items()):
            router = self._tx.session.get(LogicalRouter, router_id)
            if router is None or self._tx.is_deleted(router) or router.chassis is not None:
                continue
            query = select(StaticRoute).where(
                StaticRoute.logical_router_id == router_id, StaticRoute.ecmp_symmetric_reply
            )
            found = self._tx.session.scalars(query.order_by(StaticRoute.number))
            route = next((each for each in found if not self._tx.is_deleted(each)), None)
            if route is not None:
                reason = (
                    f"router {router.name!r} is on no chassis, which alone could tell by which "
                )
                reason += f"way a reply to {route.ip_prefix} goes back"
                raise InvalidError.of(field, reason=reason, value=getattr(route, field, None))
