"""What can go wrong with a lab.

::

    TestbedError
    ├── CommandError      a command that the lab ran exited with an error
    ├── ProcessEndedError        a daemon ended although it should run
    ├── NotReadyError           something did not come up within its time
    └── LabNotFoundError        no lab of that name
"""


class TestbedError(Exception):
    """Base of the errors of a lab."""

    __test__ = False  # the name is not a test class's


class CommandError(TestbedError):
    """A command exited with an error; the message holds what it printed."""


class ProcessEndedError(TestbedError):
    """A daemon ended although it should run; the message holds its last log lines."""


class NotReadyError(TestbedError):
    """A condition did not come true within its time."""


class LabNotFoundError(TestbedError):
    """No lab of that name is known on this machine."""
