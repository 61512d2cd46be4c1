"""The lab file: hypervisors, the network, VMs, and probes with their expected outcome.

A YAML file such as ``examples/demo/lab.yaml``::

    hypervisors: [hv1, hv2]
    network: network.yaml          # a document for `treadle apply`, beside this file
    vms:
      - {port: web-1, hypervisor: hv1, listen: [80]}
      - {port: db-1, hypervisor: hv2}
    probes:
      - {from: db-1, to: web-1, tcp: 80, expect: connected}
      - {from: web-1, to: db-1, expect: dropped, because: ACL drop-all of port group db}
"""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from api.errors import TooComplexError, UnreadableBodyError
from api.yaml_text import parse_yaml
from cli.testbed.errors import TestbedError

Outcome = Literal["connected", "answered", "rejected", "dropped"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class VmSpec(_Part):
    """A VM on a hypervisor, plugged in as a logical switch port; `listen` are TCP ports."""

    port: str
    hypervisor: str
    listen: tuple[int, ...] = ()


class Probe(_Part):
    """A ping, or a TCP connect when `tcp` is given, from one VM to another's address."""

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    tcp: int | None = None
    ip: Literal[4, 6] = 4
    expect: Outcome
    because: str = ""


class LabSpec(_Part):
    """A whole lab file."""

    hypervisors: tuple[str, ...] = ("hv1", "hv2", "hv3")
    network: Path | None = None
    vms: tuple[VmSpec, ...] = ()
    probes: tuple[Probe, ...] = ()

    @model_validator(mode="after")
    def _names_are_known(self) -> "LabSpec":
        ports = {vm.port for vm in self.vms}
        for vm in self.vms:
            if vm.hypervisor not in self.hypervisors:
                raise ValueError(f"VM {vm.port} is on {vm.hypervisor}, which is no hypervisor here")
        for probe in self.probes:
            for name in (probe.source, probe.target):
                if name not in ports:
                    raise ValueError(f"a probe names {name}, which is no VM here")
        return self


def load_spec(path: Path) -> LabSpec:
    """Read a lab file; `network` is taken relative to it.

    Raises :class:`TestbedError` that names the file, the field and the reason.
    """
    try:
        values = parse_yaml(path.read_text(encoding="utf-8"))
        spec = LabSpec.model_validate({} if values is None else values)
    except (OSError, UnicodeDecodeError, UnreadableBodyError, TooComplexError) as error:
        raise TestbedError(f"{path}: {error}") from error
    except ValidationError as error:
        problems = "; ".join(
            f"{'.'.join(str(part) for part in problem['loc']) or 'file'}: {problem['msg']}"
            for problem in error.errors()
        )
        raise TestbedError(f"{path}: {problems}") from error
    if spec.network is None:
        return spec
    return spec.model_copy(update={"network": path.parent / spec.network})
