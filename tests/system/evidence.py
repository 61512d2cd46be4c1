"""What switches say of themselves when a test has failed: its lab is gone afterwards."""

from collections.abc import Callable, Iterator

from cli.testbed.errors import TestbedError
from cli.testbed.hypervisor import INTEGRATION_BRIDGE
from cli.testbed.lab import Lab
from cli.testbed.openvswitch import OpenVSwitch

_LINES = 200


def evidence(lab: Lab) -> Iterator[tuple[str, str]]:
    """Yield texts with their titles: connections, cached decisions and groups of each switch."""
    for name, hypervisor in lab.hypervisors.items():
        if not lab.process(f"{name}/ovs-vswitchd").alive():
            continue
        for title, ask in _QUESTIONS.items():
            try:
                text = ask(hypervisor.switch)
            except TestbedError as error:
                text = str(error)
            yield f"{title} of {name}", "\n".join(text.splitlines()[-_LINES:])


_QUESTIONS: dict[str, Callable[[OpenVSwitch], str]] = {
    "connections": lambda switch: switch.appctl("dpctl/dump-conntrack", "-m"),
    "cached decisions": lambda switch: switch.appctl("dpctl/dump-flows", "-m"),
    "groups": lambda switch: switch.ofctl("dump-groups", switch.management(INTEGRATION_BRIDGE)),
}
