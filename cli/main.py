"""The command ``treadle``: where all command modules are joined.

A module that brings a group of commands exports ``app`` and is added below with
one line.
"""

from typing import Annotated

import typer

from cli import agent, apply, detrace, explain, lflow, revisions, show, token, trace
from cli.import_ovn import command as import_ovn
from cli.server import commands as server
from cli.testbed import commands as testbed

app = typer.Typer(
    name="treadle",
    help="Logical switches, routers and ACLs, realised in Open vSwitch.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _print_version(wanted: bool) -> None:
    if wanted:
        from api.version import __version__

        typer.echo(f"treadle {__version__}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version."
        ),
    ] = False,
) -> None:
    """Logical switches, routers and ACLs, realised in Open vSwitch."""


app.command("server")(server.server)
app.add_typer(agent.app, name="agent")
app.add_typer(server.db, name="db")
app.add_typer(token.app, name="token")
app.command("apply")(apply.apply)
app.command("import-ovn")(import_ovn.import_ovn)
app.command("show")(show.show)
app.command("lflow")(lflow.lflow)
app.command("trace")(trace.trace)
app.command("explain")(explain.explain)
app.command("detrace")(detrace.detrace)
app.command("revisions")(revisions.revisions)
app.add_typer(testbed.app, name="testbed")


if __name__ == "__main__":
    app()
