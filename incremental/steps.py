"""Work in steps: a generator that pauses after each piece of it, and returns what comes of it."""

from collections.abc import Generator
from typing import TypeVar

_ResultT = TypeVar("_ResultT")


def run_steps(steps: Generator[None, None, _ResultT]) -> _ResultT:
    """Run steps to their end without a pause, and return their result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: _ResultT = end.value
            return result
