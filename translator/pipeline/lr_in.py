"""Ingress of a logical router: from a router port to the next hop's address and port.

==================  =========================================================
``xreg0[0..47]``    until routing: the MAC address of the input port
``reg0, xxreg0``    from routing on: the next hop (``xxreg0`` overlays the above)
``reg5, xxreg1``    from routing on: the output port's address, to ask from
``reg7``            until routing: the table of static routes
``reg8[16..31]``    from routing on: the route that the packet fell to, of several, or next hop
``reg8[0..15]``     from policies on: the policy that chose it
``reg9[1]``         from the check of sizes on: the packet is too big; ``reg0`` has the MTU then
``reg9[2]``         the neighbour is known as it presents itself
``reg9[3]``         the packet tells of a neighbour that may be learned
``reg9[7]``         from routing on: the packet goes back to who sent its connection's requests
``reg9[9]``         from routing on: the next hop is an IPv4 address
``reg9[10]``        the packet came for a virtual address
``reg9[13]``        a policy has chosen among several next hops
``reg9[14]``        the packet fell to one of several routes
``reg9[16..31]``    the chain of policies that is asked
==================  =========================================================
"""

from logical_flow.template import Pipeline
from translator.features.bfd.stages import LrInBfd
from translator.features.gateways.stages import LrInGwRedirect
from translator.features.load_balancing.router_stages import LrInDefrag, LrInLb, LrInNoBackend
from translator.features.nat.stages import LrInDnat, LrInUnsnat, LrInWholeErrors
from translator.features.neighbours.stages import (
    LrInArpRequest,
    LrInArpResolve,
    LrInLearnNeighbour,
    LrInLookupNeighbour,
)
from translator.features.path_mtu.stages import LrInChkPktLen, LrInLargerPkts, LrInTooBig
from translator.features.policies.stages import LrInPolicy, LrInPolicyEcmp
from translator.features.router.stages import LrInAdmission, LrInAgain, LrInIpInput
from translator.features.router_advertisements.stages import LrInNdRa
from translator.features.routing.stages import (
    LrInEcmpLookup,
    LrInEcmpStateful,
    LrInIpRouting,
    LrInIpRoutingEcmp,
    LrInIpRoutingPre,
)

LR_IN = Pipeline(
    "lr_in",
    kind="lr",
    direction="ingress",
    stages=[
        LrInAdmission,
        LrInLookupNeighbour,
        LrInLearnNeighbour,
        LrInNdRa,
        LrInBfd,
        LrInIpInput,
        LrInAgain,
        LrInWholeErrors,
        LrInUnsnat,
        LrInDefrag,
        LrInLb,
        LrInNoBackend,
        LrInDnat,
        LrInIpRoutingPre,
        LrInEcmpLookup,
        LrInEcmpStateful,
        LrInIpRouting,
        LrInIpRoutingEcmp,
        LrInPolicy,
        LrInPolicyEcmp,
        LrInArpResolve,
        LrInChkPktLen,
        LrInLargerPkts,
        LrInTooBig,
        LrInGwRedirect,
        LrInArpRequest,
    ],
)
