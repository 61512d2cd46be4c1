"""``treadle revisions``: who changed what, and when."""

from itertools import islice
from typing import Annotated, Any

import typer

from cli.client import DEFAULT_URL, Client, Token, TokenFile, Url
from cli.output import AsJson, print_json, print_table


def revisions(
    revision: Annotated[
        int | None, typer.Argument(help="Show what this revision did; without it, list them.")
    ] = None,
    author: Annotated[str | None, typer.Option(help="Only those by this author.")] = None,
    limit: Annotated[int, typer.Option("--limit", "-n", min=0, help="How many to list.")] = 20,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """List revisions, the newest first, or show what one did."""
    with Client(url, token, token_file) as client:
        if revision is not None:
            one = client.get(f"/v1/revisions/{revision}")
            print_json(one) if as_json else _print_revision(one)
            return
        found = list(islice(client.items("/v1/revisions", author=author), limit))
    if as_json:
        print_json(found)
        return
    print_table(
        ("REVISION", "WHEN", "AUTHOR", "COMMENT"),
        ((each["id"], _when(each), each["author"], each["comment"]) for each in found),
    )


def _print_revision(found: dict[str, Any]) -> None:
    typer.echo(f"revision {found['id']} by {found['author']}, {_when(found)}")
    if found["comment"]:
        typer.echo(f"  {found['comment']}")
    if found["changes"] is None:
        typer.echo("  what it changed is not known any more: it is older than the history kept")
    for change in found["changes"] or ():
        for line in describe_change(change):
            typer.echo(f"  {line}")


def describe_change(change: dict[str, Any]) -> list[str]:
    """A change of one row in words: a line for the row, and one for each field that differs.

    >>> before = {"id": "7", "name": "web", "enabled": True}
    >>> describe_change({"table": "acl", "object_id": "7", "before": None, "after": before})
    ['+ acl web']
    >>> after = {**before, "enabled": False}
    >>> describe_change({"table": "acl", "object_id": "7", "before": before, "after": after})
    ['~ acl web', '    enabled: True -> False']
    """
    before, after = change["before"], change["after"]
    row = after or before or {}
    name = row.get("name") or change["object_id"]
    sign = "+" if before is None else "-" if after is None else "~"
    lines = [f"{sign} {change['table'].replace('_', ' ')} {name}"]
    if before is not None and after is not None:
        lines += [
            f"    {field}: {before.get(field)} -> {value}"
            for field, value in after.items()
            if before.get(field) != value
        ]
    return lines


def _when(revision: dict[str, Any]) -> str:
    return str(revision["created_at"] or "")[:19].replace("T", " ")
