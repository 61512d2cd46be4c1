"""Flows that no logical flow stands for: of ports, multicast groups, tunnels, learned addresses.

A key whose surroundings aren't known yet (a datapath whose row is on its way, a
chassis without an address) gives no flows; what it missed is recorded, and it
runs again when that comes.
"""

from collections.abc import Iterator, Sequence
from ipaddress import ip_address

from chassis_agent.derivations.placement import (
    Placement,
    addresses,
    datapath_key,
    multicast_members,
    placement,
    tunnel,
    virtual_parent,
)
from chassis_agent.derivations.provider import mac_exchange, way_out
from chassis_agent.derivations.stages import used_stages
from chassis_agent.derivations.templates import EVERYTHING, stage_book
from chassis_agent.desired.flow import Flow
from chassis_agent.desired.wanted import Wanted
from chassis_agent.gateways.sessions import TunnelSession
from chassis_agent.inputs import (
    LocalPort,
    NarrowTunnel,
    ThisChassis,
    Zone,
    dnat_zone,
    route_zone,
    snat_zone,
)
from chassis_agent.physical import (
    Side,
    Tunnel,
    Zones,
    alias_flow,
    blocked_flows,
    copy_flows,
    elsewhere_flows,
    external_flows,
    fdb_flows,
    forwarding_flow,
    group_flows,
    ingress_flows,
    interface_flows,
    link_here_flows,
    narrow_tunnel_flows,
    native_flows,
    neighbour_flows,
    nested_flows,
    outside_flows,
    patch_flows,
    probe_flows,
    redirect_flow,
    remote_flows,
    router_flows,
    tells_of_arrival,
)
from chassis_agent.physical.multicast import KEYS, Reach
from chassis_agent.physical.provider import CUSTOMER_TAG, SERVICE_TAG
from chassis_agent.tables import direction_of
from incremental import Read
from logical_flow.roles import Role
from southbound.cookies import physical_cookie
from southbound.port_types import EXTERNAL, VIRTUAL
from southbound.rows import Datapath, FdbEntry, MacBinding, PortBinding

Flows = Sequence[Flow]


def port_flows(read: Read, name: str) -> Flows:
    """How packets of a port enter its datapath, and how packets to it leave."""
    place = read(placement, name)
    datapath = None if place is None else read(datapath_key, place.datapath)
    if place is None or datapath is None or place.where == "nowhere":
        return ()
    cookie = physical_cookie(datapath, place.port_key)
    row = read(PortBinding, name)
    if row is not None and row.kind is EXTERNAL:
        return _external(read, name, place, cookie)
    ways = _ways(read, place)
    if place.where == "away":
        out = way_out(read, place.datapath)
        if out is not None:
            native = native_flows(datapath, place.port_key, out.port_key, cookie=cookie)
            return (*native, *_link_here(read, name, place, cookie))
        if not ways:
            return ()
        flows = remote_flows(datapath, place.port_key, ways, cookie=cookie)
        if _may_be_elected(read, name):
            flows.append(forwarding_flow(datapath, place.port_key, ways[0], cookie=cookie))
        return tuple(flows)
    if place.where == "redirect":
        row = read(PortBinding, name)
        port = None if row is None else read(placement, row.distributed_port)
        if port is None:
            return ()
        return (redirect_flow(datapath, place.port_key, port.port_key, cookie=cookie),)
    here = _side(read, name)
    if here is None:
        return ()
    return (*_flows_here(read, name, place, here, cookie), *copy_flows(here, ways, cookie=cookie))


def _link_here(read: Read, name: str, place: Placement, cookie: int) -> Flows:
    row = read(PortBinding, name) if place.has_link_here else None
    here, peer = _side(read, name), None if row is None else _side(read, row.peer)
    if here is None or peer is None:
        return ()
    return tuple(link_here_flows(here, peer, cookie=cookie))


def _external(read: Read, name: str, place: Placement, cookie: int) -> Flows:
    """How packets get to a workload on a provider network: by the way outside from here.

    What is tracked of it is where that is, also what comes from there: in the way's zone.
    """
    out, side = way_out(read, place.datapath), _side(read, name)
    if out is None or not out.port_key or side is None:
        return ()
    side = side._replace(zones=Zones(port=_zone(read, out.name)))
    ways = _ways(read, place)
    return tuple(external_flows(side, out.port_key, ways, cookie=cookie))


def _may_be_elected(read: Read, name: str) -> bool:
    row = read(PortBinding, name)
    this = read(ThisChassis, "")
    return row is not None and this is not None and this.name in row.electorate


def _flows_here(read: Read, name: str, place: Placement, here: Side, cookie: int) -> Flows:
    if place.where in ("patch", "gateway"):
        row = read(PortBinding, name)
        peer = _side(read, row.peer) if row is not None and row.peer else None
        return () if peer is None else tuple(patch_flows(here, peer, cookie=cookie))
    row = read(PortBinding, name)
    if row is not None and row.kind is VIRTUAL:
        parent = read(placement, virtual_parent(read, row))
        return () if parent is None else (alias_flow(here, parent.port_key, cookie=cookie),)
    local = read(LocalPort, name)
    row = read(PortBinding, name)
    if local is None or row is None:
        return ()
    if row.kind.leads_outside:
        return tuple(
            outside_flows(
                here,
                local.ofport,
                row.tag,
                passes_tags=row.passes_tags,
                is_native=row.kind.is_native,
                ethertype=SERVICE_TAG if row.has_service_tag else CUSTOMER_TAG,
                exchange=mac_exchange(read, row),
                cookie=cookie,
            )
        )
    if local.blocked:
        speaking = () if local.tag else tells_of_arrival(row)
        return tuple(blocked_flows(here, local.ofport, speaking, cookie=cookie))
    if local.tag:
        return tuple(nested_flows(here, local.ofport, local.tag, cookie=cookie))
    stays = row.kind.stays_local
    return tuple(interface_flows(here, local.ofport, stays=stays, cookie=cookie))


def _ways(read: Read, place: Placement) -> list[Tunnel]:
    """Return the ways to the other chassis that a port is on, as far as they are known."""
    chassis = (place.chassis, *place.others) if place.where == "away" else place.others
    return [way for name in chassis if (way := read(tunnel, name)) is not None]


def multicast_flows(read: Read, key: tuple[str, str]) -> Wanted | None:
    """Who gets a copy of a packet to a multicast group of a datapath."""
    datapath_id, group = key
    datapath = read(datapath_key, datapath_id)
    reach = _reach(read, datapath_id)
    if datapath is None or reach is None:
        return None
    members = read.members(multicast_members, key)
    is_native = way_out(read, datapath_id) is not None
    away = () if is_native else (member for member in members if member.where == "away")
    ways = (read(tunnel, member.chassis) for member in away)
    return group_flows(
        datapath,
        KEYS[group],
        local=[each.port_key for each in members if each.where == "here" and not each.is_moving],
        moving=[member.port_key for member in members if member.is_moving],
        patch=[member.port_key for member in members if member.where == "patch"],
        gateways=[member.port_key for member in members if member.where == "gateway"],
        remote=[way for way in ways if way is not None],
        reach=reach,
        cookie=physical_cookie(datapath, KEYS[group]),
    )


def elsewhere_share_flows(read: Read, key: str) -> Flows:
    """What senders on other chassis may have of this agent."""
    return (
        () if read(ThisChassis, key) is None else tuple(elsewhere_flows(cookie=physical_cookie(0)))
    )


def tunnel_flows(read: Read, chassis: str) -> Flows:
    """What another chassis may send here."""
    this = read(ThisChassis, "")
    remotes = read(addresses, chassis)
    if this is None or not this.tunnel_ofport or not remotes:
        return ()
    session = read(TunnelSession, chassis)
    ofports = [this.tunnel_ofport]
    if session is not None and session.ofport:
        ofports.append(session.ofport)
    return tuple(ingress_flows(ofports, remotes, cookie=physical_cookie(0)))


def has_narrow_tunnel(_chassis: str, _row: NarrowTunnel) -> Iterator[tuple[str, bool]]:
    """Group narrow tunnels under one key, for those who ask whether there are any."""
    yield "", True


def tunnel_size_flows(read: Read, _key: str) -> Flows:
    """What becomes of packets for tunnels that carry less than is sent, if there are any."""
    this = read(ThisChassis, "")
    if this is None or not this.tunnel_ofport or not read.any(has_narrow_tunnel, ""):
        return ()
    return tuple(narrow_tunnel_flows(this.tunnel_ofport, cookie=physical_cookie(0)))


def router_size_flows(read: Read, datapath_id: str) -> Flows:
    """How a router tells that packets are too big for the tunnel to a gateway, if one may be."""
    datapath = read(Datapath, datapath_id)
    if datapath is None or datapath.kind != "lr" or not read.any(has_narrow_tunnel, ""):
        return ()
    stages = read(used_stages, datapath_id)
    book = read(stage_book, (EVERYTHING, EVERYTHING))
    if stages is None or book is None:
        return ()
    routing = [
        stage
        for stage in stages.stages
        if stage.pipeline == "lr_in" and book.stages[stage].role is Role.ROUTING
    ]
    if not routing:
        return ()
    key = datapath.tunnel_key
    return tuple(router_flows(key, routing[0].table, cookie=physical_cookie(key)))


def tunnel_probe_flows(read: Read, _key: str) -> Flows:
    """What our switch does with probes of tunnels."""
    this = read(ThisChassis, "")
    if this is None or not this.tunnel_ofport:
        return ()
    return tuple(probe_flows(this.name, this.tunnel_ofport, cookie=physical_cookie(0)))


def learned_mac_flows(read: Read, key: str) -> Flows:
    """A neighbour of a router port."""
    row = read(MacBinding, key)
    where = None if row is None else _port(read, row.port)
    if row is None or where is None:
        return ()
    mac = bytes.fromhex(row.mac.replace(":", ""))
    return tuple(neighbour_flows(*where, ip_address(row.ip), mac, cookie=physical_cookie(*where)))


def learned_fdb_flows(read: Read, key: str) -> Flows:
    """An address behind a switch port."""
    row = read(FdbEntry, key)
    where = None if row is None else _port(read, row.port)
    if row is None or where is None:
        return ()
    mac = bytes.fromhex(row.mac.replace(":", ""))
    return tuple(fdb_flows(*where, mac, cookie=physical_cookie(*where)))


def _reach(read: Read, datapath: str) -> Reach | None:
    """How many resubmits the copies of a packet to a group of this datapath take.

    Into the egress pipeline, through it, and out of it. Behind a patch port a packet visits
    no more stages than there are: those of the peer, and of this datapath if it comes back.
    """
    stages = read(used_stages, datapath)
    book = read(stage_book, (EVERYTHING, EVERYTHING))
    if stages is None or book is None:
        return None
    local = 2 + sum(direction_of(stage.pipeline) == "egress" for stage in stages.stages)
    return Reach(local, local + len(book.stages))


def _side(read: Read, name: str) -> Side | None:
    """A port on its datapath, ready for flows."""
    place = read(placement, name)
    datapath = None if place is None else read(Datapath, place.datapath)
    stages = None if place is None else read(used_stages, place.datapath)
    if place is None or datapath is None or stages is None:
        return None
    if datapath.kind == "lr":
        zones = Zones(
            port=_zone(read, route_zone(datapath.id)),
            dnat=_zone(read, dnat_zone(datapath.id)),
            snat=_zone(read, snat_zone(datapath.id)),
        )
    else:
        zones = Zones(port=_zone(read, name))
    return Side(
        datapath.tunnel_key, place.port_key, zones, stages.first_ingress, stages.first_egress
    )


def _port(read: Read, name: str) -> tuple[int, int] | None:
    """Datapath key and port key of a port."""
    place = read(placement, name)
    datapath = None if place is None else read(datapath_key, place.datapath)
    return None if place is None or datapath is None else (datapath, place.port_key)


def _zone(read: Read, name: str) -> int:
    zone = read(Zone, name)
    return 0 if zone is None else zone.number
