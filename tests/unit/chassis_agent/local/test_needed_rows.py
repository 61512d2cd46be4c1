"""Which rows this host needs, and when they are all there."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from chassis_agent.local import needed_rows
from chassis_agent.local.needed_rows import NeededRows
from southbound.rows import PortBinding, Row, datapath_scope, port_scope, set_scope
from southbound.watch.inbox import Batch

ROUTED = [
    PortBinding("a", "ls1", "to-r", 1, "patch", peer="r-to-1", peer_datapath="lr"),
    PortBinding("b", "lr", "r-to-1", 1, "patch", peer="to-r", peer_datapath="ls1"),
]


class Watch(SimpleNamespace):
    """A server that is there, and what it was asked for."""

    def __init__(self) -> None:
        super().__init__(connected=True, scopes=set())

    def subscribe(self, scopes: list[str]) -> None:
        self.scopes.update(scopes)

    def unsubscribe(self, scopes: list[str]) -> None:
        self.scopes.difference_update(scopes)


def batch(*rows: Row, in_sync: Any = ()) -> Batch:
    return Batch(rows, (), 1, frozenset(in_sync), 1, 1)


@pytest.fixture
def watch() -> Watch:
    return Watch()


async def test_it_is_settled_once_all_that_was_asked_for_is_here(watch: Watch) -> None:
    settled: list[bool] = []
    needed = NeededRows("hv1", cast(Any, watch), lambda: settled.append(True))
    needed.start()
    needed.subscribe(["web-1"])
    assert watch.scopes == {"global", "chassis:hv1", port_scope("web-1")}
    assert not needed.is_settled
    needed.take(batch(*ROUTED, in_sync=watch.scopes))
    needed.use_datapaths(["ls1"])
    needed.subscribe(["web-1"], ["$a"])
    assert needed.datapaths == {"ls1", "lr"}
    assert watch.scopes >= {datapath_scope("ls1"), datapath_scope("lr"), set_scope("$a")}
    assert not needed.is_settled
    assert not needed.complete_datapaths(["ls1"])
    needed.take(batch(in_sync=watch.scopes - {set_scope("$a")}))
    assert not needed.is_settled
    assert not needed.complete_datapaths(["ls1"])
    needed.take(batch(in_sync=watch.scopes))
    assert needed.is_settled
    assert needed.complete_datapaths(["ls1"]) == {"ls1"}
    needed.take(batch(in_sync=()))
    assert needed.is_settled, "it stays so"
    assert settled == [True]


async def test_what_is_no_longer_needed_is_left(watch: Watch) -> None:
    needed = NeededRows("hv1", cast(Any, watch), lambda: None)
    needed.subscribe(["web-1", "web-2"], ["$a"])
    needed.subscribe(["web-2"], unused=["$a", "$never"])
    assert watch.scopes == {"global", "chassis:hv1", port_scope("web-2")}
    assert needed.count == 3


async def test_a_set_is_waited_for_until_its_rows_are_here(watch: Watch) -> None:
    needed = NeededRows("hv1", cast(Any, watch), lambda: None)
    needed.start()
    needed.subscribe(["web-1"])
    needed.take(batch(*ROUTED, in_sync=watch.scopes))
    needed.use_datapaths(["ls1"])
    needed.subscribe(["web-1"], used=["$a", "$b"])
    needed.take(batch(in_sync=watch.scopes - {set_scope("$a")}))
    assert not needed.complete_datapaths(["ls1"])
    needed.subscribe(["web-1"], unused=["$a"])
    assert needed.complete_datapaths(["ls1"]) == {"ls1"}, "nothing wants it any more"
    needed.subscribe(["web-1"], used=["$b"])
    assert needed.complete_datapaths(["ls1"]) == {"ls1"}, "it is used as before"
    needed.subscribe(["web-1"], unused=["$b"])
    needed.subscribe(["web-1"], used=["$b"])
    assert not needed.complete_datapaths(["ls1"]), "it was left meanwhile"


async def test_without_the_server_the_rows_of_the_cache_have_to_do(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(needed_rows, "HEADLESS_SECONDS", -1.0)
    watch.connected = False
    needed = NeededRows("hv1", cast(Any, watch), lambda: None)
    needed.start()
    needed.subscribe(["web-1"])
    assert not needed.is_settled, "there are none yet"
    needed.take(batch(*ROUTED))
    assert needed.is_headless
    assert needed.is_settled
    watch.connected = True
    assert not needed.is_headless
