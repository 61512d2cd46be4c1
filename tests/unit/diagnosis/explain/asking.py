"""Questions whose answer is a no, and doing what is proposed."""

from typing import Any

from tests.unit.diagnosis.explain.conftest import Plugged

Document = dict[str, Any]


async def refused(net: Plugged, **question: Any) -> Document:
    """The answer, which is a no."""
    found: Document = await net.ask(**question)
    assert (found["answer"], found["reachable"]) == ("no", False), found["text"]
    assert found["text"].startswith("no: ")
    return found


async def unknown(net: Plugged, **question: Any) -> Document:
    """The answer, which is neither yes nor no."""
    found: Document = await net.ask(**question)
    assert (found["answer"], found["reachable"]) == ("not-known", None), found["text"]
    assert found["text"].startswith("not known, because ")
    assert found["unknowns"]
    return found


async def allow(net: Plugged, found: Document, **question: Any) -> None:
    """Make the change that is proposed: everything is reachable then, as was told."""
    assert found["proposal"]["sufficient"], found
    again = question
    if found["proposal"]["transaction"] is not None:
        await net.call("POST", "/transactions", found["proposal"]["transaction"])
    if found["proposal"]["packet"] is not None:
        again = {**question, "match": found["proposal"]["packet"]}
    now = await net.ask(**again)
    assert now["reachable"], now["text"]


def first(found: Document) -> tuple[str, str | None]:
    """Kind and object of what is in the way first."""
    obstacle = found["obstacles"][0]
    return obstacle["kind"], obstacle["cause"] and obstacle["cause"]["name"]


A_TO_B = {"source": "a1", "destination": "b1", "service": "tcp/5432"}
