"""Probes as bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis_agent.physical.probes import ANSWERING, PROBE_BYTES, fingerprint
from chassis_agent.punt.errors import MalformedPacketError
from chassis_agent.underlay.frames import NONCE_BYTES, Answer, probe, read_answer

NONCE = bytes(range(NONCE_BYTES))


def answered(frame: bytes, chassis: str) -> bytes:
    """What the switch of a chassis makes of a probe."""
    return ANSWERING.to_bytes(6) + fingerprint(chassis).to_bytes(6) + frame[12:]


def test_an_answer_repeats_the_nonce_and_names_the_chassis() -> None:
    frame = answered(probe(NONCE), "hv1")
    assert len(frame) == PROBE_BYTES
    assert read_answer(frame) == Answer(NONCE, fingerprint("hv1"))


def test_fingerprints_are_unicast_and_differ() -> None:
    found = {fingerprint(f"hv{n}") for n in range(1000)}
    assert len(found) == 1000
    assert not any(each >> 40 & 1 for each in found)


def test_a_question_is_no_answer() -> None:
    with pytest.raises(MalformedPacketError):
        read_answer(probe(NONCE))


@given(st.binary(max_size=100), st.integers(0, 100))
def test_any_bytes_are_read_or_refused(junk: bytes, length: int) -> None:
    for frame in (junk, answered(probe(NONCE), "hv1")[:length], ANSWERING.to_bytes(6) + junk):
        try:
            answer = read_answer(frame)
        except MalformedPacketError:
            continue
        assert len(answer.nonce) == NONCE_BYTES
