"""Translation stands still while it is held, and not for longer than was said."""

import asyncio

import pytest

from translator.holding import Holds

LONG = 3600.0


@pytest.fixture
def lock() -> asyncio.Lock:
    return asyncio.Lock()


async def test_a_hold_keeps_others_out_until_it_is_released(lock: asyncio.Lock) -> None:
    holds = Holds(lock)
    number = await holds.take(LONG)
    assert lock.locked()
    with holds.used(number) as is_held:
        assert is_held
    assert lock.locked(), "using it once does not end it"
    holds.release(number)
    assert not lock.locked()
    holds.release(number)
    assert not lock.locked(), "it is released once only"


async def test_a_hold_ends_by_itself(lock: asyncio.Lock) -> None:
    holds = Holds(lock)
    number = await holds.take(0.0)
    async with asyncio.timeout(60), lock:
        pass
    with holds.used(number) as is_held:
        assert not is_held


async def test_a_hold_that_is_used_stays_until_that_is_done(lock: asyncio.Lock) -> None:
    holds = Holds(lock)
    number = await holds.take(LONG)
    with holds.used(number):
        holds.release(number)
        assert lock.locked(), "something is worked out under it"
        with holds.used(number) as again:
            assert not again
    assert not lock.locked()


async def test_an_old_number_ends_no_other_hold(lock: asyncio.Lock) -> None:
    holds = Holds(lock)
    old = await holds.take(LONG)
    holds.release(old)
    new = await holds.take(LONG)
    holds.release(old)
    with holds.used(old) as is_held:
        assert not is_held
    assert lock.locked()
    holds.release(new)
    assert not lock.locked()
