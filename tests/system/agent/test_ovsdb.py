"""The replica of the switch's configuration, and edits to it, on a real database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import pytest

from chassis_agent.ovsdb import SwitchDatabase, SwitchView
from chassis_agent.ovsdb.edits import (
    Transaction,
    ensure_bridge,
    ensure_tunnel_port,
    set_bridge_external_ids,
    set_interface_external_ids,
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
        async with asyncio.timeout(15):
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
    await follower.database.transact(ensure_bridge("br-int", "netdev"))
    view = await follower.until(lambda view: "br-int" in view.bridges)
    bridge = view.bridges["br-int"]
    assert bridge.fail_mode == "secure"
    assert bridge.datapath_type == "netdev"
    assert bridge.other_config == {"disable-in-band": "true"}
    assert set(bridge.interfaces) == {"br-int"}
    await follower.database.transact(ensure_bridge("br-int", "netdev"))
    assert switch.vsctl("list-br").split() == ["br-int"]


async def test_a_wrong_bridge_is_put_right(switch: PrivateSwitch, follower: Follower) -> None:
    switch.vsctl("add-br", "br-int", "--", "set", "bridge", "br-int", "fail_mode=standalone")
    switch.vsctl("set", "bridge", "br-int", "other_config:hwaddr=0a:00:00:00:00:01")
    await follower.until(lambda view: "br-int" in view.bridges)
    await follower.database.transact(ensure_bridge("br-int", ""))
    view = await follower.until(lambda view: view.bridges["br-int"].fail_mode == "secure")
    assert view.bridges["br-int"].other_config == {
        "disable-in-band": "true",
        "hwaddr": "0a:00:00:00:00:01",
    }


async def test_interfaces_come_and_go(switch: PrivateSwitch, follower: Follower) -> None:
    await follower.database.transact(ensure_bridge("br-int", "netdev"))
    options = {"remote_ip": "flow", "key": "flow"}
    await follower.database.transact(ensure_tunnel_port("br-int", "treadle-geneve", options))
    switch.plug("tap1", "web-1", 7)
    view = await follower.until(
        lambda view: (
            "br-int" in view.bridges
            and {"tap1", "treadle-geneve"} <= set(view.bridges["br-int"].interfaces)
            and view.bridges["br-int"].interfaces["tap1"].ofport
        )
    )
    tap = view.bridges["br-int"].interfaces["tap1"]
    assert tap.is_plugged
    assert (tap.ofport, tap.external_ids["iface-id"]) == (7, "web-1")
    assert view.bridges["br-int"].interfaces["treadle-geneve"].options == options

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
    await follower.database.transact(ensure_bridge("br-int", "netdev"))
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
    await follower.database.transact(ensure_bridge("br-int", "netdev"))
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
    await follower.database.transact(ensure_bridge("br-int", "netdev"))
    await follower.until(lambda view: "br-int" in view.bridges)


async def test_a_restarted_database_is_followed_again(
    switch: PrivateSwitch, follower: Follower
) -> None:
    await follower.database.transact(ensure_bridge("br-int", "netdev"))
    switch.plug("tap1", "web-1")
    switch.plug("tap2", "web-2")
    await follower.until(lambda view: {"tap1", "tap2"} <= set(view.bridges["br-int"].interfaces))
    switch.stop_database()
    edit = asyncio.create_task(
        follower.database.transact(set_bridge_external_ids("br-int", {"while": "away"}))
    )
    await asyncio.sleep(0.1)
    assert not follower.database.is_connected
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
    assert set(view.bridges["br-int"].interfaces) == {"br-int", "tap1"}
