"""Who holds a port: each case that the module's docstring promises."""

from collections.abc import Callable

import pytest

from southbound.claims import Claims


def everyone(_: str) -> bool:
    return True


def all_but(dead: str) -> Callable[[str], bool]:
    return lambda name: name != dead


@pytest.fixture
def claims() -> Claims:
    return Claims()


def test_nobody_claims(claims: Claims) -> None:
    assert claims.holder(["p"], None, everyone) == ""


def test_the_later_plug_takes_the_port(claims: Claims) -> None:
    claims.plugged("A", "p")
    claims.plugged("B", "p")
    assert claims.holder(["p"], None, everyone) == "B"


def test_repeating_a_claim_gains_nothing(claims: Claims) -> None:
    claims.plugged("A", "p")
    claims.plugged("B", "p")
    claims.plugged("A", "p")
    claims.replace_claims("A", ["p"])
    assert claims.holder(["p"], None, everyone) == "B"


def test_the_port_goes_back_when_the_later_interface_vanishes(claims: Claims) -> None:
    claims.plugged("A", "p")
    claims.plugged("B", "p")
    claims.release("B", "p")
    assert claims.holder(["p"], None, everyone) == "A"


def test_a_claim_found_on_connecting_ranks_behind_known_ones(claims: Claims) -> None:
    claims.restore_claim("A", "p")
    claims.replace_claims("B", ["p"])
    assert claims.holder(["p"], None, everyone) == "A"
    claims.release("A", "p")
    assert claims.holder(["p"], None, everyone) == "B"


def test_unplugging_and_plugging_again_is_news(claims: Claims) -> None:
    claims.plugged("A", "p")
    claims.plugged("B", "p")
    claims.release("A", "p")
    claims.plugged("A", "p")
    assert claims.holder(["p"], None, everyone) == "A"


def test_the_dead_lose_to_the_living_and_do_not_take_it_back(claims: Claims) -> None:
    claims.restore_claim("B", "p")
    claims.plugged("A", "p")
    assert claims.holder(["p"], None, all_but("A")) == "B"
    claims.replace_claims("A", ["p"])
    assert claims.holder(["p"], None, everyone) == "B"


def test_the_dead_keep_what_nobody_else_claims(claims: Claims) -> None:
    claims.plugged("A", "p")
    assert claims.holder(["p"], None, all_but("A")) == "A"
    assert claims.of("A") == {"p"}


def test_only_requested_chassis_may_have_it_the_first_one_first(claims: Claims) -> None:
    claims.plugged("B", "p")
    claims.plugged("A", "p")
    claims.plugged("C", "p")
    assert claims.holder(["p"], ["B", "A"], everyone) == "B"
    assert claims.holder(["p"], ["A"], everyone) == "A"
    assert claims.holder(["p"], ["D"], everyone) == ""
    assert claims.holder(["p"], [], everyone) == ""
    assert claims.holder(["p"], ["B", "A"], all_but("B")) == "A"


def test_stating_all_claims_releases_the_rest(claims: Claims) -> None:
    claims.plugged("A", "p")
    claims.plugged("A", "q")
    assert set(claims.replace_claims("A", ["q", "r"])) == {"p", "r"}
    assert set(claims.of("A")) == {"q", "r"}
    assert claims.holder(["p"], None, everyone) == ""
