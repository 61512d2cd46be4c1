"""``treadle hash-password``: the hash of a password, for the file of the Neutron API's users."""

import sys

import typer

from cli.output import ExitCode, fail


def hash_password() -> None:
    """Ask for a password, or read it from standard input, and print its hash."""
    from api.neutron.auth.passwords import LONGEST_PASSWORD
    from api.neutron.auth.passwords import hash_password as hash_of

    if sys.stdin.isatty():
        password = str(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    else:
        password = sys.stdin.readline(LONGEST_PASSWORD + 2).removesuffix("\n")
    if not password or len(password) > LONGEST_PASSWORD:
        fail(f"a password has 1 to {LONGEST_PASSWORD} characters", ExitCode.USAGE)
    typer.echo(hash_of(password))
