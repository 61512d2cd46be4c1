"""Names of route tables, which flows know by number."""

from sqlalchemy import select, union

from northbound.errors import InvalidError
from northbound.models import LogicalRouterPort, StaticRoute
from northbound.names import MAIN_TABLE, route_table_number
from northbound.transaction import Transaction


class RouteTables:
    """The tables of routers that a transaction writes to, by router and number."""

    def __init__(self, tx: Transaction) -> None:
        self._tx = tx
        self._names: dict[str, dict[int, str]] = {}

    def take(self, router_id: str, table: str) -> None:
        """Let the router have `table`; raise InvalidError if another one has its number.

        Numbers are hashes, so that is one chance in billions, and another name mends it.
        """
        if table == MAIN_TABLE:
            return
        names = self._names.get(router_id)
        if names is None:
            names = self._names[router_id] = self._of(router_id)
        other = names.setdefault(route_table_number(table), table)
        if other != table:
            reason = f"flows can't tell it from the table {other!r}: choose another name"
            raise InvalidError.of("route_table", reason=reason, value=table)

    def _of(self, router_id: str) -> dict[int, str]:
        port, route = LogicalRouterPort, StaticRoute
        query = union(
            select(port.route_table).where(port.logical_router_id == router_id).distinct(),
            select(route.route_table).where(route.logical_router_id == router_id).distinct(),
        )
        return {route_table_number(each): each for each in self._tx.session.scalars(query)}
