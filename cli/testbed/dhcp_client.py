"""What a host is told when it asks for its address by DHCP, and what names stand for to it.

As guests do, with BusyBox's client, and its lookup of names by the servers that DHCP told of.
"""

import ipaddress
import re
import shutil
from pathlib import Path
from typing import NamedTuple

from cli.testbed.errors import TestbedError
from cli.testbed.namespace import Namespace

_SCRIPT = """#!/bin/sh
[ "$1" = bound ] && env > "{answer}"
exit 0
"""


class Told(NamedTuple):
    """An address with its prefix length, gateways and DNS servers, the preferred ones first."""

    address: str
    gateways: tuple[str, ...]
    name_servers: tuple[str, ...] = ()


def ask(namespace: Namespace, directory: Path, what: str) -> Told:
    """Ask for an IPv4 address on `eth0` of a namespace; files of it are in `directory`.

    Raises :class:`TestbedError` without an answer, or without a client to ask with; `what` asks.
    """
    client = _client()
    directory.mkdir(parents=True, exist_ok=True)
    answer, script = directory / "answer", directory / "script"
    answer.unlink(missing_ok=True)
    script.write_text(_SCRIPT.format(answer=answer))
    script.chmod(0o700)
    namespace.run(
        *(*client, "-i", "eth0", "-n", "-q", "-f", "-t", "20", "-T", "1", "-s", str(script)),
        check=False,
    )
    if not answer.exists():
        raise TestbedError(f"{what} asked for its address by DHCP, and got no answer")
    lines = (line.partition("=") for line in answer.read_text().splitlines())
    said = {name: value for name, _, value in lines}
    return Told(
        f"{said['ip']}/{said['mask']}",
        tuple(said.get("router", "").split()),
        tuple(said.get("dns", "").split()),
    )


def resolve(namespace: Namespace, name: str, server: str, version: int) -> str | None:
    """Return the address of that version which a name stands for to a DNS server, if any does.

    Raises :class:`TestbedError` without a program to ask with.
    """
    if shutil.which("busybox") is None:
        raise TestbedError("a probe of a name needs BusyBox, which Debian's udhcpc brings along")
    printed = namespace.run("busybox", "nslookup", name, server, timeout=20, check=False)
    # What comes before is the server's own address.
    answers = printed.partition("Name:")[2]
    for text in re.findall(r"Address(?: \d+)?:\s*([0-9a-fA-F.:]+)", answers):
        address = ipaddress.ip_address(text)
        if address.version == version:
            return str(address)
    return None


def _client() -> tuple[str, ...]:
    if shutil.which("udhcpc"):
        return ("udhcpc",)
    if shutil.which("busybox"):
        return ("busybox", "udhcpc")
    raise TestbedError("a VM with dhcp needs udhcpc, which Debian has in the package of that name")
