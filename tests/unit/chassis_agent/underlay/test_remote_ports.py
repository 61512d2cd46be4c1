"""Which chassis tunnels are in use to."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.underlay.remote_ports import RemotePorts
from southbound.rows import Chassis, PortBinding


def port(name: str, chassis: str = "", kind: str = "vif", datapath: str = "ls") -> PortBinding:
    return PortBinding(f"id-{name}", datapath, name, 1, kind, chassis=chassis)  # type: ignore[arg-type]


def test_chassis_that_have_ports_are_counted() -> None:
    ports = RemotePorts("hv1")
    assert ports.change([port("a", "hv2"), port("b", "hv2"), port("c", "hv3")], [])
    assert ports.chassis == {"hv2", "hv3"}
    ports.change([port("a", "hv1")], [])
    assert ports.chassis == {"hv2", "hv3"}
    ports.change([port("b")], [("port_binding", "id-c")])
    assert ports.chassis == set()


def test_own_unbound_and_patch_ports_do_not_count() -> None:
    ports = RemotePorts("hv1")
    rows = [port("a", "hv1"), port("b"), port("c", "hv2", "patch"), Chassis("hv2")]
    assert not ports.change(rows, [("chassis", "hv2")])
    assert ports.chassis == set()


def test_the_same_rows_again_are_no_change() -> None:
    ports = RemotePorts("hv1")
    ports.change([port("a", "hv2")], [])
    assert not ports.change([port("a", "hv2")], [("port_binding", "id-other")])


def test_what_a_provider_network_leads_to_does_not_count() -> None:
    ports = RemotePorts("hv1")
    ports.change([port("a", "hv2")], [])
    assert ports.change([port("out", kind="localnet")], [])
    assert ports.chassis == set()
    ports.change([port("b", "hv3")], [])
    assert ports.chassis == set()
    ports.change([], [("port_binding", "id-out")])
    assert ports.chassis == {"hv2", "hv3"}
    ports.change([port("gw", "hv4", "l2gateway")], [])
    assert ports.chassis == {"hv2", "hv3", "hv4"}, "by the tunnel to the only one that leads there"


def test_a_look_costs_what_there_are_chassis() -> None:
    class Uncounted(dict[str, Any]):
        """Ports by datapath, of which not all may be asked for."""

        def __iter__(self) -> Any:
            raise AssertionError("all datapaths are looked at")

        keys = items = values = __iter__  # type: ignore[assignment]

    ports = RemotePorts("hv1")
    ports.change([port("a", "hv2"), port("b", "hv2", datapath="other")], [])
    ports._ports = Uncounted(ports._ports)  # type: ignore[assignment]
    assert ports.chassis == {"hv2"}
    ports.change([port("out", kind="localnet")], [])
    assert ports.chassis == {"hv2"}


_places = st.builds(
    port,
    name=st.sampled_from("abcdef"),
    chassis=st.sampled_from(["", "hv1", "hv2", "hv3"]),
    kind=st.sampled_from(["vif", "vif", "localnet", "patch"]),
    datapath=st.sampled_from(["ls", "other"]),
)


@given(st.lists(_places | st.sampled_from("abcdef"), max_size=40))
def test_it_is_as_if_all_ports_were_looked_at(edits: list[PortBinding | str]) -> None:
    """An edit puts a port, or deletes the one with that name."""
    ports = RemotePorts("hv1")
    rows: dict[str, PortBinding] = {}
    for edit in edits:
        if isinstance(edit, str):
            ports.change([], [("port_binding", f"id-{edit}")])
            rows.pop(f"id-{edit}", None)
        else:
            ports.change([edit], [])
            rows[edit.id] = edit
        outside = {row.datapath for row in rows.values() if row.kind.is_native}
        assert ports.chassis == {
            row.chassis
            for row in rows.values()
            if row.type == "vif" and row.datapath not in outside and row.chassis
        } - {"hv1"}
