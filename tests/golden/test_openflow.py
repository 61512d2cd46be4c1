"""Each directory here holds a network and who hosts its ports, and the flows this must become.

After a change that is meant, run ``pytest tests/golden --update-golden`` and review
the difference.
"""

import re
from pathlib import Path

import pytest
import yaml

from tests.realised import Realised

SCENARIOS = sorted(path.parent for path in Path(__file__).parent.glob("*/hosts.yaml"))


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda path: path.name)
def test_openflow(scenario: Path, request: pytest.FixtureRequest) -> None:
    document, hosts = (
        yaml.safe_load((scenario / name).read_text()) for name in ("network.yaml", "hosts.yaml")
    )
    realised = Realised.of(document, hosts)
    for chassis in hosts:
        # The number of a group that counts follows from ids, which are new each time.
        text = re.sub(r"\bgroup\(\d{3,}\)", "group(…)", realised.text(chassis))
        # By pipeline: how their tables interleave changes with every stage.
        lines = sorted(text.splitlines(keepends=True), key=_pipeline)
        text = "".join(lines)
        golden = scenario / f"openflow-{chassis}.txt"
        if request.config.getoption("--update-golden"):
            golden.write_text(text)
        assert text == golden.read_text()


def _pipeline(line: str) -> str:
    found = re.match(r"table=(l[sr]_(?:in|out))_", line)
    return found[1] if found else ""
