"""What a run of the differential test came to, in numbers."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.differential.network.judge import Verdict


@dataclass
class Tally:
    """How many packets ended how.

    `intended` counts them by the differences they show, `unanswered` by what kept
    ``ovn-trace`` from an answer.
    """

    topologies: int = 0
    packets: int = 0
    agreed: int = 0
    seconds: float = 0.0
    intended: Counter[str] = field(default_factory=Counter)
    unanswered: Counter[str] = field(default_factory=Counter)

    def add(self, verdicts: "Iterable[Verdict]") -> None:
        self.topologies += 1
        for verdict in verdicts:
            self.packets += 1
            if verdict.theirs is None:
                self.unanswered[verdict.unanswered] += 1
            elif verdict.intended:
                self.intended[" + ".join(verdict.intended)] += 1
            elif not verdict.is_failure:
                self.agreed += 1

    def as_document(self) -> dict[str, Any]:
        counts = {"intended": dict(self.intended), "unanswered": dict(self.unanswered)}
        return asdict(self) | counts

    def lines(self) -> Iterable[str]:
        rate = self.packets / self.seconds * 60 if self.seconds else 0
        yield (
            f"{self.topologies} topologies, {self.packets} packets, {rate:.0f} a minute: "
            f"{self.agreed} agree, {self.intended.total()} differ as intended, "
            f"{self.unanswered.total()} without an answer of ovn-trace"
        )
        for told in (self.intended, self.unanswered):
            for text, count in told.most_common():
                yield f"{count:7} {text}"


def total(documents: Iterable[dict[str, Any]]) -> Tally:
    found = Tally()
    for document in documents:
        found.topologies += document["topologies"]
        found.packets += document["packets"]
        found.agreed += document["agreed"]
        found.seconds += document["seconds"]
        found.intended.update(document["intended"])
        found.unanswered.update(document["unanswered"])
    return found
