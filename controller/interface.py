"""The questions to the controller, as the API and diagnosis see them.

What goes in and comes out is plain data, so that the one who answers may be another process.
Errors are those of :mod:`southbound.errors`: a message, and nothing that is alive.
"""

from collections.abc import Sequence
from typing import Protocol

from controller.answers import (
    AclHits,
    BackendReport,
    BoundPort,
    ChassisReport,
    FlowFilter,
    FlowGroups,
    NarrowTunnel,
    Origin,
    Places,
    PortFilter,
    Progress,
    ProposedChange,
    View,
)
from southbound.questions import Question, Result
from southbound.rows import BfdStatus, Datapath, FlowGroup, Template


class Controller(Protocol):
    """The part of the server that translates intent and serves agents. Times are in seconds."""

    # --- how far changes have come

    async def progress(self) -> Progress:
        """Return how far translation is, and what there is."""
        ...

    async def differences(self) -> list[str]:
        """Return where realised state is not what a full translation gives: empty is right."""
        ...

    async def wait_revision(self, revision: int, timeout: float) -> bool:  # noqa: ASYNC109
        """Wait until a revision is translated; return false if that takes too long."""
        ...

    async def wait_applied(self, revision: int, timeout: float) -> list[str]:  # noqa: ASYNC109
        """Wait until the agents that a revision concerns have it in their switches.

        Return the names of the chassis that have not, in time. Raises TimeoutError if the
        revision is not even translated in time.
        """
        ...

    async def wait_up(self, ports: Sequence[str], timeout: float) -> list[str]:  # noqa: ASYNC109
        """Wait until the ports of these ids are up, as far as living chassis have them.

        Return the names of those that are not, in time.
        """
        ...

    async def settle(self, ports: Sequence[str], timeout: float) -> None:  # noqa: ASYNC109
        """Give the chassis of these ports, by name or address, that time for what they are due."""
        ...

    # --- what there is

    async def chassis(
        self, *, after: str = "", limit: int, alive: bool | None = None
    ) -> list[ChassisReport]:
        """Return at most `limit` chassis in the order of names, those after `after`."""
        ...

    async def one_chassis(self, name: str) -> ChassisReport | None:
        """Return the chassis of that name, if there is one."""
        ...

    async def narrow_tunnels(self) -> list[NarrowTunnel]:
        """Return the narrowest tunnel of each chassis that has one, in the order of names."""
        ...

    async def chassis_of(self, datapaths: Sequence[str]) -> dict[str, list[str]]:
        """Return the chassis that ports of these switches, named by their ids, are on."""
        ...

    async def remove_chassis(self, name: str) -> bool:
        """Forget a chassis; return false if there is none of that name.

        Raises NotAllowedError if its agent is connected.
        """
        ...

    async def datapath(self, ref: str) -> Datapath | None:
        """Return the datapath with that id or name, if there is one."""
        ...

    async def ports(self, which: PortFilter, *, after: str = "", limit: int) -> list[BoundPort]:
        """Return at most `limit` port bindings in the order of names, those after `after`."""
        ...

    async def port(self, ref: str) -> BoundPort | None:
        """Return the port binding with that id or name, if there is one."""
        ...

    async def places(self, ports: Sequence[str], hosts: Sequence[str]) -> Places:
        """Return where the ports of these ids are, and which chassis these hosts are.

        A host is called by the name of its chassis or by its host name, as a port's
        `requested_chassis` calls it.
        """
        ...

    async def templates(self) -> list[Template]:
        """Return the templates of all flows."""
        ...

    async def flow_groups(self, which: FlowFilter, *, first: int = 0, limit: int) -> FlowGroups:
        """Return at most `limit` flow groups in the order of ids, from the id `first` on."""
        ...

    async def groups_of(self, ids: Sequence[int]) -> list[FlowGroup]:
        """Return the flow groups of these ids, as far as there are such."""
        ...

    async def origin(self, cookie: int) -> Origin | None:
        """Return what the cookie of an OpenFlow flow stands for, if anything."""
        ...

    async def acl_hits(
        self,
        acls: Sequence[str] | None,
        timeout: float,  # noqa: ASYNC109
    ) -> dict[str, AclHits]:
        """Return what the ACLs of these ids have decided; all that have decided any, for None.

        With a timeout the agents concerned are asked first, so that every packet until now is
        in; else it is what they said last. ACLs that apply nowhere are left out.
        """
        ...

    async def backends(self, vip: str) -> list[BackendReport]:
        """Return the backends of the virtual address of an id, in the order of their texts."""
        ...

    async def bfd_status(self, session: str) -> BfdStatus | None:
        """Return how the BFD session of an id is, if a chassis has said something of it."""
        ...

    # --- what packets meet, and would meet

    async def view(
        self, ports: Sequence[str], change: ProposedChange | None = None, hold: int | None = None
    ) -> View | None:
        """Return what packets can meet that enter these ports, given by name or address.

        With a change: what they would meet. None if intent has gone on since the revision
        that it is a change to, or translation can't be brought to that revision.
        """
        ...

    async def hold(self, seconds: float) -> int:
        """Let translation stand still until :meth:`release`, or for so long at most.

        Return a number by which :meth:`view` goes on nevertheless, to exactly the revision of
        its change. Writers go on; what they commit is translated afterwards.
        """
        ...

    async def release(self, hold: int) -> None:
        """End a hold; one that is over already is no error."""
        ...

    async def ask(self, chassis: str, question: Question, timeout: float) -> Result:  # noqa: ASYNC109
        """Return what the agent of a chassis answers, or raise UnansweredError."""
        ...
