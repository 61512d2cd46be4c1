"""Logical routers, their ports, and their static routes.

A route that OVN itself passes over, since nothing leads to its next hop, is left behind
with a note. One for whose next hop no host answers, such as the router's own address, drops
packets in OVN, and becomes one that discards them. Of several next hops for one prefix those
are kept that go together with the first: of its family, and none that discards beside it.
"""

import ipaddress
from collections.abc import Mapping
from typing import Final

from cli.import_ovn.bfd import BfdSessions
from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.gateways import Gateways
from cli.import_ovn.nat import Nats
from cli.import_ovn.router_advertisements import advertisement
from cli.import_ovn.snapshot import Row
from cli.import_ovn.spelling import address, interface, mac, selection_fields
from northbound.names import MAIN_TABLE
from northbound.services.nexthops import why_no_host
from northbound.services.static_routes import MOST_MEMBERS
from northbound.specs.routing import (
    LONGEST_AGE,
    LogicalRouterPortProperties,
    LogicalRouterProperties,
    StaticRouteProperties,
)

_LINK_LOCAL: Final = ipaddress.IPv6Network("fe80::/10")

Ports = Mapping[str, tuple[str, Values]]
"""Router ports by their names in OVN: name here, and fields."""


class Routing:
    """Translates routers. Ports come first: those of other routers and switches need them."""

    def __init__(self, draft: Draft, gateways: Gateways) -> None:
        self._draft = draft
        self._nats = Nats(draft)
        self._gateways = gateways
        self.ports: dict[str, tuple[str, Values]] = {}
        self._incomplete: set[str] = set()
        """The UUIDs of ports of which not all networks are imported."""
        routers: dict[str, str] = {}
        networks_of: dict[str, list[tuple[str, str]]] = {}
        for router in draft.snapshot.rows("Logical_Router"):
            for row in draft.snapshot.referred(router, "ports", "Logical_Router_Port"):
                if routers.setdefault(row.uuid, router.uuid) != router.uuid:
                    draft.report.lost(row, "name", "not imported again: it is on two routers")
                else:
                    self._add_port(row, networks_of.setdefault(router.uuid, []))
        self._routers = routers
        self._link()
        self.bfd = BfdSessions(draft, self.ports)

    def _add_port(self, row: Row, others: list[tuple[str, str]]) -> None:
        """Take a port. `others` are networks of the router's ports, with these, so far."""
        read = mac(row.text("mac"))
        if read is None:
            reason = f"not imported, and OVN passes over it: {row.text('mac')!r} is no MAC address"
            self._draft.report.noted(row, "mac", reason)
            return
        networks = self._apart(row, self._networks(row), others)
        if row.texts("networks") and not networks:
            self._draft.report.lost(row, "networks", "not imported: none of its networks is")
            return
        values: Values = {
            "mac": read,
            "networks": networks,
            "enabled": row.flag("enabled", default=True),
            **self._gateways.of_port(row),
        }
        if table := row.mapping("options").get("route_table"):
            values["route_table"] = table
        if mtu := _gateway_mtu(row):
            values["gateway_mtu"] = mtu
        if told := advertisement(self._draft, row, values):
            values["ipv6_ra"] = told
        accepted = self._draft.accepted(row, LogicalRouterPortProperties, values)
        if accepted is not None:
            self.ports[row.name] = self._draft.names.of(row), accepted

    def _networks(self, row: Row) -> list[str]:
        """Those that OVN reads and Treadle takes."""
        read = []
        for text in row.texts("networks"):
            found = interface(text)
            if found is None or "/" not in text:
                reason = f"{text!r} not imported, and OVN passes over it"
                self._draft.report.noted(row, "networks", reason)
            else:
                read.append(str(found))
        spec = LogicalRouterPortProperties
        kept = self._draft.accepted_elements(row, spec, "networks", read, {})
        if len(kept) < len(read):
            self._incomplete.add(row.uuid)
        return kept

    def _apart(self, row: Row, networks: list[str], others: list[tuple[str, str]]) -> list[str]:
        """Those of a port's networks that don't overlap one of another port of the router."""
        kept = []
        for text in networks:
            network = ipaddress.ip_interface(text).network
            rival = next(
                (each for each in others if _overlap(network, each[0])),
                None,
            )
            if rival is None or network.is_link_local:
                kept.append(text)
            else:
                reason = f"{text!r} not imported: it overlaps {rival[0]} of {rival[1]}"
                self._draft.report.lost(row, "networks", reason)
                self._incomplete.add(row.uuid)
        others.extend((str(ipaddress.ip_interface(text).network), row.name) for text in kept)
        return kept

    def router(self, row: Row) -> Values:
        """A router with its ports and routes."""
        values = {
            "enabled": row.flag("enabled", default=True),
            **self._gateways.of_router(row),
        }
        if row.mapping("options").get("dynamic_neigh_routers") == "true":
            values["dynamic_neigh_routers"] = True
        if row.mapping("options").get("always_learn_from_arp_request") == "false":
            values["always_learn_from_arp_request"] = False
        age = row.mapping("options").get("mac_binding_age_threshold", "")
        if age.isascii() and age.isdigit():
            values["mac_binding_age_threshold"] = min(int(age), LONGEST_AGE)
        forced = row.mapping("options").get("dnat_force_snat_ip", "").split()
        if forced and "chassis" in values:
            values["dnat_force_snat_ips"] = forced
        columns = {
            "chassis": "options:chassis",
            "dnat_force_snat_ips": "options:dnat_force_snat_ip",
            "lb_force_snat_ips": "options:lb_force_snat_ip",
        }
        accepted = self._draft.accepted(row, LogicalRouterProperties, values, columns) or {}
        rows = self._draft.snapshot.referred(row, "ports", "Logical_Router_Port")
        rows = [port for port in rows if is_read(port)]
        ports = {
            port.name: self.ports[port.name]
            for port in rows
            if port.name in self.ports and self._routers[port.uuid] == row.uuid
        }
        whole = len(ports) == len(rows) and not any(port.uuid in self._incomplete for port in rows)
        routes = self._routes(row, ports, complete=whole)
        nats = self._nats.of(row, ports)
        parts = {"ports": dict(ports.values()), "static_routes": routes, "nats": nats}
        return accepted | {part: values for part, values in parts.items() if values}

    def _link(self) -> None:
        """Join the ports that are each other's peers."""
        rows = {row.name: row for row in self._draft.snapshot.rows("Logical_Router_Port")}
        for name, (_, values) in self.ports.items():
            for peer in rows[name].texts("peer"):
                if peer not in rows:
                    # A switch port is no peer, and OVN doesn't take it for one.
                    reason = f"not imported: there is no router port {peer!r}"
                    self._draft.report.noted(rows[name], "peer", reason)
                elif peer == name or peer not in self.ports or rows[peer].texts("peer") != [name]:
                    reason = f"not imported: {peer} is not linked back"
                    self._draft.report.lost(rows[name], "peer", reason)
                else:
                    values["peer"] = self.ports[peer][0]

    def _routes(self, router: Row, ports: Ports, *, complete: bool) -> list[Values]:
        """The router's routes, by prefix; `complete` if all of its ports are imported."""
        groups: dict[tuple[str, ...], dict[_Way, tuple[Values, Row]]] = {}
        rows = self._draft.snapshot.referred(router, "static_routes", "Logical_Router_Static_Route")
        for row in rows:
            values = self._route(row, ports, complete=complete)
            if values is not None:
                self._remember_ways(row, router, values)
            if values is None or not self._is_followed(row, values):
                continue
            group = groups.setdefault(_group(values), {})
            first, first_row = next(iter(group.values()), (values, row))
            _, same = group.get(_way(values), (values, None))
            if same is not None:
                reason = f"not imported: says the same as {same.uuid}"
                self._draft.report.noted(row, "ip_prefix", reason)
            elif _family(first) != _family(values):
                reason = f"not imported: {values['ip_prefix']} has a next hop ({first_row.uuid}) "
                reason += "that this one doesn't go together with"
                self._draft.report.lost(row, "nexthop", reason)
            elif len(group) >= MOST_MEMBERS:
                reason = f"not imported: {values['ip_prefix']} has {MOST_MEMBERS} next hops already"
                self._draft.report.lost(row, "nexthop", reason)
            else:
                group[_way(values)] = values, row
        routes = [values for group in groups.values() for values, _ in group.values()]
        return sorted(routes, key=lambda route: (*_group(route), *map(str, _way(route))))

    def _route(self, row: Row, ports: Ports, *, complete: bool) -> Values | None:
        read = _read_route(row)
        if read is None:
            what = f"{row.text('nexthop')!r} is no next hop for {row.text('ip_prefix')!r}"
            passed_over = f"not imported, and OVN passes over it: {what}"
            self._draft.report.noted(row, "ip_prefix", passed_over)
            return None
        prefix, nexthop = read
        output_port = row.text("output_port")
        values: Values = {"ip_prefix": prefix, "nexthop": nexthop}
        if row.text("policy"):
            values["policy"] = row.text("policy")
        if row.text("route_table"):
            values["route_table"] = row.text("route_table")
        if row.mapping("options").get("origin") == "connected":
            values["origin"] = "connected"
        if reason := why_no_neighbour(nexthop, ports):
            # In OVN the route is in force, and its packets wait for an answer in vain.
            accepted = self._draft.accepted(
                row, StaticRouteProperties, values | {"nexthop": "discard"}
            )
            if accepted is not None:
                self._draft.report.noted(row, "nexthop", f"imported as discard: {nexthop} {reason}")
            return accepted
        if nexthop == "discard":
            return self._draft.accepted(row, StaticRouteProperties, values)
        if output_port and output_port not in ports:
            self._aimless(row, "output_port", f"there is no port {output_port!r}", complete)
            return None
        if output_port:
            values["output_port"] = ports[output_port][0]
        elif nexthop:
            leading = leading_to(nexthop, ports)
            if not leading:
                self._aimless(row, "nexthop", f"no port's network holds {nexthop}", complete)
                return None
            if _is_link_local(nexthop):
                if len(leading) > 1:
                    reason = f"not imported: {nexthop} may be at any port; name an output_port"
                    self._draft.report.lost(row, "nexthop", reason)
                    return None
                values["output_port"] = leading[0]
        if row.references("bfd") and not self._supervise(row, values, ports):
            return None
        if fields := selection_fields(row.texts("selection_fields")):
            values["selection_fields"] = fields
        return self._draft.accepted(row, StaticRouteProperties, values)

    def _remember_ways(self, row: Row, router: Row, values: Values) -> None:
        """Have replies go back by the way of their requests, where OVN has them do so."""
        if row.mapping("options").get("ecmp_symmetric_reply") != "true":
            return
        if values["nexthop"] == "discard":
            return
        if "chassis" in self._gateways.of_router(router):
            values["ecmp_symmetric_reply"] = True
        else:
            reason = "not imported, and OVN passes over it: the router is on no chassis"
            self._draft.report.noted(row, "options:ecmp_symmetric_reply", reason)

    def _supervise(self, row: Row, values: Values, ports: Ports) -> bool:
        """Let a route go by its BFD session; returns whether OVN takes notice of the route."""
        names = {name: port for port, (name, _) in ports.items()}
        leading = [names[values["output_port"]]] if "output_port" in values else []
        leading = leading or leading_to(values["nexthop"], ports)
        for session in self.bfd.of(row, "bfd"):
            if session.neighbour != values["nexthop"] or session.port not in leading:
                reason = f"not imported: the session is with {session.neighbour}, not the next hop"
                self._draft.report.lost(row, "bfd", reason)
            elif session.is_run:
                values["bfd"] = True
            else:
                reason = f"not imported, and OVN passes over it: {session.port} is no gateway port,"
                self._draft.report.noted(row, "bfd", f"{reason} so its BFD session is never up")
                return False
        return True

    def _is_followed(self, row: Row, values: Values) -> bool:
        """Whether OVN follows a route: not one by source for all sources, its lowest of all."""
        whole = values.get("policy") == "src-ip" and values["ip_prefix"].endswith("/0")
        if whole:
            reason = "not imported: by source for every source, OVN has it fight with its default"
            self._draft.report.lost(row, "policy", reason)
        return not whole

    def _aimless(self, row: Row, column: str, reason: str, complete: bool) -> None:
        """Leave a route out that leads nowhere: in OVN, too, if the router is `complete`."""
        if complete:
            self._draft.report.noted(row, column, f"not imported, and passed over by OVN: {reason}")
        else:
            self._draft.report.lost(row, column, f"not imported: {reason}")


def is_read(port: Row) -> bool:
    """Whether OVN takes notice of a router port."""
    return mac(port.text("mac")) is not None


def _read_route(row: Row) -> tuple[str, str] | None:
    """Prefix and next hop of a route as OVN reads them; None if it reads no route."""
    prefix, nexthop = interface(row.text("ip_prefix")), row.text("nexthop")
    if prefix is None:
        return None
    if nexthop == "discard" or (not nexthop and row.text("output_port")):
        return str(prefix.network), nexthop
    hop = address(nexthop)
    if hop is None or (prefix.version == 6 and "." in hop and ":" not in hop):
        return None
    return str(prefix.network), hop


def _overlap(network: ipaddress.IPv4Network | ipaddress.IPv6Network, other: str) -> bool:
    theirs = ipaddress.ip_network(other)
    return network.version == theirs.version and network.overlaps(theirs)


_Way = tuple[str, str | None]


def _way(route: Values) -> _Way:
    return route["nexthop"], route.get("output_port")


def _group(route: Values) -> tuple[str, ...]:
    """What routes agree in over which packets are spread."""
    policy, table = route.get("policy", "dst-ip"), route.get("route_table", MAIN_TABLE)
    return route["ip_prefix"], policy, table, route.get("origin", "static")


def _gateway_mtu(row: Row) -> int:
    """The size that OVN checks, 0 where it checks none."""
    text = row.mapping("options").get("gateway_mtu", "")
    return int(text) if text.isascii() and text.isdigit() else 0


def _family(route: Values) -> str:
    nexthop: str = route["nexthop"]
    return nexthop if nexthop == "discard" else "IPv6" if ":" in nexthop else "IPv4"


def _is_link_local(text: str) -> bool:
    try:
        return ipaddress.ip_address(text) in _LINK_LOCAL
    except ValueError:
        return False


def why_no_neighbour(nexthop: str, ports: Ports) -> str | None:
    """Why no host answers for a next hop; None also where it is no address at all."""
    try:
        address = ipaddress.ip_address(nexthop)
    except ValueError:
        return None
    reasons = (
        why_no_host(address, name, values["mac"], values["networks"])
        for name, values in ports.values()
    )
    return next(filter(None, reasons), None)


def leading_to(nexthop: str, ports: Ports) -> list[str]:
    """The ports with a network around a next hop; any may have a link-local one.

    What is no address at all is for the spec to refuse, so every port will do.
    """
    if _is_link_local(nexthop):
        return [name for name, _ in ports.values()]
    try:
        address = ipaddress.ip_address(nexthop)
    except ValueError:
        return [name for name, _ in ports.values()]
    return [
        name
        for name, values in ports.values()
        if any(address in ipaddress.ip_interface(own).network for own in values["networks"])
    ]
