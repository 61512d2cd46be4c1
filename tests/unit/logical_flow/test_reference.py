"""``docs/matches.md`` says what the symbol table says."""

import re
from pathlib import Path

import pytest

from logical_flow.acl import parse_acl_match
from logical_flow.reference import fields_table, predicates_table

PAGE = Path(__file__).parents[3] / "docs" / "matches.md"


def with_tables(page: str) -> str:
    """The page with its tables written anew."""
    for name, table in (("fields", fields_table()), ("predicates", predicates_table())):
        begin = rf"(<!-- {name}: [^\n]*-->\n).*?(<!-- end -->)"
        page, count = re.subn(
            begin, lambda found, t=table: f"{found[1]}{t}\n{found[2]}", page, flags=re.DOTALL
        )
        assert count == 1
    return page


def test_the_tables_are_current(request: pytest.FixtureRequest) -> None:
    page = PAGE.read_text()
    if request.config.getoption("--update-golden"):
        PAGE.write_text(with_tables(page))
    assert PAGE.read_text() == with_tables(page)


def test_the_examples_are_matches() -> None:
    first_block = PAGE.read_text().split("```")[1]
    for line in first_block.strip().splitlines():
        assert parse_acl_match(line, "from-lport").text
