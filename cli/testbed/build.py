"""Make the lab that a lab file describes."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from cli.testbed.errors import TestbedError
from cli.testbed.lab import Lab
from cli.testbed.spec import LabSpec, Probe
from cli.testbed.vm import Vm


class ProbeResult(NamedTuple):
    probe: Probe
    outcome: str

    @property
    def as_expected(self) -> bool:
        return self.outcome == self.probe.expect


def build(name: str, spec: LabSpec, progress: Callable[[str], None]) -> Lab:
    """Make the lab and wait until every port is up; on an error nothing of it remains."""
    lab = Lab.create(name)
    try:
        progress("starting treadle server")
        lab.start_server()
        for hypervisor in spec.hypervisors:
            progress(f"starting hypervisor {hypervisor}: Open vSwitch and agent")
            lab.add_hypervisor(hypervisor)
        if spec.network is not None:
            progress(f"applying {spec.network.name}")
            apply_document(lab, spec.network)
        for vm in spec.vms:
            progress(f"plugging VM {vm.port} into {vm.hypervisor}")
            lab.add_vm(vm.port, vm.hypervisor)
            for port in vm.listen:
                lab.listen(vm.port, port)
        progress("waiting until all ports are up")
        lab.wait_until_up()
    except BaseException:
        lab.destroy()
        raise
    return lab


def apply_document(lab: Lab, path: Path) -> None:
    """``POST /v1/apply`` of a document, waiting until the agents have it."""
    with lab.server.client() as client:
        answer = client.post(
            "/v1/apply",
            params={"wait": "chassis", "timeout": 30},
            content=path.read_bytes(),
            headers={"content-type": "application/yaml"},
        )
    if not answer.is_success:
        raise TestbedError(f"{path} was refused: {answer.text}")


def run_probes(lab: Lab, probes: Sequence[Probe]) -> list[ProbeResult]:
    return [ProbeResult(probe, _run(lab, probe)) for probe in probes]


def _run(lab: Lab, probe: Probe) -> str:
    source, target = lab.vm(probe.source), lab.vm(probe.target)
    address = _address(target, probe.ip)
    if probe.tcp is None:
        return "answered" if source.ping(address, timeout=2) else "dropped"
    outcome = source.tcp_outcome(address, probe.tcp, timeout=2)
    return {"connected": "connected", "refused": "rejected", "timeout": "dropped"}[outcome]


def _address(vm: Vm, version: int) -> str:
    return vm.ip6 if version == 6 else vm.ip4
