"""``treadle explain``: whether A reaches B, and if not, what is in the way and what helps.

Its exit codes answer, too: 0 yes; 1 no, or with ``--live`` not in the switches; 2 the question
was refused; 3 the server can't be reached; 4 it is not known.
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
NOT_KNOWN = 4
_EXIT_CODES = {"yes": 0, "no": NOT_REACHABLE, "not-known": NOT_KNOWN}
_COLOURS = {"yes": "green", "no": "red", "not-known": "yellow"}
_PROPOSED = {True: "to allow it:", False: "to get further:", None: "what may help:"}
_SIGNS = {True: ("ok", "green"), False: ("no", "red"), None: ("??", "yellow")}


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
    source_port: Annotated[
        int | None,
        typer.Option(
            "--source-port", min=1, max=65535, help="From which port the client asks; else any."
        ),
    ] = None,
    dns_name: Annotated[
        str | None,
        typer.Option(
            "--dns-name",
            help="The name that a DNS query asks for; the destination is the server, "
            "without one that which DHCP tells.",
        ),
    ] = None,
    dns_type: Annotated[
        str, typer.Option("--dns-type", help="Its type: A, AAAA, PTR or ANY.")
    ] = "A",
    length: Annotated[
        int | None,
        typer.Option("--length", help="Bytes of packets with the Ethernet header; else they fit."),
    ] = None,
    fragmented: Annotated[
        bool, typer.Option("--fragmented", help="Packets have to get there in fragments, too.")
    ] = False,
    via_gateway: Annotated[
        bool | None,
        typer.Option(
            "--via-gateway/--direct",
            help="Whether workloads leave also what is for their own subnet to their gateway.",
            show_default=False,
        ),
    ] = None,
    live: Annotated[
        bool, typer.Option("--live", help="Compare with the switches on the way, too.")
    ] = False,
    entry_chassis: Annotated[
        str | None,
        typer.Option(
            "--entry-chassis",
            help="With --live: where a packet comes in that a provider network brings.",
        ),
    ] = None,
    detailed: Annotated[
        bool, typer.Option("--detailed", help="Everything that was checked, and passed.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The server's document.")] = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Explain why one end does not reach another, and what to change. Changes nothing.

    Exit codes: 0 yes, 1 no, 2 a question that is refused, 3 no answer, 4 not known.
    """
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
        "source_port": source_port,
        "length": length,
        "guests": None if via_gateway is None else ("via-gateway" if via_gateway else "direct"),
    }
    given: Document = {name: value for name, value in request.items() if value is not None}
    if live:
        given["live"] = True
    if entry_chassis is not None:
        given["entry_chassis"] = entry_chassis
    if fragmented:
        given["fragmented"] = True
    if dns_name is not None:
        given |= {"dns_name": dns_name, "dns_type": dns_type}
    try:
        with Client(url, token, token_file) as client:
            body = json.dumps(given).encode()
            found = client.document("POST", "/v1/reachability", body=body)
    except typer.Exit as ended:
        # Exit code 1 is the answer no.
        refused = ended.exit_code == ExitCode.REFUSED
        raise typer.Exit(ExitCode.USAGE if refused else ended.exit_code) from None
    if as_json:
        typer.echo(json.dumps(found, indent=2))
    else:
        for text, colour in lines(found, detailed=detailed):
            typer.secho(text, fg=colour or None)
        for text, colour in live_lines(found["live"]) if found["live"] else ():
            typer.secho(text, fg=colour or None)
    if found["live"] and found["live"]["agrees"] is False:
        raise typer.Exit(NOT_REACHABLE)
    raise typer.Exit(_EXIT_CODES[found["answer"]])


def lines(found: Document, *, detailed: bool) -> Iterator[Line]:
    """The checks if asked for, the answer, and what would help."""
    if detailed:
        for check in found["checks"]:
            sign, colour = _SIGNS[check["passed"]]
            yield f"{sign}  {check['text']}", colour
            if check["trace"] is not None:
                yield f"    {check['trace']['inport']}: {check['trace']['packet']}", "bright_black"
                yield f"    {check['trace']['verdict']['text']}", "bright_black"
    yield found["text"], _COLOURS[found["answer"]]
    for obstacle in found["obstacles"]:
        if not found["text"].endswith(obstacle["text"]):
            yield f"also: {obstacle['text']}", "red" if obstacle["certain"] else "yellow"
    yield from assumed(found["assumptions"])
    yield from _proposed(found["proposal"], told=found["assumptions"])


def assumed(assumptions: list[Document]) -> Iterator[Line]:
    """What is taken for granted, and what would be if it were not so."""
    for each in assumptions:
        yield f"assuming that {each['text']}", "bright_black"
        if each["otherwise"] is not None:
            yield f"  otherwise {each['otherwise']}", "yellow"


def _proposed(proposal: Document | None, told: list[Document]) -> Iterator[Line]:
    """What would help, and what that takes for granted beside what is `told` already."""
    if proposal is None:
        return
    yield "", ""
    yield _PROPOSED[proposal["sufficient"]], "yellow"
    for text in proposal["text"]:
        yield f"  {text}", ""
    for text in proposal["remaining"]:
        yield f"then there is this in the way: {text}", "red"
    for text in proposal["breaks"]:
        yield f"but {text}", "red"
    for text in proposal["unknowns"]:
        yield f"whether that is enough is not known, because {text}", "yellow"
    yield from assumed([each for each in proposal["assumptions"] if each not in told])
    if proposal["transaction"] is not None:
        yield "POST /v1/transactions", "yellow"
        for line in json.dumps(proposal["transaction"], indent=2).splitlines():
            yield f"  {line}", ""
    if proposal["packet"] is not None:
        yield "send this packet instead:", "yellow"
        yield f"  {proposal['packet']}", ""
    for command in proposal["commands"]:
        yield f"$ {command}", "yellow"
