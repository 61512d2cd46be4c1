"""Long work in turns: punted packets, probes and keep-alives do not wait for its end.

The agent has one event loop. What computes for long is a generator that pauses now and then,
and in each pause whatever else is due has its turn.
"""

import asyncio
from collections.abc import Generator
from typing import TypeVar

ResultT = TypeVar("ResultT")


async def in_turns(steps: Generator[None, None, ResultT]) -> ResultT:
    """Run steps to their end, with a turn for other tasks in each pause; return their result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: ResultT = end.value
            return result
        await asyncio.sleep(0)
