"""What the server hears of backends, and when."""

from collections.abc import Mapping
from typing import Any

from chassis_agent.backends.checker import BackendChecker
from chassis_agent.derivations.backends import checks_here
from chassis_agent.local.port_names import PortNames
from southbound.rows import BackendCheck, BackendStatus
from southbound.watch.wishes import Source
from southbound.wire import BackendState, BackendStates

CHECK = BackendCheck(
    *("&v", "10.0.0.1:80", "tcp", "d", "web-1", "0a:00:00:00:00:01", "10.0.0.9"),
    *(5, 3, 2, 3),
)


def test_the_first_statement_is_made_also_where_nothing_is_to_be_said() -> None:
    """The server may know of backends from before the agent began anew."""
    rows: dict[type[Any], Mapping[Any, Any]] = {checks_here: {}, BackendStatus: {}}  # type: ignore[dict-item]
    told: list[Source] = []
    checker = BackendChecker(lambda _: True, PortNames(), rows.__getitem__, told.append)
    checker.look()
    checker.look()
    (source,) = told
    assert source() == BackendStates(())

    rows[checks_here] = {"&v/10.0.0.1:80": CHECK}  # type: ignore[index]
    rows[BackendStatus] = {"&v/10.0.0.1:80": BackendStatus("&v", "10.0.0.1:80", True)}
    checker.look()
    assert told[1:] == [source]
    assert source() == BackendStates((BackendState("&v", "10.0.0.1:80", True),))
