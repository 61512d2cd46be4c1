"""The watch server: a listener of its own for chassis agents, and what others ask of it."""

import asyncio
import ssl
from collections.abc import Collection, Mapping

import structlog
from websockets.asyncio.server import Server, ServerConnection, serve

from southbound.admission import BACKLOG, Admission
from southbound.chassis_status import ChassisStatus
from southbound.conditions import REFUSED, conditions_of, vocabulary_condition
from southbound.errors import NoAnswerInTimeError, NotAllowedError, NotConnectedError
from southbound.questions import Question, Result
from southbound.rows import Chassis
from southbound.state import RealisedState
from southbound.watch.access import Access, ReachAccess
from southbound.watch.connection import AgentConnection, Hub
from southbound.watch.gate import AgentSocket, Doorkeeper, Gate
from southbound.watch.limits import MAX_MESSAGE, Limits
from southbound.watch.parts import PartCache
from southbound.watch.session import Session
from southbound.watch.sessions import Sessions

log = structlog.get_logger(__name__)


class WatchServer:
    """Serves a :class:`RealisedState` to agents, from :meth:`start` to :meth:`stop`.

    `lease` is for how long a chassis without a connection still counts as alive.
    """

    def __init__(
        self,
        state: RealisedState,
        gate: Gate,
        *,
        host: str = "127.0.0.1",
        port: int = 6650,
        tls: ssl.SSLContext | None = None,
        admission: Admission | None = None,
        lease: float = 30.0,
        access: Access | None = None,
        limits: Limits | None = None,
        origins: Collection[str] = (),
    ) -> None:
        """`access` decides what a chassis may watch: without one, what its ports need."""
        self._admission = admission or Admission("agents")
        self.parts = PartCache(state.feed)
        self.sessions = Sessions(lease=lease, lapsed=self._lapsed)
        self._hub = Hub(
            state,
            self.sessions,
            self.parts,
            self._admission,
            access or ReachAccess(state),
            limits or Limits(),
        )
        self._doorkeeper = Doorkeeper(gate, origins)
        self._state = state
        self._host = host
        self._port = port
        self._tls = tls
        self._server: Server | None = None
        state.listen_reach(self.sessions.reach_changed)
        state.listen(self.sessions.changed)

    async def start(self) -> None:
        """Listen. With port 0, :attr:`port` is the one that the system chose."""
        for chassis in self._state.rows(Chassis).values():
            if chassis.alive:
                self.sessions.start_lease(chassis.name)
        self._server = await serve(
            self._serve,
            sock=self._admission.listen(self._host, self._port),
            backlog=BACKLOG,
            process_request=self._doorkeeper.admit,
            create_connection=AgentSocket,
            ssl=self._tls,
            compression=None,
            max_size=MAX_MESSAGE,
            ping_interval=None,  # connections ping by themselves, and note the answer
        )
        self._port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        """Close all connections; agents will look for the server until it is back."""
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
        self.sessions.close()

    @property
    def port(self) -> int:
        return self._port

    async def wait_applied(
        self,
        revision: int,
        timeout: float,  # noqa: ASYNC109
        chassis: Collection[str] | None = None,
    ) -> list[str]:
        """Until every agent, or those of `chassis`, has in its switch what `revision` changed.

        Returns the names of chassis that have not, in time: empty when all have. Agents
        that the revision does not concern are not asked. Raises TimeoutError if the
        revision is not even translated in time.
        """
        loop = asyncio.get_running_loop()
        end = loop.time() + timeout
        if not await self._state.wait_revision(revision, timeout):
            raise TimeoutError(f"revision {revision} is not translated yet")
        with self.sessions.waiting(self._state.recent.scopes(revision), chassis) as wait:
            try:
                async with asyncio.timeout_at(end):
                    await wait.wait()
            except TimeoutError:
                return wait.waiting_for
        return []

    async def wait_settled(self, chassis: Collection[str], timeout: float) -> None:  # noqa: ASYNC109
        """Until the agents of these chassis have all that they are due, or the time is over.

        And until they have probed the tunnels that they use to each other.
        """
        with self.sessions.waiting(None, chassis) as wait:
            try:
                async with asyncio.timeout(timeout):
                    await wait.wait()
                    await self.sessions.wait_probed(chassis)
            except TimeoutError:
                return

    def watching(self, datapath: str) -> list[str]:
        """The chassis that watch a datapath, connected or not, by name."""
        return self.sessions.watching(datapath)

    async def ask(self, chassis: str, question: Question, timeout: float) -> Result:  # noqa: ASYNC109
        """What the agent of `chassis` answers; raises UnansweredError if it doesn't."""
        connection = self._hub.connections.get(chassis)
        if connection is None:
            raise NotConnectedError("its agent is not connected")
        try:
            async with asyncio.timeout(timeout):
                return await connection.ask(question)
        except TimeoutError:
            raise NoAnswerInTimeError(f"its agent has not answered within {timeout:g} s") from None

    def status(self, chassis: str) -> ChassisStatus:
        """An agent that is settled has applied whatever revision we are at."""
        session = self.sessions.get(chassis)
        refused = self._refused(chassis)
        if session is None:
            return ChassisStatus(False, 0, {}, conditions=refused, is_known=False)
        revision = self._state.revision if session.settled else session.applied_revision
        return ChassisStatus(
            self.sessions.is_connected(chassis),
            revision,
            dict(session.counters),
            session.tunnels,
            frozenset(session.unapplied),
            {**self._conditions(session), **refused},
            session.heard_at,
            skipped=dict(session.skipped.counts),
            lacks=session.lacks,
        )

    def _refused(self, chassis: str) -> dict[str, str]:
        reason = self._hub.refusals.get(chassis)
        return {} if reason is None else conditions_of({REFUSED: reason})

    def _conditions(self, session: Session) -> Mapping[str, str]:
        """What the agent says, and what one that is not open can't say of itself."""
        if session.is_open:
            return session.conditions
        lacks = self._hub.dialect.lacks(session.scopes)
        return {**session.conditions, **vocabulary_condition(lacks)}

    def remove_chassis(self, chassis: str) -> None:
        """Forget a chassis that is gone for good. One that is connected can't be removed."""
        if self.sessions.is_connected(chassis):
            raise NotAllowedError(f"chassis {chassis} is connected")
        self.sessions.forget(chassis)
        self._state.facts.remove_chassis(chassis)
        self._hub.refusals.pop(chassis, None)

    def _lapsed(self, chassis: str) -> None:
        log.warning("chassis is gone", chassis=chassis)
        self._state.facts.lapsed(chassis)

    async def _serve(self, socket: ServerConnection) -> None:
        if not isinstance(socket, AgentSocket):
            raise TypeError("connections have to be made by `create_connection`")
        await AgentConnection(socket, self._hub).serve()
