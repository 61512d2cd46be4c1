"""What a server has acknowledged, held against what it has.

A write is an *attempt*: the values that some objects have before and after it. An attempt that
was acknowledged counts as done, one that was refused as not done. Of one whose answer was lost
nothing is known but that it was done wholly or not at all, so :meth:`Journal.verify` takes
either, and never a mixture.
"""

import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple

Value = str | None
"""What an object's changing field has; None where there is no such object."""


class Step(NamedTuple):
    """What one attempt does to one object."""

    before: Value
    after: Value


class Attempt(NamedTuple):
    """The objects that one request changes, by path."""

    number: int
    steps: Mapping[str, Step]


class Journal:
    """The values that are known of all objects, and the attempts whose ends are not known.

    Safe to use from several threads. An object is part of one attempt at a time; one whose
    attempt was left open is touched by none until :meth:`verify` has looked at it.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[str, Value] = {}
        self._open: dict[int, Attempt] = {}
        self._number = 0
        self.acknowledged = 0
        self.refused = 0
        self.unanswered = 0

    def begin(self, after: Mapping[str, Value]) -> Attempt:
        """An attempt that is to give objects these values."""
        with self._lock:
            self._number += 1
            steps = {path: Step(self._known.get(path), value) for path, value in after.items()}
            attempt = Attempt(self._number, steps)
            self._open[attempt.number] = attempt
            return attempt

    def acknowledge(self, attempt: Attempt) -> None:
        """The server has said that it is done."""
        with self._lock:
            del self._open[attempt.number]
            self.acknowledged += 1
            for path, step in attempt.steps.items():
                self._remember(path, step.after)

    def refuse(self, attempt: Attempt) -> None:
        """The server has said that nothing was written."""
        with self._lock:
            del self._open[attempt.number]
            self.refused += 1

    def leave_open(self) -> None:
        """No answer came; :meth:`verify` will find out."""
        with self._lock:
            self.unanswered += 1

    def known(self, prefix: str) -> list[str]:
        """Paths of the objects below `prefix` that are there and that no open attempt touches."""
        with self._lock:
            touched = {path for attempt in self._open.values() for path in attempt.steps}
            return [
                path
                for path, value in self._known.items()
                if value is not None and path.startswith(prefix) and path not in touched
            ]

    def verify(self, read: Callable[[str], Value]) -> list[str]:
        """Compare with what `read` says that each object has; return a line for each fault.

        No request may be under way. Open attempts are settled by what is found.
        """
        with self._lock:
            found = {path: read(path) for path in self._paths()}
            problems = []
            for attempt in self._open.values():
                problems += self._settle(attempt, found)
            self._open.clear()
            problems += [
                f"{path} has {found[path]!r}, acknowledged was {value!r}"
                for path, value in self._known.items()
                if found[path] != value
            ]
            # What is gone, and known to be, need not be looked at for ever.
            self._known = {path: value for path, value in found.items() if value is not None}
            return problems

    def _paths(self) -> set[str]:
        opened = {path for attempt in self._open.values() for path in attempt.steps}
        return opened | self._known.keys()

    def _settle(self, attempt: Attempt, found: Mapping[str, Value]) -> list[str]:
        has = {path: found[path] for path in attempt.steps}
        for outcome in ("after", "before"):
            expected = {path: getattr(step, outcome) for path, step in attempt.steps.items()}
            if has == expected:
                for path, value in expected.items():
                    self._remember(path, value)
                return []
        for path, value in has.items():
            self._remember(path, value)
        return [f"an unanswered request is half done: {has}, wanted {dict(attempt.steps)}"]

    def _remember(self, path: str, value: Value) -> None:
        self._known[path] = value
