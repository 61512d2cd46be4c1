"""Ports of the integration bridge, by ``ovs-vsctl``.

An interface belongs to the logical port that its ``external_ids:iface-id`` names. Which
integration made it is in ``external_ids:treadle-owner``; what else an integration has to find
again is in keys of its own there. ``OVS_RUNDIR`` says where Open vSwitch is, as it does for all
tools of it.
"""

import json
import signal
from collections.abc import Mapping
from typing import Any, NamedTuple

from integrations.deadline import Deadline, TimeLimitError
from integrations.host.commands import run, run_json
from integrations.host.errors import CommandFailedError, HostError
from integrations.host.links import is_interface_name

OWNER = "treadle-owner"
INSTALLED = "treadle-installed"
"""What the agent writes once the flows of an interface's port are in the switch."""
_COLUMNS = "name,external_ids,ofport,error"


class BridgePort(NamedTuple):
    """An interface in Open vSwitch's database."""

    name: str
    external_ids: Mapping[str, str]
    ofport: int | None
    """Its number in the switch; None or -1 as long as the switch hasn't it."""
    error: str
    """Why the switch hasn't it, where it says so."""

    @property
    def iface_id(self) -> str | None:
        """The logical port that it is to be."""
        return self.external_ids.get("iface-id")


def add_port(
    bridge: str,
    interface: str,
    iface_id: str,
    owner: str,
    deadline: Deadline,
    *,
    external_ids: Mapping[str, str] | None = None,
    wait: bool = True,
) -> None:
    """Make an interface a port of the bridge, of the logical port `iface_id`.

    One that is there already gets these ids. With `wait` it returns once the switch has dealt
    with it; who waits for the port to be up needn't.
    """
    _check(bridge, interface)
    ids = {"iface-id": iface_id, OWNER: owner, **(external_ids or {})}
    pairs = [f"external_ids:{key}={json.dumps(value)}" for key, value in ids.items()]
    _vsctl(
        ["--may-exist", "add-port", bridge, interface, "--", "set", "Interface", interface, *pairs],
        deadline,
        wait=wait,
    )


def remove_port(bridge: str, interface: str, deadline: Deadline) -> None:
    """Take an interface off the bridge, if it is there."""
    _check(bridge, interface)
    # Without waiting: the switch may be down, and what is not in the database it drops anyway.
    _vsctl(["--if-exists", "del-port", bridge, interface], deadline, wait=False)


def find_ports(
    owner: str, deadline: Deadline, external_ids: Mapping[str, str] | None = None
) -> list[BridgePort]:
    """Return the interfaces of an integration that have all these ids, too."""
    ids = {OWNER: owner, **(external_ids or {})}
    return _find(
        [f"external_ids:{key}={json.dumps(value)}" for key, value in ids.items()], deadline
    )


def find_port(interface: str, deadline: Deadline) -> BridgePort | None:
    """Return one interface by its name, or None if Open vSwitch has none."""
    _check(interface)
    return next(iter(_find([f"name={json.dumps(interface)}"], deadline)), None)


def _find(conditions: list[str], deadline: Deadline) -> list[BridgePort]:
    options = ["--format=json", f"--columns={_COLUMNS}"]
    command = [*_command(deadline), *options, "find", "Interface", *conditions]
    return [
        BridgePort(
            name=row["name"],
            external_ids=dict(row["external_ids"][1]),
            ofport=row["ofport"] if isinstance(row["ofport"], int) else None,
            error=row["error"] if isinstance(row["error"], str) else "",
        )
        for row in _rows(run_json(command, deadline))
    ]


class SwitchFacts(NamedTuple):
    """What Open vSwitch's database tells of a hypervisor."""

    system_id: str | None
    """The name of its chassis, if it has one."""
    integration_bridge: str
    """The bridge that the agent programs, whether it is there or not."""
    datapath_types: Mapping[str, str]
    """By bridge: ``system`` (the kernel's), or ``netdev`` (userspace)."""


def switch_facts(deadline: Deadline) -> SwitchFacts:
    """Ask Open vSwitch what hypervisor this is, and which bridges it has."""
    settings_of = ["--columns=external_ids", "list", "Open_vSwitch"]
    bridges_of = ["--columns=name,datapath_type", "list", "Bridge"]
    command = [*_command(deadline), "--format=json", *settings_of, "--", *bridges_of]
    output = run(command, deadline)
    try:
        settings, bridges = (_rows(json.loads(line)) for line in output.splitlines())
        ids = dict(settings[0]["external_ids"][1]) if settings else {}
    except (ValueError, TypeError, KeyError, IndexError):
        raise HostError("what ovs-vsctl printed is not understood") from None
    return SwitchFacts(
        system_id=ids.get("system-id"),
        # As the agent decides.
        integration_bridge=ids.get("treadle-bridge") or ids.get("ovn-bridge") or "br-int",
        datapath_types={row["name"]: row["datapath_type"] or "system" for row in bridges},
    )


def wait_installed(interface: str, deadline: Deadline) -> None:
    """Wait until the agent has the flows of an interface's port in the switch.

    Raises :class:`TimeLimitError`.
    """
    _check(interface)
    ready = f'external_ids:{INSTALLED}="true"'
    try:
        run([*_command(deadline), "wait-until", "Interface", interface, ready], deadline)
    except TimeLimitError:
        raise _never_installed(interface) from None
    except CommandFailedError as error:
        # With its own time limit ovs-vsctl ends by a signal.
        if error.code == -signal.SIGALRM:
            raise _never_installed(interface) from None
        raise


def _never_installed(interface: str) -> TimeLimitError:
    return TimeLimitError(f"the agent has not made {interface} a port in time")


def system_id(deadline: Deadline) -> str | None:
    """Return the name of this chassis, ``external_ids:system-id``, or None if it has none."""
    argv = [*_command(deadline), "--format=json", "--columns=external_ids", "list", "Open_vSwitch"]
    rows = _rows(run_json(argv, deadline))
    return next((dict(row["external_ids"][1]).get("system-id") for row in rows), None)


def _command(deadline: Deadline) -> list[str]:
    return ["ovs-vsctl", f"--timeout={max(1, round(deadline.left()))}"]


def _vsctl(arguments: list[str], deadline: Deadline, *, wait: bool) -> str:
    return run([*_command(deadline), *([] if wait else ["--no-wait"]), "--", *arguments], deadline)


def _check(*names: str) -> None:
    for name in names:
        if not is_interface_name(name):
            raise HostError(f"{name!r} can't be the name of a bridge or an interface")


def _rows(table: Any) -> list[dict[str, Any]]:
    return [dict(zip(table["headings"], row, strict=True)) for row in table["data"]]
