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

import re
from collections import Counter
from collections.abc import Iterable
from ipaddress import ip_address, ip_interface
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from api.errors import TooComplexError, UnreadableBodyError
from api.yaml_text import parse_yaml
from cli.testbed.errors import TestbedError

Outcome = Literal["connected", "answered", "rejected", "dropped", "unknown name"]
_HYPERVISOR = re.compile(r"(?!underlay$|provider$|vm-|out-)[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")

# Names of its bridges have at most 15 characters, with br- before.
_PROVIDER_NETWORK = re.compile(r"(?!int$|phys$)[A-Za-z0-9][A-Za-z0-9_.-]{0,11}")
_HOST_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,252}")
_MAC = re.compile(r"[0-9A-Fa-f]{2}(:[0-9A-Fa-f]{2}){5}")


def _fit_for_a_hypervisor(name: str) -> str:
    if not _HYPERVISOR.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name for a hypervisor: letters, digits, '_', '.' and '-', at most "
            "63, the first a letter or a digit; not underlay or provider, nor vm-… or out-…"
        )
    return name


HypervisorName = Annotated[str, AfterValidator(_fit_for_a_hypervisor)]
TcpPort = Annotated[int, Field(ge=1, le=65535)]


def _fit_for_a_network(name: str) -> str:
    if not _PROVIDER_NETWORK.fullmatch(name):
        raise ValueError(
            f"{name!r} is no name for a provider network of a lab: letters, digits, '_', '.' "
            "and '-', at most 12, the first a letter or a digit"
        )
    return name


def _fit_for_a_host(mac: str) -> str:
    if not _MAC.fullmatch(mac) or int(mac[:2], 16) & 1:
        raise ValueError(f"{mac!r} is no host's MAC address")
    return mac


def _address_with_prefix(text: str) -> str:
    if "/" not in text:
        raise ValueError(f"{text!r} has no prefix length")
    return str(ip_interface(text))


def _gateway(text: str) -> str:
    return str(ip_address(text))


def _host_name(text: str) -> str:
    if not _HOST_NAME.fullmatch(text):
        raise ValueError(f"{text!r} is no host's name")
    return text


ProviderNetworkName = Annotated[str, AfterValidator(_fit_for_a_network)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class VmSpec(_Part):
    """A VM on a hypervisor, plugged in as a logical switch port; `listen` are TCP ports.

    With `dhcp` it asks for its IPv4 address once the port is up, and has no other.
    """

    port: str
    hypervisor: str
    dhcp: bool = False
    listen: tuple[TcpPort, ...] = ()


class ProviderNetworkSpec(_Part):
    """A network beside the overlay; the `hypervisors` (all) have a bridge ``br-NAME`` to it."""

    name: ProviderNetworkName
    hypervisors: tuple[str, ...] | None = None


class OutsideSpec(_Part):
    """A host on a provider network: in a VLAN of it, or where frames have no tag."""

    name: str
    network: str
    vlan: Annotated[int, Field(ge=1, le=4094)] | None = None
    mac: Annotated[str, AfterValidator(_fit_for_a_host)] | None = None
    addresses: tuple[Annotated[str, AfterValidator(_address_with_prefix)], ...] = ()
    gateways: tuple[Annotated[str, AfterValidator(_gateway)], ...] = ()
    listen: tuple[TcpPort, ...] = ()


class Probe(_Part):
    """A ping, or a TCP connect when `tcp` is given, from one host to another's address.

    The address is `address`, if that is given, such as a floating IP of the target, or what
    `name` stands for to the DNS servers that the source was told of by DHCP.
    """

    source: str = Field(alias="from")
    target: str = Field(alias="to")
    address: Annotated[str, AfterValidator(_gateway)] | None = None
    name: Annotated[str, AfterValidator(_host_name)] | None = None
    tcp: TcpPort | None = None
    ip: Literal[4, 6] = 4
    expect: Outcome
    because: str = ""


class LabSpec(_Part):
    """A whole lab file."""

    hypervisors: tuple[HypervisorName, ...] = ("hv1", "hv2", "hv3")
    network: Path | None = None
    provider_networks: tuple[ProviderNetworkSpec, ...] = ()
    outside: tuple[OutsideSpec, ...] = ()
    vms: tuple[VmSpec, ...] = ()
    probes: tuple[Probe, ...] = ()

    @model_validator(mode="after")
    def _names_are_known(self) -> "LabSpec":
        hosts = [vm.port for vm in self.vms] + [host.name for host in self.outside]
        networks = [network.name for network in self.provider_networks]
        for name in _repeated(self.hypervisors):
            raise ValueError(f"there are two hypervisors {name}")
        for name in _repeated(networks):
            raise ValueError(f"there are two provider networks {name}")
        for name in _repeated(hosts):
            raise ValueError(f"there are two VMs or outside hosts {name}")
        for network in self.provider_networks:
            for name in network.hypervisors or ():
                if name not in self.hypervisors:
                    raise ValueError(
                        f"provider network {network.name} is on {name}, which is no hypervisor here"
                    )
        for host in self.outside:
            if host.network not in networks:
                raise ValueError(
                    f"outside host {host.name} is on {host.network}, "
                    "which is no provider network here"
                )
        for vm in self.vms:
            if vm.hypervisor not in self.hypervisors:
                raise ValueError(f"VM {vm.port} is on {vm.hypervisor}, which is no hypervisor here")
        for probe in self.probes:
            for name in (probe.source, probe.target):
                if name not in hosts:
                    raise ValueError(f"a probe names {name}, which is no VM or outside host here")
        return self


def _repeated(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def example() -> Path:
    """The example's lab file: a package brings it along, a checkout has it at its top."""
    brought = Path(__file__).with_name("example")
    checkout = Path(__file__).parents[2] / "examples" / "demo"
    return (brought if brought.is_dir() else checkout) / "lab.yaml"


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
