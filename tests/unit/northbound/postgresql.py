"""A PostgreSQL server of the test's own, on a Unix socket in a directory of its own."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

BINARIES = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@contextmanager
def private_server() -> Iterator[str]:
    """Start a server; the URL of its one database. It refuses root, hence runuser."""
    assert BINARIES, "PostgreSQL is not installed: apt-get install postgresql"
    as_user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    with tempfile.TemporaryDirectory(prefix="treadle-pg-") as directory:
        if as_user:
            shutil.chown(directory, "postgres", "postgres")
        data = Path(directory) / "data"

        def run(program: str, *arguments: str) -> None:
            line = [*as_user, str(BINARIES[-1] / program), "-D", str(data), *arguments]
            log = Path(directory) / f"{program}.log"
            with log.open("w") as output:
                done = subprocess.run(line, stdout=output, stderr=output, cwd=directory)
            if done.returncode:
                raise RuntimeError(f"{program} {arguments} failed:\n{log.read_text()}")

        run("initdb", "-A", "trust", "-U", "treadle", "--no-sync", "-E", "UTF8")
        settings = f"-k {directory} -c listen_addresses= -c fsync=off -c max_connections=30"
        run("pg_ctl", "-w", "-l", f"{directory}/server.log", "-o", settings, "start")
        try:
            yield f"postgresql://treadle@/postgres?host={directory}"
        finally:
            run("pg_ctl", "-w", "-m", "immediate", "stop")
