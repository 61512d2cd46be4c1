"""The watch server: one session for each connected chassis agent."""

import ssl
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from southbound.state import RealisedState

Authorise: TypeAlias = Callable[[str, str], Awaitable[bool]]
"""Whether a bearer token ("" for none) may act as the chassis of that system-id."""


class WatchServer:
    """Serves a :class:`RealisedState` to agents, from :meth:`start` to :meth:`stop`."""

    def __init__(
        self,
        state: RealisedState,
        authorise: Authorise,
        *,
        host: str = "127.0.0.1",
        port: int = 6650,
        tls: ssl.SSLContext | None = None,
        lease: float = 30.0,
    ) -> None:
        raise NotImplementedError

    async def start(self) -> None:
        """Listen. With port 0, :attr:`port` is the one that the system chose."""
        raise NotImplementedError

    async def stop(self) -> None:
        raise NotImplementedError

    @property
    def port(self) -> int:
        raise NotImplementedError

    async def wait_applied(self, revision: int, timeout: float) -> list[str]:  # noqa: ASYNC109
        """Until every agent has in its switch what it was due of `revision`.

        Returns the names of chassis that have not, in time: empty when all have. Agents
        that the revision does not concern are not asked.
        """
        raise NotImplementedError
