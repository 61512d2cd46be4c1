"""Empty databases for tests, copied from one that went through the migrations."""

import tempfile
from functools import cache
from pathlib import Path

from northbound.database import upgrade


def new_database(file: Path) -> str:
    """Make a SQLite database of the present schema at `file`; returns its URL."""
    file.write_bytes(_migrated())
    return f"sqlite:///{file}"


@cache
def _migrated() -> bytes:
    """The migrations take longer than most tests: they run once in a process."""
    with tempfile.TemporaryDirectory(prefix="treadle-test-") as directory:
        file = Path(directory) / "template.db"
        upgrade(f"sqlite:///{file}")
        return file.read_bytes()
