"""Conjunction ids are stable, and different for what is different."""

from hashlib import blake2b

import pytest

from chassis_agent.compile import ConjunctionIds, conjunctions


def test_the_same_description_has_the_same_id_in_any_order_and_process() -> None:
    one, other = ConjunctionIds(), ConjunctionIds()
    descriptions = [bytes([n]) for n in range(100)]
    ids = {d: one.allocate(d) for d in descriptions}
    assert {d: other.allocate(d) for d in reversed(descriptions)} == ids
    assert len(set(ids.values())) == len(descriptions)
    assert one.allocate(descriptions[0]) == ids[descriptions[0]]
    assert len(one) == len(descriptions)


def test_a_collision_takes_the_next_free_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def colliding(data: bytes, *, digest_size: int) -> object:
        class Digest:
            def digest(self) -> bytes:
                return b"\xff\xff\xff\xff" + blake2b(data, digest_size=digest_size - 4).digest()

        return Digest()

    monkeypatch.setattr(conjunctions, "blake2b", colliding)
    ids = ConjunctionIds()
    assert [ids.allocate(bytes([n])) for n in range(3)] == [0xFFFFFFFF, 1, 2]
