"""The program ``treadle-cni``.

Runtimes call it with ``CNI_COMMAND`` in the environment; from a terminal it tells what it is, and
``treadle-cni install`` puts it where runtimes look for plugins.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

from integrations.cni.configuration import DEFAULT_TIMEOUT, read_configuration
from integrations.cni.environment import Invocation, read_environment
from integrations.cni.errors import INTERNAL, IO_FAILURE, CniError
from integrations.cni.fields import DOCUMENT_LIMIT, read_document
from integrations.cni.interruptions import InterruptedByRuntimeError, limit
from integrations.cni.session import Session, as_cni_errors, connect, note
from integrations.cni.versions import SUPPORTED
from integrations.deadline import Deadline


def run() -> None:
    """Be the program: read, do, answer, and end with 0 or 1."""
    if "CNI_COMMAND" not in os.environ:
        from integrations.cni.install import main

        sys.exit(main(sys.argv[1:]))
    limit(DEFAULT_TIMEOUT)
    sys.exit(answer(os.environ, sys.stdin.buffer))


def answer(environment: Mapping[str, str], given: BinaryIO) -> int:
    """Do what the environment and the configuration ask for; return the exit code."""
    version = SUPPORTED[-1]
    try:
        invocation = read_environment(environment)
        with as_cni_errors():
            document = read_document(given.read(DOCUMENT_LIMIT + 1))
        if isinstance(document.get("cniVersion"), str):
            version = document["cniVersion"][:32]
        if invocation.command == "VERSION":
            _say({"cniVersion": version, "supportedVersions": list(SUPPORTED)})
            return 0
        with as_cni_errors():
            _do(invocation, document)
    except CniError as error:
        return _refuse(version, error)
    except InterruptedByRuntimeError:
        return _refuse(version, CniError(INTERNAL, "the runtime ended it"))
    except Exception as error:
        import traceback

        traceback.print_exc()
        return _refuse(version, CniError(INTERNAL, f"a fault of treadle-cni: {error!r}"))
    return 0


def _do(invocation: Invocation, document: dict[str, Any]) -> None:
    configuration = read_configuration(document, invocation)
    deadline = Deadline(configuration.timeout)
    limit(configuration.timeout)
    with connect(configuration.server) as client:
        session = Session(invocation, configuration, deadline, client)
        # Each verb loads what it needs alone.
        if invocation.command == "ADD":
            from integrations.cni.add import add

            add(session, _say)
        elif invocation.command == "DEL":
            from integrations.cni.delete import delete

            delete(session)
        elif invocation.command == "CHECK":
            from integrations.cni.check import check

            check(session)
        elif invocation.command == "GC":
            from integrations.cni.collect import collect

            collect(session)
        else:
            from integrations.cni.status import status

            status(session)


def _say(document: dict[str, Any]) -> None:
    """Write the answer; raise a :class:`CniError` if there is no one to read it."""
    try:
        sys.stdout.write(json.dumps(document) + "\n")
        sys.stdout.flush()
    except OSError as error:
        raise CniError(IO_FAILURE, f"the runtime doesn't read the answer: {error}") from None


def _refuse(version: str, error: CniError) -> int:
    document = {"cniVersion": version, "code": error.code, "msg": error.message}
    if error.details:
        document["details"] = error.details
    try:
        _say(document)
    except CniError:
        note(error.message)
    return 1
