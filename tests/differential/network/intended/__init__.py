"""Where Treadle differs from OVN 23.03 on purpose, or ``ovn-trace`` from OVN.

Each entry says why, and how our flows would be without the difference. With those the
two have to agree exactly: so it is checked that they differ in that way only. A case
under ``cases/`` shows each entry at work, and fails once the entry isn't needed.
"""

from tests.differential.network.intended.dhcp import DHCP
from tests.differential.network.intended.gateways import GATEWAYS
from tests.differential.network.intended.ovn_trace import OVN_TRACE
from tests.differential.network.intended.routers import ROUTERS
from tests.differential.network.intended.switches import SWITCHES
from tests.differential.network.undoing import Difference, reworded
from translator.features.port_security.stages import LsInPortSecNd

INTENDED = (*SWITCHES, *ROUTERS, *GATEWAYS, *DHCP, *OVN_TRACE)
"""In the order in which they are undone."""

IN_SWITCHES = (
    Difference(
        "solicitations in port security",
        "Port security of ovn-controller 23.03 looks into solicitations with a hop limit of 225 "
        "only, a slip of the pen for 255: whose link address they name is not looked at.",
        reworded(" && nd.sll == {00:00:00:00:00:00, {mac:mac}}", "", LsInPortSecNd.solicitation),
    ),
)
"""What differs on real switches alone: ``ovn-trace`` does it as we do."""
