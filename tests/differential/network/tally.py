"""What a run of the differential test came to, in numbers."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.differential.network.judge import Verdict


@dataclass
class Tally:
    """How many packets ended how; `intended` counts them by the differences they show."""

    topologies: int = 0
    packets: int = 0
    agreed: int = 0
    unanswered: int = 0
    seconds: float = 0.0
    intended: Counter[str] = field(default_factory=Counter)

    def add(self, verdicts: Iterable[Verdict]) -> None:
        self.topologies += 1
        for verdict in verdicts:
            self.packets += 1
            if verdict.theirs is None:
                self.unanswered += 1
            elif verdict.intended:
                self.intended[" + ".join(verdict.intended)] += 1
            elif not verdict.is_failure:
                self.agreed += 1

    def as_document(self) -> dict[str, Any]:
        return asdict(self) | {"intended": dict(self.intended)}

    def lines(self) -> Iterable[str]:
        rate = self.packets / self.seconds * 60 if self.seconds else 0
        yield (
            f"{self.topologies} topologies, {self.packets} packets, {rate:.0f} a minute: "
            f"{self.agreed} agree, {self.intended.total()} differ as intended, "
            f"{self.unanswered} without an answer of ovn-trace"
        )
        for names, count in self.intended.most_common():
            yield f"{count:7} {names}"


def total(documents: Iterable[dict[str, Any]]) -> Tally:
    found = Tally()
    for document in documents:
        found.topologies += document["topologies"]
        found.packets += document["packets"]
        found.agreed += document["agreed"]
        found.unanswered += document["unanswered"]
        found.seconds += document["seconds"]
        found.intended.update(document["intended"])
    return found
