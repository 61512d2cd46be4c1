"""What keeps packets away from ports that logical flows deliver them to, or from entering.

A walk goes by logical flows alone. Packets also need a chassis: a port that no chassis has,
whose chassis' agent has not been heard of for its lease, or whose flows are not in the
switch yet, neither sends nor receives.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from diagnosis.trace.hindrances import Carriers
from southbound.rows import Chassis, PortBinding

Problem = Literal["unbound", "dead-chassis", "not-up"]


class Absence(NamedTuple):
    """A port at which packets neither come nor go, and why."""

    port: str
    chassis: str | None
    problem: Problem
    text: str


@dataclass(frozen=True)
class Hosting:
    """Ports and chassis by name, as they are, and what carries packets between them."""

    ports: Mapping[str, PortBinding]
    carriers: Carriers

    @property
    def chassis(self) -> Mapping[str, Chassis]:
        return self.carriers.chassis

    def absences(self, names: Iterable[str]) -> Iterator[Absence]:
        """What is wrong with the ports named, each once. Those of no
        workload are everywhere, but for those that lead outside on one chassis; so are local
        ports."""
        for name in dict.fromkeys(names):
            port = self.ports[name]
            if port.kind.is_everywhere:
                continue
            if not (port.kind.is_workload or is_one_way_outside(port)):
                continue
            if (found := _absence(port, self.chassis)) is not None:
                yield found


def is_one_way_outside(port: PortBinding) -> bool:
    """Whether packets leave the overlay through the port on one chassis only."""
    return port.kind.leads_outside and port.kind.is_bound


def _absence(port: PortBinding, chassis: Mapping[str, Chassis]) -> Absence | None:
    name = port.name
    if not port.chassis:
        return Absence(name, None, "unbound", f"port {name} is not bound to any chassis")
    host = chassis.get(port.chassis)
    if host is None or not host.alive:
        text = f"port {name} is bound to chassis {port.chassis}, whose agent is not heard of"
        return Absence(name, port.chassis, "dead-chassis", text)
    if not port.up:
        text = f"port {name} is not up: chassis {port.chassis} has not got its flows yet"
        return Absence(name, port.chassis, "not-up", text)
    return None
