"""What is asked about: a packet that enters a network."""

from typing import NamedTuple


class Probe(NamedTuple):
    """A packet in the syntax of matches, and the state that connection tracking gives it."""

    packet: str
    state: str
