"""Everything that can go wrong between the agent and Open vSwitch.

::

    OpenFlowError
    ├── EncodingError             a value that does not fit its field: a bug of the caller
    ├── DecodingError             bytes from the switch that are not what they claim to be
    ├── NegotiationError          the switch does not speak OpenFlow 1.5
    ├── ConnectionLostError       the connection went away; what waits on it gets this
    └── RequestRefusedError       the switch answered a request with an error message
        └── BundleRefusedError    … one of a bundle's messages, so that nothing of it was applied
"""

from __future__ import annotations


class OpenFlowError(Exception):
    """The root of this package's errors."""


class EncodingError(OpenFlowError, ValueError):
    """A value does not fit the field or action that it was meant for."""


class DecodingError(OpenFlowError, ValueError):
    """Bytes from the switch contradict themselves."""


class NegotiationError(OpenFlowError):
    """The two sides have no OpenFlow version in common."""


class ConnectionLostError(OpenFlowError, ConnectionError):
    """The switch went away, or stopped answering."""


class RequestRefusedError(OpenFlowError):
    """The switch refused a request.

    ``kind`` and ``code`` are OpenFlow's numbers, ``name`` their name in the specification where
    it is one that the agent has reason to expect, and ``request`` the first bytes of the message
    that was refused, as the switch quotes them.
    """

    def __init__(self, kind: int, code: int, name: str, request: bytes) -> None:
        super().__init__(f"the switch refused a request: {name} (type {kind}, code {code})")
        self.kind = kind
        self.code = code
        self.name = name
        self.request = request


class BundleRefusedError(RequestRefusedError):
    """A message of a bundle was refused; nothing of the bundle was applied.

    ``index`` is the refused message's place in the bundle, or None when the switch did not say.
    """

    def __init__(self, refusal: RequestRefusedError, index: int | None) -> None:
        super().__init__(refusal.kind, refusal.code, refusal.name, refusal.request)
        self.index = index
