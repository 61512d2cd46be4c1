"""A northbound database as a declarative document, and what of it is not in there."""

from typing import NamedTuple

from cli.import_ovn.balancing import Balancing
from cli.import_ovn.columns import report_unsupported
from cli.import_ovn.copied import add_copies
from cli.import_ovn.dhcp import Dhcp
from cli.import_ovn.dns import record_sets
from cli.import_ovn.draft import Draft, Values
from cli.import_ovn.filtering import Filtering
from cli.import_ovn.findings import Report
from cli.import_ovn.gateways import Gateways
from cli.import_ovn.policies import Policies
from cli.import_ovn.routing import Routing
from cli.import_ovn.snapshot import Snapshot
from cli.import_ovn.switching import Switching
from cli.import_ovn.variables import chassis_variables


class Imported(NamedTuple):
    """The document, for ``POST /v1/apply``, and the findings on the way to it."""

    document: Values
    report: Report


def translate(snapshot: Snapshot, name: str) -> Imported:
    """The network of `snapshot` as a document called `name`.

    Each object of the document is one that Treadle takes, and refers only to what is
    in the document. The same rows always make the same document.
    """
    draft = Draft(snapshot)
    gateways = Gateways(draft)
    routing = Routing(draft, gateways)
    add_copies(draft, routing.ports)
    dhcp = Dhcp(draft)
    switching = Switching(draft, routing.ports, dhcp, gateways)
    names = draft.names
    switch_rows = snapshot.rows("Logical_Switch")
    switches = {names.of(row): switching.switch(row) for row in switch_rows}
    switching.settle()
    routers = {names.of(row): routing.router(row) for row in snapshot.rows("Logical_Router")}
    filtering = Filtering(draft, switching.ports)
    for row in switch_rows:
        if acls := filtering.acls(row):
            switches[names.of(row)]["acls"] = acls
    filtering.add_group_acls()
    policies = Policies(draft, filtering.matches, routing.ports, routing.bfd)
    for row in snapshot.rows("Logical_Router"):
        if found := policies.of(row):
            routers[names.of(row)]["policies"] = found
    balancing = Balancing(draft)
    document: Values = {
        "document": name,
        "dhcp_options": dhcp.options,
        "dns_record_sets": record_sets(draft, {row.uuid: names.of(row) for row in switch_rows}),
        "logical_switches": switches,
        "logical_routers": routers,
        "meters": filtering.meters,
        "port_groups": filtering.port_groups,
        "address_sets": filtering.address_sets,
    }
    if balancing.load_balancers:
        document["load_balancers"] = balancing.load_balancers
    if balancing.groups:
        document["load_balancer_groups"] = balancing.groups
    if variables := chassis_variables(draft):
        document["chassis_template_vars"] = variables
    if gateways.groups:
        document["ha_chassis_groups"] = gateways.groups
    report_unsupported(snapshot, draft.report)
    return Imported(document, draft.report)
