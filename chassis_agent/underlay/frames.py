"""A probe as bytes. What comes in as an answer is hostile until its nonce is known."""

from typing import Final, NamedTuple

from chassis_agent.physical.probes import ANSWERING, ASKING, ETHERTYPE, PROBE_BYTES
from chassis_agent.punt.errors import MalformedPacketError

NONCE_BYTES: Final = 16
_MAGIC: Final = b"treadle probe 1\0"
_HEADER: Final = 14
_SOURCE: Final = 0x02_54_50_00_00_03


class Answer(NamedTuple):
    """Which probe is answered, and the fingerprint of the chassis whose switch did it."""

    nonce: bytes
    fingerprint: int


def probe(nonce: bytes, size: int = PROBE_BYTES) -> bytes:
    """The frame that asks, of `size` bytes, or as many as it takes."""
    header = ASKING.to_bytes(6) + _SOURCE.to_bytes(6) + ETHERTYPE.to_bytes(2)
    return (header + _MAGIC + nonce).ljust(max(size, PROBE_BYTES), b"\0")


def read_answer(frame: bytes) -> Answer:
    """Read an answer; raises MalformedPacketError for what is none."""
    start = _HEADER + len(_MAGIC)
    if (
        len(frame) < start + NONCE_BYTES
        or frame[:6] != ANSWERING.to_bytes(6)
        or frame[12:start] != ETHERTYPE.to_bytes(2) + _MAGIC
    ):
        raise MalformedPacketError("not the answer to a probe")
    return Answer(frame[start : start + NONCE_BYTES], int.from_bytes(frame[6:12]))
