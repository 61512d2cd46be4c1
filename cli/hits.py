"""``treadle hits``: what an ACL has decided, and where."""

from typing import Annotated, Any
from urllib.parse import quote

import typer

from cli.client import DEFAULT_URL, Client, Token, TokenFile, Url
from cli.output import AsJson, fail, print_json, print_table


def hits(
    acl: Annotated[str, typer.Argument(help="Id of the ACL, or its name if no other has that.")],
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Count the packets that an ACL has decided, every one until now."""
    with Client(url, token, token_file) as client:
        counted = client.get(f"/v1/acls/{quote(_id(client, acl), safe='')}/hits")
    if as_json:
        print_json(counted)
        return
    rows = [("in all", counted), *counted["chassis"].items()]
    print_table(
        ("CHASSIS", "PACKETS", "BYTES", "LAST"), ((name, *_shown(each)) for name, each in rows)
    )
    for chassis, reason in counted["not_counted"].items():
        typer.echo(f"not counted since it last said so: {chassis}, because {reason}")


def _id(client: Client, acl: str) -> str:
    """The id of the ACL that is called `acl`: names of ACLs are free, so several may have it."""
    named = list(client.items("/v1/acls", name=acl))
    if not named:
        return acl
    if len(named) > 1:
        places = (
            f"  {each['id']} of {each['logical_switch'] or each['port_group']}" for each in named
        )
        fail("\n".join([f"several ACLs are called {acl}, so say which by its id:", *places]))
    found: str = named[0]["id"]
    return found


def _shown(counted: dict[str, Any]) -> tuple[str, str, str]:
    return str(counted["packets"]), str(counted["bytes"]), counted["last_hit"] or "not known"
