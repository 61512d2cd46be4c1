"""Garbage collection while much is made that stays."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def growing() -> Iterator[None]:
    """Collect no garbage while the block builds up state, and never look at that again.

    Nearly all of what is made stays, so collections in between would walk an ever
    larger heap for nothing. Afterwards it is frozen: later collections leave it out.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        if was_enabled:
            gc.enable()
