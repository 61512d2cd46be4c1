"""The controller in this process: answers from realised state, sessions and engine themselves.

Belongs to the event loop that these belong to.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from heapq import nsmallest
from typing import Protocol

import msgspec

from controller.answers import (
    MOST_PROBLEMS,
    AclHits,
    BackendReport,
    BoundPort,
    ChassisReport,
    Fault,
    FlowFilter,
    FlowGroups,
    NarrowTunnel,
    Origin,
    Places,
    PortFilter,
    PortPlace,
    Progress,
    ProposedChange,
    View,
)
from controller.backends import backends_of_set
from controller.hits import count_hits, hits_by_acl
from controller.views import ports_of, view_of
from incremental import Failure
from southbound.chassis import integration_bridge
from southbound.chassis_status import ChassisStatus, utc_time
from southbound.cookies import parse_physical_cookie
from southbound.hits import ACL
from southbound.port_types import PlacedBy
from southbound.proposed import ProposedState, RealisedRows
from southbound.questions import Question, Result
from southbound.rows import (
    BfdStatus,
    Chassis,
    Datapath,
    FlowGroup,
    PortBinding,
    Template,
    datapath_scope,
    port_scope,
    set_scope,
)
from southbound.state import RealisedState
from translator.features.gateways.relations import redirect_id
from translator.intent import ImageChange
from translator.runner import Translator


class AgentSessions(Protocol):
    """The watch server, as far as it is asked."""

    async def wait_applied(self, revision: int, timeout: float) -> list[str]:  # noqa: ASYNC109
        """Return the names of the chassis that have not applied `revision` in time."""
        ...

    async def wait_settled(self, chassis: Collection[str], timeout: float) -> None:  # noqa: ASYNC109
        """Wait until these chassis have all that they are due, or the time is over."""
        ...

    async def ask(self, chassis: str, question: Question, timeout: float) -> Result:  # noqa: ASYNC109
        """Return what the agent of a chassis answers, or raise UnansweredError."""
        ...

    def watching(self, datapath: str) -> list[str]:
        """Return the chassis that watch a datapath, connected or not."""
        ...

    def status(self, chassis: str) -> ChassisStatus:
        """Return what is known of a chassis by its session."""
        ...

    def remove_chassis(self, chassis: str) -> None:
        """Forget a chassis, or raise NotAllowedError if it is connected."""
        ...


class LocalController:
    """Implements :class:`controller.interface.Controller` over the parts of this process."""

    def __init__(
        self, realised: RealisedState, agents: AgentSessions, translator: Translator
    ) -> None:
        self._realised = realised
        self._agents = agents
        self._translator = translator

    # --- how far changes have come

    async def progress(self) -> Progress:
        realised = self._realised
        chassis = realised.rows(Chassis).values()
        ports = realised.rows(PortBinding).values()
        problems = list(realised.facts.problem_ports())
        statuses = {row.name: self._agents.status(row.name) for row in chassis}
        ill = [
            (row.name, text)
            for row in sorted(chassis, key=lambda row: row.name)
            for text in _chassis_problems(statuses[row.name])
        ]
        return Progress(
            revision=realised.revision,
            flow_groups=len(realised.rows(FlowGroup)),
            chassis=len(chassis),
            chassis_alive=sum(row.alive for row in chassis),
            chassis_degraded=sum(bool(status.conditions) for status in statuses.values()),
            port_bindings=len(ports),
            ports_up=sum(port.up for port in ports if port.kind.is_workload),
            takeovers=realised.facts.takeovers,
            faults=_faults(self._translator.failures),
            trouble=self._translator.progress.trouble,
            port_problems=problems[:MOST_PROBLEMS],
            port_problems_total=len(problems),
            chassis_problems=ill[:MOST_PROBLEMS],
            chassis_problems_total=len(ill),
        )

    async def differences(self) -> list[str]:
        return await self._translator.differences()

    async def wait_revision(self, revision: int, timeout: float) -> bool:  # noqa: ASYNC109
        return await self._realised.wait_revision(revision, timeout)

    async def wait_applied(self, revision: int, timeout: float) -> list[str]:  # noqa: ASYNC109
        return await self._agents.wait_applied(revision, timeout)

    async def wait_up(self, ports: Sequence[str], timeout: float) -> list[str]:  # noqa: ASYNC109
        return await self._realised.wait_up(ports, timeout)

    async def settle(self, ports: Sequence[str], timeout: float) -> None:  # noqa: ASYNC109
        chassis = {port.chassis for port in ports_of(self._realised, ports) if port.chassis}
        if chassis:
            await self._agents.wait_settled(chassis, timeout)

    # --- what there is

    async def chassis(
        self, *, after: str = "", limit: int, alive: bool | None = None
    ) -> list[ChassisReport]:
        matching = (
            row
            for row in self._realised.rows(Chassis).values()
            if row.name > after and alive in (None, row.alive)
        )
        bound = self._ports_by_chassis()
        return [
            self._report(row, bound[row.name])
            for row in nsmallest(limit, matching, key=lambda row: row.name)
        ]

    async def one_chassis(self, name: str) -> ChassisReport | None:
        row = self._realised.rows(Chassis).get(name)
        return None if row is None else self._report(row, self._ports_by_chassis()[name])

    async def narrow_tunnels(self) -> list[NarrowTunnel]:
        narrowest = []
        for name in sorted(self._realised.rows(Chassis)):
            report = self._agents.status(name).tunnels
            if report is not None and report.mtus:
                peer, mtu = min(report.mtus.items(), key=lambda way: (way[1], way[0]))
                narrowest.append(NarrowTunnel(name, peer, mtu, report.largest))
        return narrowest

    async def chassis_of(self, datapaths: Sequence[str]) -> dict[str, list[str]]:
        ports = {
            datapath: [
                row
                for row in self._realised.in_scope(datapath_scope(datapath))
                if isinstance(row, PortBinding) and row.datapath == datapath
            ]
            for datapath in datapaths
        }
        return {
            datapath: sorted({chassis for row in rows for chassis in row.all_chassis})
            for datapath, rows in ports.items()
        }

    async def remove_chassis(self, name: str) -> bool:
        if name not in self._realised.rows(Chassis):
            return False
        self._agents.remove_chassis(name)
        return True

    async def datapath(self, ref: str) -> Datapath | None:
        rows = self._realised.rows(Datapath)
        return rows.get(ref) or next((row for row in rows.values() if row.name == ref), None)

    async def ports(self, which: PortFilter, *, after: str = "", limit: int) -> list[BoundPort]:
        matching = (
            row
            for row in self._realised.rows(PortBinding).values()
            if row.name > after
            and which.datapath in (None, row.datapath)
            and which.chassis in (None, row.chassis)
            and which.up in (None, row.up)
        )
        found = nsmallest(limit, matching, key=lambda row: row.name)
        return [self._bound_port(row) for row in found]

    async def port(self, ref: str) -> BoundPort | None:
        row = self._realised.rows(PortBinding).get(ref) or next(self._ports_named(ref), None)
        return None if row is None else self._bound_port(row)

    async def places(self, ports: Sequence[str], hosts: Sequence[str]) -> Places:
        bindings, chassis = self._realised.rows(PortBinding), self._realised.rows(Chassis)
        places = {}
        for port in ports:
            row = bindings.get(port)
            if row is not None:
                at = chassis.get(row.chassis)
                hostname = "" if at is None else at.hostname
                places[port] = PortPlace(row.chassis, hostname, row.up)
        named = {host: self._realised.facts.chassis_called(host) for host in hosts}
        there = {*named.values(), *(place.chassis for place in places.values())}
        bridges = {name: integration_bridge(chassis[name]) for name in there if name in chassis}
        return Places(places, {host: name for host, name in named.items() if name}, bridges)

    async def templates(self) -> list[Template]:
        return list(self._realised.rows(Template).values())

    async def flow_groups(self, which: FlowFilter, *, first: int = 0, limit: int) -> FlowGroups:
        matching = (
            group
            for group in self._realised.flow_groups(datapath=which.datapath, cause=which.cause)
            if group.id >= first
        )
        groups = nsmallest(limit, matching, key=lambda group: group.id)
        return FlowGroups(groups, self._datapath_names(groups))

    async def groups_of(self, ids: Sequence[int]) -> list[FlowGroup]:
        groups = self._realised.rows(FlowGroup)
        return [groups[key] for key in map(str, ids) if key in groups]

    async def origin(self, cookie: int) -> Origin | None:
        physical = parse_physical_cookie(cookie)
        if physical is not None:
            datapath = next(
                (
                    row
                    for row in self._realised.rows(Datapath).values()
                    if row.tunnel_key == physical.datapath_key
                ),
                None,
            )
            port = datapath and next(
                (
                    row
                    for row in self._realised.rows(PortBinding).values()
                    if row.datapath == datapath.id and row.tunnel_key == physical.port_key
                ),
                None,
            )
            return Origin(None, "", datapath.name if datapath else "", port.name if port else "")
        group = self._realised.rows(FlowGroup).get(str(cookie))
        if group is None:
            return None
        datapath_name = self._datapath_name(group.datapath)
        return Origin(group, self._realised.groups.origin_of(cookie), datapath_name, "")

    async def acl_hits(
        self,
        acls: Sequence[str] | None,
        timeout: float,  # noqa: ASYNC109
    ) -> dict[str, AclHits]:
        book = self._realised.hits
        if acls is None:
            groups = list(book.groups())
        else:
            wanted = set(acls)
            groups = [
                group
                for group in self._realised.rows(FlowGroup).values()
                if group.cause_kind == ACL and group.cause_id in wanted
            ]
        missing = await count_hits(self._agents, book, groups, timeout) if timeout else {}
        return hits_by_acl(book, groups, missing)

    async def backends(self, vip: str) -> list[BackendReport]:
        return backends_of_set(self._realised.in_scope(set_scope(f"&{vip}")))

    async def bfd_status(self, session: str) -> BfdStatus | None:
        return self._realised.rows(BfdStatus).get(session)

    # --- what packets meet, and would meet

    async def view(
        self, ports: Sequence[str], change: ProposedChange | None = None, hold: int | None = None
    ) -> View | None:
        if change is None:
            return self._view(self._realised, ports)
        images = [ImageChange(*each) for each in change.rows]
        would_be = await self._translator.what_if(change.revision, images, hold=hold)
        if would_be is None:
            return None
        puts, deletes = would_be.realised
        realised = self._realised
        stored = (realised.feed.get(row_id) for row_id in (*puts, *deletes))
        return msgspec.structs.replace(
            self._view(ProposedState(realised, puts.values(), deletes), ports),
            faults=_faults(would_be.failures),
            changed=[
                realised.facts.would_be(row)
                for row in puts.values()
                if isinstance(row, PortBinding)
            ],
            replaced=[row for row in stored if isinstance(row, PortBinding)],
        )

    def _view(self, rows: RealisedRows, ports: Sequence[str]) -> View:
        statuses = {name: self._agents.status(name) for name in rows.rows(Chassis)}
        return view_of(rows, ports, statuses)

    async def hold(self, seconds: float) -> int:
        return await self._translator.hold(seconds)

    async def release(self, hold: int) -> None:
        self._translator.release(hold)

    async def ask(self, chassis: str, question: Question, timeout: float) -> Result:  # noqa: ASYNC109
        return await self._agents.ask(chassis, question, timeout)

    # --- parts of answers

    def _report(self, row: Chassis, ports: int) -> ChassisReport:
        return ChassisReport(row, ports, self._agents.status(row.name))

    def _bound_port(self, row: PortBinding) -> BoundPort:
        problems = self._realised.facts.problems(row)
        datapath, hosting = self._datapath_name(row.datapath), self._hosting_chassis(row)
        return BoundPort(row, datapath, tuple(problems), hosting)

    def _hosting_chassis(self, row: PortBinding) -> str:
        elected: PortBinding | None = row
        if row.kind.placed_by is not PlacedBy.ELECTED:
            elected = self._realised.rows(PortBinding).get(redirect_id(row.id))
        return "" if elected is None else elected.chassis

    def _ports_named(self, name: str) -> Iterator[PortBinding]:
        rows = self._realised.in_scope(port_scope(name))
        return (row for row in rows if isinstance(row, PortBinding) and name in row.iface_ids)

    def _ports_by_chassis(self) -> Counter[str]:
        return Counter(port.chassis for port in self._realised.rows(PortBinding).values())

    def _datapath_name(self, datapath: str) -> str:
        row = self._realised.rows(Datapath).get(datapath)
        return datapath if row is None else row.name

    def _datapath_names(self, groups: Iterable[FlowGroup]) -> dict[str, str]:
        return {id_: self._datapath_name(id_) for id_ in {group.datapath for group in groups}}


def _chassis_problems(status: ChassisStatus) -> Iterator[str]:
    """Say that the agent is away, and what it, or the server that turned it away, says is wrong."""
    if not status.connected:
        heard = status.heard_at
        since = f", and was last heard of at {utc_time(heard)}" if heard is not None else ""
        yield f"its agent is not connected{since}"
    for name, text in sorted(status.conditions.items()):
        yield f"{name}: {text}"


def _faults(failures: Iterable[Failure]) -> list[Fault]:
    return [Fault(each.node, str(each.key), each.error) for each in failures]
