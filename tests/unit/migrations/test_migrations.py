"""The steps of the schema: one line of them, that leads to the models and back."""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect, text

from northbound.database import make_engine, open_database, upgrade
from northbound.models import Base
from northbound.schema import migrate, migration_config, newest_revision
from southbound.models import metadata as southbound_tables

pytestmark = pytest.mark.processes


ROOT = Path(__file__).parents[3]


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return make_engine(str(tmp_path / "treadle.db"))


def schema(engine: Engine) -> dict[str, object]:
    """All tables with their columns, keys, constraints and indexes."""
    inspector = inspect(engine)
    return {
        table: (
            [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)],
            inspector.get_pk_constraint(table),
            sorted(map(str, inspector.get_foreign_keys(table))),
            sorted(map(str, inspector.get_unique_constraints(table))),
            sorted(map(str, inspector.get_check_constraints(table))),
            sorted(map(str, inspector.get_indexes(table))),
        )
        for table in inspector.get_table_names()
        if table != "alembic_version"
    }


def test_one_head() -> None:
    assert len(ScriptDirectory.from_config(migration_config()).get_heads()) == 1


def test_migrations_lead_to_the_models(engine: Engine) -> None:
    with engine.begin() as connection:
        migrate(connection)
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, [Base.metadata, southbound_tables]) == []


def test_migrations_make_what_the_models_would(engine: Engine, tmp_path: Path) -> None:
    """Names of constraints and deferred keys too, which a comparison passes over."""
    with engine.begin() as connection:
        migrate(connection)
    direct = make_engine(str(tmp_path / "direct.db"))
    for metadata in (Base.metadata, southbound_tables):
        metadata.create_all(direct)
    assert schema(engine) == schema(direct)


def test_up_and_down_and_up(engine: Engine) -> None:
    steps = list(ScriptDirectory.from_config(migration_config()).walk_revisions())
    seen = []
    with engine.begin() as connection:
        migrate(connection)
    top = schema(engine)
    for step in steps:
        seen.append(schema(engine))
        with engine.begin() as connection:
            migrate(connection, step.down_revision or "base")  # type: ignore[arg-type]
    assert schema(engine) == {}
    assert all(seen)
    with engine.begin() as connection:
        migrate(connection)
    assert schema(engine) == top


def test_a_failed_upgrade_leaves_no_trace(engine: Engine) -> None:
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE southbound_template (x)"))
    with pytest.raises(Exception, match="southbound_template already exists"):
        upgrade(str(engine.url.database))
    assert list(schema(engine)) == ["southbound_template"]


def test_migrations_travel_in_the_wheel(tmp_path: Path) -> None:
    """The packages of the wheel alone, without the checkout, set a database up."""
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    (wheel,) = tmp_path.glob("*.whl")
    site = tmp_path / "site"
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
        assert not [name for name in archive.namelist() if name.startswith(("tests/", "bench"))]
    program = "import sys; from northbound.database import upgrade; upgrade(sys.argv[1])"
    subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "treadle.db")],
        cwd=site,
        env={"PYTHONPATH": str(site)},
        check=True,
    )
    open_database(str(tmp_path / "treadle.db")).close()


def test_the_newest_revision_is_named_by_its_file() -> None:
    script = ScriptDirectory.from_config(migration_config())
    assert newest_revision() == script.get_current_head()


def test_a_database_that_is_up_to_date_is_opened_without_alembic(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'treadle.db'}"
    program = (
        "import sys\n"
        "from northbound.database import open_database, upgrade\n"
        f"upgrade({url!r})\n"
        f"open_database({url!r}).close()\n"
        "print('alembic' in sys.modules)\n"
    )
    first, second = (
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        for _ in range(2)
    )
    assert (first.stdout, second.stdout) == ("True\n", "False\n")
