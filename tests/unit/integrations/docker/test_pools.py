"""Pools: their ids, and which of their addresses are given out."""

import ipaddress
from itertools import islice

import pytest
from hypothesis import given
from hypothesis import strategies as st

from integrations.docker.errors import BadCallError, RefusedCallError
from integrations.docker.pools import Pool, check_pool, exclusions, free_pools, parse_pool

net = ipaddress.ip_network


@pytest.mark.parametrize(
    "pool",
    [
        Pool("hv1", "default", None, net("10.0.0.0/24")),
        Pool("", "acme", "web", net("fd00::/64")),
        Pool("hv1", "default", "a.b:c", net("10.0.0.0/24"), net("10.0.0.128/25")),
    ],
)
def test_an_id_says_all_of_a_pool(pool: Pool) -> None:
    assert parse_pool(pool.id) == pool


@pytest.mark.parametrize(
    "pool_id",
    [
        "",
        "hv1,default,-,10.0.0.0/24",
        "hv1,default,-,10.0.0.1/24,",
        "hv1,default,-,10.0.0.0,",
        "hv1,default,,10.0.0.0/24,",
        "hv1,,-,10.0.0.0/24,",
        "h v,default,-,10.0.0.0/24,",
        "hv1,default,-,10.0.0.0/24,,",
        "hv1,default,a/../b,10.0.0.0/24,",
        "hv1,default,a?b=c,10.0.0.0/24,",
        "hv1,a b,web,10.0.0.0/24,",
        "LocalDefault/172.18.0.0/16",
    ],
)
def test_other_ids_are_refused(pool_id: str) -> None:
    with pytest.raises(BadCallError, match="PoolID"):
        parse_pool(pool_id)


@given(st.text())
def test_any_text_is_a_pool_or_refused(text: str) -> None:
    try:
        pool = parse_pool(text)
    except BadCallError:
        return
    assert pool.id == text


@pytest.mark.parametrize(
    ("network", "part", "told"),
    [
        ("10.0.0.0/31", None, "/30 is the smallest"),
        ("fd00::/80", None, "are /64"),
        ("fd00::/64", "fd00::/80", "is for IPv4"),
        ("10.0.0.0/24", "10.0.1.0/25", "is not in"),
        ("10.0.0.0/24", "10.0.0.0/16", "is not in"),
    ],
)
def test_addresses_that_treadle_cannot_manage(network: str, part: str | None, told: str) -> None:
    with pytest.raises(RefusedCallError, match=told):
        check_pool(net(network), None if part is None else net(part))


def test_a_whole_range_excludes_nothing() -> None:
    assert exclusions(net("10.0.0.0/24"), net("10.0.0.0/24"), []) == []
    assert exclusions(net("fd00::/64"), None, [ipaddress.ip_address("fd00::1")]) == []


def test_free_pools_leave_out_what_is_taken() -> None:
    taken = {net("10.0.0.0/24"), net("10.0.2.0/24")}
    found = list(free_pools("hv1", net("10.0.0.0/22"), taken))
    assert found == [net("10.0.1.0/24"), net("10.0.3.0/24")]


def test_free_ipv6_pools_are_unique_local_and_follow_from_the_host() -> None:
    one, two = (list(islice(free_pools(host, None, set()), 2)) for host in ("hv1", "hv2"))
    assert all(each.is_private and each.prefixlen == 64 for each in [*one, *two])
    assert not set(one) & set(two)
    assert one == list(islice(free_pools("hv1", None, set()), 2))
