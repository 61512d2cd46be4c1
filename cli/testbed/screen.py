"""What ``treadle testbed`` prints: a lab's parts, the outcomes of probes, where to look next.

Commands stand on lines of their own, whatever the width of the terminal, and as they have
to be typed: with the name that this program was started by.
"""

import os
import shlex
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from cli.client import DEFAULT_URL
from cli.testbed.state import lab_names

if TYPE_CHECKING:
    from rich.table import Table

    from cli.testbed.build import ProbeResult
    from cli.testbed.lab import Lab

PROGRAM_VARIABLE = "TREADLE_PROGRAM"
"""Set by ``run``, which is how a checkout's program is called."""


def program() -> str:
    """How the user calls this program."""
    return os.environ.get(PROGRAM_VARIABLE, "treadle")


def print_probes(results: "Sequence[ProbeResult]") -> None:
    table = _table("What happened", "from", "to", "probe", "outcome", "why", "as expected")
    for result in results:
        probe = result.probe
        what = f"ping IPv{probe.ip}" if probe.tcp is None else f"tcp {probe.tcp} IPv{probe.ip}"
        if probe.name is not None or probe.address is not None:
            what = f"{what}, {probe.name or probe.address}"
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


def where_to_look(lab: "Lab", results: "Sequence[ProbeResult]") -> Iterator[str]:
    """Lines for another terminal: commands, and what each shows in a comment above it."""
    treadle = program()
    yield "Where to look next, in another terminal:"
    yield ""
    yield f"# the REST API, documented: {lab.server.url}/docs"
    if lab.server.url != DEFAULT_URL:
        yield "# where the commands below find the server"
        yield f"export TREADLE_URL={lab.server.url}"
    yield "# the network, its logical flows, and who changed what"
    yield f"{treadle} show"
    yield f"{treadle} lflow"
    yield f"{treadle} revisions"
    refused = _first(results, "rejected")
    if refused is not None:
        yield "# why a connection was refused, and the same stage by stage"
        ends = f"{refused.probe.source} {refused.probe.target}"
        yield f"{treadle} explain {ends} tcp/{refused.probe.tcp}"
        yield f"{treadle} trace tcp {ends}:{refused.probe.tcp}"
    execute = f"{treadle} testbed exec"
    if lab_names() != [lab.name]:
        execute += f" --name {lab.name}"
    answered = _first(results, "answered")
    if answered is not None:
        yield "# inside a VM"
        yield f"{execute} {answered.probe.source} -- ping -c 3 {answered.address}"
    for hypervisor in list(lab.hypervisors)[:1]:
        yield "# on a hypervisor: its switch, and its agent"
        yield f"{execute} {hypervisor} -- ovs-ofctl dump-flows br-int"
        yield f"{execute} {hypervisor} -- treadle agent status"


def print_status(lab: "Lab") -> None:
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
    for host in lab.outside_hosts.values():
        table.add_row(
            f"outside host {host.name}",
            "",
            f"{' '.join((host.mac, *host.addresses))} on {host.state.network}"
            + ("" if host.state.vlan is None else f", VLAN {host.state.vlan}"),
        )
    table.add_row("API", "", lab.server.url)
    _print(table)


def status_document(lab: "Lab") -> dict[str, Any]:
    """A lab's parts for programs."""
    return {
        "name": lab.name,
        "url": lab.server.url,
        "directory": str(lab.directory),
        "processes": {
            role: {"pid": process.pid, "running": process.alive(), "log": process.log}
            for role, process in lab.processes.items()
        },
        "hypervisors": {
            name: {"tunnel_ip": hypervisor.tunnel_ip, "namespace": hypervisor.namespace.name}
            for name, hypervisor in lab.hypervisors.items()
        },
        "vms": {
            name: {
                "port": vm.state.port,
                "hypervisor": vm.state.hypervisor,
                "namespace": vm.namespace.name,
                "mac": vm.mac,
                "addresses": vm.state.addresses,
            }
            for name, vm in lab.vms.items()
        },
        "outside": {
            name: {
                "network": host.state.network,
                "vlan": host.state.vlan,
                "namespace": host.namespace.name,
                "mac": host.mac,
                "addresses": host.addresses,
            }
            for name, host in lab.outside_hosts.items()
        },
    }


def how_to_reach(lab: "Lab") -> Iterator[str]:
    """Lines that tell how commands find a lab's server, and how the lab ends."""
    yield "Commands find its server after:"
    yield ""
    yield f"export TREADLE_URL={lab.server.url}"
    yield ""
    yield f"Take it down with: {program()} testbed down --name {shlex.quote(lab.name)}"


def _first(results: "Sequence[ProbeResult]", outcome: str) -> "ProbeResult | None":
    return next((result for result in results if result.outcome == outcome), None)


def _table(title: str, *columns: str) -> "Table":
    from rich.table import Table

    table = Table(title=title, title_justify="left", header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def _print(table: "Table") -> None:
    from rich.console import Console

    Console().print(table)
