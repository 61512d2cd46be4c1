"""``treadle testbed``: a lab of hypervisors on this machine."""

import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from cli.output import AsJson, ExitCode, fail, print_json

if TYPE_CHECKING:
    from cli.testbed.lab import Lab

app = typer.Typer(help="A lab of hypervisors on this machine.", no_args_is_help=True)

_DEFAULT = "lab"
Name = Annotated[
    str | None, typer.Option("--name", "-n", help="Name of the lab; 'lab', or the only one there.")
]
NameInPlace = Annotated[
    str | None, typer.Argument(metavar="[NAME]", help="The same as --name.", show_default=False)
]
NewName = Annotated[str | None, typer.Option("--name", "-n", help="Name of the lab.")]
Port = Annotated[
    int | None,
    typer.Option(min=1, max=65535, help="Port of the API; by default 6680, or any if taken."),
]

_PROGRAMS = {
    "ovsdb-tool": "openvswitch-switch",
    "ovsdb-server": "openvswitch-switch",
    "ovs-vswitchd": "openvswitch-switch",
    "ovs-vsctl": "openvswitch-switch",
    "ovs-ofctl": "openvswitch-switch",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "ethtool": "ethtool",
    "ping": "iputils-ping",
}
"""What a lab runs, and Debian's package that has it."""


@contextmanager
def _errors_as_messages() -> Iterator[None]:
    """A lab's error, or the system's, ends the command with its message and exit code 1."""
    from cli.testbed.errors import TestbedError

    try:
        yield
    except (TestbedError, OSError) as error:
        fail(error)


def _require_root_and_programs() -> None:
    from cli.testbed.errors import TestbedError

    if os.geteuid() != 0:
        raise TestbedError("a lab makes network namespaces, which takes root")
    missing = [program for program in _PROGRAMS if shutil.which(program) is None]
    if missing:
        packages = sorted({_PROGRAMS[program] for program in missing})
        raise TestbedError(
            f"not installed: {', '.join(missing)} (Debian: apt install {' '.join(packages)})"
        )


@contextmanager
def _taken_down(lab: "Lab") -> Iterator[None]:
    """Take the lab down at the end, whatever ends it."""
    from cli.testbed.interruption import uninterrupted

    try:
        yield
    finally:
        with uninterrupted():
            lab.destroy()


@app.command()
def up(
    name_in_place: NameInPlace = None,
    name: NewName = None,
    file: Annotated[
        Path | None, typer.Option(help="A lab file; see examples/demo/lab.yaml.")
    ] = None,
    hypervisors: Annotated[int, typer.Option(min=1, max=200, help="How many, without a file.")] = 3,
    port: Port = None,
) -> None:
    """Make a lab and leave it running."""
    from cli.testbed.build import build
    from cli.testbed.interruption import Interrupted, interruptible
    from cli.testbed.screen import how_to_reach, print_status
    from cli.testbed.spec import LabSpec, load_spec

    chosen = _one_name(name_in_place, name) or _DEFAULT
    with _errors_as_messages():
        spec = (
            load_spec(file)
            if file
            else LabSpec(hypervisors=tuple(f"hv{n + 1}" for n in range(hypervisors)))
        )
        _require_root_and_programs()
        try:
            with interruptible():
                lab = build(chosen, spec, typer.echo, _preferred_port(port))
                lab.release()
        except Interrupted as interrupted:
            typer.echo(f"{interrupted}: the lab was taken down again", err=True)
            raise typer.Exit(interrupted.exit_code) from None
    print_status(lab)
    for line in how_to_reach(lab):
        typer.echo(line)


@app.command()
def down(name_in_place: NameInPlace = None, name: NewName = None) -> None:
    """Stop every process of a lab and remove its namespaces and files."""
    with _errors_as_messages():
        # Not just any lab that is there: what is taken down is named, or called lab.
        _open(_one_name(name_in_place, name) or _DEFAULT).destroy()


@app.command()
def status(
    name_in_place: NameInPlace = None,
    name: Name = None,
    as_json: AsJson = False,
) -> None:
    """Show the parts of a lab and whether they run."""
    from cli.testbed.screen import print_status, status_document

    with _errors_as_messages():
        lab = _open(_one_name(name_in_place, name))
        if as_json:
            print_json(status_document(lab))
        else:
            print_status(lab)


@app.command(name="exec", context_settings={"ignore_unknown_options": True})
def execute(
    where: Annotated[str, typer.Argument(help="A VM, an outside host or a hypervisor of the lab.")],
    command: Annotated[list[str], typer.Argument(help="The command and its arguments.")],
    name: Name = None,
) -> None:
    """Run a command inside a VM or an outside host, or on a hypervisor with all it has at hand."""
    with _errors_as_messages():
        lab = _open(name)
        environment = dict(os.environ)
        if where in lab.hypervisors:
            hypervisor = lab.hypervisor(where)
            namespace = hypervisor.namespace
            environment |= hypervisor.environment
        else:
            namespace = lab.host(where).namespace
        _become(namespace.argv(command), environment)


@app.command()
def demo(
    file: Annotated[
        Path | None, typer.Argument(help="A lab file; without one, Treadle's own example.")
    ] = None,
    exit_after: Annotated[
        bool, typer.Option("--exit", help="End after the probes instead of staying up.")
    ] = False,
    name: NewName = None,
    port: Port = None,
) -> None:
    """Make a lab, try its probes, show what happened, and stay up until Ctrl-C."""
    from cli.testbed.build import build, run_probes
    from cli.testbed.interruption import Interrupted, interruptible
    from cli.testbed.screen import print_probes, where_to_look
    from cli.testbed.spec import example, load_spec

    waiting = False
    with _errors_as_messages():
        spec = load_spec(file or example())
        _require_root_and_programs()
        try:
            with interruptible():
                lab = build(name or "demo", spec, typer.echo, _preferred_port(port))
                with _taken_down(lab):
                    results = run_probes(lab, spec.probes)
                    print_probes(results)
                    if not exit_after:
                        for line in where_to_look(lab, results):
                            typer.echo(line)
                        typer.echo("\nUp until Ctrl-C.")
                        waiting = True
                        signal.pause()
        except Interrupted as interrupted:
            typer.echo("\nTaken down; nothing is left behind.")
            if not waiting:
                raise typer.Exit(interrupted.exit_code) from None
    if not all(result.as_expected for result in results):
        raise typer.Exit(ExitCode.REFUSED)


def _one_name(in_place: str | None, option: str | None) -> str | None:
    if in_place is not None and option is not None and in_place != option:
        fail(f"is the lab {in_place} or {option}?", ExitCode.USAGE)
    return option if in_place is None else in_place


def _open(name: str | None) -> "Lab":
    """The lab of that name; without one, ``lab``, or the only one there."""
    from cli.testbed.errors import LabNotFoundError
    from cli.testbed.lab import Lab
    from cli.testbed.state import lab_names

    there = lab_names()
    if name is None:
        name = there[0] if len(there) == 1 else _DEFAULT
    try:
        return Lab.open(name)
    except LabNotFoundError:
        others = f"there are: {', '.join(there)}" if there else "there is none at all"
        raise LabNotFoundError(f"no lab named {name} is up; {others}") from None


def _preferred_port(wanted: int | None) -> int:
    """The port that was asked for, or the end of the command; else the one where commands look."""
    from cli.client import DEFAULT_PORT
    from cli.testbed.tcp_ports import claimed

    if wanted is None:
        return DEFAULT_PORT
    with claimed(wanted) as is_free:
        if not is_free:
            fail(f"port {wanted} is taken")
    return wanted


def _become(command: list[str], environment: dict[str, str]) -> NoReturn:
    """Give this process over to `command`, which finds ``treadle`` beside this one."""
    ours = Path(sys.executable).parent
    if (ours / "treadle").exists():
        environment["PATH"] = f"{ours}:{environment.get('PATH', os.defpath)}"
    sys.stdout.flush()
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 - no shell is what is wanted
    except OSError as error:
        fail(f"{command[0]}: {error.strerror}")
