"""``treadle detrace``: from a flow in a switch back to the object behind it."""

import json
from typing import Annotated, Any

import typer

from cli.client import DEFAULT_URL, Client, Token, TokenFile, Url
from cli.output import ExitCode, fail
from southbound.cookies import parse_flow_reference


def detrace(
    cookie: Annotated[
        str, typer.Argument(help="A cookie, 0x2a, or a line of ovs-ofctl dump-flows.")
    ],
    as_json: Annotated[bool, typer.Option("--json", help="The server's document.")] = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Explain an OpenFlow flow: its logical flows, their object, revision and author."""
    flow = parse_flow_reference(cookie)
    if flow is None:
        fail(f"no cookie in {cookie!r}", ExitCode.USAGE)
    with Client(url, token, token_file) as client:
        found = client.get(f"/v1/cookies/{flow.cookie:#x}")
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for line in explanation(found):
        typer.echo(line)


def explanation(cookie: dict[str, Any]) -> list[str]:
    """The lines for what the server tells of a cookie."""
    if cookie["kind"] == "physical":
        return [f"{cookie['cookie']}: physical flows, {cookie['text']}"]
    cause = cookie["cause"]
    changed = "" if cause["revision"] is None else f", {cause['author']} in {cause['revision']}"
    since = f"since revision {cookie['revision']} by {cookie['author']}"
    return [
        f"{cookie['cookie']}: {cookie['text']}{changed}",
        f"  flow group {cookie['origin']} on {cookie['datapath']}, {since}",
        *(f"  {flow['text']}" for flow in cookie["flows"]),
    ]
