"""What an agent asked for, repeated on each new connection."""

from southbound import wire
from southbound.watch.wishes import Wishes


def repeated(wishes: Wishes) -> list[object]:
    return list(wishes.repeated(frozenset(), frozenset()))


def test_a_port_claimed_by_its_id_stays_up_when_claims_are_stated_anew() -> None:
    """What is up is called by the port's name, and claims as the interface calls it."""
    wishes = Wishes()
    wishes.claim_only(["7c1f", "web-2"])
    wishes.set_up("web-1", True)
    wishes.set_up("web-2", True)
    wishes.claim_only(["7c1f", "web-2"])
    assert repeated(wishes) == [
        wire.ClaimOnly(("7c1f", "web-2")),
        wire.PortUp("web-1", True),
        wire.PortUp("web-2", True),
    ]


def test_a_port_that_is_no_longer_claimed_is_not_up() -> None:
    wishes = Wishes()
    wishes.claim_only(["web-1", "web-2"])
    wishes.set_up("web-1", True)
    wishes.set_up("web-2", True)
    wishes.claim_only(["web-2"])
    wishes.release("web-2")
    assert repeated(wishes) == [wire.ClaimOnly(())]
