"""The allocation of conntrack zones."""

import pytest

from chassis_agent.errors import ZonesExhaustedError
from chassis_agent.local.zones import ZoneAllocator, persisted_zones


def test_names_get_distinct_zones_and_keep_them() -> None:
    allocator = ZoneAllocator({})
    first = allocator.assign({"a", "b"})
    assert sorted(first.added.values()) == [1, 2]
    assert first.flush == [1, 2]
    assert not allocator.assign({"a", "b"})
    assert allocator.assign({"a", "b", "c"}).added == {"c": 3}


def test_a_restart_finds_the_same_zones() -> None:
    before = ZoneAllocator({})
    external_ids = {
        key: value for key, value in before.assign({"a", "b"}).external_ids.items() if value
    }
    after = ZoneAllocator(persisted_zones(external_ids))
    assert after.zones == before.zones
    assert not after.assign({"a", "b"})


def test_a_freed_zone_is_reused_last() -> None:
    allocator = ZoneAllocator({}, first=1, last=3)
    allocator.assign({"a", "b"})
    gone = allocator.assign({"b"})
    assert gone.removed == ["a"]
    assert gone.external_ids == {"ct-zone-a": None}
    assert allocator.assign({"b", "c"}).added == {"c": 3}
    assert allocator.assign({"b", "c", "d"}).added == {"d": 1}


def test_too_many_names_are_refused_and_change_nothing() -> None:
    allocator = ZoneAllocator({}, first=1, last=2)
    allocator.assign({"a", "b"})
    with pytest.raises(ZonesExhaustedError):
        allocator.assign({"b", "c", "d"})
    assert allocator.zones == {"a": 1, "b": 2}
    assert allocator.assign({"c", "d"}).removed == ["a", "b"]


def test_malformed_and_doubled_zones_are_not_taken_over() -> None:
    external_ids = {
        "ct-zone-a": "5",
        "ct-zone-b": "5",
        "ct-zone-c": "70000",
        "ct-zone-d": "0",
        "ct-zone-e": "-1",
        "other": "6",
    }
    assert persisted_zones(external_ids) == {"a": 5}
