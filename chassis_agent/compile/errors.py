"""What can go wrong between a logical flow and its OpenFlow flows.

::

    CompileError                nothing of the kind can be a flow in Open vSwitch
    ├── BadTemplateError        a template's text, or what its holes stand in, makes no sense
    └── BadArgumentsError       arguments do not fit the holes of their template
    WaitingError                a flow waits for what it refers to
    ├── UnknownPortError        a port that is not known (yet)
    └── MissingQueueError       a queue that the interface of a port doesn't have (yet)
"""


class CompileError(Exception):
    """Text or arguments that cannot become OpenFlow flows."""


class BadTemplateError(CompileError):
    """A template that cannot be compiled, whatever its arguments are."""


class BadArgumentsError(CompileError):
    """Arguments that do not fit their template."""


class WaitingError(LookupError):
    """A flow refers to something that isn't there (yet): `name` says what it waits for."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(text)
        self.name = name


class UnknownPortError(WaitingError):
    """No port binding of that name is known."""

    def __init__(self, name: str) -> None:
        super().__init__(name, f"port {name!r} is not known")


class MissingQueueError(WaitingError):
    """The interface of a port doesn't have a queue of that number."""

    def __init__(self, port: str, number: int) -> None:
        super().__init__(f"queue {number} of {port}", f"port {port!r} has no queue {number}")
