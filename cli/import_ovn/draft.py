"""What the parts of an import share: the rows, the names, the report, and Treadle's own judgement.

Whether a value is right is decided by the specs of `northbound` alone. An object of
which a spec refuses a field is left out as a whole: half of an object could let through
what the whole one keeps out. Elements of lists that only let through are left out one by
one, so that one bad element doesn't take along all that hangs on the object.
"""

from collections.abc import Mapping
from typing import Any

from cli.import_ovn.findings import Report
from cli.import_ovn.names import Names
from cli.import_ovn.snapshot import Row, Snapshot
from northbound.errors import InvalidError
from northbound.specs.base import Spec, validate

Values = dict[str, Any]
"""An object as the declarative document has it."""


class Draft:
    """An import under way."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.report = Report()
        self.names = Names(snapshot, self.report)

    def accepted(
        self,
        row: Row,
        spec: type[Spec],
        values: Values,
        columns: Mapping[str, str] | None = None,
        *,
        changes_verdicts: bool = True,
    ) -> Values | None:
        """`values` in canonical form and without defaults; None, and a report, if refused.

        `columns` tells in which column of OVN's a field comes from, where the names differ.
        """
        values = {**values, "external_ids": self._external_ids(row)}
        try:
            return validate(spec, values).model_dump(exclude_defaults=True)
        except InvalidError as error:
            tell = self.report.lost if changes_verdicts else self.report.noted
            for problem in error.problems:
                field = str(problem.path[0]) if problem.path else ""
                tell(row, (columns or {}).get(field, field), f"not imported: {problem}")
            return None

    def accepted_elements(
        self, row: Row, spec: type[Spec], column: str, elements: list[str], others: Values
    ) -> list[str]:
        """Those of `elements` that a spec takes in the field called as `column`.

        `others` are values for the fields that the spec needs besides.
        """
        kept = []
        for element in elements:
            try:
                validate(spec, {**others, column: [element]})
            except InvalidError as error:
                for problem in error.problems:
                    self.report.lost(row, column, f"{element!r} not imported: {problem.reason}")
            else:
                kept.append(element)
        return kept

    def _external_ids(self, row: Row) -> dict[str, str]:
        """Those that Treadle can keep; no packet's way depends on them."""
        kept: dict[str, str] = {}
        for key, value in self.names.external_ids(row).items():
            try:
                validate(Spec, {"external_ids": {key: value}})
            except InvalidError as error:
                reason = error.problems[0].reason
                self.report.noted(row, f"external_ids:{key}", f"not imported: {reason}")
            else:
                kept[key] = value
        return kept
