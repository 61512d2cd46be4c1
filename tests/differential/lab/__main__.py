"""The long run: random topologies on real switches, from a seed on.

    python -m tests.differential.lab --topologies 200 --seed 0

Prints every difference that isn't intended, and exits with 1 if there is one. Takes root,
and Debian's openvswitch-switch, ovn-central and ovn-host.
"""

import signal
import tempfile
import time
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from tests.differential.lab.contest import contest


def main(
    topologies: Annotated[int, typer.Option(help="How many.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the first; the others count on.")] = 0,
    services: Annotated[bool, typer.Option(help="Connections, where there are services.")] = False,
) -> None:
    """Send the same packets through Treadle's lab and OVN's."""
    signal.signal(signal.SIGTERM, _interrupt)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as directory, contest(Path(directory)) as labs:
        for each in range(seed, seed + topologies):
            for verdict in labs.connect(each) if services else labs.run(each):
                if verdict.difference:
                    typer.echo(f"seed {each}: {verdict}\n")
        counted = ", ".join(f"{count} {what}" for what, count in labs.counts.items())
    typer.echo(f"{counted} in {time.monotonic() - began:.0f} s")
    if labs.counts["differ"]:
        raise typer.Exit(1)


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    typer.run(main)
