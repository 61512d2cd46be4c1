"""``treadle lflow``: the logical flows, in the form that ``ovn-sbctl lflow-list`` made known."""

from itertools import groupby
from typing import Annotated, Any

import typer

from cli.client import DEFAULT_URL, Client, Token, TokenFile, Url
from cli.output import AsJson, print_json

_PIPELINES = {
    "ls_in": "switch, ingress",
    "ls_out": "switch, egress",
    "lr_in": "router, ingress",
    "lr_out": "router, egress",
}


def lflow(
    datapath: Annotated[
        str | None, typer.Argument(help="A switch or router; without it, all of them.")
    ] = None,
    stage: Annotated[str | None, typer.Option(help="Only this stage, ls_in_l2_lkup.")] = None,
    pipeline: Annotated[
        str | None, typer.Option(help="Only this pipeline: ls_in, ls_out, lr_in or lr_out.")
    ] = None,
    port: Annotated[str | None, typer.Option(help="Only flows that name this port.")] = None,
    cause: Annotated[
        str | None,
        typer.Option(help="Only flows for this object: acl/ID, logical_switch_port/NAME, …."),
    ] = None,
    why: Annotated[
        bool, typer.Option("--why", help="Tell for each flow the object that it is there for.")
    ] = False,
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """List logical flows: by datapath, pipeline, table, and then priority."""
    with Client(url, token, token_file) as client:
        flows = list(
            client.items(
                "/v1/logical-flows",
                datapath=datapath,
                stage=stage,
                pipeline=pipeline,
                port=port,
                cause=cause,
            )
        )
    if as_json:
        print_json(sorted(flows, key=_order))
        return
    for line in listing(flows, why=why):
        typer.echo(line)


def listing(flows: list[dict[str, Any]], *, why: bool = False) -> list[str]:
    """The lines for some logical flows, whatever their order."""
    lines: list[str] = []
    ordered = sorted(flows, key=_order)
    for (datapath, pipeline), members in groupby(ordered, key=_heading):
        lines.append(f"Datapath: {datapath!r}  Pipeline: {pipeline} ({_PIPELINES[pipeline]})")
        for flow in members:
            reason = f"  # {flow['cause']['kind']}/{flow['cause']['id']}" if why else ""
            lines.append(f"  {flow['text']}{reason}")
    return lines


def _heading(flow: dict[str, Any]) -> tuple[str, str]:
    return flow["datapath"], flow["pipeline"]


def _order(flow: dict[str, Any]) -> tuple[Any, ...]:
    return (
        flow["datapath"],
        list(_PIPELINES).index(flow["pipeline"]),
        flow["table"],
        -flow["priority"],
        flow["match"],
        flow["actions"],
    )
