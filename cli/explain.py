"""``treadle explain``: whether A reaches B, and if not, what is in the way and what helps.

Its exit codes answer, too: 0 reachable, 1 not, or with ``--live`` not in the switches, 2
the question could not be answered.
"""

import json
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from cli.client import DEFAULT_URL, Client, Token, TokenFile, Url
from cli.live import live_lines
from cli.output import ExitCode, fail

Document = dict[str, Any]
Line = tuple[str, str]
"""Text and its colour."""

NOT_REACHABLE = 1


def explain(
    source: Annotated[str | None, typer.Argument(help="A logical port, or an address.")] = None,
    destination: Annotated[
        str | None, typer.Argument(help="A logical port, or an address.")
    ] = None,
    service: Annotated[
        str | None, typer.Argument(help="tcp/443, udp/53, sctp/5060 or icmp.")
    ] = None,
    match: Annotated[
        str | None,
        typer.Option(
            "--match",
            help="The packet as a match that it fits, instead; "
            "the only argument is then the port that it should get to.",
        ),
    ] = None,
    inport: Annotated[
        str | None, typer.Option("--inport", help="Where it enters, if not at its source.")
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Compare with the switches on the way, too.")
    ] = False,
    detailed: Annotated[
        bool, typer.Option("--detailed", help="Everything that was checked, and passed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The server's document.")] = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Explain why one end does not reach another, and what to change. Changes nothing."""
    if detailed and as_json:
        fail("give one of --detailed and --json", ExitCode.USAGE)
    if match is not None and destination is None:
        source, destination = None, source
    request = {
        "source": source,
        "destination": destination,
        "service": service,
        "match": match,
        "inport": inport,
    }
    given: Document = {name: value for name, value in request.items() if value is not None}
    if live:
        given["live"] = True
    try:
        with Client(url, token, token_file) as client:
            body = json.dumps(given).encode()
            found = client.request("POST", "/v1/reachability", body=body).json()
    except typer.Exit:
        raise typer.Exit(ExitCode.USAGE) from None
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        for text, colour in lines(found, detailed=detailed):
            typer.secho(text, fg=colour or None)
        for text, colour in live_lines(found["live"]) if found["live"] else ():
            typer.secho(text, fg=colour or None)
    if not found["reachable"] or (found["live"] and found["live"]["agrees"] is False):
        raise typer.Exit(NOT_REACHABLE)


def lines(found: Document, *, detailed: bool) -> Iterator[Line]:
    """The checks if asked for, the answer, and what would help."""
    if detailed:
        for check in found["checks"]:
            sign, colour = ("ok", "green") if check["passed"] else ("no", "red")
            yield f"{sign}  {check['text']}", colour
            if check["trace"] is not None:
                yield f"    {check['trace']['inport']}: {check['trace']['packet']}", "bright_black"
                yield f"    {check['trace']['verdict']['text']}", "bright_black"
    yield found["text"], "green" if found["reachable"] else "red"
    for obstacle in found["obstacles"][1:]:
        yield f"also: {obstacle['text']}", "red"
    yield from _proposed(found["proposal"])


def _proposed(proposal: Document | None) -> Iterator[Line]:
    if proposal is None:
        return
    yield "", ""
    yield "to allow it:" if proposal["sufficient"] else "to get further:", "yellow"
    for text in proposal["text"]:
        yield f"  {text}", ""
    if proposal["transaction"] is not None:
        yield "POST /v1/transactions", "yellow"
        for line in json.dumps(proposal["transaction"], indent=2).splitlines():
            yield f"  {line}", ""
    if proposal["packet"] is not None:
        yield "send this packet instead:", "yellow"
        yield f"  {proposal['packet']}", ""
    for command in proposal["commands"]:
        yield f"$ {command}", "yellow"
