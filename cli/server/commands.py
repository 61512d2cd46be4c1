"""The commands ``treadle server`` and ``treadle db upgrade``."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from cli.output import ExitCode, fail

if TYPE_CHECKING:
    from cli.server.settings import ServerSettings

Config = Annotated[
    Path | None,
    typer.Option(
        "--config",
        envvar="TREADLE_CONFIG",
        help="Settings file; by default /etc/treadle/treadle.toml, if it is there.",
    ),
]
DatabaseUrl = Annotated[
    str | None, typer.Option("--database", help="URL of the database, or the path of a file.")
]

db = typer.Typer(help="The server's database.", no_args_is_help=True)


def server(
    config: Config = None,
    database: DatabaseUrl = None,
    api_host: Annotated[str | None, typer.Option(help="Where the API listens.")] = None,
    api_port: Annotated[int | None, typer.Option(help="Port of the API.")] = None,
    agents_host: Annotated[str | None, typer.Option(help="Where agents are served.")] = None,
    agents_port: Annotated[int | None, typer.Option(help="Port of the agents.")] = None,
    log_level: Annotated[str | None, typer.Option(help="debug, info, warning or error.")] = None,
) -> None:
    """Serve the API and the chassis agents, until a signal ends it."""
    settings = load_settings(
        config,
        database,
        {
            "api": {"host": api_host, "port": api_port},
            "agents": {"host": agents_host, "port": agents_port},
            "log": {"level": log_level},
        },
    )
    import asyncio

    from incremental import growing

    with growing():
        from cli import logs
        from cli.server.process import serve

    logs.configure(settings.log.level, settings.log.format)
    with reporting_errors():
        asyncio.run(serve(settings))


@db.command("upgrade")
def upgrade_database(config: Config = None, database: DatabaseUrl = None) -> None:
    """Create the database, or bring its schema up to this version."""
    settings = load_settings(config, database)
    from northbound.database import upgrade

    with reporting_errors():
        upgrade(settings.database_url)
    typer.echo("the database is up to date")


@db.command("compact")
def compact_database(config: Config = None, database: DatabaseUrl = None) -> None:
    """Forget what old revisions changed, as `server.history` says, and give the space back.

    A running server forgets by itself; only giving space back needs it stopped.
    """
    settings = load_settings(config, database)
    from cli.server.ownership import owning
    from northbound.database import open_database
    from northbound.retention import Retention, forget, give_back_space

    with reporting_errors(), owning(settings.database_url):
        opened = open_database(settings.database_url)
        try:
            history = settings.history
            changes = sum(forget(opened, Retention(history.revisions, history.days)))
            give_back_space(opened)
        finally:
            opened.close()
    typer.echo(f"{changes} changes of old revisions are forgotten")


def load_settings(
    config: Path | None, database: str | None, options: dict[str, Any] | None = None
) -> "ServerSettings":
    """The server's settings, or the end of the command."""
    from cli.configuration import ConfigurationError, load
    from cli.server.settings import ServerSettings

    if database is not None and "://" not in database:
        database = f"sqlite:///{Path(database).absolute()}"
    try:
        given = {**(options or {}), "database": {"url": database}}
        return load(ServerSettings, path=config, options=given)
    except ConfigurationError as error:
        fail(error, ExitCode.USAGE)


@contextmanager
def reporting_errors() -> Iterator[None]:
    """End the command with the message of what keeps the server or the database from working."""
    from cli.server.errors import ServerError
    from northbound.errors import DatabaseError, DatabaseUrlError, RequestError
    from southbound.errors import SouthboundError

    try:
        yield
    except DatabaseUrlError as error:
        fail(error, ExitCode.USAGE)
    except (DatabaseError, SouthboundError) as error:
        fail(error, ExitCode.UNREACHABLE)
    except (ServerError, RequestError) as error:
        fail(error)
