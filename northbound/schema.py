"""The database's schema: its migrations, and whether they fit this program."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

import migrations
from northbound.errors import SchemaMissingError, SchemaOutdatedError, SchemaTooNewError


def migration_config() -> Config:
    """Alembic's configuration, with the migrations that came with this program."""
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    config.set_main_option("path_separator", "os")
    return config


def check_schema(connection: Connection, place: str) -> None:
    """Raise a schema error unless `connection` has exactly this program's schema."""
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
