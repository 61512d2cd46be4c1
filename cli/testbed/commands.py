"""``treadle testbed``: a lab of hypervisors on this machine."""

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from types import FrameType

    from rich.table import Table

    from cli.testbed.build import ProbeResult
    from cli.testbed.lab import Lab

app = typer.Typer(help="A lab of hypervisors on this machine.", no_args_is_help=True)

_DEFAULT = "lab"
Name = Annotated[str, typer.Argument(help="Name of the lab.")]


class _Interrupted(BaseException):
    """The user or init asked the command to end."""


@contextmanager
def _errors_as_messages() -> Iterator[None]:
    """A lab's error ends the command with its message and exit code 1."""
    from cli.testbed.errors import TestbedError

    try:
        yield
    except TestbedError as error:
        typer.echo(f"treadle testbed: {error}", err=True)
        raise typer.Exit(1) from error


@contextmanager
def _interruptible() -> Iterator[None]:
    """SIGINT and SIGTERM become an exception, so that a lab half made is taken down."""

    def interrupt(number: int, _frame: "FrameType | None") -> None:
        raise _Interrupted(signal.Signals(number).name)

    before = {
        number: signal.signal(number, interrupt) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _require_root_and_programs() -> None:
    from cli.testbed.errors import TestbedError
    from cli.testbed.openvswitch import OpenVSwitch

    if os.geteuid() != 0:
        raise TestbedError("a lab makes network namespaces, which takes root")
    missing = OpenVSwitch.missing()
    if missing:
        raise TestbedError(f"not installed: {', '.join(missing)} (package openvswitch-switch)")


@app.command()
def up(
    name: Name = _DEFAULT,
    file: Annotated[
        Path | None, typer.Option(help="A lab file; see examples/demo/lab.yaml.")
    ] = None,
    hypervisors: Annotated[int, typer.Option(min=1, max=200, help="How many, without a file.")] = 3,
) -> None:
    """Make a lab and leave it running."""
    from cli.testbed.build import build
    from cli.testbed.spec import LabSpec, load_spec

    with _errors_as_messages():
        _require_root_and_programs()
        spec = (
            load_spec(file)
            if file
            else LabSpec(hypervisors=tuple(f"hv{n + 1}" for n in range(hypervisors)))
        )
        with _interruptible():
            try:
                lab = build(name, spec, typer.echo)
            except _Interrupted as signal_name:
                typer.echo(f"{signal_name}: the lab was taken down again", err=True)
                raise typer.Exit(130) from None
    _print_status(lab)
    typer.echo(f"Take it down with: treadle testbed down {name}")


@app.command()
def down(name: Name = _DEFAULT) -> None:
    """Stop every process of a lab and remove its namespaces and files."""
    from cli.testbed.lab import Lab

    with _errors_as_messages():
        Lab.open(name).destroy()


@app.command()
def status(name: Name = _DEFAULT) -> None:
    """Show the parts of a lab and whether they run."""
    from cli.testbed.lab import Lab

    with _errors_as_messages():
        _print_status(Lab.open(name))


@app.command(name="exec", context_settings={"ignore_unknown_options": True})
def execute(
    where: Annotated[str, typer.Argument(help="A VM or a hypervisor of the lab.")],
    command: Annotated[list[str], typer.Argument(help="The command and its arguments.")],
    name: Annotated[str, typer.Option(help="Name of the lab.")] = _DEFAULT,
) -> None:
    """Run a command inside a VM, or on a hypervisor with its Open vSwitch at hand."""
    from cli.testbed.lab import Lab

    with _errors_as_messages():
        lab = Lab.open(name)
        environment = dict(os.environ)
        if where in lab.hypervisors:
            hypervisor = lab.hypervisor(where)
            namespace = hypervisor.namespace
            environment |= hypervisor.switch.environment
        else:
            namespace = lab.vm(where).namespace
    done = subprocess.run(namespace.argv(command), env=environment, check=False)  # noqa: S603
    raise typer.Exit(done.returncode)


@app.command()
def demo(
    file: Annotated[Path, typer.Argument(help="A lab file.")] = Path("examples/demo/lab.yaml"),
    exit_after: Annotated[
        bool, typer.Option("--exit", help="End after the probes instead of staying up.")
    ] = False,
    name: Annotated[str, typer.Option(help="Name of the lab.")] = "demo",
) -> None:
    """Make a lab, try its probes, show what happened, and stay up until Ctrl-C."""
    from cli.testbed.build import build, run_probes
    from cli.testbed.spec import load_spec

    with _errors_as_messages():
        _require_root_and_programs()
        spec = load_spec(file)
        with _interruptible():
            try:
                with build(name, spec, typer.echo) as lab:
                    results = run_probes(lab, spec.probes)
                    _print_probes(results)
                    _print_where_to_look(lab, results)
                    if not exit_after:
                        typer.echo("\nUp until Ctrl-C.")
                        signal.pause()
            except _Interrupted:
                typer.echo("\nTaken down; nothing is left behind.")
                return
    if not all(result.as_expected for result in results):
        raise typer.Exit(1)


def _print_probes(results: "list[ProbeResult]") -> None:
    table = _table("What happened", "from", "to", "probe", "outcome", "why", "as expected")
    for result in results:
        probe = result.probe
        what = f"ping IPv{probe.ip}" if probe.tcp is None else f"tcp {probe.tcp} IPv{probe.ip}"
        colour = "green" if result.outcome in ("connected", "answered") else "yellow"
        table.add_row(
            probe.source,
            probe.target,
            what,
            f"[{colour}]{result.outcome}[/]",
            probe.because,
            "yes" if result.as_expected else f"[bold red]NO, not {probe.expect}[/]",
        )
    _print(table)


def _print_where_to_look(lab: "Lab", results: "list[ProbeResult]") -> None:
    url = lab.server.url
    table = _table("Where to look next (in a checkout: ./run treadle …)", "what", "how")
    table.add_row("REST API, documented", f"{url}/docs")
    table.add_row("the network", f"treadle show --url {url}")
    table.add_row("logical flows", f"treadle lflow --url {url}")
    table.add_row("who changed what", f"treadle revisions --url {url}")
    refused = next((each.probe for each in results if each.outcome == "rejected"), None)
    if refused:
        ends = f"{refused.source} {refused.target}"
        table.add_row("why it was refused", f"treadle explain --url {url} {ends} tcp/{refused.tcp}")
        words = f"tcp {refused.source} {refused.target}:{refused.tcp}"
        table.add_row("stage by stage", f"treadle trace --url {url} {words}")
    vm = next(iter(lab.vms), None)
    if vm:
        table.add_row("inside a VM", f"treadle testbed exec --name {lab.name} {vm} -- ping ADDRESS")
    hypervisor = next(iter(lab.hypervisors))
    bridge = lab.hypervisor(hypervisor).switch.management("br-int")
    table.add_row(
        "a switch",
        f"treadle testbed exec --name {lab.name} {hypervisor} -- "
        f"ovs-ofctl -OOpenFlow15 dump-flows {bridge}",
    )
    _print(table)


def _print_status(lab: "Lab") -> None:
    table = _table(f"Lab {lab.name}", "part", "state", "detail")
    for role, process in lab.processes.items():
        state = "[green]running[/]" if process.alive() else "[red]ended[/]"
        table.add_row(role, state, f"pid {process.pid}, log {process.log}")
    for vm in lab.vms.values():
        table.add_row(
            f"VM {vm.name}",
            "",
            f"{' '.join((vm.mac, *vm.state.addresses))} on {vm.state.hypervisor}",
        )
    table.add_row("API", "", lab.server.url)
    _print(table)


def _table(title: str, *columns: str) -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print(table: "Table") -> None:
    from rich.console import Console

    Console().print(table)
