"""Errors as the CNI specification has them: a code, what is wrong, and what helps.

Codes below 100 are the specification's, those from 100 on are the plugin's own.
"""

UNSUPPORTED_VERSION = 1
UNSUPPORTED_FIELD = 2
UNKNOWN_CONTAINER = 3
INVALID_ENVIRONMENT = 4
IO_FAILURE = 5
UNDECODABLE = 6
INVALID_CONFIGURATION = 7
TRY_AGAIN = 11
NOT_AVAILABLE = 50

REFUSED = 100
"""The server refused."""
INTERFACE_TAKEN = 101
"""The container has an interface of that name already."""
HOST_FAILED = 102
"""A tool of the host refused."""
NOT_AS_MADE = 103
"""What CHECK found differs from what ADD made."""
INTERNAL = 199
"""A fault of the plugin's own."""


class CniError(Exception):
    """What the plugin answers in place of a result."""

    def __init__(self, code: int, message: str, details: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.details = details


def invalid(where: str, reason: str) -> CniError:
    """Return the error for a wrong field of the configuration."""
    return CniError(INVALID_CONFIGURATION, f"{where}: {reason}")
