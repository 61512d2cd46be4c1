"""What a call of Docker can end with.

::

    DriverError
    ├── BadCallError      the call itself is wrong: no JSON, a field that can't be what it is
    ├── RefusedCallError  what it asks for can't be, and why
    └── AwayError         Treadle's server, or Open vSwitch, didn't answer in time

Docker shows the text to its user, behind words of its own.
"""


class DriverError(Exception):
    """Base of all errors of this package; `status` is what HTTP says of it."""

    status = 500


class BadCallError(DriverError):
    """A call that Docker would not make."""

    status = 400


class RefusedCallError(DriverError):
    """What is asked for can't be done as it stands."""

    status = 409


class AwayError(DriverError):
    """Whether it can be done isn't known: what has to be asked didn't answer."""

    status = 503
