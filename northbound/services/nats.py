"""Network address translation on routers."""

import ipaddress
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from logical_flow.errors import LanguageError
from logical_flow.match_parser import parse_match
from logical_flow.normalise import normalise
from logical_flow.policy import parse_nat_match
from northbound.errors import FieldProblem, InvalidError
from northbound.models import LogicalRouter, LogicalRouterPort
from northbound.models.nat import Nat
from northbound.services.base import Referents, Service
from northbound.services.load_balancer_claims import VirtualAddressClaims
from northbound.services.nat_addresses import hold_external_ip, release_external_ip
from northbound.services.nat_claims import NatClaims
from northbound.services.nexthops import ports_of
from northbound.specs.nat import NatSpec
from northbound.transaction import Transaction


class NatService(Service[Nat, NatSpec]):
    """NATs have no name; they are addressed by id, and go with their router."""

    model = Nat
    spec = NatSpec

    def phrase(self, view: Mapping[str, Any]) -> str:
        some = f" for {view['match']}" if view["match"] else ""
        ends = f"{view['type']} of {view['logical_ip']} as {view['external_ip']}"
        return f"{ends}{some} of {self.owner_phrase(view)}"

    def load_ahead(self, tx: Transaction) -> None:
        super().load_ahead(tx)
        tx.helper(NatClaims).load()

    def _assign(self, tx: Transaction, row: Nat, spec: NatSpec, referents: Referents) -> None:
        router: LogicalRouter = referents["logical_router"]
        gateway_port: LogicalRouterPort | None = referents["gateway_port"]
        if gateway_port is not None and gateway_port.logical_router_id != router.id:
            reason = f"is no port of router {router.name!r}"
            raise InvalidError.of("gateway_port", reason=reason, value=gateway_port.name)
        ports = ports_of(tx, router.id) if gateway_port is None else [gateway_port]
        why_not = _why_no_external_ip(spec, ports)
        if why_not is not None:
            raise InvalidError.of("external_ip", reason=why_not, value=spec.external_ip)
        _check_match(spec)
        if row in tx.session and row.external_ip != spec.external_ip:
            release_external_ip(tx, row)
        super()._assign(tx, row, spec, referents)
        tx.helper(NatClaims).take(row)
        tx.helper(VirtualAddressClaims).check_nat(row.id)
        hold_external_ip(tx, row)

    def remove(self, tx: Transaction, rows: Sequence[Nat], *, cascade: bool = False) -> None:
        going = set(rows)
        for row in rows:
            release_external_ip(tx, row, going)
        super().remove(tx, rows, cascade=cascade)


def _check_match(spec: NatSpec) -> None:
    if spec.match is None:
        return
    family = "ip4" if ipaddress.ip_address(spec.external_ip).version == 4 else "ip6"
    try:
        match = parse_nat_match(spec.match)
        fits = normalise(parse_match(f"{family} && ({match})"))
    except LanguageError as error:
        problem = FieldProblem(("match",), error.message, spec.match, error.position, error.caret())
        raise InvalidError([problem]) from None
    if not fits:
        reason = f"no packet of IPv{family[-1]} fits it"
        raise InvalidError.of("match", reason=reason, value=spec.match)


def _why_no_external_ip(spec: NatSpec, ports: Iterable[LogicalRouterPort]) -> str | None:
    """Why packets for the external address never reach the router; None if they do."""
    address = ipaddress.ip_address(spec.external_ip)
    for port in ports:
        for own in map(ipaddress.ip_interface, port.networks):
            if address not in own.network:
                continue
            if own.version == 4 and own.network.prefixlen < 31:
                if address == own.network.network_address:
                    return f"is the network {own.network} itself"
                if address == own.network.broadcast_address:
                    return f"is the broadcast address of {own.network}"
            return None
    if spec.routed:
        return None
    return "is in no network of the router's ports; say that it is routed there, if it is"
