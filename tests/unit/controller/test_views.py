"""What is collected for walks."""

from collections.abc import Collection, Mapping
from typing import TypeVar, cast

from controller.views import view_of
from southbound.feed import Feed
from southbound.rows import BackendCheck, PortBinding, Row

R = TypeVar("R", bound=Row)


class Rows:
    """Realised state that is only read."""

    revision = 1

    def __init__(self, *rows: Row) -> None:
        self._feed = Feed()
        self._feed.change(rows)

    def rows(self, row_type: type[R]) -> Mapping[str, R]:
        return cast(Mapping[str, R], self._feed.table(row_type.table))

    def in_scope(self, scope: str) -> Collection[Row]:
        return self._feed.snapshot(scope)


def test_checks_of_backends_come_once_wherever_the_backends_are() -> None:
    port = PortBinding("1", "d", "web-1", 1, "vif")
    here, elsewhere = (
        BackendCheck("&v", member, "tcp", datapath, name, "", "10.0.0.9", 5, 3, 2, 3)
        for member, datapath, name in (
            ("10.0.0.1:80", "d", "web-1"),
            ("10.1.0.1:80", "far", "web-2"),
        )
    )
    view = view_of(Rows(port, here, elsewhere), ["web-1"], {})
    assert view.datapaths == {"d": [port]}
    assert sorted(view.shared, key=str) == sorted([here, elsewhere], key=str)
