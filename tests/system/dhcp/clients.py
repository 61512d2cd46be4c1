"""Real DHCP clients in the namespaces of VMs."""

import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from cli.testbed.host import Host
from cli.testbed.process import Process, spawn
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


def udhcpc(vm: Host, directory: Path, *options: str, attempts: int = 20) -> Mapping[str, str]:
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
  BOUND|BOUND6) mv "{result}/decline" "{result}/declined" 2> /dev/null && exit 3 ;;
esac
case "$reason" in
  BOUND|RENEW|REBIND|REBOOT)
    ip address replace "$new_ip_address/$new_subnet_mask" dev "$interface" ;;
  BOUND6|RENEW6|REBIND6)
    [ -z "$new_ip6_address" ] || ip address replace "$new_ip6_address/64" dev "$interface" nodad ;;
  EXPIRE|FAIL|STOP|RELEASE) ip -4 address flush dev "$interface" ;;
  DEPREF6) ip address change "$cur_ip6_address/64" dev "$interface" preferred_lft 0 ;;
  EXPIRE6|STOP6|RELEASE6) ip address delete "$old_ip6_address/64" dev "$interface" ;;
esac
exit 0
"""


class Dhclient:
    """ISC's client on a VM's interface, until the context ends.

    What its script was told for each reason, the last time, is in `told`. A lease that it has been
    granted outlives it: one that is started in the same directory begins with that.
    """

    def __init__(self, vm: Host, directory: Path, *options: str, settings: str = "") -> None:
        self.vm = vm
        self._directory = directory
        self._script = directory / "dhclient.sh"
        self._options = options
        self._settings = settings
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self._script.write_text(_DHCLIENT_SCRIPT.format(result=self._directory))
        self._script.chmod(0o755)
        (self._directory / "-cf").write_text(self._settings)
        command = ("dhclient", "-d", *self._arguments(), "eth0")
        self._process = spawn("dhclient", self.vm.namespace.argv(command), self._log)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.stop()
        self.vm.namespace.ip("address", "flush", "dev", "eth0", "scope", "global")

    def told(self, reason: str) -> Mapping[str, str]:
        """What its script was told when it was last run for a reason; empty if it never was."""
        return _environment(self._directory / reason)

    def wait_for(self, *reasons: str, **values: str) -> Mapping[str, str]:
        """Wait until its script was run for one of these reasons, and told these values.

        Returns all that it was told then.
        """
        found: list[Mapping[str, str]] = []

        def is_told() -> bool:
            each_time = filter(None, map(self.told, reasons))
            found[:] = (told for told in each_time if values.items() <= told.items())
            return bool(found)

        until(is_told, f"{' or '.join(reasons)} of dhclient, with {values}")
        return found[0]

    def declines_first(self) -> None:
        """Have it find that somebody else has the address, the next time that it gets one."""
        (self._directory / "decline").touch()

    def said(self, message: str) -> bool:
        """Whether a message that it has sent or received is in its log."""
        return message in self._log.read_text()

    def release(self) -> None:
        """Have it give up its lease; it waits for the answer, if there is to be one."""
        self.vm.namespace.run("dhclient", "-r", *self._arguments(), "eth0", check=False)

    @property
    def _log(self) -> Path:
        return self._directory / "dhclient.log"

    def _arguments(self) -> tuple[str, ...]:
        paths = [part for flag in _FILES for part in (flag, str(self._directory / flag))]
        return (*self._options, *paths, "-sf", str(self._script))


_FILES = ("-lf", "-pf", "-cf")

_IN_ITS_OWN_ETC = 'mount --bind "$0" /etc && exec "$@"'


@contextmanager
def dhclient_of_debian(vm: Host, directory: Path) -> Iterator[Path]:
    """ISC's client as Debian installs it, with its settings and script, until the context ends.

    Returns the directory that it takes for ``/etc``.
    """
    etc = directory / "etc"
    shutil.copytree("/etc", etc, symlinks=True)
    files = [part for flag in ("-lf", "-pf") for part in (flag, str(directory / flag))]
    dhclient = ("dhclient", "-d", "-4", *files, "eth0")
    command = ("unshare", "--mount", "--uts", "sh", "-c", _IN_ITS_OWN_ETC, str(etc), *dhclient)
    process = spawn("dhclient", vm.namespace.argv(command), directory / "dhclient.log")
    try:
        yield etc
    finally:
        process.stop()
        vm.namespace.ip("address", "flush", "dev", "eth0", "scope", "global")


_DHCPCD_SCRIPT = """#!/bin/sh
env > "{result}/$reason.new" && mv "{result}/$reason.new" "{result}/$reason"
"""

_WITH_FILES_OF_ITS_OWN = """
mkdir -p /run/dhcpcd /var/lib/dhcpcd
mount -t tmpfs none /run/dhcpcd && mount -t tmpfs none /var/lib/dhcpcd && exec "$@"
"""


class Dhcpcd:
    """Marples' client on a VM's interface, which does as routers tell it, until the context ends.

    Addresses and routes are its own business: no kernel makes them beside it.
    """

    def __init__(self, vm: Host, directory: Path) -> None:
        self.vm = vm
        self._directory = directory
        self._process: Process | None = None

    def __enter__(self) -> Self:
        script, settings = self._directory / "dhcpcd.sh", self._directory / "dhcpcd.conf"
        script.write_text(_DHCPCD_SCRIPT.format(result=self._directory))
        script.chmod(0o755)
        settings.write_text("ipv6only\nslaac hwaddr\noption dhcp6_name_servers\n")
        dhcpcd = ("dhcpcd", "-B", "-d", "-f", str(settings), "-c", str(script), "eth0")
        command = ("unshare", "--mount", "sh", "-c", _WITH_FILES_OF_ITS_OWN, "sh", *dhcpcd)
        log = self._directory / "dhcpcd.log"
        self._process = spawn("dhcpcd", self.vm.namespace.argv(command), log)
        return self

    def __exit__(self, *_: object) -> None:
        if self._process is not None:
            self._process.stop()

    def wait_for(self, reason: str) -> Mapping[str, str]:
        """Wait until its script was run for a reason; all that it was told then."""
        told = self._directory / reason
        until(told.exists, f"{reason} of dhcpcd")
        return _environment(told)


def _environment(path: Path) -> Mapping[str, str]:
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines())
    return {name: value for name, _, value in pairs}
