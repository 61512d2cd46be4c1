"""The ids of what the driver makes, and the labels by which it finds it again.

An id follows from what the object is for: a call that is made again, because its answer was lost,
finds what the first one made. Nothing is kept on the host's disk but Open vSwitch's own database.
"""

import uuid

_NAMESPACE = uuid.UUID("5d0d2a84-6f0b-4cf1-9a39-3f7d0f3a6f4e")

OWNER = "treadle-docker"
"""The owner of interfaces in Open vSwitch's database."""
ENDPOINT_KEY = "docker-endpoint"
NETWORK_KEY = "docker-network"
"""Keys of external_ids of such an interface."""

ROLE = "treadle.docker/role"
"""``network``: stands for one of Docker's networks; ``endpoint``: a container's port; ``switch``
and ``router``: what the driver made and takes away."""
HOST = "treadle.docker/host"
"""The host whose driver made it."""
SWARM = "swarm manager"
"""Stands for the host in what is a whole swarm's; no host is called so."""
NETWORK = "treadle.docker/network"
ENDPOINT = "treadle.docker/endpoint"
POOL4 = "treadle.docker/pool4"
POOL6 = "treadle.docker/pool6"


def _made_id(*words: str) -> str:
    return str(uuid.uuid5(_NAMESPACE, "\n".join(words)))


def network_record_id(host: str, network: str) -> str:
    """The port that stands for a network of a host's Docker."""
    return _made_id("network", host, network)


def switch_id(cause: str) -> str:
    """The switch that is made for a pool, or for a network without one of ours."""
    return _made_id("switch", cause)


def port_id(switch: str, mac: str) -> str:
    """The port of the interface with this MAC address on a switch."""
    return _made_id("port", switch, mac)


def router_id(project: str, name: str) -> str:
    return _made_id("router", project, name)


def router_port_id(switch: str) -> str:
    """The port by which a router leads into a switch."""
    return _made_id("router port", switch)


def router_switch_port_id(switch: str) -> str:
    """The port of a switch that leads to that router port."""
    return _made_id("switch port towards router", switch)


def pool_key(pool_id: str) -> str:
    """What stands for a pool in a label, whose values are short."""
    return _made_id("pool", pool_id)


def made_up_mac(seed: str) -> str:
    """A locally administered MAC address that follows from `seed`.

    >>> made_up_mac("endpoint")[:2]
    '0a'
    """
    return (b"\x0a" + uuid.uuid5(_NAMESPACE, seed).bytes[:5]).hex(":")


def host_interface(endpoint: str) -> str:
    """The end of an endpoint's veth pair that is in the bridge."""
    return f"td{endpoint[:12]}"


def container_interface(endpoint: str) -> str:
    """The end that Docker moves into the container."""
    return f"tc{endpoint[:12]}"
