"""What diagnosis looks at: intent, and the controller's view of realised state.

Whatever serves traces and explanations gives them its own :class:`Sources`.
"""

from collections.abc import Callable, Sequence
from typing import Final, Protocol, TypeVar

from controller.answers import View
from controller.interface import Controller
from diagnosis.trace.network import FlowTables
from northbound.transaction import Reader, Transaction

T = TypeVar("T")

_MOMENT: Final = 2.0
"""Seconds that a question waits for chassis that are not up to date."""


class Sources(Protocol):
    """Intent and realised state, to be read and to try changes on."""

    @property
    def controller(self) -> Controller: ...

    @property
    def tables(self) -> FlowTables: ...

    async def read(self, work: Callable[[Reader], T]) -> T:
        """Return what `work` makes of one consistent state of intent, in a thread."""
        ...

    async def dry_run(self, work: Callable[[Transaction], T], *, author: str) -> T:
        """Return what `work` makes of a transaction that changes nothing and locks nothing."""
        ...


async def stored_view(sources: Sources, ports: Sequence[str]) -> View:
    """Return what packets can meet that enter these ports, given by name or address."""
    view = await sources.controller.view(ports)
    assert view is not None  # noqa: S101 - only a proposed change can be outdated
    return view


async def settle(sources: Sources, ports: Sequence[str]) -> None:
    """Give the chassis of these ports, by name or address, a moment to get what has changed.

    What is asked right after a change is about the network with it.
    """
    await sources.controller.settle(ports, _MOMENT)
