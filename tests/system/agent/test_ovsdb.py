"""The replica of the switch's configuration, and edits to it, on a real database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from chassis_agent.bridge.rows import bridge_rows
from chassis_agent.bridge.tunnels import PORT_NAME, port_options
from chassis_agent.ovsdb import SwitchDatabase, SwitchView
from chassis_agent.ovsdb.bfd import BfdState, BfdStatus
from chassis_agent.ovsdb.edits import (
    Transaction,
    set_bridge_external_ids,
    set_interface_external_ids,
    write_rows,
)
from chassis_agent.ovsdb.rows import (
    Parent,
    Ref,
    WantedRow,
    row_faults,
    stale_rows,
    wanted_row,
)
from tests.system.agent.private_switch import PrivateSwitch


class Follower:
    """A running :class:`SwitchDatabase` with the pictures that it gave."""

    def __init__(self, remote: str) -> None:
        self.view = SwitchView()
        self.pictures = 0
        self.database = SwitchDatabase(remote, self._take)
        self._news = asyncio.Event()

    def _take(self, view: SwitchView) -> None:
        self.view = view
        self.pictures += 1
        self._news.set()

    async def until(self, condition: Callable[[SwitchView], object]) -> SwitchView:
        async with asyncio.timeout(30):
            while not condition(self.view):
                self._news.clear()
                await self._news.wait()
        return self.view


@pytest.fixture
async def follower(switch: PrivateSwitch) -> AsyncIterator[Follower]:
    follower = Follower(switch.remote)
    task = asyncio.create_task(follower.database.run())
    await follower.until(lambda view: view.external_ids)
    yield follower
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_the_bridge_is_made_once(switch: PrivateSwitch, follower: Follower) -> None:
    assert follower.view.external_ids["system-id"] == "hv1"
    await follower.database.transact(write_rows(bridge_rows("br-int", "netdev")))
    view = await follower.until(lambda view: "br-int" in view.bridges)
    bridge = view.bridges["br-int"]
    assert bridge.fail_mode == "secure"
    assert bridge.datapath_type == "netdev"
    assert bridge.other_config == {"disable-in-band": "true"}
    assert set(bridge.interfaces) == {"br-int", PORT_NAME}
    await follower.database.transact(write_rows(bridge_rows("br-int", "netdev")))
    assert switch.vsctl("list-br").split() == ["br-int"]


async def test_a_wrong_bridge_is_put_right(switch: PrivateSwitch, follower: Follower) -> None:
    switch.vsctl("add-br", "br-int", "--", "set", "bridge", "br-int", "fail_mode=standalone")
    switch.vsctl("set", "bridge", "br-int", "other_config:hwaddr=0a:00:00:00:00:01")
    await follower.until(lambda view: "br-int" in view.bridges)
    await follower.database.transact(write_rows(bridge_rows("br-int", "")))
    view = await follower.until(lambda view: view.bridges["br-int"].fail_mode == "secure")
    assert view.bridges["br-int"].other_config == {
        "disable-in-band": "true",
        "hwaddr": "0a:00:00:00:00:01",
    }


async def test_interfaces_come_and_go(switch: PrivateSwitch, follower: Follower) -> None:
    await follower.database.transact(write_rows(bridge_rows("br-int", "netdev")))
    switch.plug("tap1", "web-1", 7)
    view = await follower.until(
        lambda view: (
            "br-int" in view.bridges
            and {"tap1", "treadle-gnv"} <= set(view.bridges["br-int"].interfaces)
            and view.bridges["br-int"].interfaces["tap1"].ofport
        )
    )
    tap = view.bridges["br-int"].interfaces["tap1"]
    assert tap.is_plugged
    assert (tap.ofport, tap.external_ids["iface-id"]) == (7, "web-1")
    assert view.bridges["br-int"].interfaces["treadle-gnv"].options == port_options()

    await follower.database.transact(
        set_interface_external_ids({"tap1": {"ovn-installed": "true"}, "nobody": {"a": "b"}})
    )
    await follower.until(
        lambda view: (
            view.bridges["br-int"].interfaces["tap1"].external_ids
            == {"iface-id": "web-1", "ovn-installed": "true"}
        )
    )
    await follower.database.transact(set_interface_external_ids({"tap1": {"ovn-installed": None}}))
    await follower.until(
        lambda view: view.bridges["br-int"].interfaces["tap1"].external_ids == {"iface-id": "web-1"}
    )
    switch.unplug("tap1")
    await follower.until(lambda view: "tap1" not in view.bridges["br-int"].interfaces)


async def test_an_interface_without_a_device_is_not_plugged(
    switch: PrivateSwitch, follower: Follower
) -> None:
    await follower.database.transact(write_rows(bridge_rows("br-int", "netdev")))
    switch.vsctl(
        "--no-wait", "add-port", "br-int", "gone", "--", "set", "interface", "gone", "type=patch"
    )
    view = await follower.until(
        lambda view: (
            "br-int" in view.bridges
            and "gone" in view.bridges["br-int"].interfaces
            and view.bridges["br-int"].interfaces["gone"].error
        )
    )
    assert not view.bridges["br-int"].interfaces["gone"].is_plugged


async def test_many_edits_at_once_all_happen(switch: PrivateSwitch, follower: Follower) -> None:
    await follower.database.transact(write_rows(bridge_rows("br-int", "netdev")))
    await asyncio.gather(
        *(
            follower.database.transact(
                set_bridge_external_ids("br-int", {f"ct-zone-{number}": str(number)})
            )
            for number in range(1, 21)
        )
    )
    await follower.until(lambda view: len(view.bridges["br-int"].external_ids) == 20)


async def test_an_edit_that_raises_fails_alone(switch: PrivateSwitch, follower: Follower) -> None:
    def broken(transaction: Transaction) -> None:
        raise LookupError("broken")

    with pytest.raises(LookupError, match="broken"):
        await follower.database.transact(broken)
    await follower.database.transact(write_rows(bridge_rows("br-int", "netdev")))
    await follower.until(lambda view: "br-int" in view.bridges)


async def test_a_restarted_database_is_followed_again(
    switch: PrivateSwitch, follower: Follower
) -> None:
    await follower.database.transact(write_rows(bridge_rows("br-int", "netdev")))
    switch.plug("tap1", "web-1")
    switch.plug("tap2", "web-2")
    await follower.until(lambda view: {"tap1", "tap2"} <= set(view.bridges["br-int"].interfaces))
    switch.stop_database()
    edit = asyncio.create_task(
        follower.database.transact(set_bridge_external_ids("br-int", {"while": "away"}))
    )
    async with asyncio.timeout(30):
        while follower.database.is_connected:  # noqa: ASYNC110 - it has no event
            await asyncio.sleep(0.01)
    assert not edit.done()
    switch.start_database()
    switch.unplug("tap2")
    await edit
    view = await follower.until(
        lambda view: (
            view.bridges["br-int"].external_ids == {"while": "away"}
            and "tap2" not in view.bridges["br-int"].interfaces
        )
    )
    assert set(view.bridges["br-int"].interfaces) == {"br-int", PORT_NAME, "tap1"}


BRIDGE = Ref("Bridge", "br-int")


def limited_port() -> list[WantedRow]:
    """A virtual machine's port with a queue of its own."""
    return [
        wanted_row(
            "Queue", "web-1/0", maps={"other_config": {"max-rate": "1000000"}}, owner="br-int"
        ),
        wanted_row(
            "QoS",
            "web-1",
            columns={"type": ["linux-htb"]},
            maps={"queues": {0: Ref("Queue", "web-1/0")}, "other_config": {"max-rate": "9000000"}},
            owner="br-int",
        ),
        wanted_row(
            "Port", "tap1", part="qos", columns={"qos": [Ref("QoS", "web-1")]}, is_made=False
        ),
    ]


def mirrored_port() -> list[WantedRow]:
    return [
        wanted_row(
            "Mirror",
            "watch-web-1",
            columns={
                "select_src_port": [Ref("Port", "tap1")],
                "select_dst_port": [Ref("Port", "tap1")],
                "output_port": [Ref("Port", "tap2")],
                "select_all": [False],
            },
            parent=Parent(BRIDGE, "mirrors"),
            owner="br-int",
        )
    ]


def probed_tunnel() -> list[WantedRow]:
    return [
        wanted_row(
            "Interface", PORT_NAME, part="bfd", maps={"bfd": {"enable": "true", "min_tx": "300"}}
        )
    ]


WANTED = {"qos": limited_port, "mirror": mirrored_port, "bfd": probed_tunnel}
TAMPERING = {
    "qos": (("clear", "port", "tap1", "qos"), "port tap1: qos is not set"),
    "mirror": (
        ("clear", "mirror", "watch-web-1", "output_port"),
        "mirror watch-web-1: output_port is not set",
    ),
    "bfd": (
        ("set", "interface", PORT_NAME, "bfd:min_tx=7"),
        f"interface {PORT_NAME}: bfd:min_tx is 7",
    ),
}


@pytest.fixture
async def with_ports(switch: PrivateSwitch, follower: Follower) -> Follower:
    await follower.database.transact(write_rows(bridge_rows("br-int", "dummy")))
    switch.plug("tap1", "web-1")
    switch.plug("tap2", "web-2")
    await follower.until(lambda view: ("Port", "tap2") in view.rows)
    return follower


@pytest.mark.parametrize("kind", WANTED)
async def test_rows_of_every_kind_are_made_compared_and_put_right(
    switch: PrivateSwitch, with_ports: Follower, kind: str
) -> None:
    rows = WANTED[kind]()
    command, told = TAMPERING[kind]
    assert row_faults(with_ports.view, rows)
    await with_ports.database.transact(write_rows(rows))
    await with_ports.until(lambda view: not row_faults(view, rows))
    assert await _costs_nothing(with_ports, rows), "an edit that changes nothing costs no message"
    switch.vsctl(*command)
    view = await with_ports.until(lambda view: row_faults(view, rows))
    assert row_faults(view, rows) == [told]
    await with_ports.database.transact(write_rows(rows))
    await with_ports.until(lambda view: not row_faults(view, rows))


async def _costs_nothing(follower: Follower, rows: Sequence[WantedRow]) -> bool:
    """Whether nothing is heard of rows that are written as they are.

    Open vSwitch itself tells of some, such as the state of BFD, so one quiet time is enough.
    """
    for _ in range(5):
        pictures = follower.pictures
        await follower.database.transact(write_rows(rows))
        if follower.pictures == pictures:
            return True
    return False


async def test_bfd_is_in_the_picture_while_it_runs(
    switch: PrivateSwitch, with_ports: Follower
) -> None:
    def sessions(view: SwitchView) -> dict[str, BfdStatus]:
        interfaces = view.bridges["br-int"].interfaces
        return {name: each.bfd for name, each in interfaces.items() if each.bfd is not None}

    assert sessions(with_ports.view) == {}
    switch.vsctl("set", "interface", "tap1", "bfd:enable=true")
    view = await with_ports.until(sessions)
    assert {name: each.is_usable for name, each in sessions(view).items()} == {"tap1": False}
    assert sessions(view)["tap1"].state is BfdState.DOWN
    switch.vsctl("set", "interface", "tap1", "bfd:enable=false")
    await with_ports.until(lambda view: not sessions(view))


async def test_rows_that_are_not_wanted_any_more_go_and_others_stay(
    switch: PrivateSwitch, with_ports: Follower
) -> None:
    rows = [*limited_port(), *mirrored_port()]
    switch.vsctl("--id=@q", "create", "queue", "other_config:max-rate=5", "--", "list", "bridge")
    await with_ports.database.transact(write_rows(rows))
    view = await with_ports.until(lambda view: not row_faults(view, rows))
    assert stale_rows(view, "br-int", rows) == []
    assert stale_rows(view, "br-other", []) == []
    stale = stale_rows(view, "br-int", [])
    assert stale == [("Mirror", "watch-web-1"), ("QoS", "web-1"), ("Queue", "web-1/0")]
    await with_ports.database.transact(write_rows([], stale))
    await with_ports.until(lambda view: not stale_rows(view, "br-int", []))
    assert switch.vsctl("get", "port", "tap1", "qos").strip() == "[]"
    assert switch.vsctl("--columns=name", "list", "mirror").strip() == ""
    assert switch.vsctl("--columns=other_config", "list", "queue").split() == [
        *("other_config", ":", '{max-rate="5"}')
    ]


async def test_a_port_that_is_not_there_yet_is_waited_for(
    switch: PrivateSwitch, with_ports: Follower
) -> None:
    rows = [
        wanted_row("QoS", "late", columns={"type": ["linux-htb"]}),
        wanted_row(
            "Port", "tap9", part="qos", columns={"qos": [Ref("QoS", "late")]}, is_made=False
        ),
    ]
    await with_ports.database.transact(write_rows(rows))
    await with_ports.until(lambda view: not row_faults(view, rows))
    switch.plug("tap9", "web-9")
    view = await with_ports.until(lambda view: ("Port", "tap9") in view.rows)
    assert row_faults(view, rows) == ["port tap9: qos is not set"]
    await with_ports.database.transact(write_rows(rows))
    await with_ports.until(lambda view: not row_faults(view, rows))


async def test_a_port_of_ours_in_another_bridge_is_taken_over(
    switch: PrivateSwitch, follower: Follower
) -> None:
    await follower.database.transact(write_rows(bridge_rows("br-old", "dummy")))
    await follower.database.transact(write_rows(bridge_rows("br-int", "dummy")))
    await follower.until(
        lambda view: "br-int" in view.bridges and PORT_NAME in view.bridges["br-int"].interfaces
    )
    assert switch.vsctl("list-ports", "br-old").split() == []
    assert switch.vsctl("list-ports", "br-int").split() == [PORT_NAME]
