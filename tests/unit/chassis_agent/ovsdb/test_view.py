"""The picture of the database where rows come and go under one name."""

from types import SimpleNamespace
from typing import NamedTuple
from uuid import UUID, uuid4

from chassis_agent.ovsdb.view import IDENTITY, SwitchView, ViewBuilder


class Atom(NamedTuple):
    value: str


_OTHERS = ("Bridge", "Port", "Interface", "QoS")
_MAP = SimpleNamespace(type=SimpleNamespace(is_map=lambda: True))
_COLUMNS = SimpleNamespace(columns={"external_ids": _MAP})


class Database:
    """Queues in a database, which have their names in ``external_ids``."""

    def __init__(self) -> None:
        self.builder = ViewBuilder()
        self._queues: dict[UUID, SimpleNamespace] = {}

    def update(self, *, put: str = "", delete: UUID | None = None) -> tuple[UUID, SwitchView]:
        """Make a queue and delete another in one transaction; return the new one."""
        new = uuid4()
        if put:
            data = {"external_ids": SimpleNamespace(values={Atom(IDENTITY): Atom(put)})}
            self._queues[new] = SimpleNamespace(uuid=new, _table=_COLUMNS, _data=data)
        if delete is not None:
            del self._queues[delete]
        tables = {name: SimpleNamespace(rows={}) for name in _OTHERS}
        tables["Queue"] = SimpleNamespace(rows=self._queues)
        dirty = [("Queue", each) for each in (new, delete) if each is not None]
        return new, self.builder.update(tables, dirty)


def test_a_row_that_takes_the_name_of_another_leaves_nothing_of_it() -> None:
    database = Database()
    queue, _ = database.update(put="web-1")
    for _ in range(5):
        queue, view = database.update(put="web-1", delete=queue)
        assert view.rows["Queue", "web-1"].uuid == queue
    assert len(database.builder._keys) == 1
    _, view = database.update(delete=queue)
    assert not view.rows
    assert not database.builder._keys


def test_of_two_rows_with_one_name_the_one_that_stays_is_seen() -> None:
    database = Database()
    first, _ = database.update(put="web-1")
    second, _ = database.update(put="web-1")
    _, view = database.update(delete=second)
    assert view.rows["Queue", "web-1"].uuid == first
