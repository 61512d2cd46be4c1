"""What can go wrong with realised state.

SouthboundError
├── StoreError            the database refused a read or a write
├── TakenOverError        another server has taken the database over
├── UnknownGroup          a flow group was written whose id was never allocated
├── NotAllowed            a chassis tried to write what isn't its own
├── CannotTell            who an agent is cannot be found out now
├── WatchRefused          the server will not serve this agent
├── ChassisLeft           an agent gave up the chassis' name
├── ProtocolError         the other end sent what the watch protocol doesn't allow
└── Unanswered            an agent was asked and gave no answer
    ├── NotConnected      there is no connection to it, or there no longer is
    ├── TooOld            it doesn't know questions yet
    ├── NoAnswerInTime    it may be busy, or its switch may be
    └── CannotAnswer      it says why
"""


class SouthboundError(Exception):
    """Base of all errors of this package."""


class StoreError(SouthboundError):
    """The database refused; what was to be written is not written, not even in part."""


class TakenOverError(SouthboundError):
    """Another server writes the database now: nothing was written, and nothing may be."""


class UnknownGroup(SouthboundError):  # noqa: N818
    """A flow group's id was not allocated by the store's :class:`GroupIds`."""


class NotAllowed(SouthboundError):  # noqa: N818
    """A chassis may write only what is its own; nothing was changed."""


class CannotTell(SouthboundError):  # noqa: N818
    """What would say who an agent is cannot be asked; trying again may help."""


class WatchRefused(SouthboundError):  # noqa: N818
    """The server refused an agent; `code` is one of :mod:`southbound.wire`'s refusals."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ChassisLeft(SouthboundError):  # noqa: N818
    """The host has another name from now on; the message is the one it gave up."""


class ProtocolError(SouthboundError):
    """A message that can't be decoded, or that isn't due now."""


class Unanswered(SouthboundError):  # noqa: N818
    """A question to an agent stayed without an answer; the message says why."""


class NotConnected(Unanswered):
    """The agent is not connected."""


class TooOld(Unanswered):
    """The agent's protocol has no questions."""


class NoAnswerInTime(Unanswered):
    """The agent is connected, but no answer came."""


class CannotAnswer(Unanswered):
    """The agent answered that it can't."""
