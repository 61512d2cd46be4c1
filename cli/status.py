"""``treadle status``: how far the last change has come, and what is wrong."""

from collections.abc import Iterator
from typing import Any

import typer

from cli.client import DEFAULT_URL, Client, Token, TokenFile, Url
from cli.output import AsJson, print_json


def status(
    as_json: AsJson = False,
    url: Url = DEFAULT_URL,
    token: Token = None,
    token_file: TokenFile = None,
) -> None:
    """Tell how far the last change has come, and name what is wrong."""
    with Client(url, token, token_file) as client:
        told = client.get("/v1/status")
    if as_json:
        print_json(told)
        return
    for line in _lines(told):
        typer.echo(line)


def _lines(told: dict[str, Any]) -> Iterator[str]:
    yield f"version     {told['version']}"
    yield f"revision    {told['revision']}, translated up to {told['translated_revision']}"
    yield f"flow groups {told['logical_flow_groups']}"
    degraded = told["chassis_degraded"]
    state = f"{told['chassis_alive']} alive" + (f", {degraded} degraded" if degraded else "")
    yield f"chassis     {told['chassis']}, {state}"
    yield f"ports up    {told['ports_up']}"
    if told["trouble"]:
        yield f"translation is not getting on: {told['trouble']}"
    for fault in told["faults"]:
        yield f"fault: {fault['derivation']} {fault['key']}: {fault['message']}"
    for problem in told["chassis_problems"]:
        yield f"chassis {problem['chassis']}: {problem['text']}"
    yield from _others(told, "chassis_problems", "chassis")
    for problem in told["port_problems"]:
        yield f"port {problem['port']}: {problem['text']}"
    yield from _others(told, "port_problems", "ports")
    for problem in told["mtu_problems"]:
        yield f"MTU: {problem['text']}"
    yield from _others(told, "mtu_problems", "MTUs")


def _others(told: dict[str, Any], field: str, what: str) -> Iterator[str]:
    """Yield how many more problems there are than have been named."""
    unnamed = told[f"{field}_total"] - len(told[field])
    if unnamed > 0:
        yield f"{what}: {unnamed} more problems"
