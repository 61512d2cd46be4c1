"""The matches of ACLs: which of them OVN itself can read, and what they mean there.

A match stays as it is written, but for names of ports that have another name here. One
that OVN cannot read, or that never fits a packet, does nothing there: its ACL is left out
with a note. One that OVN reads and Treadle refuses is lost, and listed with the place.
"""

from collections.abc import Mapping
from typing import Final

from cli.import_ovn.draft import Draft
from cli.import_ovn.snapshot import Row
from cli.import_ovn.spelling import member_width, set_member
from logical_flow.acl import AclDirection, parse_acl_match
from logical_flow.constants import quote
from logical_flow.errors import LanguageError, TooComplexError, VariableError
from logical_flow.expression import (
    FALSE,
    And,
    Comparison,
    Expression,
    Or,
    all_of,
    any_of,
    leaves,
    set_references,
)
from logical_flow.match_parser import parse_match
from logical_flow.normalise import normalise
from logical_flow.policy import parse_policy_match

FAMILIES: Final = ("_ip4", "_ip6")
"""Of the address sets that a port group brings along."""


class Matches:
    """Reads the matches of one import. `sets` are those that are in the document."""

    def __init__(self, draft: Draft, sets: set[str]) -> None:
        self._draft = draft
        self._sets = sets
        self._known = _sets_of_ovn(draft)
        self._widths = {
            f"${draft.names.of(row)}": max(map(_width, row.texts("addresses")), default=0)
            for row in draft.snapshot.rows("Address_Set")
        }
        self._renamed = {
            quote(row.name): quote(draft.names.of(row))
            for table in ("Logical_Switch_Port", "Logical_Router_Port")
            for row in draft.snapshot.rows(table)
            if not draft.names.is_kept(row)
        }

    def read(self, row: Row) -> str | None:
        """The match of an ACL, or None, and a report, if the ACL is not to be imported."""
        report = self._draft.report
        direction: AclDirection = (
            "from-lport" if row.text("direction") == "from-lport" else "to-lport"
        )
        written = self._with_new_names(row.text("match"))
        try:
            expression = _as_ovn_reads(written)
        except VariableError as error:
            report.lost(row, "match", f"not imported: {_told(error)}")
            return None
        if expression is None:
            found = _refusal(written, direction)
            if _is_balanced(written):
                report.noted(row, "match", f"not imported, and OVN cannot read it: {found}")
            else:
                report.lost(row, "match", f"not imported: {found}")
            return None
        gone = sorted(
            str(each) for each in set_references(expression) if str(each) not in self._known
        )
        if gone:
            place = f"at position {written.find(gone[0])} of {written!r}: there is no {gone[0]}"
            report.noted(row, "match", f"not imported, and OVN passes over it: {place}")
            return None
        unfit = self._unfit(expression)
        if unfit is not None:
            report.noted(row, "match", f"not imported, and OVN cannot read it: {unfit}")
            return None
        if direction == "from-lport":
            reduced = _without_outport(expression)
            if reduced != expression:
                return self._reduced(row, written, reduced)
        return written if self._is_taken(row, written, direction) else None

    def read_policy(self, row: Row) -> str | None:
        """The match of a routing policy, or None, and a report, if it is not to be imported."""
        report = self._draft.report
        written = self._with_new_names(row.text("match"))
        try:
            match = parse_policy_match(written)
        except LanguageError as error:
            report.lost(row, "match", f"not imported: {_told(error)}")
            return None
        if missing := sorted(match.sets - self._known):
            reason = f"not imported, and OVN passes over it: there is no {missing[0]}"
            report.noted(row, "match", reason)
            return None
        if missing := sorted(match.sets - self._sets):
            report.lost(row, "match", f"not imported: {missing[0]} is not imported")
            return None
        return written

    def _unfit(self, expression: Expression) -> str | None:
        """Why OVN refuses a comparison with a set: no field takes a member wider than itself.

        So it is with IPv6 addresses and fields of IPv4. Treadle takes those that fit.
        """
        for comparison in leaves(expression):
            if not isinstance(comparison, Comparison):
                continue
            for constant in comparison.constants:
                width = self._widths.get(str(constant), 0)
                if width > comparison.field.width:
                    return f"{constant} has members too wide for {comparison.field}"
        return None

    def _reduced(self, row: Row, written: str, reduced: Expression) -> str | None:
        """What is left of a from-lport match where no packet has an egress port yet."""
        reason = "no packet has an outport where from-lport ACLs are evaluated"
        if _never_fits(reduced):
            self._draft.report.noted(row, "match", f"not imported, it never fits: {reason}")
            return None
        text = str(reduced)
        if not self._is_taken(row, text, "from-lport"):
            return None
        self._draft.report.noted(row, "match", f"{reason}: {written!r} is imported as {text!r}")
        return text

    def _is_taken(self, row: Row, text: str, direction: AclDirection) -> bool:
        """Whether Treadle takes a match that OVN reads; if not, says so."""
        report = self._draft.report
        try:
            match = parse_acl_match(text, direction)
        except LanguageError as error:
            report.lost(row, "match", f"not imported: {_told(error)}")
            return False
        missing = sorted(match.sets - self._sets)
        if missing:
            place = f"at position {text.find(missing[0])} of {text!r}"
            reason = f"not imported: {place}: {missing[0]} is not imported"
            report.lost(row, "match", reason)
            return False
        left = sorted(quote(port) for port in match.ports if quote(port) in self._renamed)
        if left:
            reason = f"not imported: names {left[0]}, which is {self._renamed[left[0]]} here"
            report.lost(row, "match", reason)
            return False
        if row.text("action") == "reject" and _needs_parentheses(text, direction):
            reason = "OVN 23.03 passes over it beside allow-related; put the match in parentheses"
            report.lost(row, "match", reason)
        return True

    def _with_new_names(self, match: str) -> str:
        for old, new in self._renamed.items():
            match = match.replace(old, new)
        return match


def brought_sets(group: str) -> Mapping[str, str]:
    """The address sets that come with a port group, by the suffix of their name."""
    return {family: f"{group}{family}" for family in FAMILIES}


def _sets_of_ovn(draft: Draft) -> set[str]:
    """All sets that a match in OVN may name; those renamed here can't be written in one."""
    groups = [draft.names.of(row) for row in draft.snapshot.rows("Port_Group")]
    sets = [draft.names.of(row) for row in draft.snapshot.rows("Address_Set")]
    brought = [name for group in groups for name in brought_sets(group).values()]
    return {f"@{name}" for name in groups} | {f"${name}" for name in (*sets, *brought)}


def _width(text: str) -> int:
    member = set_member(text)
    return 0 if member is None else member_width(member) or 0


def _as_ovn_reads(text: str) -> Expression | None:
    """What a match says in OVN, where all of the language's fields are there; None if nothing.

    OVN writes it behind a condition of its own, in parentheses. Raises :class:`VariableError` for
    one that says something else on each chassis.
    """
    try:
        return parse_match(text)
    except VariableError:
        raise
    except LanguageError:
        return None


def _refusal(text: str, direction: AclDirection) -> str:
    """Why OVN can't read a match, and whether it would be one here."""
    try:
        parse_match(text)
    except LanguageError as error:
        return _told(error) + ("; Treadle would heed it" if _is_match(text, direction) else "")
    raise AssertionError(f"{text!r} is refused once, and taken another time")


def _is_match(text: str, direction: AclDirection) -> bool:
    try:
        parse_acl_match(text, direction)
    except LanguageError:
        return False
    return True


def _told(error: LanguageError) -> str:
    return f"at position {error.position} of {error.source!r}: {error.message}"


def _is_balanced(text: str) -> bool:
    """Whether no parenthesis of a match may belong to one that OVN writes around it."""
    depth = 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if depth < 0:
            return False
    return depth == 0


def _without_outport(expression: Expression) -> Expression:
    """`expression` for packets that have no egress port yet, which is not equal to any.

    Names of ports can't be negated, so that there is none below a :class:`Not`.
    """
    if isinstance(expression, Comparison) and expression.field.symbol.name == "outport":
        return FALSE
    if isinstance(expression, And):
        operands = [_without_outport(operand) for operand in expression.operands]
        return FALSE if FALSE in operands else all_of(*operands)
    if isinstance(expression, Or):
        operands = [_without_outport(operand) for operand in expression.operands]
        kept = [operand for operand in operands if operand != FALSE]
        return any_of(*kept) if kept else FALSE
    return expression


def _never_fits(expression: Expression) -> bool:
    try:
        return not normalise(expression)
    except TooComplexError:
        return False


def _needs_parentheses(match: str, direction: AclDirection) -> bool:
    """Whether a match that is right by itself isn't once ``&&`` stands before it.

    OVN 23.03 puts a condition of its own before that of a ``reject``, as it stands.
    """
    try:
        parse_acl_match(f"1 && {match}", direction)
    except LanguageError:
        return True
    return False
