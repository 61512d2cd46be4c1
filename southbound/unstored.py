"""Which facts have changed since they were stored last."""

from collections.abc import Callable

from southbound.rows import Row, RowId
from southbound.store import PendingFacts, PortFact


class Unstored:
    """Keeps what is to be stored. `row_now` and `port_fact_now` return what there is now."""

    def __init__(
        self,
        row_now: Callable[[RowId], Row | None],
        port_fact_now: Callable[[str], PortFact | None],
    ) -> None:
        self._row_now = row_now
        self._port_fact_now = port_fact_now
        self._rows: dict[RowId, Row] = {}
        self._ports: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self._rows or self._ports)

    def note_row(self, row: Row) -> None:
        """A row of facts came, changed or went."""
        self._rows[row.row_id] = row

    def note_port(self, id_: str) -> None:
        """What is known of a port changed."""
        self._ports.add(id_)

    def take(self) -> PendingFacts:
        """Return what changed since the last call."""
        puts: list[Row] = []
        deletes: list[Row] = []
        for row_id, row in self._rows.items():
            now = self._row_now(row_id)
            (puts if now is not None else deletes).append(now or row)
        port_facts = {id_: self._port_fact_now(id_) for id_ in self._ports}
        self._rows, self._ports = {}, set()
        return PendingFacts(puts, deletes, port_facts)

    def put_back(self, pending: PendingFacts) -> None:
        """Note again what could not be stored."""
        for row in (*pending.puts, *pending.deletes):
            self._rows.setdefault(row.row_id, row)
        self._ports.update(pending.port_facts)
