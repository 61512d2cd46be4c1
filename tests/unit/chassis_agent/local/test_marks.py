"""What interfaces say about their ports."""

from chassis_agent.local.marks import mark_changes
from chassis_agent.ovsdb.view import Interface

MARKED = {"ovn-installed": "true", "ovn-installed-ts": "5", "treadle-installed": "true"}


def interface(**external_ids: str) -> dict[str, Interface]:
    ids = {key.replace("_", "-"): value for key, value in external_ids.items()}
    return {"tap": Interface("tap", external_ids=ids)}


def test_a_ready_port_is_marked_once() -> None:
    assert mark_changes(interface(iface_id="a"), {"tap"}, 5) == {"tap": MARKED}
    marked = {"tap": Interface("tap", external_ids={"iface-id": "a", **MARKED})}
    assert mark_changes(marked, {"tap"}, 9) == {}


def test_a_port_that_is_not_ready_loses_its_mark() -> None:
    marked = {"tap": Interface("tap", external_ids={"iface-id": "a", **MARKED})}
    assert mark_changes(marked, set(), 9) == {"tap": dict.fromkeys(MARKED)}


def test_interfaces_of_others_are_left_alone() -> None:
    assert mark_changes(interface(), set(), 9) == {}
    assert mark_changes(interface(iface_id="a"), set(), 9) == {}
    assert mark_changes(interface(iface_id="a", ovn_installed="true"), set(), 9) == {}
