"""``treadle hits``: what an ACL has decided, and where."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.client import DEFAULT_URL, Client, Token, TokenFile, Url
from cli.output import AsJson, print_json, print_table


def hits(
    acl: Annotated[str, typer.Argument(help="Id or unique name of the ACL.")],
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Count the packets that an ACL has decided, every one until now."""
    with Client(url, token, token_file) as client:
        counted = client.get(f"/v1/acls/{quote(acl, safe='')}/hits")
    if as_json:
        print_json(counted)
        return
    rows = [("in all", counted), *counted["chassis"].items()]
    print_table(
        ("CHASSIS", "PACKETS", "BYTES", "LAST"), ((name, *_shown(each)) for name, each in rows)
    )
    for chassis, reason in counted["not_counted"].items():
        typer.echo(f"not counted since it last said so: {chassis}, because {reason}")


def _shown(counted: dict[str, Any]) -> tuple[str, str, str]:
    return str(counted["packets"]), str(counted["bytes"]), counted["last_hit"] or "not known"
