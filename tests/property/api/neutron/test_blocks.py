"""Address blocks against a look at each of them."""

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from api.neutron.blocks import Blocks


def networks(whole: str) -> st.SearchStrategy[str]:
    """Networks within the last eight bits of `whole`."""
    start = ipaddress.ip_network(whole)
    bits = start.max_prefixlen
    return st.builds(
        lambda length, place: str(ipaddress.ip_network((int(start[place]), length), strict=False)),
        st.integers(bits - 6, bits),
        st.integers(0, start.num_addresses - 1),
    )


anywhere = networks("10.0.0.0/24") | networks("::a00:0/120")
"""Of both versions, with the same values."""


@given(st.lists(anywhere, max_size=12), anywhere)
def test_what_overlaps_and_what_holds(candidates: list[str], other: str) -> None:
    blocks, there = Blocks(), []
    for each in candidates:
        network = ipaddress.ip_network(each)
        overlapping = any(network.overlaps(block) for block in there)
        assert blocks.overlaps(network) == overlapping
        if not overlapping:
            blocks.add(each, each)
            there.append(network)
    for address in (ipaddress.ip_network(other)[0], ipaddress.ip_network(other)[-1]):
        holder = next((str(block) for block in there if address in block), None)
        assert blocks.owner_of(address) == holder
