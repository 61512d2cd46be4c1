"""Real DHCP clients in the namespaces of VMs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Self

from cli.testbed.process import Process, spawn
from cli.testbed.vm import Vm
from cli.testbed.wait import until

_UDHCPC_SCRIPT = """#!/bin/sh
env > "{result}/$1"
case "$1" in
  bound|renew)
    ip address replace "$ip/$mask" dev "$interface"
    for gateway in $router; do ip route replace default via "$gateway" dev "$interface"; break; done
    ;;
  deconfig) ip -4 address flush dev "$interface" ;;
esac
"""


def udhcpc(vm: Vm, directory: Path, *options: str, attempts: int = 20) -> Mapping[str, str]:
    """Run BusyBox's client until it has an address; what it was told, empty without an answer."""
    script = directory / "udhcpc.sh"
    script.write_text(_UDHCPC_SCRIPT.format(result=directory))
    script.chmod(0o755)
    bound = directory / "bound"
    bound.unlink(missing_ok=True)
    vm.namespace.run(
        *("udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", str(attempts)),
        *("-T", "1", "-s", str(script)),
        *options,
        check=False,
    )
    return _environment(bound)


_DHCLIENT_SCRIPT = """#!/bin/sh
env > "{result}/$reason.new" && mv "{result}/$reason.new" "{result}/$reason"
case "$reason" in
  BOUND|RENEW|REBIND|REBOOT)
    ip address replace "$new_ip_address/$new_subnet_mask" dev "$interface" ;;
  BOUND6|RENEW6|REBIND6)
    [ -z "$new_ip6_address" ] || ip address replace "$new_ip6_address/64" dev "$interface" nodad ;;
esac
"""


class Dhclient:
    """ISC's client on a VM's interface, until the context ends.

    What its script was told for each reason is in `told`.
    """

    def __init__(self, vm: Vm, directory: Path, *options: str) -> None:
        self.vm = vm
        self._directory = directory
        self._script = directory / "dhclient.sh"
        self._options = options
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self._script.write_text(_DHCLIENT_SCRIPT.format(result=self._directory))
        self._script.chmod(0o755)
        command = ("dhclient", "-d", *self._settings(), "eth0")
        log = self._directory / "dhclient.log"
        self._process = spawn("dhclient", self.vm.namespace.argv(command), log)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.stop()

    def wait_for(self, reason: str, seconds: float = 30) -> Mapping[str, str]:
        """Wait until its script was run for a reason; what it was told then."""
        until(lambda: (self._directory / reason).exists(), f"{reason} of dhclient", seconds)
        return _environment(self._directory / reason)

    def release(self) -> None:
        """Have it give up its lease; it waits for the answer, if there is to be one."""
        self.vm.namespace.run("dhclient", "-r", *self._settings(), "eth0", check=False)

    def _settings(self) -> tuple[str, ...]:
        files = ("-lf", "-pf", "-cf")
        (self._directory / "-cf").touch()
        paths = [part for flag in files for part in (flag, str(self._directory / flag))]
        return (*self._options, *paths, "-sf", str(self._script))


def _environment(path: Path) -> Mapping[str, str]:
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines())
    return {name: value for name, _, value in pairs}
