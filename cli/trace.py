"""``treadle trace``: what becomes of a packet, and which object decides."""

import json
from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from cli.client import DEFAULT_URL, Client, Token, TokenFile, Url
from cli.files import read_mapping
from cli.live import live_lines
from cli.output import ExitCode, change_lines, fail

Document = dict[str, Any]
Line = tuple[str, str]
"""Text and its colour."""

_COLOURS = {
    "delivered": "green",
    "answered": "cyan",
    "asked": "yellow",
    "dropped": "red",
    "unknown": "yellow",
}
_STEP_COLOURS = {
    "visit": "",
    "crossing": "blue",
    "made": "cyan",
    "noted": "bright_black",
    "delivery": "green",
    "drop": "red",
}


class Connection(StrEnum):
    """What to assume of the packet's connection."""

    NEW = "new"
    ESTABLISHED = "established"
    REPLY = "reply"
    BOTH = "both"


def trace(
    packet: Annotated[
        list[str] | None,
        typer.Argument(
            help="In words: tcp web-1 db-1:5432, or in quotes 'tcp web-1 -> db-1:5432'."
        ),
    ] = None,
    match: Annotated[
        str | None, typer.Option("--match", help="The packet as a match that it fits, instead.")
    ] = None,
    inport: Annotated[
        str | None, typer.Option("--inport", help="Where the packet enters, if not at its source.")
    ] = None,
    length: Annotated[
        int | None,
        typer.Option("--length", help="Its bytes with the Ethernet header; else it fits."),
    ] = None,
    dns_name: Annotated[
        str | None,
        typer.Option("--dns-name", help="The name that a DNS query asks for, if it is one."),
    ] = None,
    dns_type: Annotated[
        str, typer.Option("--dns-type", help="Its type: A, AAAA, PTR or ANY.")
    ] = "A",
    connection: Annotated[
        Connection,
        typer.Option("--connection", help="What the connection tracker knows; both: new, known."),
    ] = Connection.NEW,
    blocked: Annotated[
        bool, typer.Option("--blocked", help="An ACL has stopped the connection since it began.")
    ] = False,
    changes: Annotated[
        list[Path] | None,
        typer.Option(
            "--with",
            help="Assume that this document, or batch of operations, were applied; - is "
            "standard input. May be given several times.",
        ),
    ] = None,
    adopt: Annotated[
        bool, typer.Option("--adopt", help="Let --with take over objects that nobody owns.")
    ] = False,
    via_gateway: Annotated[
        bool,
        typer.Option(
            "--via-gateway", help="Workloads leave what is for their subnet to their gateway, too."
        ),
    ] = False,
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
    summary: Annotated[
        bool, typer.Option("--summary", help="The way and the verdict; so without options.")
    ] = False,
    detailed: Annotated[
        bool, typer.Option("--detailed", help="Every stage, with its flow and its cause.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The server's document.")] = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Trace a packet through the logical flows that are, or would be. Changes nothing."""
    if summary + detailed + as_json > 1:
        fail("give one of --summary, --detailed and --json", ExitCode.USAGE)
    if bool(packet) == (match is not None):
        fail("describe the packet, in words or by --match", ExitCode.USAGE)
    if packet and packet[-1].endswith("-") and len(packet) > 1:
        fail(
            "the shell took the arrow's '>' for the name of a file: leave the arrow out, or quote "
            "the packet, as in 'tcp web-1 -> db-1:5432'",
            ExitCode.USAGE,
        )
    request: Document = {"connection": connection.value}
    request |= {"packet": " ".join(packet)} if packet else {"match": match}
    if inport is not None:
        request["inport"] = inport
    if length is not None:
        request["length"] = length
    if dns_name is not None:
        request |= {"dns_name": dns_name, "dns_type": dns_type}
    if blocked:
        request["blocked"] = True
    if via_gateway:
        request["guests"] = "via-gateway"
    if live:
        request["live"] = True
    if entry_chassis is not None:
        request["entry_chassis"] = entry_chassis
    if changes:
        first, *more = [read_mapping(file) for file in changes]
        request |= {"with": [first, *more] if more else first, "adopt": adopt}
    with Client(url, token, token_file) as client:
        body = json.dumps(request, default=str).encode()
        found = client.document("POST", "/v1/trace", body=body)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    for text, colour in lines(found, _detailed if detailed else _summary):
        typer.secho(text, fg=colour or None)
    for text, colour in live_lines(found["live"]) if found["live"] else ():
        typer.secho(text, fg=colour or None)


def lines(trace: Document, way: Callable[[list[Document], int], Iterator[Line]]) -> Iterator[Line]:
    """The packet, then `way` and verdict for each kind of connection that was assumed."""
    if trace["proposed"] is not None:
        for line in change_lines(trace["proposed"]):
            yield line, "magenta"
        for fault in trace["proposed"]["faults"]:
            yield fault, "red"
    yield trace["packet"], "bright_black"
    for traced in (trace, *trace["alternatives"]):
        if trace["alternatives"]:
            yield f"connection {traced['connection']}:", "bright_black"
        yield from way(traced["steps"], 1)
        yield from _verdict(traced["verdict"])
    for each in trace["assumptions"]:
        yield f"assuming that {each['text']}", "bright_black"


def _summary(steps: list[Document], depth: int) -> Iterator[Line]:
    indent = "  " * depth
    for step in steps:
        if step["kind"] == "visit":
            if step["cause"] is not None and step["cause"]["kind"] == "acl":
                yield f"{indent}{step['datapath']} {step['stage']}: {step['cause']['text']}", ""
        else:
            yield f"{indent}{step['text']}", _STEP_COLOURS[step["kind"]]
        yield from _summary(step["steps"], depth + 1)


def _detailed(steps: list[Document], depth: int) -> Iterator[Line]:
    indent = "  " * depth
    for step in steps:
        yield f"{indent}{step['text']}", _STEP_COLOURS[step["kind"]]
        if step["kind"] == "visit":
            cause = step["cause"]
            if cause is not None:
                by = (
                    "" if cause["author"] is None else f", {cause['author']} in {cause['revision']}"
                )
                if cause["proposed"]:
                    by = ", as proposed"
                cookie = "" if step["group"] is None else f"; cookie {step['group']}"
                yield f"{indent}    # {cause['text']}{by}{cookie}", "bright_black"
            for change in step["changes"]:
                yield f"{indent}    {change}", "yellow"
        yield from _detailed(step["steps"], depth + 1)


def _verdict(verdict: Document) -> Iterator[Line]:
    colour = _COLOURS.get(verdict["outcome"], "")
    yield verdict["text"], colour
    for delivery in verdict["deliveries"]:
        yield f"  {delivery['port']}: {delivery['packet']}", colour
    word = "besides," if verdict["outcome"] == "dropped" else "but"
    for absence in verdict["absences"]:
        yield f"  {word} {absence['text']}", "yellow"
    for hindrance in verdict["hindrances"]:
        doubt = "" if hindrance["certain"] else "it is not known whether it gets on: "
        yield f"  {word} {doubt}{hindrance['text']}", "yellow"
