"""``treadle token``: who may use the API, and which agent is which chassis.

These commands open the server's database themselves: a user who can do that needs
no token. It works while the server runs, and before it first does.
"""

from typing import Annotated, Literal

import typer

from cli.output import AsJson, print_json, print_table
from cli.server.commands import Config, DatabaseUrl, load_settings, reporting_errors

app = typer.Typer(help="Tokens for the API and for chassis agents.", no_args_is_help=True)


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="Who will use it: the author of their changes.")],
    role: Annotated[
        Literal["admin", "operator", "viewer", "chassis"],
        typer.Option(help="What it is good for."),
    ],
    chassis: Annotated[
        str | None, typer.Option(help="For the role chassis: the system-id of the one chassis.")
    ] = None,
    hostname: Annotated[
        str | None,
        typer.Option(help="For the role chassis: the only host name that it may have."),
    ] = None,
    encap_ip: Annotated[
        list[str] | None,
        typer.Option(help="For the role chassis: a tunnel address that it may have; repeatable."),
    ] = None,
    project: Annotated[
        str | None,
        typer.Option(help="For the roles operator and viewer: the only project that it is for."),
    ] = None,
    days: Annotated[
        float | None,
        typer.Option(help="After how many days it is no longer good."),
    ] = None,
    config: Config = None,
    database: DatabaseUrl = None,
) -> None:
    """Create a token and print its secret, which cannot be had again."""
    settings = load_settings(config, database)
    from northbound import tokens
    from northbound.database import open_database, upgrade

    with reporting_errors():
        expires_at = None if days is None else tokens.end_of_life(days * 86_400)
        if settings.database_is_embedded:
            upgrade(settings.database_url)
        with open_database(settings.database_url).maintain() as session:
            _, secret = tokens.create(
                session,
                name=name,
                role=role,
                chassis=chassis,
                expires_at=expires_at,
                hostname=hostname,
                encap_ips=encap_ip or (),
                project=project,
            )
    typer.echo(secret)


@app.command("list")
def list_tokens(
    as_json: AsJson = False, config: Config = None, database: DatabaseUrl = None
) -> None:
    """List all tokens, without their secrets."""
    settings = load_settings(config, database)
    from northbound import tokens
    from northbound.database import open_database

    with reporting_errors(), open_database(settings.database_url).read() as reader:
        found = tokens.every(reader)
    if as_json:
        fields = ("id", "name", "role", "project", "chassis", "created_at", "expires_at")
        print_json([{field: getattr(token, field) for field in fields} for token in found])
        return
    print_table(
        (
            "NAME",
            "ROLE",
            "PROJECT",
            "CHASSIS",
            "HOST NAME",
            "TUNNEL ADDRESSES",
            "CREATED",
            "EXPIRES",
        ),
        (
            (
                token.name,
                token.role,
                token.project,
                token.chassis,
                token.hostname,
                ", ".join(token.encap_ips),
                f"{token.created_at:%Y-%m-%d %H:%M}",
                f"{token.expires_at:%Y-%m-%d %H:%M}" if token.expires_at else "never",
            )
            for token in found
        ),
    )


@app.command()
def revoke(
    name: Annotated[str, typer.Argument(help="Name or id of the token.")],
    config: Config = None,
    database: DatabaseUrl = None,
) -> None:
    """End a token: requests are refused at once, connections end within a second or two."""
    settings = load_settings(config, database)
    from northbound import tokens
    from northbound.database import open_database

    with reporting_errors(), open_database(settings.database_url).maintain() as session:
        tokens.delete(session, name)
    typer.echo(f"{name} is revoked")
