"""Long work lets other tasks have their turns, but not at every pause."""

import asyncio
from collections.abc import Generator

from chassis_agent.turns import in_turns


async def turns_of_others(pauses: int, seconds_of_work: float, shortest: float) -> list[int]:
    """Return after which pauses another task had a turn, each piece of work taking as long."""
    now, done = 0.0, 0
    turns: list[int] = []

    def work() -> Generator[None, None, str]:
        nonlocal now, done
        for _ in range(pauses):
            now += seconds_of_work
            done += 1
            yield
        return "result"

    async def other() -> None:
        while True:
            turns.append(done)
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    assert await in_turns(work(), shortest=shortest, clock=lambda: now) == "result"
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    return turns


async def test_others_have_a_turn_once_the_work_has_taken_long_enough() -> None:
    assert await turns_of_others(9, 0.5, shortest=1.5) == [3, 6, 9]


async def test_others_have_a_turn_in_each_pause_of_work_that_is_slow() -> None:
    assert await turns_of_others(3, 2, shortest=1.5) == [1, 2, 3]


async def test_work_that_is_short_is_done_without_a_turn() -> None:
    assert await turns_of_others(100, 0.001, shortest=1.5) == []
