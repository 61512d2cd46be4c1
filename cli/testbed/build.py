"""Make the lab that a lab file describes."""

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from cli.client import problem_lines
from cli.testbed.dhcp_client import resolve
from cli.testbed.errors import TestbedError
from cli.testbed.lab import Lab
from cli.testbed.spec import LabSpec, Probe

_PATIENCE_SECONDS: Final = 20.0


class ProbeResult(NamedTuple):
    """`address` is what was probed of the target."""

    probe: Probe
    address: str
    outcome: str

    @property
    def as_expected(self) -> bool:
        return self.outcome == self.probe.expect


def build(
    name: str, spec: LabSpec, progress: Callable[[str], None], preferred_port: int | None = None
) -> Lab:
    """Make the lab and wait until every port is up; on an error nothing of it remains.

    The API listens on `preferred_port` if that is free. The lab belongs to this process:
    see :meth:`Lab.release`.
    """
    if Lab.remove_abandoned(name):
        progress(f"removed what was left of an earlier lab named {name}")
    lab = Lab.create(name)
    try:
        progress("starting treadle server")
        lab.start_server(preferred_port=preferred_port)
        for hypervisor in spec.hypervisors:
            progress(f"starting hypervisor {hypervisor}: Open vSwitch and agent")
            lab.add_hypervisor(hypervisor)
        for network in spec.provider_networks:
            progress(f"making provider network {network.name}")
            lab.add_provider_network(network.name, network.hypervisors)
        for host in spec.outside:
            progress(f"connecting outside host {host.name}")
            lab.add_outside(
                host.name,
                host.network,
                *host.addresses,
                gateways=host.gateways,
                vlan=host.vlan,
                mac=host.mac,
            )
            for port in host.listen:
                lab.listen(host.name, port)
        if spec.network is not None:
            progress(f"applying {spec.network.name}")
            apply_document(lab, spec.network)
        for vm in spec.vms:
            progress(f"plugging VM {vm.port} into {vm.hypervisor}")
            lab.add_vm(vm.port, vm.hypervisor, by_dhcp=vm.dhcp)
            for port in vm.listen:
                lab.listen(vm.port, port)
        progress("waiting until all ports are up")
        lab.wait_until_up()
        for vm in spec.vms:
            if vm.dhcp:
                told = lab.boot_by_dhcp(vm.port)
                progress(f"VM {vm.port} got {told.address} by DHCP")
    except BaseException:
        lab.destroy()
        raise
    return lab


def apply_document(lab: Lab, path: Path) -> None:
    """``POST /v1/apply`` of a document, waiting until the agents have it."""
    try:
        document = path.read_bytes()
    except OSError as error:
        raise TestbedError(f"{path}: {error.strerror}") from error
    with lab.server.client() as client:
        try:
            answer = client.post(
                "/v1/apply",
                params={"wait": "chassis", "timeout": 30},
                content=document,
                headers={"content-type": "application/yaml"},
            )
        except httpx.HTTPError as error:
            raise TestbedError(f"{path}: no answer from {lab.server.url}: {error}") from error
    if not answer.is_success:
        raise TestbedError(f"{path} was refused: {_reasons(answer)}")


def _reasons(answer: httpx.Response) -> str:
    """What a problem document says, a line each; of anything else its status."""
    if not answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        return f"{answer.status_code} {answer.reason_phrase}"
    return "\n".join(problem_lines(answer.json()))


def run_probes(lab: Lab, probes: Sequence[Probe]) -> list[ProbeResult]:
    addressed = ((probe, _address(lab, probe)) for probe in probes)
    return [
        ProbeResult(probe, address or "", _run(lab, probe, address)) for probe, address in addressed
    ]


def _run(lab: Lab, probe: Probe, address: str | None) -> str:
    """Try a probe; again and again for a while, where an answer is expected and none comes.

    The first packets may get lost: neighbours are asked for, and a busy machine is slow.
    """
    if address is None:
        return "unknown name"
    end = time.monotonic() + _PATIENCE_SECONDS
    while True:
        outcome = _try_once(lab, probe, address)
        if outcome != "dropped" or probe.expect == "dropped" or time.monotonic() > end:
            return outcome


def _try_once(lab: Lab, probe: Probe, address: str) -> str:
    source = lab.host(probe.source)
    if probe.tcp is None:
        return "answered" if source.ping(address, timeout=2) else "dropped"
    outcome = source.tcp_outcome(address, probe.tcp, timeout=2)
    return {"connected": "connected", "refused": "rejected", "timeout": "dropped"}[outcome]


def _address(lab: Lab, probe: Probe) -> str | None:
    """What the probe goes to; None for a name that nothing is known of."""
    if probe.address is not None:
        return probe.address
    if probe.name is not None:
        source = lab.vm(probe.source)
        if not source.state.name_servers:
            raise TestbedError(f"{source.name} was told of no DNS server")
        return resolve(source.namespace, probe.name, source.state.name_servers[0], probe.ip)
    host = lab.host(probe.target)
    return host.ip6 if probe.ip == 6 else host.ip4
