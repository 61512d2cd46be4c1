"""Services of the network that faults befall: a gateway, NAT and virtual addresses.

Two hypervisors stand for the port of the router that leads outside. A host there reaches one VM at
a floating IP, and at a virtual address; the VMs reach it by SNAT, and a VM reaches the other one at
a virtual address inside.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from cli.testbed.host import Host
from cli.testbed.lab import Lab
from tests.system.network import Network

OUTSIDE: Final = "203.0.113.201"
FLOATING: Final = "203.0.113.12"
_OWN: Final = "203.0.113.2"
_BALANCED_OUTSIDE: Final = "203.0.113.20"
_BALANCED_INSIDE: Final = "10.240.9.9"
_PROVIDER: Final = "physnet1"


class Path(NamedTuple):
    """A connection that the services carry: who makes it, and to which address and port."""

    host: Host
    address: str
    port: int


class Services:
    """What `declare` has made, for a service of `s2` at its TCP port `port`."""

    def __init__(self, lab: Lab, port: int) -> None:
        self._lab = lab
        self._port = port
        self.outside: Host | None = None

    def declare(self, net: Network) -> None:
        """Make them for the router `between` with the switches `steady` and `beyond`."""
        lab = self._lab
        lab.add_provider_network(_PROVIDER)
        self.outside = lab.add_outside("out", _PROVIDER, f"{OUTSIDE}/24")
        lab.listen("out", self._port)
        net.switch("public")
        net.port("public", "public-out", type="localnet", network_name=_PROVIDER)
        ranks = [{"chassis": "hv1", "priority": 20}, {"chassis": "hv2", "priority": 10}]
        net.router_port(
            "between", "between-public", "0a:00:00:00:f2:fe", f"{_OWN}/24", gateway_chassis=ranks
        )
        net.port("public", "public-between", type="router", router_port="between-public")
        for kind, external, logical in (
            ("snat", _OWN, "10.240.0.0/16"),
            ("dnat_and_snat", FLOATING, "10.240.1.12"),
        ):
            body = {"type": kind, "external_ip": external, "logical_ip": logical}
            net.call("POST", "/logical-routers/between/nats", body)
        places = {"switches": ["steady", "beyond"], "routers": ["between"]}
        net.call("POST", "/load-balancers", {"name": "balanced", **places})
        for address in (_BALANCED_INSIDE, _BALANCED_OUTSIDE):
            body = {
                "address": address,
                "port": self._port,
                "backends": [f"10.240.1.12:{self._port}"],
            }
            net.call("POST", "/load-balancers/balanced/vips", body)

    def paths(self) -> Iterator[Path]:
        """All that has to be reached once nothing is wrong."""
        assert self.outside is not None
        yield Path(self.outside, FLOATING, self._port)
        yield Path(self.outside, _BALANCED_OUTSIDE, self._port)
        for name in ("s1", "b1"):
            yield Path(self._lab.vm(name), OUTSIDE, self._port)
            yield Path(self._lab.vm(name), _BALANCED_INSIDE, self._port)
