"""How much one explanation may walk, in all its worlds and with all that it tries."""

from dataclasses import dataclass
from typing import Final

from northbound.errors import InvalidError

MOST_STEPS: Final = 300_000
"""Steps of all walks of one explanation."""


class TooMuchError(InvalidError):
    """An explanation takes more walking than one may."""


@dataclass
class Budget:
    """What is left; shared by all scenes of an explanation."""

    left: int = MOST_STEPS

    def spend(self, steps: int) -> None:
        """Count steps that were walked, or raise TooMuchError."""
        self.left -= steps
        if self.left < 0:
            raise TooMuchError.of(reason=f"takes more than {MOST_STEPS} steps of packets to answer")
