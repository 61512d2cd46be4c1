"""Which external ports a switch has, and what of routers is asked for there beside their own.

The virtual addresses of a router port are members of a set, which flows of external ports name:
one that comes or goes changes the set alone.
"""

from collections.abc import Iterator

from incremental import Read
from southbound.port_types import EXTERNAL
from translator.addresses import ip_text
from translator.derivations.relations import switch_port_towards
from translator.features.gateways.relations import chassis_of
from translator.features.load_balancing.relations import front
from translator.inputs import LogicalRouterPort, LogicalSwitchPort


def external_ports(lsp: str, port: LogicalSwitchPort) -> Iterator[tuple[str, str]]:
    """Switch -> its external ports."""
    if port.kind is EXTERNAL and port.enabled:
        yield port.switch, lsp


def vips_set(lrp: str, family: int) -> str:
    """Return the name of the set of the virtual addresses that a router port answers for."""
    return f"$.{lrp}_vip{family}"


def vips_beside_external_ports(read: Read, asked: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """What a virtual address adds to the set of a router port that answers on every chassis."""
    lrp, vip = asked
    address, port = read(front, vip), read(LogicalRouterPort, lrp)
    if address is None or port is None or chassis_of(read, port) is not None:
        return ()
    leading = switch_port_towards(read, port)
    if leading is None or not read.any(external_ports, leading.switch):
        return ()
    name = vips_set(lrp, 4 if len(address.address) == 4 else 6)
    return ((name, ip_text(address.address)),)
