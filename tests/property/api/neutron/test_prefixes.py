"""Allocations from subnet pools against a count of every address."""

import ipaddress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from api.neutron.errors import NeutronError
from api.neutron.prefixes import all_within, any_free, check_free, merged, without

WHOLE = ipaddress.ip_network("10.0.0.0/26")


def networks(shortest: int) -> st.SearchStrategy[str]:
    """Networks within WHOLE, with prefix lengths from `shortest` on."""
    lengths = st.integers(shortest, 32)
    return st.builds(
        lambda length, place: str(
            ipaddress.ip_network((int(WHOLE[place >> (32 - length) << (32 - length)]), length))
        ),
        lengths,
        st.integers(0, WHOLE.num_addresses - 1),
    )


def addresses(*blocks: Any) -> set[int]:
    return {int(address) for block in blocks for address in ipaddress.ip_network(block)}


pools = st.lists(networks(27), min_size=1, max_size=4).map(
    lambda prefixes: [str(each) for each in merged(prefixes)]
)
taken = st.lists(networks(28), max_size=6)


@given(st.lists(networks(27), min_size=1, max_size=6))
def test_merging_keeps_every_address_once(prefixes: list[str]) -> None:
    blocks = merged(prefixes)
    assert addresses(*blocks) == addresses(*prefixes)
    assert sum(each.num_addresses for each in blocks) == len(addresses(*prefixes))


@given(pools, taken)
def test_what_is_left(prefixes: list[str], removed: list[str]) -> None:
    left = without(prefixes, removed)
    assert addresses(*left) == addresses(*prefixes) - addresses(*removed)


@given(pools, taken, st.integers(27, 32))
def test_a_free_network_is_found_if_there_is_one(
    prefixes: list[str], allocated: list[str], length: int
) -> None:
    free = addresses(*prefixes) - addresses(*allocated)
    fitting = [each for each in WHOLE.subnets(new_prefix=length) if addresses(each) <= free]
    if not fitting:
        with pytest.raises(NeutronError):
            any_free(prefixes, allocated, length)
        return
    assert any_free(prefixes, allocated, length) in fitting


@given(pools, taken, networks(27))
def test_a_chosen_network_has_to_be_free(
    prefixes: list[str], allocated: list[str], chosen: str
) -> None:
    network = ipaddress.ip_network(chosen)
    # One that lies in several prefixes of a pool is in none of them, as they are merged.
    within = any(network.subnet_of(ipaddress.IPv4Network(each)) for each in prefixes)  # type: ignore[arg-type]
    if within and not addresses(chosen) & addresses(*allocated):
        check_free(prefixes, allocated, network)
        return
    with pytest.raises(NeutronError):
        check_free(prefixes, allocated, network)


@given(pools, st.lists(networks(27), max_size=4), st.booleans())
def test_what_is_within(prefixes: list[str], parts: list[str], beside_ipv6: bool) -> None:
    holders = [ipaddress.ip_network(each) for each in prefixes]
    others = [ipaddress.ip_network("::/96")] if beside_ipv6 else []
    inside = all(any(addresses(each) <= addresses(holder) for holder in holders) for each in parts)
    assert all_within(parts, [*holders, *others]) == inside
