"""Waits until nothing is forwarded any more by what a switch had cached before a change."""

import asyncio
from pathlib import Path
from typing import Final

from chassis_agent.bridge import unixctl
from chassis_agent.errors import ControlError

SETTLING: Final = 0.5
"""Seconds after which that is taken for granted where the switch can't tell."""

_ROUNDS: Final = 3


async def settle(control: Path, seconds: float = SETTLING) -> None:
    """Return once all that `ovs-vswitchd` has cached was compared with its flows as they are now.

    Its revalidators go over what is cached time and again, which takes longer the more there is.
    The round that is under way may have begun before flows changed, and the next one before the
    revalidators were told, so that it takes a third. A switch with two kinds of datapath doesn't
    tell rounds: there it takes `seconds`.
    """
    try:
        for _ in range(_ROUNDS):
            await unixctl.call(control, "revalidator/wait")
    except ControlError:
        await asyncio.sleep(seconds)
