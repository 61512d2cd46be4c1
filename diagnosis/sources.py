"""What diagnosis looks at: intent, realised state, and the agents.

Whatever serves traces and explanations gives them its own :class:`Sources`.
"""

from collections.abc import Callable, Collection, Iterable
from typing import Final, Protocol, TypeVar

from northbound.transaction import Reader, Transaction
from southbound.questions import Question, Result
from southbound.rows import PortBinding
from southbound.state import RealisedState
from southbound.watch.server import ChassisStatus
from translator.runner import Translator

T = TypeVar("T")

_MOMENT: Final = 2.0
"""Seconds that a question waits for chassis that are not up to date."""


class Agents(Protocol):
    """The watch server, as far as diagnosis asks it."""

    async def wait_settled(self, chassis: Collection[str], timeout: float) -> None:  # noqa: ASYNC109
        """Until these chassis have all that they are due, or the time is over."""
        ...

    async def ask(self, chassis: str, question: Question, timeout: float) -> Result:  # noqa: ASYNC109
        """What the agent of a chassis answers, or raise Unanswered."""
        ...

    def status(self, chassis: str) -> ChassisStatus:
        """What is known of a chassis by its session."""
        ...


class Sources(Protocol):
    """Intent and realised state, to be read and to try changes on."""

    @property
    def realised(self) -> RealisedState: ...

    @property
    def agents(self) -> Agents: ...

    @property
    def translator(self) -> Translator: ...

    async def read(self, work: Callable[[Reader], T]) -> T:
        """Return what `work` makes of one consistent state of intent, in a thread."""
        ...

    async def dry_run(self, work: Callable[[Transaction], T], *, author: str) -> T:
        """Return what `work` makes of a transaction that changes nothing and locks nothing."""
        ...


async def settle(sources: Sources, ports: Iterable[PortBinding | None]) -> None:
    """Give the chassis of these ports a moment to get what was changed just now.

    What is asked right after a change is about the network with it.
    """
    chassis = {port.chassis for port in ports if port is not None and port.chassis}
    if chassis:
        await sources.agents.wait_settled(chassis, _MOMENT)
