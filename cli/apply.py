"""``treadle apply``: make the network what a file says."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from cli.client import DEFAULT_URL, Client, Project, Token, TokenFile, Url
from cli.files import read_file
from cli.output import AsJson, change_lines, print_json


def apply(
    file: Annotated[Path, typer.Argument(help="A YAML or JSON document; - is standard input.")],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only tell what would be done.")
    ] = False,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Take over objects that nobody owns.")
    ] = False,
    wait: Annotated[
        Literal["translated", "chassis", "up"] | None,
        typer.Option(help="Come back only once the change has reached that far."),
    ] = None,
    timeout: Annotated[float, typer.Option(help="Seconds to wait at most.")] = 30.0,
    comment: Annotated[str, typer.Option(help="Why: kept with the revision.")] = "",
    project: Project = None,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Make the network what FILE says: create, change and delete, all or nothing."""
    with Client(url, token, token_file) as client:
        result = client.document(
            "POST",
            "/v1/apply",
            query={
                "dry_run": dry_run,
                "adopt": adopt,
                "wait": None if dry_run else wait,
                "timeout": timeout,
                "comment": comment or None,
                "project": project,
            },
            body=read_file(file),
            media_type="application/yaml",
        )
    print_json(result) if as_json else print_result(result)


def print_result(result: Mapping[str, Any]) -> None:
    """Tell what applying a document did, or would do."""
    for line in change_lines(result):
        typer.echo(line)
    if result["dry_run"]:
        typer.echo(f"{result['document']}: nothing was written, this was a dry run")
    elif result["changed"]:
        typer.echo(f"{result['document']}: revision {result['revision']}")
    else:
        typer.echo(f"{result['document']}: nothing to do, the network is so already")
