"""What ports can do by their type, of types of which this release never heard, too."""

from typing import get_args

import pytest

from southbound import port_types
from southbound.port_types import PORT_KINDS, UNKNOWN, PlacedBy, Transport, kind_of
from southbound.rows import PortBinding
from southbound.state import RealisedState
from translator.port_types import SWITCH_PORT_KINDS, TYPES_OF_WORKLOADS


def test_the_names_are_those_that_are_described() -> None:
    assert set(get_args(port_types.TypeName)) == set(PORT_KINDS)
    assert all(kind.name == name for name, kind in PORT_KINDS.items())


def test_ports_of_intent_have_a_type_that_is_known() -> None:
    assert set(SWITCH_PORT_KINDS.values()) <= set(PORT_KINDS.values())
    assert TYPES_OF_WORKLOADS == ("vif", "localport", "external")


@pytest.mark.parametrize("kind", PORT_KINDS.values(), ids=PORT_KINDS)
def test_a_port_that_a_plug_places_has_an_interface_and_is_behind_a_tunnel(
    kind: port_types.PortKind,
) -> None:
    assert kind.has_interface is (kind.placed_by is PlacedBy.PLUG or kind.stays_local)
    if kind is port_types.EXTERNAL:
        # One chassis serves it, but each gets to it by itself.
        assert (kind.placed_by, kind.transport) == (PlacedBy.ELECTED, Transport.HERE)
    elif kind.placed_by in (
        PlacedBy.PLUG,
        PlacedBy.PARENT,
        PlacedBy.SPEAKER,
        PlacedBy.ELECTED,
    ):
        assert kind.transport is Transport.TUNNEL
    else:
        assert kind.transport is Transport.HERE


def test_an_unknown_type_can_do_nothing() -> None:
    port = PortBinding("p", "d", "p", 1, "teleporter", peer="q", peer_datapath="e")
    assert port.kind is kind_of("teleporter") is UNKNOWN
    assert not port.kind.has_interface
    assert not port.joins_datapaths


async def test_a_port_of_an_unknown_type_is_nowhere_though_it_is_claimed(
    state: RealisedState,
) -> None:
    await state.write(1, [PortBinding("p", "d", "p", 1, "teleporter")])
    state.facts.claim("hv1", "p")
    (row,) = state.rows(PortBinding).values()
    assert (row.chassis, row.up) == ("", False)
    assert "takes no interface" in state.facts.reason_against("hv1", "p")
