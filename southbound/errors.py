"""What can go wrong with realised state.

SouthboundError
├── StoreError                  the database refused a read or a write
├── TakenOverError              another server has taken the database over
├── UnknownGroupError           a flow group was written whose id was never allocated
├── NotAllowedError             a chassis tried to write what isn't its own
├── CannotTellError             who an agent is cannot be found out now
├── WatchRefusedError           the server will not serve this agent
├── ChassisLeftError            an agent gave up the chassis' name
├── ProtocolError               the other end sent what the watch protocol doesn't allow
└── UnansweredError             an agent was asked and gave no answer
    ├── NotConnectedError       there is no connection to it, or there no longer is
    ├── TooOldError             it doesn't know questions yet
    ├── NoAnswerInTimeError     it may be busy, or its switch may be
    └── CannotAnswerError       it says why
"""


class SouthboundError(Exception):
    """Base of all errors of this package."""


class StoreError(SouthboundError):
    """The database refused; what was to be written is not written, not even in part."""


class TakenOverError(SouthboundError):
    """Another server writes the database now: nothing was written, and nothing may be."""


class UnknownGroupError(SouthboundError):
    """A flow group's id was not allocated by the store's :class:`GroupIds`."""


class NotAllowedError(SouthboundError):
    """A chassis may write only what is its own; nothing was changed."""


class CannotTellError(SouthboundError):
    """What would say who an agent is cannot be asked; trying again may help."""


class WatchRefusedError(SouthboundError):
    """The server refused an agent; `code` is one of :mod:`southbound.wire`'s refusals."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


class ChassisLeftError(SouthboundError):
    """The host has another name from now on; the message is the one it gave up."""


class ProtocolError(SouthboundError):
    """A message that can't be decoded, or that isn't due now."""


class UnansweredError(SouthboundError):
    """A question to an agent stayed without an answer; the message says why."""


class NotConnectedError(UnansweredError):
    """The agent is not connected."""


class TooOldError(UnansweredError):
    """The agent's protocol has no questions."""


class NoAnswerInTimeError(UnansweredError):
    """The agent is connected, but no answer came."""


class CannotAnswerError(UnansweredError):
    """The agent answered that it can't."""
