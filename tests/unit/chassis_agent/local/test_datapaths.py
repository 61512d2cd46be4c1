"""The closure of local ports over patch links."""

from chassis_agent.local.datapaths import PatchLinks
from southbound.rows import PortBinding


def patch(datapath: str, peer: str) -> PortBinding:
    return PortBinding(
        id=f"{datapath}-{peer}",
        datapath=datapath,
        name=f"{datapath}-{peer}",
        tunnel_key=1,
        type="patch",
        peer=f"{peer}-{datapath}",
        peer_datapath=peer,
    )


def test_what_hangs_together_is_reached() -> None:
    links = PatchLinks()
    for one, other in (("ls1", "lr"), ("lr", "ls1"), ("lr", "ls2"), ("ls2", "lr"), ("ls3", "lr3")):
        assert links.put(patch(one, other))
    assert links.reachable(["ls1"]) == {"ls1", "lr", "ls2"}
    assert links.reachable(["ls3"]) == {"ls3", "lr3"}
    assert links.reachable([]) == frozenset()


def test_a_cut_link_is_not_followed() -> None:
    links = PatchLinks()
    links.put(patch("ls1", "lr"))
    links.put(patch("lr", "ls2"))
    assert links.remove("lr-ls2")
    assert not links.remove("lr-ls2")
    assert links.reachable(["ls1"]) == {"ls1", "lr"}


def test_an_equal_row_changes_nothing() -> None:
    links = PatchLinks()
    assert links.put(patch("ls1", "lr"))
    assert not links.put(patch("ls1", "lr"))


def test_ordinary_ports_are_no_links() -> None:
    links = PatchLinks()
    port = PortBinding(id="p", datapath="ls1", name="p", tunnel_key=1, type="vif")
    assert not links.put(port)
    assert links.reachable(["ls1"]) == {"ls1"}
