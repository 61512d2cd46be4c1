"""What can go wrong between a logical flow and its OpenFlow flows.

::

    CompileError                nothing of the kind can be a flow in Open vSwitch
    ├── BadTemplateError        a template's text, or what its holes stand in, makes no sense
    └── BadArgumentsError       arguments do not fit the holes of their template
    UnknownPortError            a flow names a port that is not known (yet): the flow waits
"""


class CompileError(Exception):
    """Text or arguments that cannot become OpenFlow flows."""


class BadTemplateError(CompileError):
    """A template that cannot be compiled, whatever its arguments are."""


class BadArgumentsError(CompileError):
    """Arguments that do not fit their template."""


class UnknownPortError(LookupError):
    """No port binding of that name is known."""

    def __init__(self, name: str) -> None:
        super().__init__(f"port {name!r} is not known")
        self.name = name
