"""Cases that are kept: a network, packets, and whether the two systems are to agree.

Each is a YAML file in the folder ``cases``. One that says `differs` shows the intended
difference of that name, or several with `` + `` between them; with `sometimes` OVN leaves to
chance whether it is to be seen. The others were bugs once.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import yaml

from tests.differential.network.probe import Probe
from tests.differential.network.topologies import Document

FOLDER = Path(__file__).parent / "cases"
_NEVER_WRAP = 10_000


class Case(NamedTuple):
    document: Document
    probes: list[Probe]
    differs: str | None = None
    sometimes: bool = False

    @property
    def differences(self) -> tuple[str, ...]:
        return () if self.differs is None else tuple(self.differs.split(" + "))


def read_case(file: Path) -> Case:
    content = yaml.safe_load(file.read_text())
    probes = [Probe(**packet) for packet in content["packets"]]
    sometimes = content.get("sometimes", False)
    return Case(content["network"], probes, content.get("differs"), sometimes)


def write_case(file: Path, case: Case) -> None:
    content = {
        **({} if case.differs is None else {"differs": case.differs}),
        **({"sometimes": True} if case.sometimes else {}),
        "packets": [probe._asdict() for probe in case.probes],
        "network": case.document,
    }
    file.write_text(yaml.safe_dump(content, sort_keys=False, width=_NEVER_WRAP))


def case_files() -> Sequence[Path]:
    return sorted(FOLDER.glob("*.yaml"))
