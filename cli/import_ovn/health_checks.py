"""Health checks of load balancers: how often backends are asked, through which port, from where.

OVN checks backends that `ip_port_mappings` has, and takes all others for up; so does Treadle.
"""

from collections.abc import Iterator
from typing import Final

from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.needs import is_true
from cli.import_ovn.snapshot import Row
from northbound.specs.backends import LoadBalancerBackendProperties

_OPTIONS: Final = {"interval": 5, "timeout": 20, "success_count": 3, "failure_count": 3}
"""What OVN takes where a check says nothing."""
_COLUMN: Final = "ip_port_mappings"
_COLUMNS: Final = dict.fromkeys(("address", "logical_port", "source_ip"), _COLUMN)


class HealthChecks:
    """Translates the checks of load balancers, and what is known of their backends."""

    def __init__(self, draft: Draft) -> None:
        self._draft = draft
        rows = draft.snapshot.rows("Logical_Switch_Port")
        self._switch_ports = {row.name: draft.names.of(row) for row in rows}

    def of(self, balancer: Row) -> dict[str, Values]:
        """Return how the virtual addresses of a load balancer are checked, by their texts."""
        found: dict[str, Values] = {}
        for row in self._draft.snapshot.referred(
            balancer, "health_check", "Load_Balancer_Health_Check"
        ):
            if is_true(balancer.mapping("options").get("template", "")):
                reason = "not imported: OVN checks no backends of templates either"
                self._draft.report.noted(balancer, "health_check", reason)
                continue
            if balancer.text("protocol") == "sctp":
                reason = "not imported: OVN checks no backends of SCTP either"
                self._draft.report.noted(balancer, "health_check", reason)
                continue
            found[row.text("vip")] = _numbers(row)
        return found

    def backends(self, balancer: Row) -> list[Values]:
        """Return the ports of a load balancer's backends, if they are checked."""
        is_template = is_true(balancer.mapping("options").get("template", ""))
        if not balancer.references("health_check") or is_template:
            return []
        return sorted(self._backends(balancer), key=lambda values: str(values["address"]))

    def _backends(self, balancer: Row) -> Iterator[Values]:
        for address, text in balancer.mapping(_COLUMN).items():
            port, source = _port_and_source(text)
            if port not in self._switch_ports:
                reason = f"{address} not imported: there is no switch port {port!r}"
                self._draft.report.lost(balancer, _COLUMN, reason)
                continue
            values: Values = {
                "address": address.strip("[]"),
                "logical_port": self._switch_ports[port],
                "source_ip": source,
            }
            accepted = self._draft.accepted(
                balancer, LoadBalancerBackendProperties, values, _COLUMNS
            )
            if accepted is not None:
                accepted.pop("external_ids", None)
                yield accepted


def _numbers(row: Row) -> Values:
    options = row.mapping("options")
    numbers: Values = {}
    for name, default in _OPTIONS.items():
        text = options.get(name, "")
        numbers[name] = int(text) if text.isascii() and text.isdecimal() and int(text) else default
    return numbers


def _port_and_source(text: str) -> tuple[str, str]:
    """Return what stands before and after the colon in between.

    >>> _port_and_source("vm:1:10.0.0.9"), _port_and_source("vm:[fd00::9]")
    (('vm:1', '10.0.0.9'), ('vm', 'fd00::9'))
    """
    if text.endswith("]"):
        port, _, source = text.removesuffix("]").partition(":[")
        return port, source
    port, _, source = text.rpartition(":")
    return port, source
