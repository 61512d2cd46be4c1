"""What is left of endpoints and networks that Docker has no more, and its removal.

Docker takes back what it asked for, unless it, this driver or the host ends in the middle, or the
server was away then. So from time to time, and at its start, the driver compares. What always
holds: only what this host's driver made is removed, and only what two looks in a row found to be
left over, so that what Docker is just making is let be.
"""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from integrations.client import ClientError
from integrations.docker import ids
from integrations.docker.docker_api import Networks, read_networks
from integrations.docker.errors import DriverError
from integrations.docker.networks import NetworkDriver
from integrations.docker.plumbing import Plumbing
from integrations.docker.records import PORTS
from integrations.docker.session import Session
from integrations.host.errors import HostError

_LOG = logging.getLogger(__name__)


class Leftover(NamedTuple):
    """One thing that is there and shouldn't be: ``network``, ``port`` or ``interface``."""

    kind: str
    name: str
    """The id of the network or the port, or the interface's name."""


class OwnPort(NamedTuple):
    """A port that the driver made; `endpoint` is empty for an address that is only reserved."""

    endpoint: str
    network: str


class Known(NamedTuple):
    """What is there of a host, and what Docker has (None: there is no Docker to ask)."""

    records: frozenset[str]
    """The networks that Treadle has."""
    ports: dict[str, OwnPort]
    """The ports of endpoints, by their ids."""
    interfaces: frozenset[str]
    """The names of interfaces in the bridge."""
    devices: dict[str, bool]
    """The interfaces that exist, and whether a container has the other end."""
    docker: Networks | None


def leftovers(known: Known) -> set[Leftover]:
    """Return all that nothing of Docker's needs.

    What a container has is needed, whatever Docker says: it may be another Docker that answers.
    Without Docker's word a port is judged by its interface, and networks and interfaces aren't.
    """
    used = {name for name, has_container in known.devices.items() if has_container}
    if known.docker is None:
        gone = {
            port
            for port, own in known.ports.items()
            if not own.endpoint or ids.host_interface(own.endpoint) not in known.devices
        }
        return {Leftover("port", port) for port in gone}
    endpoints = frozenset[str]().union(*known.docker.values())
    needed = used | {ids.host_interface(endpoint) for endpoint in endpoints}
    ports = {
        port
        for port, own in known.ports.items()
        if not own.endpoint or ids.host_interface(own.endpoint) not in needed
    }
    kept = {own.network for port, own in known.ports.items() if port not in ports}
    return {
        *(Leftover("network", each) for each in known.records - known.docker.keys() - kept),
        *(Leftover("port", port) for port in ports),
        *(Leftover("interface", name) for name in {*known.interfaces, *known.devices} - needed),
    }


class Cleaner:
    """Looks for leftovers, and removes those that the look before had found, too."""

    def __init__(
        self,
        host: str,
        plumbing: Plumbing,
        networks: NetworkDriver,
        docker: Path,
        removed: Callable[[str], None],
    ) -> None:
        """`removed` is told what kind of thing was removed."""
        self._host = host
        self._plumbing = plumbing
        self._networks = networks
        self._docker = docker
        self._removed = removed
        self._before: set[Leftover] = set()

    def look(self, session: Session) -> bool:
        """Look once; return whether something is to be removed if the next look finds it, too.

        Raises what sessions, plumbing and Docker's API do.
        """
        known = self._read(session)
        there = leftovers(known)
        failures: list[Exception] = []
        # Ports before networks, whose switches they are on.
        for each in sorted(there & self._before, key=lambda each: each.kind, reverse=True):
            _LOG.warning("removing %s %s: Docker doesn't have it", each.kind, each.name)
            try:
                self._remove(session, each)
            except (ClientError, DriverError, HostError) as error:
                failures.append(error)
            else:
                self._removed(each.kind)
        self._before = there - self._before
        if failures:
            raise failures[0]  # one that stays for ever mustn't keep the others
        return bool(self._before)

    def _read(self, session: Session) -> Known:
        ports: dict[str, OwnPort] = {}
        records: set[str] = set()
        for port in session.items(PORTS, {f"label.{ids.HOST}": self._host}):
            labels: dict[str, Any] = port["labels"]
            network = labels.get(ids.NETWORK, "")
            if labels.get(ids.ROLE) == "endpoint":
                ports[port["id"]] = OwnPort(labels.get(ids.ENDPOINT, ""), network)
            elif labels.get(ids.ROLE) == "network":
                records.add(network)
        # Docker is asked last: what came since is then not among what it may lack.
        interfaces = frozenset(self._plumbing.interfaces(session.deadline))
        devices = self._plumbing.devices(session.deadline)
        docker = read_networks(self._docker, session.deadline)
        return Known(frozenset(records), ports, interfaces, devices, docker)

    def _remove(self, session: Session, leftover: Leftover) -> None:
        if leftover.kind == "interface":
            self._plumbing.remove(leftover.name, session.deadline)
        elif leftover.kind == "port":
            session.delete(f"{PORTS}/{leftover.name}")
        else:
            self._networks.remove(session, leftover.name)
