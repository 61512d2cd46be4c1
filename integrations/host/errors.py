"""What plumbing on a host can fail with.

::

    HostError
    ├── MissingToolError       ip, nsenter, ethtool or ovs-vsctl isn't installed
    ├── MissingNamespaceError  there is no such network namespace
    ├── InterfaceTakenError    another interface has that name
    └── CommandFailedError     a tool refused

A deadline that is over is :class:`integrations.deadline.TimeLimitError`.
"""

from collections.abc import Sequence


class HostError(Exception):
    """Base of all errors of this package."""


class MissingToolError(HostError):
    """A program isn't installed."""

    def __init__(self, program: str) -> None:
        super().__init__(f"{program} is not installed")


class MissingNamespaceError(HostError):
    """There is no network namespace at `path`."""

    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is no network namespace")
        self.path = path


class InterfaceTakenError(HostError):
    """An interface that is not ours has the name."""

    def __init__(self, name: str, where: str) -> None:
        super().__init__(f"there is an interface {name} in {where} already")
        self.name = name


class CommandFailedError(HostError):
    """A program ended with an error; `output` is what it said."""

    def __init__(self, argv: Sequence[str], code: int, output: str) -> None:
        super().__init__(f"{argv[0]}: {output or f'exit code {code}'}")
        self.argv = tuple(argv)
        self.code = code
        self.output = output
