"""What counts as left over by Docker."""

from integrations.docker.leftovers import Known, Leftover, OwnPort, leftovers

ONE, TWO, GONE = ("1" * 64, "2" * 64, "9" * 64)
TD1, TD2, TD8, TD9 = (f"td{digit * 12}" for digit in "1289")


def known(**changes: object) -> Known:
    """A host with two endpoints on one network, of which Docker has all."""
    base = Known(
        records=frozenset({"net"}),
        ports={"p1": OwnPort(ONE, "net"), "p2": OwnPort(TWO, "net")},
        interfaces=frozenset({TD1, TD2}),
        devices={TD1: True, TD2: True},
        docker={"net": frozenset({ONE, TWO}), "bridge": frozenset()},
    )
    return base._replace(**changes)  # type: ignore[arg-type]


def test_nothing_is_left_of_what_docker_has() -> None:
    assert leftovers(known()) == set()
    # A container whose interface is just being made has it on the host still.
    assert leftovers(known(devices={TD1: True, TD2: False})) == set()


def test_all_that_docker_does_not_have() -> None:
    there = known(
        records=frozenset({"net", "old"}),
        ports={**known().ports, "p9": OwnPort(GONE, "old"), "reserved": OwnPort("", "net")},
        interfaces=frozenset({TD1, TD9}),
        devices={TD1: True, TD8: False},
    )
    assert leftovers(there) == {
        Leftover("network", "old"),
        Leftover("port", "p9"),
        Leftover("port", "reserved"),
        Leftover("interface", TD9),
        Leftover("interface", TD8),
    }


def test_without_docker_only_ports_whose_interface_is_gone() -> None:
    there = known(
        docker=None,
        records=frozenset({"old"}),
        ports={**known().ports, "reserved": OwnPort("", "net")},
        devices={TD1: False, TD8: False},
    )
    assert leftovers(there) == {Leftover("port", "p2"), Leftover("port", "reserved")}


def test_what_a_container_has_is_kept_though_docker_denies_it() -> None:
    assert leftovers(known(docker={})) == set()
    there = known(docker={}, devices={TD1: True, TD2: False})
    assert leftovers(there) == {Leftover("port", "p2"), Leftover("interface", TD2)}


def test_a_docker_without_networks_has_nothing() -> None:
    there = known(docker={}, devices={TD1: False})
    assert leftovers(there) == {
        Leftover("network", "net"),
        *(Leftover("port", port) for port in ("p1", "p2")),
        *(Leftover("interface", name) for name in (TD1, TD2)),
    }
