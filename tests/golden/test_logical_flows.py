"""Each directory here holds a network, and the logical flows that it must become.

After a change that is meant, run ``pytest tests/golden --update-golden`` and review
the difference. Numbers of tables are left out: a stage in between is no difference.
"""

import re
from pathlib import Path

import pytest
import yaml

from tests.translated import Translated

_ID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
SCENARIOS = sorted(path.parent for path in Path(__file__).parent.glob("*/network.yaml"))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_logical_flows(scenario: Path, request: pytest.FixtureRequest) -> None:
    text = Translated.of(yaml.safe_load((scenario / "network.yaml").read_text())).text()
    text = re.sub(r"table=\d+\((\w+)\)", r"\1", text)
    # Ids, which sets are called by, are new each time. Sets stand at the end, in their order.
    lines = _ID.sub("…", text).splitlines(keepends=True)
    flows = [line for line in lines if not line.startswith("set ")]
    text = "".join([*flows, *sorted(line for line in lines if line.startswith("set "))])
    golden = scenario / "lflows.txt"
    if request.config.getoption("--update-golden"):
        golden.write_text(text)
    assert text == golden.read_text()
