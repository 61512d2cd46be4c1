"""What came of trying remedies."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from diagnosis.answers import Answer, Assumption, AssumptionKind
from diagnosis.explain.remedies.case import Operation, Remedy
from diagnosis.trace.backends import BackendKey


@dataclass
class Tried:
    """Remedies, whether they are `sufficient`, and why that is not known or not so.

    `breaks` is what worked, or may have, and would not any more; `remaining` what is in the
    way still.
    """

    remedies: list[Remedy] = field(default_factory=list)
    sufficient: Answer = Answer.NO
    unknowns: list[str] = field(default_factory=list)
    breaks: list[str] = field(default_factory=list)
    remaining: list[str] = field(default_factory=list)
    assumptions: list[Assumption] = field(default_factory=list)

    @property
    def operations(self) -> tuple[Operation, ...]:
        """Those of all remedies."""
        return tuple(each for remedy in self.remedies for each in remedy.operations)

    @property
    def revived(self) -> frozenset[BackendKey]:
        """The backends that all remedies bring back."""
        return frozenset(each for remedy in self.remedies for each in remedy.revives)

    def keep(self, assumptions: Sequence[Assumption], *, all_kinds: bool = False) -> None:
        """Remember assumptions: before the change, that nobody has the addresses it gives out."""
        for each in assumptions:
            if each not in self.assumptions and (all_kinds or each.kind is AssumptionKind.UNUSED):
                self.assumptions.append(each)
