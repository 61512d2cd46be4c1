"""What an agent does while its host stays the same host: watch, switch and reconciler.

A session belongs to one chassis name, one bridge and one server. It ties the rows that the
server sends, what the switch hands over, and the host's own facts to the reconciler, and
ends when one of the three changes: :mod:`chassis_agent.agent` then begins another one.
"""

import asyncio
import ipaddress
import ssl
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

from chassis_agent import tables
from chassis_agent.advertising.advertiser import Advertiser
from chassis_agent.announcing.sender import AnnouncementSender
from chassis_agent.backends.checker import BackendChecker
from chassis_agent.bfd.runner import BfdRunner
from chassis_agent.bridge.conntrack_limits import ConntrackLimits
from chassis_agent.bridge.database_care import DatabaseCare
from chassis_agent.bridge.limit_drops import LimitDrops
from chassis_agent.bridge.switch import Switch
from chassis_agent.bridge.tunnels import tunnel_ofport
from chassis_agent.compile import ConjunctionIds
from chassis_agent.desired.flow_state import FlowState
from chassis_agent.gateways.pulse import SwitchPulse
from chassis_agent.health import Health
from chassis_agent.inputs import Change
from chassis_agent.inspection.hits import HitCounters, HitReports
from chassis_agent.inspection.inspector import Inspector
from chassis_agent.learning.learned import UNCONFIRMED_SECONDS, LearnedAddresses
from chassis_agent.learning.probes import NeighbourProbes
from chassis_agent.learning.refresh import LearnedRefresh
from chassis_agent.local.announcer import Announcer
from chassis_agent.local.facts import LocalFacts
from chassis_agent.local.port_names import PortKeys, PortNames
from chassis_agent.local.provider import ProviderBridges
from chassis_agent.local.unknown_types import UnknownPortTypes
from chassis_agent.local.zones import ZoneAllocator, persisted_zones
from chassis_agent.openflow.packet_in import PacketIn
from chassis_agent.ovsdb import Bridge, SwitchDatabase
from chassis_agent.punt.dispatcher import Dispatcher
from chassis_agent.punt.fair_queue import FairQueue
from chassis_agent.punt.floods import Floods
from chassis_agent.punt.handler import PuntHost
from chassis_agent.punt.opcodes import Opcode
from chassis_agent.punt.packet_log import AclLog
from chassis_agent.punt.registry import punt_handlers
from chassis_agent.reconciler import Reconciler
from chassis_agent.revocation.ended import EndedBackends
from chassis_agent.revocation.schedule import Revocations
from chassis_agent.revocation.untranslated import EndedTranslations
from chassis_agent.rising import RisingCounters
from chassis_agent.settings import AgentSettings, Host
from chassis_agent.underlay.prober import Prober
from chassis_agent.underlay.remote_ports import RemotePorts
from chassis_agent.underlay.senders import largest_frame
from southbound import wire
from southbound.chassis import bridge_ids
from southbound.encaps import TUNNEL_TYPE
from southbound.provider_macs import provider_mac_ids
from southbound.rows import Chassis, Encap, MacBinding
from southbound.watch.cache import RowCache
from southbound.watch.client import WatchClient
from southbound.watch.inbox import Batch

_COUNTERS_SECONDS: Final = 10.0
_LOSSES: Final = {
    "dropped_packet_outs": "for which the switch had no room",
    "refused_messages": "that the switch refused",
    "failed_packet_ins": "that could not be read: see the log",
    "failed_punts": "that could not be handled: see the log",
}
_ASK_AGAIN_SECONDS: Final = 0.25
_PUNTS_AT_ONCE: Final = 32


class Session:
    """What runs while the host stays the same: watch, switch, reconciler."""

    def __init__(
        self,
        host: Host,
        bridge: Bridge,
        provider: ProviderBridges,
        settings: AgentSettings,
        database: SwitchDatabase,
        database_care: DatabaseCare,
        health: Health,
    ) -> None:
        settings.cache_directory.mkdir(parents=True, exist_ok=True)
        self._host = host
        self._health = health
        self._watch = WatchClient(
            host.server,
            _chassis_row(host),
            token=settings.token.get_secret_value() if settings.token else "",
            tls=tls_of(settings, host.server),
            cache=RowCache(settings.cache_directory / f"{host.system_id}.rows"),
            answerer=lambda question: self.inspector.answer(question),
        )
        self._announcer = Announcer(database, health, self._watch.set_up)
        self._switch = Switch(
            settings.management_socket(host.bridge),
            health,
            on_change=lambda: self._reconciler.wake(),
            on_packet_in=self._take_punted,
        )
        self._announcements = AnnouncementSender(self._switch.send, health)
        self._punted = FairQueue()
        self._is_punted = asyncio.Event()
        self._ports = PortNames()
        state = FlowState(ConjunctionIds().allocate)
        local = LocalFacts(
            host.system_id,
            ZoneAllocator(persisted_zones(bridge.external_ids)),
            is_connected=lambda: self._watch.connected,
            last_stall=lambda: self._pulse.last_stall(),
        )
        self._local = local
        self._pulse = SwitchPulse(
            lambda: self._switch.connection.echo(),
            is_of_use=lambda: bool(local.tunnel_sessions.sessions),
        )
        self._reconciler = Reconciler(
            chassis=host.system_id,
            bridge=bridge,
            provider=provider,
            state=state,
            local=local,
            watch=self._watch,
            switch=self._switch,
            database=database,
            database_care=database_care,
            announcer=self._announcer,
            announcements=self._announcements,
            ports=self._ports,
            on_rows=self._take_rows,
            on_acl_changes=lambda ports: self._revocations.request(ports),
            on_changed_backends=lambda sets, gone: self._ended_backends.request(sets, gone),
            on_lost_translations=lambda lost: self._ended_translations.look_at(lost),
            on_residents=lambda: self._bfd.review(),
            on_another_switch=lambda: self._prober.switch_is_another(),
            health=health,
            repairs=settings.repair,
        )
        self._bfd = BfdRunner(
            self._switch.send,
            self._ports,
            lambda: state.residents,
            self._reconciler.learn,
            lambda: self._watch.tell(self._bfd.statement),
            health,
        )
        self._revocations = Revocations(
            self._switch,
            settings.switch_control,
            health,
            rows=state.rows,
            zones=lambda: local.zones,
        )
        self._ended_backends = EndedBackends(
            self._switch,
            settings.switch_control,
            health,
            rows=state.rows,
            members=state.members,
            zones=lambda: local.zones,
            ports=lambda: {
                **local.outside,
                **{name: bound.row.datapath for name, bound in local.bindings.bound.items()},
            },
        )
        self._ended_translations = EndedTranslations(
            self._switch,
            settings.switch_control,
            health,
            rows=state.rows,
            members=state.members,
            zones=lambda: local.zones,
        )
        hits = HitCounters(self._switch, lambda: state.hit_counters, settings.switch_control)
        self.inspector = Inspector(
            host.bridge,
            state,
            self._switch,
            settings.switch_control,
            revision=lambda: self._watch.revision,
            in_sync=lambda: self._reconciler.is_in_sync,
            hits=hits,
        )
        self._hit_reports = HitReports(
            hits,
            self._switch,
            health,
            is_connected=lambda: self._watch.connected,
            tell=self._watch.tell_hits,
        )
        self._learned = LearnedAddresses(
            host.system_id,
            self._ports,
            self._watch,
            known=lambda table, key: state.rows(table).get(key),
            learn=self._learn,
            clock=time.monotonic,
        )
        probes = NeighbourProbes(self._switch.send, self._ports, health)
        self._refresh = LearnedRefresh(
            self._switch,
            self._watch,
            health,
            rows=state.rows,
            probe=probes.ask,
            clock=time.monotonic,
        )
        handlers = punt_handlers(
            PuntHost(
                send=self._switch.send,
                rows=state.rows,
                ports=self._ports,
                learner=self._learned,
                packet_log=AclLog(self._ports),
                probe_answered=lambda packet: self._prober.answered(packet),
                port_spoke=self._port_spoke,
                address_claimed=self._address_claimed,
                bfd_received=self._bfd.receive,
                backend_answered=lambda port, answer: self._backends.answered(port, answer),
                resume_table=tables.OUTPUT,
                clock=time.monotonic,
            )
        )
        self._next_hops = handlers.next_hops
        self._names = handlers.name_lookups.names
        self._punts = Dispatcher(handlers)
        self._advertiser = Advertiser(
            self._switch.send,
            self._ports,
            lambda: [bound.row for bound in local.bindings.bound.values()],
        )
        self._backends = BackendChecker(
            self._switch.send, self._ports, state.rows, self._watch.tell
        )
        self._bridge = bridge
        self._provider = provider
        self._limit_drops = LimitDrops(settings.switch_control, health)
        self._floods = Floods(
            self._switch,
            health,
            ports=lambda: {
                name: bound.plugged.ofport for name, bound in local.bindings.bound.items()
            },
        )
        self._conntrack = ConntrackLimits(
            settings.conntrack_limit,
            settings.switch_control,
            health,
            datapath=lambda: self._bridge.datapath_type,
            zones=lambda: local.port_zones,
        )
        self._state = state
        self._remote_ports = RemotePorts(host.system_id)
        self._unknown_types = UnknownPortTypes(health)
        self._prober = Prober(
            host.system_id,
            self._switch.send,
            self._watch.tell,
            health,
            control=settings.switch_control,
            on_narrow=self._take_narrow_tunnels,
        )
        self._prober.set_own_addresses(host.encap_ips)

    async def run(self) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch.run(), name="watch")
            tasks.create_task(self._switch.run(), name="switch")
            tasks.create_task(self._announcer.run(), name="announcer")
            tasks.create_task(self._reconciler.follow_rows(), name="rows")
            tasks.create_task(self._reconciler.run(), name="reconciler")
            tasks.create_task(self._reconciler.guard(), name="guard")
            tasks.create_task(self._revocations.run(), name="revocations")
            tasks.create_task(self._ended_backends.run(), name="connections to lost backends")
            tasks.create_task(self._ended_translations.run(), name="connections of lost NATs")
            tasks.create_task(self._report_counters(), name="counters")
            tasks.create_task(self._expire_learned(), name="learned addresses")
            tasks.create_task(self._refresh.run(), name="learned addresses in use")
            tasks.create_task(self._handle_punted(), name="punted packets")
            tasks.create_task(self._ask_again(), name="neighbours that did not answer")
            tasks.create_task(self._prober.run(), name="prober")
            tasks.create_task(self._advertiser.run(), name="router advertisements")
            tasks.create_task(self._announcements.run(), name="announcements of addresses")
            tasks.create_task(self._bfd.run(), name="BFD")
            tasks.create_task(self._backends.run(), name="checks of backends")
            tasks.create_task(self._conntrack.run(), name="conntrack limits")
            tasks.create_task(self._limit_drops.run(), name="drops at limits")
            tasks.create_task(self._floods.run(), name="floods")
            tasks.create_task(self._hit_reports.run(), name="hits of ACLs")
            tasks.create_task(self._pulse.run(), name="pulse of the switch")
            self._health.listen(lambda: self._watch.tell(self._conditions))
            self._watch.tell(self._conditions)
            self._reconciler.wake()

    def take_bridge(self, bridge: Bridge, provider: ProviderBridges) -> None:
        self._bridge = bridge
        self._provider = provider
        self._reconciler.take_bridge(bridge, provider)
        self._use_tunnels()

    def _use_tunnels(self) -> None:
        """Which tunnels are in use may have changed, or where they lead."""
        chassis = self._state.rows(Chassis)
        largest = largest_frame(self._bridge.interfaces.values(), self._provider)
        self._prober.use(tunnel_ofport(self._bridge), chassis, self._remote_ports.chassis, largest)

    def _take_narrow_tunnels(self) -> None:
        """Tunnels carry more or less than before of what is sent here."""
        self._local.narrow_tunnels = self._prober.narrow
        self._reconciler.wake()

    def _take_rows(self, batch: Batch) -> None:
        is_about_chassis = any(isinstance(row, Chassis) for row in batch.puts) or any(
            table == Chassis.table for table, _ in batch.deletes
        )
        if self._remote_ports.change(batch.puts, batch.deletes) or is_about_chassis:
            self._use_tunnels()
        self._unknown_types.change(batch.puts, batch.deletes)
        self._local.virtual.change(batch.puts, batch.deletes)
        self._advertiser.take_rows(batch.puts, batch.deletes)
        self._bfd.take_rows(batch.puts, batch.deletes)
        self._names.change(batch.puts, batch.deletes)
        self._learned.confirm(batch.puts)
        for row in batch.puts:
            if isinstance(row, MacBinding):
                self._neighbour_known(row)

    def _learn(self, change: Change) -> None:
        self._reconciler.learn(change)
        if isinstance(change[2], MacBinding):
            self._neighbour_known(change[2])

    def _port_spoke(self, keys: PortKeys) -> None:
        """The workload of a port that moves runs here."""
        row = self._ports.port(keys)
        if row is not None and self._local.moves.activate(row):
            self._reconciler.wake()
            self._watch.tell(self._activated)

    def _address_claimed(self, keys: PortKeys, ip: bytes) -> None:
        """A port here speaks for the address of a virtual port."""
        row = self._ports.port(keys)
        if row is not None and self._local.virtual.claim(row, ip):
            self._reconciler.wake()
            self._watch.tell(self._local.virtual.statement)

    def _activated(self) -> wire.Activated:
        return wire.Activated(self._local.moves.active)

    def _neighbour_known(self, row: MacBinding) -> None:
        """Lets the packets go on that wait for this neighbour."""
        keys = self._ports.keys(row.port)
        if keys is not None:
            ip = ipaddress.ip_address(row.ip).packed
            self._next_hops.neighbour_known(*keys, ip, bytes.fromhex(row.mac.replace(":", "")))

    async def _expire_learned(self) -> None:
        while True:
            await asyncio.sleep(UNCONFIRMED_SECONDS / 3)
            self._learned.expire()

    def _take_punted(self, packet: PacketIn) -> None:
        self._punted.put(packet)
        self._is_punted.set()

    async def _handle_punted(self) -> None:
        """Handles punted packets, a few at a time: other tasks are not kept waiting by a flood."""
        while True:
            await self._is_punted.wait()
            for _ in range(_PUNTS_AT_ONCE):
                packet = self._punted.take()
                if packet is None:
                    self._is_punted.clear()
                    break
                self._punts.receive(packet)
            await asyncio.sleep(0)

    async def _ask_again(self) -> None:
        while True:
            await asyncio.sleep(_ASK_AGAIN_SECONDS)
            self._next_hops.ask_again()

    async def leave(self) -> None:
        """The host has another system-id from now on: the server forgets this chassis."""
        await self._watch.leave()

    def _conditions(self) -> wire.Conditions:
        return wire.Conditions(dict(self._health.reasons))

    def set_host(self, host: Host) -> None:
        """Encapsulations or the host's name changed."""
        self._host = host
        self._prober.set_own_addresses(host.encap_ips)
        self._watch.set_chassis(_chassis_row(host))

    async def _report_counters(self) -> None:
        """Tells the server what was counted, when that has changed."""
        told: dict[str, int] = {}
        losses = RisingCounters(
            self._health, "packets", "packets_lost", "packets were lost", _LOSSES.__getitem__
        )
        while True:
            losses.look({**self._switch.packet_losses, "failed_punts": self._punts.failed.total()})
            await asyncio.sleep(_COUNTERS_SECONDS)
            counted = dict(self._health.counters)
            if counted != told and self._watch.connected:
                self._watch.count(counted)
                told = counted

    async def report(self) -> dict[str, Any]:
        return {
            "system_id": self._host.system_id,
            "bridge": self._host.bridge,
            "server": self._host.server,
            "connected": self._watch.connected,
            "last_error": self._watch.last_error,
            "denied": dict(self._watch.denials),
            "revision": self._watch.revision,
            "switch_connected": self._switch.is_connected,
            "packet_losses": self._switch.packet_losses,
            "tunnels": self._prober.report(),
            **self._reconciler.report(),
            "bfd": self._bfd.report(),
            "conntrack": self._conntrack.report(),
            "backends": self._backends.report(),
            "revocations": self._revocations.outstanding,
            "punted": {
                "received": _by_name(self._punts.received),
                "malformed": _by_name(self._punts.malformed),
                "failed": _by_name(self._punts.failed),
                "pending": len(self._next_hops.pending),
                "dropped": self._next_hops.pending.dropped,
                "overflowed": self._punted.dropped,
                "over_share": await self._floods.report(),
                "neighbours_refused": self._learned.refused,
                "unanswered": self._next_hops.pending.unanswered,
            },
        }

    async def differences(self) -> list[str]:
        return await self._reconciler.differences()

    async def repair(self) -> list[str]:
        return await self._reconciler.repair()


def _chassis_row(host: Host) -> Chassis:
    return Chassis(
        name=host.system_id,
        hostname=host.hostname,
        encaps=tuple(Encap(TUNNEL_TYPE, address) for address in host.encap_ips),
        external_ids=bridge_ids(host.bridge) | provider_mac_ids(dict(host.provider_macs)),
    )


def _by_name(counts: Counter[Opcode | None]) -> dict[str, int]:
    return {"unknown" if opcode is None else opcode.name: n for opcode, n in counts.items()}


def tls_of(settings: AgentSettings, server: str) -> Callable[[], ssl.SSLContext] | None:
    """Makes what a connection is encrypted with, from the files as they are then.

    None for a server that is reached in plain text. What it makes raises OSError where a file
    can't be used.
    """
    if not server.startswith("wss:"):
        return None

    def make() -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=settings.tls_ca)
        if settings.tls_certificate is not None:
            context.load_cert_chain(settings.tls_certificate, settings.tls_private_key)
        return context

    return make
