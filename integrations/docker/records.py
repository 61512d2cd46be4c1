"""What stands for a network of Docker's in Treadle: a port without an interface, on its switch.

Docker tells a driver of a network once, and from then on says its id alone. What the driver has to
remember is written on that port, so that it is there after restarts, on other hosts for whom it
concerns, and gone with the switch. A gateway's address that no other port has is claimed by it.
"""

import threading
from typing import Any, NamedTuple

from integrations.docker import ids
from integrations.docker.errors import RefusedCallError
from integrations.docker.options import DEFAULT_PREFIX
from integrations.docker.pools import Pool
from integrations.docker.session import Operation, Session

PORTS = "/v1/logical-switch-ports"


class NetworkRecord(NamedTuple):
    """What is known of a network; `switch` is an id, empty texts are what there isn't."""

    host: str
    network: str
    project: str
    switch: str
    pool4: str = ""
    pool6: str = ""
    """Keys of its pools where they are of this driver."""
    gateway4: str = ""
    gateway6: str = ""
    groups: tuple[str, ...] = ()
    mtu: int | None = None
    port_security: bool = True
    ignore_published_ports: bool = False
    internal: bool = False
    interface_prefix: str = DEFAULT_PREFIX

    @property
    def id(self) -> str:
        """The id of the port that is the record."""
        return ids.network_record_id(self.host, self.network)

    def creation(self, claimed: list[str]) -> Operation:
        """The operation that writes it down and claims addresses."""
        labels = {
            ids.ROLE: "network",
            ids.HOST: self.host,
            ids.NETWORK: self.network,
            ids.POOL4: self.pool4,
            ids.POOL6: self.pool6,
        }
        facts = {
            "switch": self.switch,
            "gateway4": self.gateway4,
            "gateway6": self.gateway6,
            "mtu": "" if self.mtu is None else str(self.mtu),
            "port-security": "" if self.port_security else "off",
            "published-ports": "ignore" if self.ignore_published_ports else "",
            "internal": "yes" if self.internal else "",
            "interface-prefix": self.interface_prefix,
            **{f"group-{i}": group for i, group in enumerate(self.groups)},
        }
        return {
            "action": "create",
            "kind": "logical_switch_port",
            "values": {
                "id": self.id,
                "logical_switch": self.switch,
                "display_name": f"network {self.network[:12]} of Docker on {self.host}"[:255],
                "project": self.project,
                "enabled": False,
                "addresses": [" ".join(["dynamic", *claimed])] if claimed else [],
                "labels": {name: value for name, value in labels.items() if value},
                "external_ids": {name: value for name, value in facts.items() if value},
            },
        }


def read_record(port: dict[str, Any]) -> NetworkRecord:
    """Read a record from its port. Raises :class:`RefusedCallError` if another changed it so
    that it is none any more."""
    labels, facts = port["labels"], port["external_ids"]
    try:
        mtu = facts.get("mtu")
        return NetworkRecord(
            host=labels[ids.HOST],
            network=labels[ids.NETWORK],
            project=port["project"],
            switch=facts["switch"],
            pool4=labels.get(ids.POOL4, ""),
            pool6=labels.get(ids.POOL6, ""),
            gateway4=facts.get("gateway4", ""),
            gateway6=facts.get("gateway6", ""),
            groups=tuple(facts[name] for name in sorted(facts, key=_number) if _is_group(name)),
            mtu=int(mtu) if mtu else None,
            port_security=facts.get("port-security") != "off",
            ignore_published_ports=facts.get("published-ports") == "ignore",
            internal=facts.get("internal") == "yes",
            interface_prefix=facts.get("interface-prefix", DEFAULT_PREFIX),
        )
    except (KeyError, ValueError) as error:
        raise RefusedCallError(
            f"port {port.get('id')}, which stands for a network of Docker's, was changed: {error}"
        ) from None


def _is_group(name: str) -> bool:
    return name.startswith("group-") and name[6:].isdigit()


def _number(name: str) -> int:
    return int(name[6:]) if _is_group(name) else -1


class Records:
    """The networks of this host's Docker, remembered as long as only this driver changes them."""

    def __init__(self, host: str) -> None:
        self.host = host
        self._lock = threading.Lock()
        self._known: dict[str, NetworkRecord] = {}

    def add(self, record: NetworkRecord) -> None:
        with self._lock:
            self._known[record.network] = record

    def forget(self, network: str) -> None:
        """Have the network looked for again."""
        with self._lock:
            self._known.pop(network, None)

    def find(self, session: Session, network: str) -> NetworkRecord | None:
        """Return what is known of a network, or None if Treadle has nothing of it."""
        with self._lock:
            known = self._known.get(network)
        if known is not None:
            return known
        port = session.find(f"{PORTS}/{ids.network_record_id(self.host, network)}")
        if port is None:
            return None
        record = read_record(port)
        self.add(record)
        return record

    def get(self, session: Session, network: str) -> NetworkRecord:
        """Return what is known of a network; raise :class:`RefusedCallError` if nothing is."""
        record = self.find(session, network)
        if record is None:
            raise RefusedCallError(
                f"network {network[:12]} isn't known to Treadle: remove it and create it again"
            )
        return record

    def of_pool(self, session: Session, pool: Pool) -> NetworkRecord | None:
        """Return a network that has the pool: all that do are on one switch."""
        key = ids.pool_key(pool.id)
        with self._lock:
            for record in self._known.values():
                if key in (record.pool4, record.pool6):
                    return record
        label = ids.POOL4 if pool.network.version == 4 else ids.POOL6
        for port in session.items(PORTS, {f"label.{label}": key, f"label.{ids.ROLE}": "network"}):
            record = read_record(port)
            if record.host == self.host:
                self.add(record)
            return record
        return None
