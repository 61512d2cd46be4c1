"""Real DHCP clients in the namespaces of VMs."""

from collections.abc import Mapping
from pathlib import Path

from cli.testbed.vm import Vm

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


def udhcpc(vm: Vm, directory: Path, *options: str) -> Mapping[str, str]:
    """Run BusyBox's client until it has an address; what it was told, empty without an answer."""
    script = directory / "udhcpc.sh"
    script.write_text(_UDHCPC_SCRIPT.format(result=directory))
    script.chmod(0o755)
    bound = directory / "bound"
    bound.unlink(missing_ok=True)
    vm.namespace.run(
        *("udhcpc", "-i", "eth0", "-n", "-q", "-f", "-t", "3", "-T", "1", "-s", str(script)),
        *options,
        check=False,
    )
    return _environment(bound)


def _environment(path: Path) -> Mapping[str, str]:
    if not path.exists():
        return {}
    pairs = (line.partition("=") for line in path.read_text().splitlines())
    return {name: value for name, _, value in pairs}
