"""The command ``treadle``: where all command modules are joined.

A module that brings a group of commands exports ``app`` and is added below with
one line.
"""

from typing import Annotated

import typer

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


if __name__ == "__main__":
    app()
