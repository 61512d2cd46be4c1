"""What an explanation looks at: flows, ports, chassis and intent, all as of one moment.

Packets are walked one after the other through one network: a reply finds the connection
that its request left, and a router the neighbour that it learned when it asked.
"""

from collections import defaultdict
from collections.abc import Mapping
from copy import copy
from dataclasses import dataclass, field, replace
from functools import cached_property

from sqlalchemy import select

from diagnosis.explain.budget import Budget
from diagnosis.explain.worlds import Guesses, OneBackendEach, World
from diagnosis.trace import discovery
from diagnosis.trace.addressing import Addressing
from diagnosis.trace.causes import Cause, CauseKey, Causes
from diagnosis.trace.claims import Claim, claims
from diagnosis.trace.endings import told_by_network
from diagnosis.trace.liveness import Hosting
from diagnosis.trace.living_flows import LivingFlows
from diagnosis.trace.network import FlowTables, Snapshot
from diagnosis.trace.stored_flows import StoredEntry
from diagnosis.trace.words import Address
from logical_flow.connections import ConnectionTable
from logical_flow.evaluate import Packet
from logical_flow.walk import walk
from logical_flow.walk_events import Walk
from logical_flow.walk_network import Network
from northbound.models import Change, LogicalRouterPort
from northbound.transaction import Reader
from southbound.rows import PortBinding


@dataclass(frozen=True)
class Scene:
    """See the module. Where a change is only proposed `proposed` are the objects it makes."""

    snapshot: Snapshot
    hosting: Hosting
    tables: FlowTables
    reader: Reader
    proposed: Mapping[CauseKey, Cause] = field(default_factory=dict)
    world: World = field(default_factory=World)
    guesses: Guesses = field(default_factory=Guesses)
    budget: Budget = field(default_factory=Budget)

    def elsewhere(self, world: World) -> "Scene":
        """The same in another world, with nothing learned and no connections yet."""
        other = replace(self, world=world, guesses=Guesses())
        # What doesn't hang on the world is found out once.
        shared = {"causes": self.causes, "_by_datapath": self._by_datapath, "_fresh": self._fresh}
        vars(other).update(shared)
        return other

    @property
    def ports(self) -> Mapping[str, PortBinding]:
        """The ports that were asked about, and all that lead from them, by name."""
        return self.hosting.ports

    @cached_property
    def causes(self) -> Causes:
        return Causes(self.reader, self.proposed)

    @cached_property
    def _fresh(self) -> Network:
        """The network before anything was learned; it is only copied."""
        return self.tables.network(self.snapshot, ConnectionTable())

    @cached_property
    def _network(self) -> Network:
        network = copy(self._fresh)
        network.neighbours = dict(self.snapshot.neighbours)
        network.connections = ConnectionTable()
        network.sets = OneBackendEach(self.snapshot.sets, self.world, self.guesses)
        if not self.world.asks_names:
            # A question about a DNS server is about the server, not about names known before it.
            network.names = {}
        return network

    def walk(self, packet: Packet) -> Walk:
        """What becomes of `packet`, which the walks before it have paved the way for."""
        found = walk(self._network, packet)
        self.budget.spend(len(found.events))
        return found

    def dead_flow(self, datapath: str, stage: str, packet: Packet) -> StoredEntry | None:
        """Return the flow that would have taken `packet`, were the BFD session of one member up."""
        flows = self._network.flows.get(datapath)
        if not isinstance(flows, LivingFlows):
            return None
        return flows.dead(stage, packet, self._network.sets)

    def learn(self, router_port: str, address: str, mac: str) -> bool:
        """Let a router know a neighbour; false if it knew it like that."""
        neighbours = self._network.neighbours
        if neighbours.get((router_port, address)) == mac:
            return False
        self._network.neighbours = {**neighbours, (router_port, address): mac}
        return True

    def addressing(
        self, datapath: str, asker: str = "", asking: tuple[int, Address] | None = None
    ) -> Addressing:
        """Return who has which address on a switch, as the workload at the port `asker` sees it.

        `asking` are the addresses from which it asks the network for one that no port is
        declared to have; without them the network isn't asked.
        """
        ports = self._by_datapath.get(datapath, {})
        networks = {}
        for port in ports.values():
            router_port = self.reader.find(LogicalRouterPort, port.peer) if port.peer else None
            if router_port is not None:
                networks[port.peer] = tuple(router_port.networks)

        def owner(datapath: str, address: Address) -> tuple[int, PortBinding] | None:
            if asking is not None:
                walk = self.walk(discovery.question(asker, *asking, address))
                mac = told_by_network(walk, asker)
                if mac is not None:
                    return mac, ports[asker]
            claim = self.claim(datapath, address, asker)
            return None if claim is None else (claim.mac, claim.port)

        return Addressing(ports, networks, self.world.via_gateway, owner)

    def claim(self, datapath: str, address: Address, but: str = "") -> Claim | None:
        """Return the claim that is assumed of an address that no port is declared to have.

        It is another port's than `but`, which asks.
        """
        key = (datapath, str(address))
        found = self.guesses.owners.get(key)
        if found is None:
            found = claims(self.reader, self.snapshot, datapath, address)
        found = [claim for claim in found if claim.port.name != but]
        if not found:
            return None
        self.guesses.owners[key] = found
        return found[self.world.owners.get(key, 0) % len(found)]

    @cached_property
    def _by_datapath(self) -> dict[str, dict[str, PortBinding]]:
        found: dict[str, dict[str, PortBinding]] = defaultdict(dict)
        for port in self.snapshot.ports:
            found[port.datapath][port.name] = port
        return found

    def datapath_name(self, datapath: str) -> str:
        found = self.snapshot.datapaths.get(datapath)
        return found.name if found else datapath

    def authored(self, cause: Cause) -> str:
        """The object in words, with who added it or changed it last."""
        if cause.proposed or cause.revision is None:
            return cause.sentence
        query = select(Change.seq).where(
            Change.revision == cause.revision,
            Change.table == cause.kind,
            Change.object_id == cause.id,
            Change.before.is_(None),
        )
        verb = "added" if self.reader.session.scalar(query) is not None else "last changed"
        return f"{cause.text}, {verb} by {cause.author} in revision {cause.revision}"
