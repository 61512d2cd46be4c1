"""What an import cannot keep, and whether packets would fare differently for it."""

from dataclasses import dataclass, field
from typing import NamedTuple

from cli.import_ovn.snapshot import Row


class Finding(NamedTuple):
    """One thing that Treadle does not take over as it is."""

    object: str
    column: str
    reason: str
    changes_verdicts: bool
    """Whether some packet may be treated differently without it."""


@dataclass
class Report:
    """The findings of one import, in the order in which they were made."""

    findings: list[Finding] = field(default_factory=list)

    @property
    def losses(self) -> list[Finding]:
        """Those that change verdicts."""
        return [finding for finding in self.findings if finding.changes_verdicts]

    def lost(self, row: Row, column: str, reason: str) -> None:
        self.findings.append(Finding(row.label, column, reason, changes_verdicts=True))

    def noted(self, row: Row, column: str, reason: str) -> None:
        self.findings.append(Finding(row.label, column, reason, changes_verdicts=False))
