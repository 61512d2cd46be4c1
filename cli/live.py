"""What live checks found, in lines: how each switch on the way stands, and what it would do."""

from collections.abc import Iterator
from typing import Any

Document = dict[str, Any]
Line = tuple[str, str]
"""Text and its colour."""

_COLOURS = {True: "green", False: "red", None: "yellow"}


def live_lines(live: Document) -> Iterator[Line]:
    """The verdict, or that and each chassis with what differs there."""
    yield f"live: {_headline(live)}", _COLOURS[live["agrees"]]
    for chassis in live["chassis"]:
        yield f"  {chassis['chassis']}: {_standing(chassis)}", _COLOURS[chassis["agrees"]]
        for found in (*chassis["differences"], *chassis["legs"]):
            yield f"    {found['text']}", _COLOURS[found.get("agrees", False)]
        if chassis["more_differences"]:
            yield f"    and {chassis['more_differences']} more differences", "red"


def _headline(live: Document) -> str:
    if not live["chassis"]:
        return str(live["text"])
    if live["agrees"] is None:
        return "the switches could not all be compared with the walk"
    return "the switches do what the walk does" if live["agrees"] else "the switches differ"


def _standing(chassis: Document) -> str:
    if chassis["problem"] is not None:
        return f"can't be asked: {chassis['problem']}"
    synced = "in sync" if chassis["in_sync"] else "not in sync yet"
    count = len(chassis["differences"]) + chassis["more_differences"]
    flows = "the flows that are wanted" if not count else f"{count} flows that differ"
    return f"{synced} with revision {chassis['revision']}, {flows}"
