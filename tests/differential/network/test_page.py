"""The page about these tests lists the intended differences, as they are."""

from pathlib import Path

import pytest

from tests.differential.network.intended import INTENDED

PAGE = Path("docs/differential.md")
BEGIN = "<!-- differences: written by pytest tests/differential/network --update-golden -->\n"
END = "<!-- end of differences -->\n"


def test_the_page_is_current(request: pytest.FixtureRequest) -> None:
    text = PAGE.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    listed = "".join(f"| {each.name} | {each.why} |\n" for each in INTENDED)
    current = f"{before}{BEGIN}\n| difference | why |\n|---|---|\n{listed}\n{END}{after}"
    if request.config.getoption("--update-golden"):
        PAGE.write_text(current)
    assert PAGE.read_text() == current
