"""Which logical ports are on a host."""

from chassis_agent.local.bindings import Bound, Plugged, plugged_ports, settle
from chassis_agent.ovsdb.view import Interface
from southbound.rows import PortBinding


def interface(name: str, port: str, ofport: int | None, error: str = "") -> Interface:
    return Interface(name, ofport=ofport, error=error, external_ids={"iface-id": port})


def row(name: str, **facts: object) -> PortBinding:
    facts = {"type": "vif", **facts}
    return PortBinding(id=f"id-{name}", datapath="ls", name=name, tunnel_key=1, **facts)  # type: ignore[arg-type]


def test_an_interface_with_a_device_plugs_its_port() -> None:
    assert plugged_ports([interface("tap1", "web", 5)]) == {
        "web": Plugged("web", "tap1", 5, "tap1")
    }


def test_without_iface_id_or_device_nothing_is_plugged() -> None:
    assert not plugged_ports(
        [
            Interface("eth0", ofport=1),
            interface("waiting", "a", None),
            interface("gone", "b", -1),
            interface("broken", "c", 4, error="could not open network device"),
        ]
    )


def test_the_interface_that_was_plugged_last_counts() -> None:
    old, new = interface("tap1", "web", 5), interface("tap2", "web", 9)
    assert plugged_ports([old, new])["web"].interface == "tap2"
    assert plugged_ports([new, old])["web"].interface == "tap2"


def test_ports_are_bound_refused_or_unknown() -> None:
    plugged = plugged_ports(
        interface(f"tap-{name}", name, number)
        for number, name in enumerate(
            (
                *("free", "mine", "theirs", "wanted", "by-host"),
                *("elsewhere", "router", "newer", "nobody"),
            ),
            1,
        )
    )
    rows = {
        "free": row("free"),
        "mine": row("mine", chassis="hv1"),
        "theirs": row("theirs", chassis="hv2"),
        "wanted": row("wanted", requested_chassis=("hv2", "hv1"), candidates=("hv2", "hv1")),
        "by-host": row("by-host", requested_chassis=("rack1-host7",), candidates=("hv1",)),
        "elsewhere": row("elsewhere", requested_chassis=("hv2",), candidates=("hv2",)),
        "router": row("router", type="patch"),
        "newer": row("newer", type="teleporter"),
    }
    bindings = settle(plugged, rows, "hv1")
    assert set(bindings.bound) == {"free", "mine", "wanted", "by-host"}
    assert bindings.bound["mine"].plugged.ofport == 2
    assert bindings.refused == {
        "theirs": "held by hv2",
        "elsewhere": "requested on hv2",
        "router": "a port of type patch takes no interface",
        "newer": "this agent knows no ports of type teleporter",
    }
    assert bindings.unknown == {"nobody"}


def test_an_interface_may_name_its_port_by_id() -> None:
    web = row("web")
    plugged = plugged_ports([interface("tap1", "id-web", 5)])
    assert settle(plugged, {"id-web": web}, "hv1").bound == {
        "web": Bound(web, Plugged("id-web", "tap1", 5, "tap1"))
    }


def test_of_interfaces_by_name_and_by_id_the_last_counts() -> None:
    web = row("web")
    for first, last in (("web", "id-web"), ("id-web", "web")):
        plugged = plugged_ports([interface("old", first, 5), interface("new", last, 9)])
        bound = settle(plugged, {"web": web, "id-web": web}, "hv1").bound
        assert bound["web"].plugged.interface == "new"
