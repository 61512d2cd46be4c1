"""What is taken for granted of things that nobody has said, and what was made use of.

A question names two ends and a service. To walk packets more is needed: from which port the
client asks, how workloads send to their own subnet, who has an address that no port is declared
to have. A :class:`World` says so. While packets are walked in one, :class:`Guesses` notes what
of it mattered, so that other worlds can be tried.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from diagnosis.answers import Assumption
from diagnosis.trace.claims import Claim
from diagnosis.trace.words import EPHEMERAL_PORT

Owned = tuple[str, str]
"""A datapath, and an address there that no port is declared to have."""


@dataclass(frozen=True)
class World:
    """What is assumed; what there is without arguments is usual.

    `client_port` None is any port at once: where it matters a walk ends, and is not certain.
    `owners` are places in the list of claims to an address, the first one where none is given.
    """

    client_port: int | None = EPHEMERAL_PORT
    via_gateway: bool = False
    owners: Mapping[Owned, int] = field(default_factory=dict)


@dataclass
class Guesses:
    """What mattered of a world while packets were walked in it."""

    owners: dict[Owned, Sequence[Claim]] = field(default_factory=dict)
    """Addresses with all claims to them."""
    detours: bool = False
    """Whether a workload sent to its own subnet that could as well have left it to its gateway."""
    assumptions: list[Assumption] = field(default_factory=list)
    """What else was assumed."""

    def assume(self, assumption: Assumption) -> None:
        if assumption not in self.assumptions:
            self.assumptions.append(assumption)
