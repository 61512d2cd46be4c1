"""A PostgreSQL server of the test's own, on a Unix socket in a directory of its own."""

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import text

from northbound.database import make_engine

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


OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
    " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


def drop_tables(url: str) -> None:
    """Leave an empty schema in a database, once its earlier connections have ended.

    A dry run's connection drops its temporary views at its end, which comes after its client
    has closed it. Two that drop the same views could each wait for the other.
    """
    engine = make_engine(url)
    end = time.monotonic() + 30
    # Each statement is a transaction of its own: within one, the answer stays the same.
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        while connection.scalar(OTHERS):
            assert time.monotonic() < end, "connections of earlier tests are still open"
            time.sleep(0.01)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
