"""What one interface of one container is called: in Treadle, in Open vSwitch, on the host.

All of it follows from the chassis, the network, the container's id and the interface's name, so a
call that is made again makes nothing twice, and one that only has to clean up finds everything.
The chassis is part of it since some runtimes let people choose the ids of containers.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

try:
    # With all of hashlib comes OpenSSL, which takes 4 ms of CPU to load.
    from _sha1 import sha1  # type: ignore[import-not-found, unused-ignore]
except ImportError:
    from hashlib import sha1

_PORTS = "3f0f1b64-9f0c-5c8e-9f1c-6a1c5b0e7d11"
_SWITCHES = "8c6f2f0e-2a4b-5d7e-8b5a-0d9f4e3c2b12"

OWNER = "cni"
"""``treadle-owner`` of the plugin's interfaces in Open vSwitch."""
NETWORK_KEY = "treadle-cni-network"
ALIAS_PREFIX = "treadle-cni "

HOST_LABEL = "treadle.cni/host"
NETWORK_LABEL = "treadle.cni/network"
_CONTAINER_LABEL = "treadle.cni/container"
_INTERFACE_LABEL = "treadle.cni/interface"
_OF_KUBERNETES = {
    "K8S_POD_NAMESPACE": "treadle.kubernetes/namespace",
    "K8S_POD_NAME": "treadle.kubernetes/pod",
    "K8S_POD_UID": "treadle.kubernetes/pod-uid",
}
_LABEL_LIMIT = 255


class Attachment(NamedTuple):
    """One interface of a container in a network."""

    chassis: str
    network: str
    container: str
    ifname: str

    @property
    def port_id(self) -> str:
        """The id of its logical port, by which its interface binds it."""
        parts = [self.chassis, self.network, self.container, self.ifname]
        return uuid5(_PORTS, json.dumps(parts))

    @property
    def host_interface(self) -> str:
        """The name of the host's end of its pair of interfaces, 15 characters."""
        return f"cni{self.port_id.replace('-', '')[:12]}"

    @property
    def alias(self) -> str:
        """What its interface says of itself: in which network it is, and which port."""
        return f"{network_alias(self.network)} {self.port_id}"

    def labels(self, args: Mapping[str, str], own: Mapping[str, str]) -> dict[str, str]:
        """Return the labels of its port: `own` of the configuration, then who it is.

        A pod's name, namespace and uid are taken from the arguments of Kubernetes' runtimes.
        """
        pod = {
            label: args[key][:_LABEL_LIMIT]
            for key, label in _OF_KUBERNETES.items()
            if args.get(key) and args[key].isprintable()
        }
        return {
            **own,
            **pod,
            HOST_LABEL: self.chassis,
            NETWORK_LABEL: self.network,
            _CONTAINER_LABEL: self.container,
            _INTERFACE_LABEL: self.ifname,
        }

    def display_name(self, args: Mapping[str, str]) -> str:
        """Return what people call it: the pod if there is one, else the container."""
        pod = args.get("K8S_POD_NAME", "")
        namespace = args.get("K8S_POD_NAMESPACE", "")
        owner = f"{namespace}/{pod}" if namespace and pod else pod or self.container[:12]
        text = f"{owner} {self.ifname}"
        return text[:_LABEL_LIMIT] if text.isprintable() else self.port_id


def uuid5(namespace: str, name: str) -> str:
    """Return the UUID of a name (RFC 9562, 5.5). The library's module takes 5 ms to load.

    >>> import uuid
    >>> uuid5(_PORTS, "web") == str(uuid.uuid5(uuid.UUID(_PORTS), "web"))
    True
    """
    octets = bytes.fromhex(namespace.replace("-", "")) + name.encode()
    value = bytearray(sha1(octets, usedforsecurity=False).digest()[:16])
    value[6] = value[6] & 0x0F | 0x50
    value[8] = value[8] & 0x3F | 0x80
    digits = value.hex()
    return "-".join([digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]])


def network_alias(network: str) -> str:
    """Return how aliases of interfaces of a network begin, of printable ASCII only."""
    return ALIAS_PREFIX + uuid5(_SWITCHES, network)


def port_of_alias(alias: str, network: str) -> str | None:
    """Return which port an alias names, or None if it is of no interface of the network.

    It is a hint: a container that may configure its interfaces may write there what it wants.
    """
    prefix = f"{network_alias(network)} "
    return alias.removeprefix(prefix) if alias.startswith(prefix) else None


def switch_id(project: str | None, switch: str) -> str:
    """Return the id of a switch that is made for a configuration, on whichever host first."""
    return uuid5(_SWITCHES, json.dumps([project or "default", switch]))
