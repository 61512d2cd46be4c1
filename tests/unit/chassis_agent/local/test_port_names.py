"""Ports by their tunnel keys, and back."""

from chassis_agent.local.port_names import PortKeys, PortNames
from southbound.rows import Datapath, PortBinding

SWITCH = Datapath("ls", "ls", "switch", 7)


def port(name: str, key: int, identity: str = "") -> PortBinding:
    return PortBinding(identity or f"id-{name}", "ls", name, key, "vif")


def test_keys_and_names() -> None:
    names = PortNames()
    names.change([port("a", 1)], [])
    assert names.port(PortKeys(7, 1)) is None
    assert names.keys("a") is None
    names.change([SWITCH], [])
    found = names.port(PortKeys(7, 1))
    assert found is not None
    assert found.name == "a"
    assert names.keys("a") == PortKeys(7, 1)
    assert names.port(PortKeys(8, 1)) is None


def test_a_key_that_changes_hands() -> None:
    names = PortNames()
    names.change([SWITCH, port("a", 1)], [])
    names.change([port("b", 1), port("a", 2)], [])
    assert names.keys("a") == PortKeys(7, 2)
    found = names.port(PortKeys(7, 1))
    assert found is not None
    assert found.name == "b"


def test_a_port_made_again_in_one_batch() -> None:
    names = PortNames()
    names.change([SWITCH, port("a", 1)], [])
    names.change([port("a", 3, "other")], [port("a", 1).row_id])
    assert names.keys("a") == PortKeys(7, 3)
    names.change([], [port("a", 3, "other").row_id, SWITCH.row_id])
    assert names.keys("a") is None
    assert names.port(PortKeys(7, 3)) is None


def test_a_port_is_called_by_id_and_by_name_and_the_id_wins() -> None:
    names = PortNames()
    names.change([SWITCH, port("a", 1), port("id-a", 2, "impostor")], [])
    for iface_id, found in (("a", "id-a"), ("id-a", "id-a"), ("impostor", "impostor")):
        called = names.called(iface_id)
        assert called is not None
        assert called.id == found
    assert names.called("b") is None


def test_the_way_out_of_a_gateway_port_is_its_redirect_port() -> None:
    names = PortNames()
    names.change([SWITCH, port("a", 1)], [])
    assert names.way_out("a") == PortKeys(7, 1)
    redirect = PortBinding("cr", "ls", "cr-a", 2, "chassisredirect", distributed_port="a")
    names.change([redirect], [])
    assert names.way_out("a") == PortKeys(7, 2)
    names.change([redirect], [redirect.row_id])
    assert names.way_out("a") == PortKeys(7, 2)
    names.change([], [redirect.row_id])
    assert names.way_out("a") == PortKeys(7, 1)
    assert names.way_out("gone") is None
