"""Routing policies of logical routers."""

import ipaddress
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select

from logical_flow.errors import LanguageError
from logical_flow.policy import PolicyMatch, parse_policy_match
from northbound.errors import FieldProblem, InvalidError
from northbound.models import LogicalRouter, LogicalRouterPort
from northbound.models.policies import RouterPolicy, RouterPolicyReference
from northbound.names import policy_chain_number
from northbound.services.base import Referents, Service
from northbound.services.bfd_sessions import BfdChecks
from northbound.services.lookups import needed_set, unknown_set
from northbound.services.nexthops import why_no_nexthop
from northbound.services.router_networks import networked_ports
from northbound.specs.policies import RouterPolicySpec
from northbound.transaction import Transaction
from northbound.tunnel_keys import TunnelKeys

LONGEST_WAY = 16
"""From the main chain packets jump through so many others at most."""


class RouterPolicyService(Service[RouterPolicy, RouterPolicySpec]):
    """Policies have no name; they are addressed by id, and go with their router.

    Jumps lead in no circle. Within a chain no two policies agree in priority and match.
    """

    model = RouterPolicy
    spec = RouterPolicySpec

    def phrase(self, view: Mapping[str, Any]) -> str:
        chain = "" if view["chain"] == "main" else f"chain {view['chain']}, "
        place = f"{chain}priority {view['priority']}, {view['match']}"
        return f"({place}) of {self.owner_phrase(view)}"

    def _new(
        self,
        tx: Transaction,
        spec: RouterPolicySpec,  # noqa: ARG002
        referents: Referents,
    ) -> RouterPolicy:
        return RouterPolicy(number=tx.helper(TunnelKeys).router_policy(referents["logical_router"]))

    def _assign(
        self, tx: Transaction, row: RouterPolicy, spec: RouterPolicySpec, referents: Referents
    ) -> None:
        targets = _check_match(tx, spec, row.project)
        router: LogicalRouter = referents["logical_router"]
        _check_nexthops(tx, router, referents["output_port"], spec)
        _check_chains(tx, row, router, spec)
        super()._assign(tx, row, spec, referents)
        tx.helper(BfdChecks).check(row)
        _set_references(tx, row, targets)

    def remove(
        self, tx: Transaction, rows: Sequence[RouterPolicy], *, cascade: bool = False
    ) -> None:
        for row in rows:
            _set_references(tx, row, frozenset())
        super().remove(tx, rows, cascade=cascade)


def _set_references(tx: Transaction, row: RouterPolicy, targets: frozenset[str]) -> None:
    """Keep the table of who refers to which set in step with a match."""
    present: dict[str, RouterPolicyReference] = {}
    if row in tx.session:
        query = select(RouterPolicyReference).where(
            RouterPolicyReference.router_policy_id == row.id
        )
        present = {reference.target: reference for reference in tx.session.scalars(query)}
    for target in present.keys() - targets:
        tx.session.delete(present[target])
    for target in sorted(targets - present.keys()):
        tx.session.add(RouterPolicyReference(router_policy_id=row.id, target=target))


def _check_match(tx: Transaction, spec: RouterPolicySpec, home: str) -> frozenset[str]:
    """Return what the match of a policy refers to, all of which exists."""
    try:
        match: PolicyMatch = parse_policy_match(spec.match)
    except LanguageError as error:
        problem = FieldProblem(("match",), error.message, spec.match, error.position, error.caret())
        raise InvalidError([problem]) from None
    needed = {target: needed_set(tx, target, home) for target in sorted(match.sets)}
    problems = [unknown_set(spec.match, target) for target in needed if needed[target] is None]
    if problems:
        raise InvalidError(problems)
    return frozenset(filter(None, needed.values()))


def _check_nexthops(
    tx: Transaction, router: LogicalRouter, port: LogicalRouterPort | None, spec: RouterPolicySpec
) -> None:
    """Refuse next hops that packets cannot be handed on to."""
    if port is not None and port.logical_router_id != router.id:
        raise InvalidError.of(
            "output_port", reason=f"is no port of router {router.name!r}", value=port.name
        )
    ports = networked_ports(tx, router.id) if spec.nexthops else ()
    for i, nexthop in enumerate(spec.nexthops):
        if reason := why_no_nexthop(ipaddress.ip_address(nexthop), ports, port):
            raise InvalidError([FieldProblem(("nexthops", i), reason, nexthop)])


def _check_chains(
    tx: Transaction, row: RouterPolicy, router: LogicalRouter, spec: RouterPolicySpec
) -> None:
    """Refuse a chain that flows can't tell from another, and jumps in a circle."""
    policy = RouterPolicy
    query = select(policy.id, policy.chain, policy.jump_chain).where(
        policy.logical_router_id == router.id,
        (policy.chain != "main") | policy.jump_chain.is_not(None),
    )
    if spec.chain == "main" and spec.jump_chain is None:
        return
    others = [each for each in tx.session.execute(query) if each.id != row.id]
    numbers: dict[int, str] = {
        policy_chain_number(name): str(name)
        for each in others
        for name in (each.chain, each.jump_chain)
        if name is not None
    }
    for field, name in (("chain", spec.chain), ("jump_chain", spec.jump_chain)):
        if name is not None and numbers.setdefault(policy_chain_number(name), name) != name:
            other = numbers[policy_chain_number(name)]
            clash = f"flows can't tell it from the chain {other!r}: choose another name"
            raise InvalidError.of(field, reason=clash, value=name)
    if spec.jump_chain is None:
        return
    jumps: dict[str, set[str]] = {spec.chain: {spec.jump_chain}}
    for each in others:
        if each.jump_chain is not None:
            jumps.setdefault(each.chain, set()).add(each.jump_chain)
    reason = _why_no_end(jumps)
    if reason is not None:
        raise InvalidError.of("jump_chain", reason=reason, value=spec.jump_chain)


def _why_no_end(jumps: Mapping[str, set[str]]) -> str | None:
    """Why packets that jump don't come to an end soon; None if they do."""
    reached = set(jumps)
    for _ in range(LONGEST_WAY + 1):
        reached = {to for chain in reached for to in jumps.get(chain, ())}
        if not reached:
            return None
    still = sorted(reached)
    if any(_leads_back(jumps, chain) for chain in still):
        return f"leads packets in a circle, through {', '.join(map(repr, still[:4]))}"
    return f"makes a way of more than {LONGEST_WAY} jumps"


def _leads_back(jumps: Mapping[str, set[str]], chain: str) -> bool:
    reached, todo = set[str](), [chain]
    while todo:
        for to in jumps.get(todo.pop(), ()):
            if to == chain:
                return True
            if to not in reached:
                reached.add(to)
                todo.append(to)
    return False
