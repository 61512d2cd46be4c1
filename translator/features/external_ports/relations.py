"""Which external ports a switch has, and what of routers is asked for there beside their own.

The virtual addresses of a router port are members of a set, which flows of external ports name:
one that comes or goes changes the set alone.
"""

from collections.abc import Iterator

from incremental import Read
from southbound.port_types import EXTERNAL
from translator.addresses import ip_text
from translator.derivations.relations import switch_port_towards
from translator.features.gateways.relations import chassis_of, gateway_ports
from translator.features.load_balancing.relations import address_text, front
from translator.inputs import LogicalRouter, LogicalRouterPort, LogicalSwitchPort


def external_ports(lsp: str, port: LogicalSwitchPort) -> Iterator[tuple[str, str]]:
    """Switch -> its external ports."""
    if port.kind is EXTERNAL and port.enabled:
        yield port.switch, lsp


def vips_set(lrp: str, family: int) -> str:
    """Return the name of the set of the virtual addresses that a router port answers for."""
    return f"$.{lrp}_asked{family}"


def vips_beside_external_ports(read: Read, asked: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """What a virtual address adds to the set of a router port that answers on every chassis."""
    lrp, vip = asked
    address, port = read(front, vip), read(LogicalRouterPort, lrp)
    if address is None or port is None or chassis_of(read, port) is not None:
        return ()
    if isinstance(address.address, str):
        return ()
    leading = switch_port_towards(read, port)
    if leading is None or not read.any(external_ports, leading.switch):
        return ()
    name = vips_set(lrp, address.family)
    return ((name, ip_text(address.address)),)


def everyones_set(router: str, family: int) -> str:
    """Return the name of the set of the virtual addresses that a router answers for everywhere."""
    return f"$.{router}_all{family}"


def vips_for_everyone(read: Read, placement: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """What a virtual address adds to the set of a router that answers whoever asks for it.

    That is one on every chassis, at all of its ports, and not in the networks of the address alone.
    """
    router, vip = placement
    address, row = read(front, vip), read(LogicalRouter, router)
    if address is None or address.neighbor_responder != "all" or row is None or row.chassis:
        return ()
    if read.any(gateway_ports, router):
        return ()
    name = everyones_set(router, address.family)
    return ((name, address_text(address.address)),)


def routers_answering_everyone(
    placement: tuple[str, str], members: tuple[tuple[str, str], ...]
) -> Iterator[tuple[str, tuple[str, str]]]:
    """Router -> the virtual addresses that it answers for whoever asks."""
    if members:
        yield placement[0], placement
