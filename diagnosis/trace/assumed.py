"""Packets from words, and what had to be assumed to make them.

Words name two ends. Who has an address that no port is declared to have, and from which port
a client asks, they don't say: what is taken for it goes with the packet.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from diagnosis.answers import Assumption, AssumptionKind
from diagnosis.trace import discovery
from diagnosis.trace.addressing import Addressing
from diagnosis.trace.claims import beyond, claims
from diagnosis.trace.endings import ending, told_by_network
from diagnosis.trace.network import Snapshot
from diagnosis.trace.words import TRANSPORTS, Address, PacketWords
from logical_flow.packet import MutablePacket
from logical_flow.walk import walk
from logical_flow.walk_events import Walk
from logical_flow.walk_network import Network
from northbound.transaction import Reader
from southbound.rows import PortBinding


@dataclass
class WordedPacket:
    """A packet that words describe; `reader` has the intent that the snapshot realises."""

    reader: Reader
    snapshot: Snapshot
    ports: Mapping[str, PortBinding]
    networks: Mapping[str, tuple[str, ...]]
    words: PacketWords
    network: Network
    """The network that is asked who has an address that no port is declared to have."""
    assumptions: list[Assumption] = field(default_factory=list)

    def made(self, inport: str | None, *, via_gateway: bool) -> MutablePacket:
        """The packet, entering at `inport` or where it comes from."""
        addressing = Addressing(self.ports, self.networks, via_gateway)
        ends = addressing.ends(self.words, inport)
        source = ends.source
        entry = ends.entry
        if entry.kind.leads_outside:
            source = addressing.on_link(entry.datapath, source)

        def owner(datapath: str, address: Address) -> tuple[int, PortBinding] | None:
            question = discovery.question(entry.name, ends.sender.mac, source, address)
            mac = told_by_network(walk(self.network, question), entry.name)
            return self._owner(datapath, address) if mac is None else (mac, entry)

        packet = replace(addressing, owner=owner).packet(self.words, inport)
        if entry.kind.leads_outside and self.words.protocol != "arp":
            gateway = addressing.gateway(entry.datapath, source, ends.destination)
            if gateway is not None and gateway.mac == packet["eth.dst"]:
                route = f"a route to {ends.destination} by {gateway.address}"
                text = f"hosts beyond {beyond(entry)}, have {route}"
                self.assumptions.append(Assumption(AssumptionKind.OUTSIDE, text))
        return packet

    def note_client_port(self, network: Network, packet: MutablePacket, found: Walk) -> None:
        """Note if the packet might fare otherwise with another source port than was made up."""
        protocol = self.words.protocol
        if protocol not in TRANSPORTS or self.words.source.port is not None:
            return
        name = f"{protocol}.src"
        inport = str(packet["inport"])
        anyones = ending(walk(network, {**packet, name: None}), inport)
        if not anyones.uncertain and anyones.outcome == ending(found, inport).outcome:
            return
        text = f"the source port is {packet[name]}: with another it may fare otherwise"
        if all(each.text != text for each in self.assumptions):
            self.assumptions.append(Assumption(AssumptionKind.CLIENT_PORT, text))

    def _owner(self, datapath: str, address: Address) -> tuple[int, PortBinding] | None:
        source = self.words.source.host
        found = [
            claim
            for claim in claims(self.reader, self.snapshot, datapath, address)
            if claim.port.name != source
        ]
        if not found:
            return None
        first, *others = found
        text = f"{address} is behind {first.text}"
        if others:
            text += f"; it may as well be behind {' or '.join(each.text for each in others)}"
        self.assumptions.append(Assumption(AssumptionKind.OWNER, text))
        return first.mac, first.port
