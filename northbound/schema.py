"""The database's schema: its migrations, and whether they fit this program.

A database mostly has this program's schema already. That is told without Alembic, which is
imported only where it has something to do: it is a good part of a server's start.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

import migrations
from northbound.errors import SchemaMissingError, SchemaOutdatedError, SchemaTooNewError

if TYPE_CHECKING:
    from alembic.config import Config

_MIGRATIONS = Path(migrations.__file__).parent
_TABLE = "alembic_version"


def newest_revision() -> str:
    """The revision of the newest migration: the names of their files begin with their numbers."""
    names = (path.name for path in _MIGRATIONS.glob("versions/r*_*.py"))
    return max(name.partition("_")[0].removeprefix("r") for name in names)


def is_current(connection: Connection) -> bool:
    """Whether the database has this program's schema."""
    if not inspect(connection).has_table(_TABLE):
        return False
    found = connection.execute(text(f"SELECT version_num FROM {_TABLE}")).scalars().all()  # noqa: S608
    return list(found) == [newest_revision()]


def migration_config() -> "Config":
    """Alembic's configuration, with the migrations that came with this program."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def check_schema(connection: Connection, place: str) -> None:
    """Raise a schema error unless `connection` has exactly this program's schema."""
    if is_current(connection):
        return
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    script = ScriptDirectory.from_config(migration_config())
    head = script.get_current_head()
    current = MigrationContext.configure(connection).get_current_revision()
    if current == head:
        return
    if current is None:
        raise SchemaMissingError(f"{place} has not been set up: run 'treadle db upgrade'")
    known = {revision.revision for revision in script.walk_revisions()}
    if current in known:
        raise SchemaOutdatedError(
            f"{place} has schema {current}, this program needs {head}: run 'treadle db upgrade'"
        )
    raise SchemaTooNewError(
        f"{place} has schema {current}, which this program (schema {head}) does not know:"
        " it was set up by a newer one"
    )


def migrate(connection: Connection, revision: str = "head") -> None:
    """Bring the schema up (or down) to `revision`, within the transaction of `connection`."""
    if revision == "head" and is_current(connection):
        return
    from alembic import command
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    config = migration_config()
    config.attributes["connection"] = connection
    current = MigrationContext.configure(connection).get_current_revision()
    script = ScriptDirectory.from_config(config)
    known = {known.revision for known in script.walk_revisions()}
    if current is not None and current not in known:
        raise SchemaTooNewError(f"the database has schema {current}, set up by a newer program")
    if revision == "head":
        command.upgrade(config, revision)
    else:
        command.downgrade(config, revision)
