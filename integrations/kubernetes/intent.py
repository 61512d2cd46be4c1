"""What is kept in Treadle for a cluster, as values of its API.

Everything bears the label :data:`CLUSTER_LABEL`, by which a controller that starts finds what
it, or another one, made. Ids follow from what a thing is: see :class:`Names`.
"""

from collections.abc import Iterable
from typing import Any, Final

from integrations.kubernetes.acls import Acl, Names, action_of, direction_of
from integrations.kubernetes.pod_sets import Networks
from integrations.kubernetes.rules import ADMIN_TIER, DIRECTIONS, PENDING
from integrations.kubernetes.translation import Group, PendingGroup

CLUSTER_LABEL: Final = "treadle.kubernetes/cluster"
NAMESPACE_LABEL: Final = "treadle.kubernetes/namespace"
POD_LABEL: Final = "treadle.kubernetes/pod"
UID_LABEL: Final = "treadle.kubernetes/pod-uid"
POLICIES_ID: Final = "treadle.kubernetes/policies"

Values = dict[str, Any]

_LONGEST_NAME = 63
_LONGEST_TEXT = 255


class Intent:
    """Values of groups, sets and ACLs of one cluster, in one project of Treadle (None: default)."""

    def __init__(self, cluster: str, project: str | None = None) -> None:
        self.names = Names(cluster)
        self._common: Values = {"labels": {CLUSTER_LABEL: cluster}}
        if project is not None:
            self._common["project"] = project

    @property
    def pending_name(self) -> str:
        """The name of the group that CNI configurations put new ports into."""
        return f"{self.names.cluster}_pending"

    def group_name(self, group: Group) -> str:
        return self.pending_name if isinstance(group, PendingGroup) else self.names.group(group)

    def group_id(self, group: Group) -> str:
        text = "pending" if isinstance(group, PendingGroup) else repr(group)
        return self.names.id_of("port_group", text)

    def set_id(self, networks: Networks) -> str:
        return self.names.id_of("address_set", repr(networks))

    def group(self, group: Group, ports: Iterable[str]) -> Values:
        """Return the port group of some pods with these ports."""
        shown = "pods of which policies aren't kept yet" if isinstance(group, PendingGroup) else ""
        return {
            **self._common,
            "id": self.group_id(group),
            "name": self.group_name(group),
            "display_name": _printable(shown or str(group))[:_LONGEST_TEXT],
            "ports": sorted(ports),
        }

    def address_set(self, networks: Networks) -> Values:
        """Return the address set of some networks."""
        return {
            **self._common,
            "id": self.set_id(networks),
            "name": self.names.address_set(networks),
            "display_name": str(networks)[:_LONGEST_TEXT],
            "addresses": list(networks.members),
        }

    def acl(self, acl: Acl, users: Iterable[str]) -> Values:
        """Return an ACL; it is named after the first of the policies that it is of."""
        policies = sorted(users)
        return {
            **self._common,
            "id": self.names.acl_id(acl),
            "port_group": self.group_id(acl.owner),
            "name": _printable(policies[0] if policies else "")[:_LONGEST_NAME],
            "direction": direction_of(acl),
            "tier": acl.tier,
            "priority": acl.priority,
            "match": self.names.match(acl),
            "action": action_of(acl),
            "external_ids": {POLICIES_ID: _printable(", ".join(policies))[:_LONGEST_TEXT]},
        }

    def pending_acls(self) -> list[Values]:
        """Return the ACLs that keep ports closed whose pods' policies aren't kept yet."""
        return [
            {
                **self._common,
                "id": self.names.id_of("acl", f"pending {direction}"),
                "port_group": self.group_id(PendingGroup()),
                "name": "not known to the controller yet",
                "direction": "to-lport" if direction == "ingress" else "from-lport",
                "tier": ADMIN_TIER,
                "priority": PENDING,
                "match": f"{port} == @{self.pending_name} && ip",
                "action": "drop",
                "external_ids": {},
            }
            for direction, port in zip(DIRECTIONS, ("outport", "inport"), strict=True)
        ]


def _printable(text: str) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in text)
