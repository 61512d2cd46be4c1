"""What is taken for granted of things that nobody has said, and what was made use of.

A question names two ends and a service. To walk packets more is needed: from which port the
client asks, how workloads send to their own subnet, who has an address that no port is declared
to have. A :class:`World` says so. While packets are walked in one, :class:`Guesses` notes what
of it mattered, so that other worlds can be tried.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from diagnosis.answers import Assumption
from diagnosis.trace.claims import Claim
from diagnosis.trace.words import EPHEMERAL_PORT
from logical_flow.backends import BACKENDS_SIGIL
from logical_flow.evaluate import Sets

Owned = tuple[str, str]
"""A datapath, and an address there that no port is declared to have."""


@dataclass(frozen=True)
class World:
    """What is assumed; what there is without arguments is usual.

    `client_port` None is any port at once: where it matters a walk ends, and is not certain.
    `owners` are places in the list of claims to an address, and `backends` in those of which a
    virtual address has several; the first one where none is given. Without `asks_names` what is
    sent to DNS servers asks for no name that the network knows.
    """

    client_port: int | None = EPHEMERAL_PORT
    via_gateway: bool = False
    owners: Mapping[Owned, int] = field(default_factory=dict)
    backends: Mapping[str, int] = field(default_factory=dict)
    asks_names: bool = False


@dataclass
class Guesses:
    """What mattered of a world while packets were walked in it."""

    owners: dict[Owned, Sequence[Claim]] = field(default_factory=dict)
    """Addresses with all claims to them."""
    backends: dict[str, tuple[str, ...]] = field(default_factory=dict)
    """Sets of backends of which a connection got one, with all that it might have got."""
    detours: bool = False
    """Whether a workload sent to its own subnet that could as well have left it to its gateway."""
    assumptions: list[Assumption] = field(default_factory=list)
    """What else was assumed."""

    def assume(self, assumption: Assumption) -> None:
        if assumption not in self.assumptions:
            self.assumptions.append(assumption)


class OneBackendEach(Sets):
    """Sets as they are, but for those of backends, which have the one that a world says.

    So packets of one connection stay with one backend; which one that is a switch decides.
    """

    def __init__(
        self, members: Mapping[str, Collection[str]], world: World, guesses: Guesses
    ) -> None:
        super().__init__(members)
        self._world = world
        self._guesses = guesses

    def members(self, name: str) -> Collection[str]:
        found = super().members(name)
        if not name.startswith(BACKENDS_SIGIL) or len(found) < 2:
            return found
        ordered = tuple(sorted(found))
        self._guesses.backends[name] = ordered
        return (ordered[self._world.backends.get(name, 0) % len(ordered)],)
