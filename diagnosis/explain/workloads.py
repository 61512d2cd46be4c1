"""How the frames of workloads get to their ports, which the logical network knows nothing of.

What is told here is taken for granted of both ends: nothing in the network can say otherwise.
"""

from collections.abc import Iterator

from diagnosis.answers import Assumption, AssumptionKind
from southbound.port_types import NESTED
from southbound.rows import PortBinding


def taken_for_granted(port: PortBinding) -> Iterator[Assumption]:
    """Yield what is assumed of the workload behind a port, where it may easily be otherwise."""
    if port.kind is NESTED:
        means = f"its frames have the VLAN tag {port.tag} at port {port.parent_name}, in both ways"
        yield Assumption(AssumptionKind.WORKLOAD, f"{port.name} is a nested port: {means}")
    if port.kind.stays_local:
        there = "the chassis of whom it speaks to has an interface for it"
        text = f"{port.name} is a local port, there by itself on each chassis: {there}"
        yield Assumption(AssumptionKind.WORKLOAD, text)
    waiting = [name for name in port.additional_chassis if name not in port.activated]
    if port.activation and waiting:
        there = " and ".join(waiting)
        text = (
            f"the workload of {port.name} runs on {port.chassis}: on {there} it is blocked until "
            f"it tells that it has come there, by {' or '.join(port.activation)}"
        )
        yield Assumption(AssumptionKind.WORKLOAD, text)
