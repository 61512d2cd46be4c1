"""Free addresses of ranges against a set of those that are held."""

import ipaddress
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from northbound.address_ranges import AddressRanges
from northbound.database import Database, open_database
from northbound.models import AllocationCursor
from northbound.services import LOGICAL_SWITCH_PORTS, LOGICAL_SWITCHES
from tests.databases import new_database

FIRST = int(ipaddress.ip_address("fd00::10"))
HELD = st.integers(0, 30)
RANGES = st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12)), min_size=1, max_size=4)


@pytest.fixture(scope="module")
def database() -> Iterator[Database]:
    with TemporaryDirectory() as folder:
        database = open_database(new_database(Path(folder) / "treadle.db"))
        yield database
        database.close()


def disjoint(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Lay ranges of (gap before, size) one behind the other."""
    placed, place = [], FIRST
    for gap, size in ranges:
        first = place + gap
        placed.append((first, first + size - 1))
        place = first + size
    return placed


@settings(max_examples=60)
@given(ranges=RANGES, held=st.sets(HELD, max_size=25), steps=st.lists(st.booleans(), max_size=40))
def test_each_free_address_is_given_out_once(
    database: Database, ranges: list[tuple[int, int]], held: set[int], steps: list[bool]
) -> None:
    """Take addresses and hold them, or give one up, and compare with a set."""
    blocks = disjoint(ranges)
    there = {value for first, last in blocks for value in range(first, last + 1)}
    with database.write(author="test") as tx:
        tx.connection.execute(delete(AllocationCursor))
        switch = LOGICAL_SWITCHES.create(tx, {})
        taken: dict[int, str] = {}

        def hold(value: int) -> None:
            mac = f"0a:00:00:00:00:{value - FIRST:02x}"
            element = f"{mac} {ipaddress.IPv6Address(value)}"
            values = {"logical_switch": switch.id, "addresses": [element]}
            taken[value] = LOGICAL_SWITCH_PORTS.create(tx, values).id

        for offset in held:
            hold(FIRST + offset)
        source = AddressRanges(tx, "test", switch.id, 6, blocks)
        for take in steps:
            if not take and taken:
                LOGICAL_SWITCH_PORTS.delete(tx, taken.pop(next(iter(taken))))
                continue
            address = source.take()
            if address is None:
                assert there <= set(taken)
                continue
            value = int(ipaddress.ip_address(address))
            assert value in there
            assert value not in taken
            hold(value)
