"""Records a database of the present release, for tests of later ones.

Writes ``recorded/<schema>.sqlite.sql`` and ``recorded/<schema>.postgresql.sql`` beside this
file: a network with objects of all kinds, tokens, a history, and realised state without what
the server derives anew when it starts (templates and flows). Run it before the first migration
that comes after a release::

    .venv/bin/python -m tests.unit.migrations.record
"""

import asyncio
import re
import sqlite3
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import yaml
from sqlalchemy import text

from northbound import tokens
from northbound.apply import apply
from northbound.database import Database, open_database, upgrade
from northbound.schema import newest_revision
from northbound.services import ACLS, LOGICAL_SWITCH_PORTS, LOGICAL_SWITCHES, PORT_GROUPS
from southbound.rows import Chassis, Encap
from southbound.state import RealisedState
from southbound.store import Store
from tests.unit.northbound.postgresql import BINARIES, private_server
from tests.unit.northbound.test_apply import SHOP
from translator.runner import Translator

RECORDED = Path(__file__).parent / "recorded"

_DERIVED = ("southbound_template", "southbound_flow_group")


def make_network(database: Database) -> None:
    """Write objects of all kinds, some of them changed, renamed and deleted later."""
    with database.write(author="alice", comment="open the shop") as tx:
        apply(tx, yaml.safe_load(SHOP))
    with database.write(author="bob") as tx:
        lab = LOGICAL_SWITCHES.create(tx, {"name": "lab", "labels": {"team": "lab"}})
        LOGICAL_SWITCHES.create(tx, {"name": "gone"})
        for name in ("lab-1", "lab-2"):
            LOGICAL_SWITCH_PORTS.create(tx, {"name": name, "logical_switch": "lab"})
        PORT_GROUPS.create(tx, {"name": "lab.all", "ports": ["lab-1", "lab-2"]})
        match = "outport == @lab.all && ip4.src == $lab.all_ip4 && ip4.dst != $offices"
        acl = {"direction": "to-lport", "priority": 7, "match": match, "action": "drop"}
        ACLS.create(tx, {"port_group": "lab.all", "name": "shut", **acl})
    with database.write(author="bob") as tx:
        LOGICAL_SWITCH_PORTS.update(tx, "lab-2", {"name": "bench", "requested_chassis": ["hv1"]})
        LOGICAL_SWITCHES.delete(tx, "gone")
    with database.maintain() as session:
        tokens.create(session, name="root", role="admin")
        tokens.create(
            session, name="ops", role="operator", expires_at=datetime(2030, 1, 1, tzinfo=UTC)
        )
        tokens.create(
            session,
            name="hv1",
            role="chassis",
            chassis="hv1",
            hostname="hv1.example.net",
            encap_ips=["192.0.2.11"],
        )
        # Earlier releases let an object be named as another's id.
        session.execute(
            text("UPDATE logical_switch SET name = :id WHERE name = 'db'"), {"id": lab.id}
        )


async def realise(database: Database) -> None:
    """Store realised state, with a chassis on which a port is up."""
    realised = RealisedState(Store(database.engine))
    await realised.load()
    await Translator(database, realised).start()
    facts = realised.facts
    facts.connected(Chassis("hv1", "hv1.example.net", (Encap("geneve", "192.0.2.11"),)))
    facts.claim("hv1", "web-1")
    facts.set_up("hv1", "web-1", up=True)
    await realised.close()


def record(url: str) -> None:
    """Fill the database at `url`."""
    upgrade(url)
    database = open_database(url)
    make_network(database)
    asyncio.run(realise(database))
    database.close()


def sqlite_dump(path: Path) -> Iterator[str]:
    with sqlite3.connect(path) as connection:
        for statement in connection.iterdump():
            if not any(f'INSERT INTO "{table}"' in statement for table in _DERIVED):
                yield statement


def postgresql_dump(directory: str) -> str:
    """Return the dump of the private server in `directory`, without pg_dump's own settings."""
    line = [str(BINARIES[-1] / "pg_dump"), "--inserts", "--no-owner", "-U", "treadle"]
    line += [f"--exclude-table-data={table}" for table in _DERIVED]
    done = subprocess.run(
        [*line, "-h", directory, "postgres"], capture_output=True, text=True, check=True
    )
    settings = re.compile(r"^(--.*|SET .*|SELECT pg_catalog.*|\\.*)?\n", re.MULTILINE)
    statements = settings.sub("", done.stdout)
    return statements.replace("public.", "")


def main() -> None:
    RECORDED.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "treadle.db"
        record(f"sqlite:///{path}")
        file = RECORDED / f"{newest_revision()}.sqlite.sql"
        file.write_text("\n".join(sqlite_dump(path)) + "\n")
    with private_server() as url:
        record(url)
        file = RECORDED / f"{newest_revision()}.postgresql.sql"
        file.write_text(postgresql_dump(url.partition("host=")[2]))


if __name__ == "__main__":
    main()
