"""What counts as left over by Docker."""

from integrations.docker.leftovers import Known, Leftover, leftovers

ONE, TWO, GONE = ("1" * 64, "2" * 64, "9" * 64)


def known(**changes: object) -> Known:
    """A host with two endpoints on one network, of which Docker has all."""
    base = Known(
        records={"r": "net"},
        ports={"p1": ONE, "p2": TWO},
        interfaces={"td111111111111": ONE, "td222222222222": TWO},
        devices=frozenset({"td111111111111", "td222222222222"}),
        docker={"net": frozenset({ONE, TWO})},
    )
    return base._replace(**changes)  # type: ignore[arg-type]


def test_nothing_is_left_of_what_docker_has() -> None:
    assert leftovers(known()) == set()


def test_all_that_docker_does_not_have() -> None:
    there = known(
        records={"r": "net", "s": "old"},
        ports={"p1": ONE, "p2": TWO, "p9": GONE, "reserved": ""},
        interfaces={"td999999999999": GONE},
        devices=frozenset({"td111111111111", "td888888888888"}),
    )
    assert leftovers(there) == {
        Leftover("network", "old"),
        Leftover("port", "p9"),
        Leftover("port", "reserved"),
        Leftover("interface", "td999999999999"),
        Leftover("interface", "td888888888888"),
    }


def test_without_docker_only_ports_whose_interface_is_gone() -> None:
    there = known(
        docker=None,
        records={"s": "old"},
        ports={"p1": ONE, "p2": TWO, "reserved": ""},
        devices=frozenset({"td111111111111", "td888888888888"}),
    )
    assert leftovers(there) == {Leftover("port", "p2"), Leftover("port", "reserved")}


def test_a_docker_without_networks_has_nothing() -> None:
    assert len(leftovers(known(docker={}))) == 5
