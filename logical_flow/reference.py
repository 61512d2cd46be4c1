"""The tables of ``docs/matches.md``, written from the symbol table."""

from collections.abc import Iterator

from logical_flow.acl import acl_refusal
from logical_flow.fields import SYMBOLS, Access, Field, Predicate, Subfield

_ACCESS = {
    Access.READ_ONLY: "",
    Access.ANYWHERE: "yes",
    Access.INGRESS: "in ingress",
    Access.CT_COMMIT: "in `ct_commit`",
}


def fields_table() -> str:
    """Fields and subfields: width, level, prerequisites, and who may use them how."""
    rows = (
        (
            f"`{symbol.name}`",
            str(symbol.width) if symbol.width else "string",
            _what(symbol),
            _code(symbol.prerequisites or symbol.field.prerequisites),
            _ACCESS[symbol.access],
            "" if acl_refusal(symbol, "to-lport") else "yes",
        )
        for symbol in SYMBOLS.values()
        if isinstance(symbol, Field | Subfield)
    )
    return _table(("field", "bits", "level", "implies", "assignable", "in ACLs"), rows)


def predicates_table() -> str:
    """Predicates, what they stand for, and whether they may be negated."""
    rows = (
        (f"`{symbol.name}`", _code(symbol.expansion), "" if symbol.level == "nominal" else "yes")
        for symbol in SYMBOLS.values()
        if isinstance(symbol, Predicate)
    )
    return _table(("predicate", "stands for", "may be negated"), rows)


def _what(symbol: Field | Subfield) -> str:
    if isinstance(symbol, Field):
        return str(symbol.level)
    high = symbol.low + symbol.width - 1
    bits = f"{symbol.low}" if symbol.width == 1 else f"{symbol.low}..{high}"
    return f"`{symbol.field.name}[{bits}]`"


def _code(text: str) -> str:
    # A bar would end the cell.
    return f"`{text}`".replace("|", "\\|") if text else ""


def _table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
