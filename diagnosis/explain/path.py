"""The checks of a question, in the order in which packets would meet what they check.

1. The source's port is plugged in somewhere alive.
2. The sender finds the MAC address of its next hop: it asks by ARP or neighbour
   discovery, and the answer comes back.
3. The request is walked as the first packet of a connection. Routers that don't know the
   next hop ask for it, too, and go on once they were answered.
4. Whoever it was delivered to finds its next hop in the same way, and the reply is walked
   back as one of the connection that the request left behind.
5. The target's port is plugged in somewhere alive.

Request and reply also have to be carried: by switches that have the flows, through tunnels
that lead where they should. Whether they are doesn't end the way.

A packet given as it is comes with its next hop. What a router answers itself needs no
reply. What would follow an obstacle is left out, but for the target's binding if it is
known who that is.

All that in one world (:mod:`diagnosis.explain.worlds`); what of it mattered is noted.
"""

from collections.abc import Iterator
from dataclasses import replace

from diagnosis.answers import Assumption, AssumptionKind
from diagnosis.explain import names, packets
from diagnosis.explain.carried import carried
from diagnosis.explain.checks import Check, CheckKind, Obstacle, ObstacleKind, binding
from diagnosis.explain.dhcp import useless_lease
from diagnosis.explain.fragments import as_fragment, balancer
from diagnosis.explain.nat import shared_addresses, untranslated
from diagnosis.explain.question import Question
from diagnosis.explain.reasons import (
    misrouted,
    reason,
    refusal,
    unaddressed,
    uncertain,
    unheard,
    unknown_address,
    unresolved,
)
from diagnosis.explain.scene import Scene
from diagnosis.explain.solicitations import unanswered
from diagnosis.explain.workloads import taken_for_granted
from diagnosis.trace import discovery
from diagnosis.trace.addressing import Neighbour, NoNeighbour, hosts, packet_between
from diagnosis.trace.causes import Cause
from diagnosis.trace.claims import beyond, unheld
from diagnosis.trace.endings import Ending, ending
from diagnosis.trace.liveness import is_one_way_outside
from diagnosis.trace.words import Address
from logical_flow.action.sizes import LENGTH
from logical_flow.evaluate import Packet
from logical_flow.packet import MutablePacket, format_value
from logical_flow.walk_events import Noted, Walk
from southbound.port_types import EXTERNAL
from southbound.rows import PortBinding

_MAX_QUESTIONS = 16
"""How many routers on the way may have to ask for a next hop."""
_LEARNING = ("put_arp", "put_nd")
_LEASES = ("dhcpv4_reply", "dhcpv6_reply")
"""How answers of the network's DHCP servers are made."""


def examine(scene: Scene, question: Question) -> list[Check]:
    """Everything that was checked, up to the first obstacle on the way."""
    return list(_Examination(scene, question).checks())


class _Examination:
    def __init__(self, scene: Scene, question: Question) -> None:
        self._scene = scene
        self._question = question
        self._entry = question.entry
        self._target = question.target
        self._doubts: list[tuple[PortBinding, Obstacle]] = []

    def checks(self) -> Iterator[Check]:
        yield from self._plugged(self._entry)
        answered = False
        for check in self._way():
            answered = check.walk is not None and names.is_answered(check.walk)
            wanted = self._sender if check.kind is CheckKind.REPLY else self._target
            yield carried(self._scene, check, wanted)
            if not check.passed:
                break
        target = self._target
        if answered or target is None or target.name == self._entry.name:
            return
        yield from self._plugged(target)

    def _plugged(self, port: PortBinding) -> Iterator[Check]:
        """Whether an end that has to be somewhere is there, and what is assumed of it."""
        if port.kind.is_workload or is_one_way_outside(port):
            yield binding(self._scene, port)
        for assumption in taken_for_granted(port):
            self._scene.guesses.assume(assumption)

    def _way(self) -> Iterator[Check]:
        """What packets meet, ending with the first obstacle."""
        question, entry = self._question, self._entry
        if question.is_unaddressed and question.target is not None:
            obstacle = unaddressed(self._scene, question.target)
            yield Check(CheckKind.RESOLUTION, entry, obstacle.text, obstacle)
            return
        packet = question.packet
        if packet is None and question.words is not None and question.ends is not None:
            ends = question.ends
            resolution, mac = self._resolve(entry, ends.sender.mac, ends.source, ends.destination)
            yield resolution
            if mac is None:
                return
            packet = packet_between(question.words, ends, mac)
            if question.client_port_field is not None:
                packet[question.client_port_field] = self._scene.world.client_port
        if packet is None:
            raise ValueError("a question about neither two ends nor a packet")
        packet |= self._length | (question.query or {})
        arrived: list[tuple[Packet, PortBinding]] = []
        whole = list(self._send(CheckKind.REQUEST, entry, packet, arrived))
        yield from whole
        if question.fragmented and arrived:
            vip = balancer(self._scene, whole[-1].walk)
            yield from self._send_in_fragments(CheckKind.REQUEST, entry, packet, vip)
        for request, port in arrived:
            yield from self._back(request, port)
        for port, doubt in self._doubts:
            text = f"what comes from {beyond(port)}: {doubt.text}"
            yield Check(CheckKind.RESOLUTION, port, text, doubt)

    def _back(self, request: Packet, port: PortBinding) -> Iterator[Check]:
        """The reply from `port`, where `request` arrived."""
        due = packets.reply_to(request, port.name, 0)
        ends = packets.addresses(request)
        own = request.get("eth.dst")
        if due is None or ends is None or not isinstance(own, int):
            return
        resolution, mac = self._resolve(port, own, ends[1], ends[0])
        yield resolution
        if mac is not None:
            due |= {"eth.dst": mac, **self._length}
            yield from self._send(CheckKind.REPLY, port, due, [])
            if self._question.fragmented:
                yield from self._send_in_fragments(CheckKind.REPLY, port, due)

    @property
    def _length(self) -> MutablePacket:
        """How long packets are, where the question says so."""
        return {} if self._question.length is None else {LENGTH: self._question.length}

    @property
    def _sender(self) -> PortBinding | None:
        """The port that replies are for: not known where the packet enters at a router."""
        kind = self._entry.kind
        return self._entry if kind.is_workload or kind.leads_outside else None

    # --- neighbours

    def _resolve(
        self, port: PortBinding, mac: int, source: Address, destination: Address
    ) -> tuple[Check, int | None]:
        """How `port` finds its next hop, and the MAC address of that if it does."""
        scene = self._scene
        if port.kind.leads_outside:
            source = scene.addressing(port.datapath).on_link(port.datapath, source)
        addressing = scene.addressing(port.datapath, port.name, (mac, source))
        found = addressing.neighbour(port.datapath, source, destination)
        if isinstance(found, NoNeighbour):
            obstacle = unknown_address(scene, port.datapath, destination, found)
            self._assume_unused(destination, port.datapath, found.reserved, port.id)
            return Check(CheckKind.RESOLUTION, port, obstacle.text, obstacle), None
        gateway = addressing.gateway(port.datapath, source, destination)
        if not port.kind.leads_outside:
            scene.guesses.detours |= gateway is not None and gateway != found
        elif gateway == found:
            self._doubts.append((port, self._route_outside(port, destination, found)))
        asked = discovery.question(port.name, mac, source, found.address)
        walk = scene.walk(asked)
        answered = self._answer(walk, port, found)
        means = "ARP" if found.address.version == 4 else "neighbour discovery"
        text = f"{port.name} asks by {means} who has {found.address}"
        if isinstance(answered, int):
            text += f": {format_value('eth.src', answered)}"
            return Check(CheckKind.RESOLUTION, port, text, None, asked, walk), answered
        check = Check(CheckKind.RESOLUTION, port, f"{text}: no answer", answered, asked, walk)
        return check, None

    def _route_outside(
        self, port: PortBinding, destination: Address, gateway: Neighbour
    ) -> Obstacle:
        """Return the obstacle that nobody knows how hosts outside send to a destination.

        They need no route to one that a NAT translates, if it does.
        """
        route = f"a route to {destination} by {gateway.address}"
        text = f"it is not known whether hosts beyond {port.name} have {route}"
        is_source = port != self._entry
        idle = untranslated(self._scene, gateway.port.peer, destination, is_source=is_source)
        if idle is None:
            return Obstacle(ObstacleKind.UNKNOWN, text, None, certain=False)
        return replace(idle, text=f"{text}; {idle.text}", certain=False)

    def _answer(self, walk: Walk, asker: PortBinding, wanted: Neighbour) -> int | Obstacle:
        """The MAC address that `asker` is told, or why it is told none."""
        scene, owner = self._scene, wanted.port
        end = ending(walk, asker.name)
        for told in end.answers:
            if (mac := discovery.answered_mac(told.packet)) is not None:
                return mac
        for delivery in end.forwarded:
            if self._is_heard(owner, delivery.port):
                answer = discovery.answer(delivery.packet, owner.name, wanted.mac)
                back = scene.walk(answer)
                found = ending(back, owner.name)
                if any(each.port == asker.name for each in found.forwarded):
                    return wanted.mac
                return reason(scene, back, found, asker.name)
        if not owner.enabled:
            return unheard(scene, owner)
        return reason(scene, walk, end, owner.name)

    def _is_heard(self, owner: PortBinding, port: str) -> bool:
        """Whether the one behind `owner` gets what is flooded to `port`."""
        if owner.kind is not EXTERNAL:
            return port == owner.name
        recipient = self._scene.ports[port]
        return recipient.kind.is_native and recipient.datapath == owner.datapath

    def _assume_unused(
        self, address: Address, datapath: str, reserved: bool, but: str = ""
    ) -> None:
        """Note that any port that isn't held to its addresses might have this one."""
        found = unheld(self._scene.reader, datapath, but)
        if found.total and not reserved:
            text = f"nobody behind {found.text} uses {address}: no port security forbids it"
            self._scene.guesses.assume(Assumption(AssumptionKind.UNUSED, text))

    # --- packets on their way

    def _send(
        self,
        kind: CheckKind,
        port: PortBinding,
        packet: MutablePacket,
        arrived: list[tuple[Packet, PortBinding]],
    ) -> Iterator[Check]:
        """Walk `packet`; who has to answer it is put into `arrived`."""
        scene = self._scene
        asked: list[Check] = []
        walk = scene.walk(packet)
        end = ending(walk, port.name)
        for _ in range(_MAX_QUESTIONS):
            if end.outcome != "asked" or refusal(walk) is not None:
                break
            resolution = self._router_asks(port, packet, walk, end)
            asked.append(resolution)
            if not resolution.passed:
                break
            walk = scene.walk(packet)
            end = ending(walk, port.name)
        yield from asked
        if asked and not asked[-1].passed:
            return
        self._assume_found(walk, packet)
        if kind is CheckKind.REQUEST:
            self._assume_of_request(walk)
        wanted = self._sender if kind is CheckKind.REPLY else self._target
        text, obstacle = self._outcome(kind, walk, end, wanted)
        recipients = []
        if obstacle is None and end.outcome == "delivered" and not _is_advertised(end, wanted):
            recipients = list(self._recipients(end, wanted))
            if not recipients:
                text, obstacle = self._unknown_recipient(text, end)
        yield Check(kind, port, text, obstacle, packet, walk)
        arrived.extend(recipients)

    def _send_in_fragments(
        self,
        kind: CheckKind,
        port: PortBinding,
        packet: MutablePacket,
        vip: Cause | None = None,
    ) -> Iterator[Check]:
        """Walk a packet's fragments, where the packet in one piece has got on, by `vip` maybe."""
        for fragment in packets.in_fragments(packet):
            for check in self._send(kind, port, fragment, []):
                yield as_fragment(self._scene, vip, check)

    def _outcome(
        self, kind: CheckKind, walk: Walk, end: Ending, wanted: PortBinding | None
    ) -> tuple[str, Obstacle | None]:
        ports = [delivery.port for delivery in end.forwarded]
        if _is_advertised(end, wanted):
            return f"the {kind} is answered by the network itself", None
        if wanted is None and end.outcome == "delivered":
            # Of who asks all servers, or routers, the question is whether the network's answers.
            obstacle = unanswered(self._scene, walk.visits[0].packet)
            if obstacle is not None:
                return f"the {kind} is {obstacle.text}", obstacle
        if end.outcome == "delivered" and (wanted is None or wanted.name in ports):
            shown = ", ".join(ports) if wanted is None else wanted.name
            return f"the {kind} is delivered to {shown}", None
        if any(made.kind in _LEASES for made in walk.made):
            asked, is_heard = walk.visits[0].packet, end.outcome == "answered"
            obstacle = useless_lease(self._scene, asked, is_heard=is_heard)
            if obstacle is not None:
                return f"the {kind} is {obstacle.text}", obstacle
        if end.outcome == "answered" and names.is_answered(walk):
            answer, obstacle = names.told(self._scene, walk)
            return f"the {kind} is {answer}", obstacle
        if end.outcome == "answered" and self._is_answer(end):
            return f"the {kind} is answered by the network itself", None
        if end.uncertain:
            obstacle = uncertain(self._scene, end.uncertain[0])
            return f"it is not known whether the {kind} arrives: {obstacle.text}", obstacle
        obstacle = misrouted(self._scene, walk) or reason(
            self._scene,
            walk,
            end,
            wanted.name if wanted else "",
            is_reply=kind is CheckKind.REPLY,
        )
        obstacle = unanswered(self._scene, walk.visits[0].packet, obstacle) or obstacle
        return f"the {kind} does not arrive: {obstacle.text}", obstacle

    def _is_answer(self, end: Ending) -> bool:
        return any(
            packets.is_echo_reply(answer.packet)
            or discovery.answered_mac(answer.packet) is not None
            or packets.is_dhcp_answer(answer.packet)
            or packets.is_advertisement(answer.packet)
            for answer in end.answers
        )

    def _recipients(
        self, end: Ending, wanted: PortBinding | None
    ) -> Iterator[tuple[Packet, PortBinding]]:
        """Yield who has to answer: the port that was asked about, or the only one that got it."""
        forwarded = [each for each in end.forwarded if wanted is None or each.port == wanted.name]
        if len(forwarded) > 1:
            # A frame to a MAC address that isn't known is flooded; who has the IP address answers.
            owners = self._owners(end)
            forwarded = [each for each in forwarded if each.port in owners]
        if len(forwarded) == 1:
            port = self._scene.ports[forwarded[0].port]
            self._target = self._target or port
            self._assume_owned(forwarded[0].packet, port)
            yield forwarded[0].packet, port

    def _assume_of_request(self, walk: Walk) -> None:
        """Note what others on the way have to do for a request, and only they know whether."""
        guesses = self._scene.guesses
        for address in shared_addresses(self._scene, walk):
            text = f"a port of {address} is free for the connection"
            guesses.assume(Assumption(AssumptionKind.EXTERNAL_PORT, text))
        if not names.is_answered(walk):
            for assumption in names.passed_on(self._scene, walk):
                guesses.assume(assumption)

    def _assume_found(self, walk: Walk, packet: Packet) -> None:
        """Note where a router on the way has found a destination that no port is declared for."""
        ends = packets.addresses(packet)
        snapshot = self._scene.snapshot
        found = [
            (name, mac)
            for (name, address), mac in snapshot.neighbours.items()
            if ends is not None and address == str(ends[1])
        ]
        if ends is None or not found:
            return
        if any(_mac_of(port, ends[1]) is not None for port in snapshot.ports):
            return
        passed = {visit.datapath for visit in walk.visits}
        for name, mac in found:
            port = self._scene.ports.get(name)
            if port is not None and self._scene.datapath_name(port.datapath) in passed:
                text = f"{ends[1]} is at {mac}, where router port {name} found it"
                self._scene.guesses.assume(Assumption(AssumptionKind.OWNER, text))

    def _assume_owned(self, packet: Packet, port: PortBinding) -> None:
        """Note that the one who got a packet takes it, where that isn't declared or guessed."""
        ends = packets.addresses(packet)
        if ends is None or _mac_of(port, ends[1]) is not None:
            return
        if ends[1].is_multicast or (port.datapath, str(ends[1])) in self._scene.guesses.owners:
            return
        if port.kind.leads_outside:
            text = f"hosts beyond {beyond(port)}, take what is for {ends[1]}, and answer"
            self._scene.guesses.assume(Assumption(AssumptionKind.OUTSIDE, text))
        if not port.kind.is_workload:
            return
        text = f"{port.name} has {ends[1]}, which is none of its addresses"
        self._scene.guesses.assume(Assumption(AssumptionKind.OWNER, text))

    def _unknown_recipient(self, text: str, end: Ending) -> tuple[str, Obstacle | None]:
        """Return the obstacle that several got a packet, and it is not known which answers it."""
        packet = end.forwarded[0].packet
        ends = packets.addresses(packet)
        if len(end.forwarded) == 1 or ends is None or packets.reply_to(packet, "", 0) is None:
            return text, None
        ports = ", ".join(each.port for each in end.forwarded)
        text = f"delivered to {ports}: it is not known which of them has {ends[1]}"
        return text, Obstacle(ObstacleKind.UNKNOWN, text, None, packet, certain=False)

    def _owners(self, end: Ending) -> set[str]:
        """The ports that are declared, or assumed, to have the address that a packet is for."""
        found = {
            claims[self._scene.world.owners.get(key, 0) % len(claims)].port.name
            for key, claims in self._scene.guesses.owners.items()
        }
        for each in end.forwarded:
            ends = packets.addresses(each.packet)
            if ends is not None and _mac_of(self._scene.ports[each.port], ends[1]) is not None:
                found.add(each.port)
        return found

    def _router_asks(
        self, port: PortBinding, packet: MutablePacket, walk: Walk, end: Ending
    ) -> Check:
        """Whether a router that asked for a next hop on the way is answered."""
        scene = self._scene
        wanted = discovery.asked_address(end.requests[0].packet)
        if wanted is None:
            raise ValueError(f"a router asks for nothing: {end.requests[0].packet}")
        text = f"the router on the way asks who has {wanted}"
        learned = self._learned(walk)
        misled = misrouted(scene, walk)
        if misled is not None:
            return Check(CheckKind.RESOLUTION, port, misled.text, misled, packet, walk)
        obstacle: Obstacle | None = None
        asked = [scene.ports[delivery.port] for delivery in end.requests]
        declared = any(_mac_of(each, wanted) is not None for each in asked)
        claim = None if learned or declared else scene.claim(asked[0].datapath, wanted, port.name)
        for delivery in end.requests:
            recipient = scene.ports[delivery.port]
            mac = _mac_of(recipient, wanted)
            if claim is not None and claim.port.name == recipient.name:
                mac = claim.mac
            if learned or mac is None:
                continue
            answer = scene.walk(discovery.answer(delivery.packet, recipient.name, mac))
            learned = self._learned(answer)
            if not learned:
                found = ending(answer, recipient.name)
                obstacle = reason(scene, answer, found, "")
        if learned:
            return Check(CheckKind.RESOLUTION, port, f"{text}: it is told", None, packet, walk)
        if obstacle is None:
            obstacle = unresolved(scene, wanted, asked, packet)
            self._assume_unused(wanted, asked[0].datapath, reserved=False)
        return Check(CheckKind.RESOLUTION, port, f"{text}: no answer", obstacle, packet, walk)

    def _learned(self, walk: Walk) -> bool:
        """Let routers learn the neighbours that they were told of; false without any."""
        found = [
            self._scene.learn(*event.values)
            for event in walk.events
            if isinstance(event, Noted) and event.what in _LEARNING
        ]
        return any(found)


def _is_advertised(end: Ending, wanted: PortBinding | None) -> bool:
    """Whether a router answers who looks for one, beside others who get the question."""
    return wanted is None and any(packets.is_advertisement(each.packet) for each in end.answers)


def _mac_of(port: PortBinding, address: Address) -> int | None:
    return next((host.mac for host in hosts(port) if address in host.addresses), None)
