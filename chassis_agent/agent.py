"""The chassis agent: from one event loop to everything that it touches on its host.

:func:`run_agent` runs until it is cancelled. It follows the Open vSwitch database
all the time; what depends on who the host is (its name, its bridge, its server)
lives in a :mod:`session <chassis_agent.session>`, which starts once the host is configured
and starts anew when that changes.
"""

import asyncio
from typing import Any, Final

import structlog

from chassis_agent.bridge.database_care import DatabaseCare
from chassis_agent.errors import HostConfigurationError, RefusedCommandError
from chassis_agent.health import Health
from chassis_agent.local.provider import provider_bridges
from chassis_agent.ovsdb import SwitchDatabase, SwitchView
from chassis_agent.session import Session
from chassis_agent.settings import AgentSettings, Host, resolve
from chassis_agent.status import StatusServer

log = structlog.get_logger(__name__)

_DATABASE_SECONDS: Final = 1.0
_REMINDER_SECONDS: Final = 60.0


class Agent:
    """All parts of one agent; see :func:`run_agent`."""

    def __init__(self, settings: AgentSettings) -> None:
        self._settings = settings
        self._health = Health()
        self._view: SwitchView | None = None
        self._database = SwitchDatabase(settings.ovsdb_remote, self._take_view)
        self._news = asyncio.Event()
        self._database_care = DatabaseCare(
            self._database,
            self._health,
            view=lambda: self._view,
            next_view=self._next_view,
            look_again=self._news.set,
        )
        self._session: Session | None = None
        self._status = StatusServer(
            settings.status_socket,
            {
                "status": self.report,
                "recompute": self.recompute,
                "repair": self.repair,
                "detrace": self.detrace,
            },
        )

    async def run(self) -> None:
        await self._status.start()
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._database.run(), name="ovsdb")
                tasks.create_task(self._run_sessions(), name="sessions")
                tasks.create_task(self._watch_database(), name="ovsdb watch")
                tasks.create_task(self._remind(), name="reminders")
        finally:
            await self._status.stop()

    async def report(self) -> dict[str, Any]:
        """What ``treadle agent status`` shows."""
        session = None if self._session is None else await self._session.report()
        reasons = dict(self._health.reasons)
        if session and not session["connected"]:
            reasons["server"] = session["last_error"]
        return {
            "connected": False,
            "in_sync": False,
            "revision": None,
            **(session or {}),
            "database": self._database_care.report(),
            "ovsdb_connected": self._database.is_connected,
            "degraded": reasons,
            "counters": dict(sorted(self._health.counters.items())),
        }

    async def recompute(self) -> dict[str, Any]:
        """Compares what is with a full recomputation and with the switch's flows."""
        if self._session is None:
            return {"differences": ["the agent has not started: see its status"]}
        differences = await self._session.differences()
        return {"differences": differences + self._database_care.differences()}

    async def repair(self) -> dict[str, Any]:
        """Brings the switch to what is wanted, where other programs changed it."""
        if self._session is None:
            raise RefusedCommandError("the agent has not started: see its status")
        return {"repaired": await self._session.repair()}

    async def detrace(self, flow: str) -> dict[str, Any]:
        """What a flow in the switch is there for; `flow` is its cookie, or a line of a dump."""
        if self._session is None:
            raise RefusedCommandError("the agent has not started: see its status")
        return await self._session.inspector.detrace(flow)

    def _take_view(self, view: SwitchView) -> None:
        self._view = view
        self._news.set()

    async def _watch_database(self) -> None:
        """Says what the agent waits for while Open vSwitch's database can't be reached."""
        while True:
            await asyncio.sleep(_DATABASE_SECONDS)
            if trouble := await self._database.trouble():
                self._health.degrade("ovsdb", f"waiting for Open vSwitch: {trouble}")
            else:
                self._health.clear("ovsdb")

    async def _remind(self) -> None:
        while True:
            await asyncio.sleep(_REMINDER_SECONDS)
            self._health.remind()

    async def _next_view(self) -> SwitchView:
        while True:
            await self._news.wait()
            self._news.clear()
            if self._view is not None:
                return self._view

    async def _run_sessions(self) -> None:
        """One session after another: the next one starts when the host's identity changes."""
        host = await self._configured_host()
        while True:
            bridge = await self._database_care.make(host)
            session = Session(
                host,
                bridge,
                provider_bridges(self._view or SwitchView()),
                self._settings,
                self._database,
                self._database_care,
                self._health,
            )
            self._session = session
            running = asyncio.create_task(session.run(), name="session")
            try:
                before, host = host, await self._feed(session, host, running)
                if host.system_id != before.system_id:
                    await session.leave()
            finally:
                self._session = None
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
                self._database_care.end_session()

    async def _configured_host(self) -> Host:
        """Waits until the database says all that it has to."""
        while True:
            view = await self._next_view()
            try:
                host = resolve(self._settings, view.external_ids)
            except HostConfigurationError as error:
                self._health.degrade("host", str(error))
            else:
                self._health.clear("host")
                return host

    async def _feed(self, session: Session, host: Host, running: asyncio.Task[None]) -> Host:
        """Gives the session every picture; returns the new host when another session is due."""
        while True:
            news = asyncio.create_task(self._next_view())
            try:
                await asyncio.wait({news, running}, return_when=asyncio.FIRST_COMPLETED)
                if running.done():
                    running.result()
                view = await news
            finally:
                news.cancel()
            try:
                now = resolve(self._settings, view.external_ids)
            except HostConfigurationError as error:
                self._health.degrade("host", str(error))
                now = host
            else:
                self._health.clear("host")
            if not now.is_same_session(host):
                log.info("host changed", before=host._asdict(), now=now._asdict())
                return now
            if now != host:
                session.set_host(now)
                host = now
            bridge = await self._database_care.mend(view, host)
            if bridge is not None:
                session.take_bridge(bridge, provider_bridges(view))


async def run_agent(settings: AgentSettings) -> None:
    """Runs an agent until it is cancelled."""
    await Agent(settings).run()
