"""What a verb works with: what was asked, how long there is, and the server.

Errors of the client and of the host become errors of the specification here, in one place.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from integrations.client import (
    AnswerError,
    Client,
    ClientSettingsError,
    NotReachedError,
    RefusedError,
    UnreachableError,
    read_token,
)
from integrations.cni.configuration import Configuration, Server
from integrations.cni.environment import Invocation
from integrations.cni.errors import (
    HOST_FAILED,
    INTERFACE_TAKEN,
    INVALID_CONFIGURATION,
    REFUSED,
    TRY_AGAIN,
    UNKNOWN_CONTAINER,
    CniError,
)
from integrations.deadline import Deadline, TimeLimitError
from integrations.host.errors import HostError, InterfaceTakenError, MissingNamespaceError

CLEANUP_SECONDS = 10
"""How much longer a verb that failed may take to remove what it has made."""


class Session(NamedTuple):
    """One call of the plugin."""

    invocation: Invocation
    configuration: Configuration
    deadline: Deadline
    client: Client


def connect(server: Server) -> Client:
    """Return the client for a configuration; nothing is sent yet."""
    try:
        token = read_token(server.token_file) if server.token_file is not None else None
        return Client(
            server.url,
            token=token,
            authority=server.ca_file,
            project=server.project,
            plain_text=server.plain_text,
        )
    except ClientSettingsError as error:
        raise CniError(INVALID_CONFIGURATION, str(error)) from None


def note(text: str) -> None:
    """Tell the log of the runtime, which keeps what plugins write to standard error."""
    print(f"treadle-cni: {text}", file=sys.stderr)  # noqa: T201


@contextmanager
def as_cni_errors() -> Iterator[None]:
    """Raise what goes wrong within as :class:`CniError`."""
    try:
        yield
    except NotReachedError as error:
        raise CniError(
            TRY_AGAIN, "the port did not come up in time: is the agent running?", str(error)
        ) from None
    except RefusedError as error:
        if error.status == 503:
            raise CniError(TRY_AGAIN, "Treadle is too busy", str(error)) from None
        if error.status >= 500:
            raise CniError(TRY_AGAIN, "Treadle has failed", str(error)) from None
        raise CniError(REFUSED, f"Treadle refuses: {error}") from None
    except (UnreachableError, AnswerError) as error:
        raise CniError(TRY_AGAIN, "Treadle can't be reached", str(error)) from None
    except TimeLimitError as error:
        raise CniError(TRY_AGAIN, "the time for it is over", str(error)) from None
    except MissingNamespaceError as error:
        raise CniError(UNKNOWN_CONTAINER, str(error)) from None
    except InterfaceTakenError as error:
        raise CniError(INTERFACE_TAKEN, str(error)) from None
    except HostError as error:
        raise CniError(HOST_FAILED, str(error)) from None
