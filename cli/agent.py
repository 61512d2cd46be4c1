"""``treadle agent``: runs the chassis agent of a hypervisor, and asks a running one."""

import asyncio
import contextlib
import gc
import json
import signal
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import typer

from chassis_agent.settings import AgentSettings
from cli.configuration import ConfigurationError, SectionSettings, load
from cli.logs import configure
from cli.output import ExitCode, fail, print_table

app = typer.Typer(
    help="The agent that programs Open vSwitch on a hypervisor.", no_args_is_help=True
)


class AgentSection(SectionSettings, AgentSettings):
    """The table ``[agent]``."""

    model_config = SectionSettings.model_config
    section: ClassVar[str] = "agent"
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_form: Literal["text", "json"] = "text"


Config = Annotated[
    Path | None, typer.Option("--config", "-c", help="Settings; /etc/treadle/treadle.toml.")
]
StateDirectory = Annotated[
    Path | None, typer.Option(help="Where the agent keeps its cache and its socket.")
]
AsJson = Annotated[bool, typer.Option("--json", help="For programs.")]

_COLLECTION = (20_000, 20, 20)
"""When garbage is collected: after so many new objects, not Python's 700. Flows hold no cycles,
and many that change at once were walked again and again: a third of what they cost."""


@app.command()
def run(
    config: Config = None,
    server: Annotated[str | None, typer.Option(help="ws:// or wss:// address.")] = None,
    ovsdb: Annotated[str | None, typer.Option(help="The Open vSwitch database.")] = None,
    run_directory: Annotated[
        Path | None, typer.Option(help="Where Open vSwitch keeps its sockets.")
    ] = None,
    state_directory: StateDirectory = None,
    system_id: Annotated[str | None, typer.Option(help="The chassis' name.")] = None,
    encap_ip: Annotated[str | None, typer.Option(help="Where tunnels end here.")] = None,
    bridge: Annotated[str | None, typer.Option(help="The integration bridge.")] = None,
    datapath_type: Annotated[str | None, typer.Option(help="system or netdev.")] = None,
    token_file: Annotated[Path | None, typer.Option(help="A file with the bearer token.")] = None,
) -> None:
    """Program this hypervisor's Open vSwitch until told to stop. Flows stay when it stops."""
    settings = _settings(
        config,
        server=server,
        ovsdb=ovsdb,
        run_directory=run_directory,
        state_directory=state_directory,
        system_id=system_id,
        encap_ip=encap_ip,
        bridge=bridge,
        datapath_type=datapath_type,
        token_file=token_file,
    )
    from chassis_agent.errors import AlreadyRunningError, StateDirectoryError

    configure(settings.log_level, settings.log_form)
    try:
        asyncio.run(_run_until_told(settings))
    except* (AlreadyRunningError, StateDirectoryError) as errors:
        fail(errors.exceptions[0])


@app.command()
def status(
    config: Config = None, state_directory: StateDirectory = None, as_json: AsJson = False
) -> None:
    """What the agent of this host is doing."""
    answer = _ask(_settings(config, state_directory=state_directory), "status")
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
        return
    ports = answer.get("ports", {})
    print_table(
        ("", ""),
        [
            ("chassis", answer.get("system_id")),
            ("server", _connection(answer)),
            ("switch", "connected" if answer.get("switch_connected") else "not connected"),
            ("revision", answer["revision"]),
            ("flows", answer.get("flows")),
            ("ports", f"{len(ports.get('up', ()))} up of {len(ports.get('bound', ()))}"),
            ("waiting", len(answer.get("waiting", ()))),
            ("repaired", "; ".join(answer.get("guard", {}).get("last", ())[:3]) or "nothing"),
            ("denied", "; ".join(list(answer.get("denied", {}))[-3:]) or "nothing"),
            ("degraded", "; ".join(map(": ".join, answer["degraded"].items())) or "no"),
            *((f"count of {name}", value) for name, value in answer["counters"].items()),
        ],
    )


@app.command()
def recompute(
    config: Config = None, state_directory: StateDirectory = None, as_json: AsJson = False
) -> None:
    """Compare the agent's flows with a full recomputation and with the switch.

    Changes nothing. Exits with 1 if there are differences.
    """
    answer = _ask(_settings(config, state_directory=state_directory), "recompute")
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
        return
    for line in answer["differences"]:
        typer.echo(line)
    if answer["differences"]:
        raise typer.Exit(ExitCode.REFUSED)
    typer.echo("no differences")


@app.command()
def repair(
    config: Config = None, state_directory: StateDirectory = None, as_json: AsJson = False
) -> None:
    """Repair flows that another program changed, now, and say which they were.

    The agent does so by itself within seconds, unless `agent.repair` is false.
    """
    answer = _ask(_settings(config, state_directory=state_directory), "repair")
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
        return
    for line in answer["repaired"]:
        typer.echo(f"repaired {line}")
    if not answer["repaired"]:
        typer.echo("nothing to repair")


@app.command()
def detrace(
    flow: Annotated[str, typer.Argument(help="A cookie, 0x2a, or a line of ovs-ofctl dump-flows.")],
    config: Config = None,
    state_directory: StateDirectory = None,
    as_json: AsJson = False,
) -> None:
    """Explain an OpenFlow flow by what this agent knows, also while the server is away.

    Of the cookie's logical flows a line leaves those of its table and priority.
    """
    settings = _settings(config, state_directory=state_directory)
    answer = _ask(settings, "detrace", flow)
    if as_json:
        typer.echo(json.dumps(answer, indent=2))
        return
    where = f" on {answer['datapath']}" if answer["flows"] else ""
    since = "" if answer["revision"] is None else f", since revision {answer['revision']}"
    typer.echo(f"{answer['cookie']}: {answer['text']}{where}{since}")
    for text in answer["flows"]:
        typer.echo(f"  {text}")


def _settings(config: Path | None, **options: object) -> AgentSection:
    try:
        return load(AgentSection, path=config, options=options)
    except ConfigurationError as error:
        fail(error, ExitCode.USAGE)


def _connection(answer: dict[str, Any]) -> str:
    if answer["connected"]:
        return "connected"
    return f"not connected: {answer.get('last_error') or 'not started'}"


def _ask(settings: AgentSettings, command: str, *arguments: str) -> Any:
    from chassis_agent.errors import AgentError, RefusedCommandError
    from chassis_agent.status import ask

    try:
        return asyncio.run(ask(settings.status_socket, command, *arguments))
    except RefusedCommandError as error:
        fail(error, ExitCode.REFUSED)
    except AgentError as error:
        fail(error, ExitCode.UNREACHABLE)


async def _run_until_told(settings: AgentSettings) -> None:
    from incremental import growing

    gc.set_threshold(*_COLLECTION)
    with growing():
        from chassis_agent.agent import run_agent

    running = asyncio.current_task()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, lambda: running and running.cancel())
    with contextlib.suppress(asyncio.CancelledError):
        await run_agent(settings)
