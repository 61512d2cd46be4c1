"""Long work in turns: punted packets, probes and keep-alives do not wait for its end.

The agent has one event loop. What computes for long is a generator that pauses now and then,
and whatever else is due has its turn. A pause that comes soon after the last turn is passed
over: to ask the loop costs more than a few cheap pieces of work.
"""

import asyncio
import time
from collections.abc import Callable, Generator
from typing import TypeVar

ResultT = TypeVar("ResultT")

SHORTEST_TURN = 0.001
"""Seconds that the work has to itself before a pause counts."""


async def in_turns(
    steps: Generator[None, None, ResultT],
    *,
    shortest: float | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> ResultT:
    """Run steps to their end, with turns for other tasks; return their result.

    Other tasks have their turn in the first pause after `shortest` seconds of work
    (:data:`SHORTEST_TURN` unless given), so a piece of work should take less than that.
    """
    shortest = SHORTEST_TURN if shortest is None else shortest
    began = clock()
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: ResultT = end.value
            return result
        if clock() - began >= shortest:
            await asyncio.sleep(0)
            began = clock()
