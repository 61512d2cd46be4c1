"""Backends of load balancers: which are in use, and which are for this chassis to check."""

from collections.abc import Iterator, Sequence

from chassis_agent.inputs import LocalPort
from incremental import Read
from logical_flow.backends import BACKENDS_SIGIL, MAX_BACKENDS
from southbound.rows import BackendCheck, BackendStatus


def checked_backends(_key: str, row: BackendCheck) -> Iterator[tuple[str, str]]:
    """Set -> its members that are in use only while they answer."""
    yield row.set, row.member


def answering_backends(_key: str, row: BackendStatus) -> Iterator[tuple[str, str]]:
    """Set -> its members that answer."""
    if row.up:
        yield row.set, row.member


def checks_here(read: Read, key: str) -> BackendCheck | None:
    """The check of a backend whose port is bound here."""
    row = read(BackendCheck, key)
    if row is None or not row.port or read(LocalPort, row.port) is None:
        return None
    return row


def in_use(read: Read, name: str, members: Sequence[str]) -> tuple[str, ...]:
    """Return those members of a set of backends that get connections; all of other sets.

    Variables may give a set more than :data:`MAX_BACKENDS`, of which the first do.
    """
    if not name.startswith(BACKENDS_SIGIL):
        return tuple(members)
    checked = set(read.members(checked_backends, name))
    if not checked:
        return tuple(members[:MAX_BACKENDS])
    checked -= set(read.members(answering_backends, name))
    return tuple(member for member in members if member not in checked)
