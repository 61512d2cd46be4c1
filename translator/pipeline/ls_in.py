"""Ingress of a logical switch: from the port where a packet enters to its output port.

=============  ==============================================================
``reg0[11]``   the source MAC address is known behind this port
=============  ==============================================================

The stages of ACLs and of load balancers have registers of their own, see
:mod:`translator.features.acl` and :mod:`translator.features.load_balancing`.
"""

from logical_flow.template import Pipeline
from translator.features.acl.after_lb import (
    LS_IN_ACL_AFTER_LB_EVAL,
    LsInAclAfterLbAction,
    LsInAclAfterLbAsked,
    LsInAclAfterLbBlock,
    LsInAclAfterLbPre,
)
from translator.features.acl.copies import LsInAclCopy
from translator.features.acl.stages import (
    LS_IN_ACL_EVAL,
    LsInAclAction,
    LsInAclCommit,
    LsInAclPre,
    LsInAclState,
)
from translator.features.answering.stages import LsInArpRsp
from translator.features.dhcp.stages import LsInDhcpOptions
from translator.features.dns.stages import LsInDnsLookup
from translator.features.external_ports.stages import LsInExternalPort
from translator.features.load_balancing.stages import (
    LsInAsAsked,
    LsInAsSent,
    LsInBackendAnswer,
    LsInHairpin,
    LsInHairpinOut,
    LsInHairpinSnat,
    LsInLb,
    LsInNoBackend,
    LsInOutsideVip,
    LsInWholeErrors,
)
from translator.features.port_security.stages import LsInPortSecIp, LsInPortSecL2, LsInPortSecNd
from translator.features.switching.stages import (
    LsInL2Lookup,
    LsInL2Unknown,
    LsInLookupFdb,
    LsInPutFdb,
)
from translator.features.virtual_ports.stages import LsInVirtualParent

LS_IN = Pipeline(
    "ls_in",
    kind="ls",
    direction="ingress",
    stages=[
        LsInExternalPort,
        LsInPortSecL2,
        LsInPortSecNd,
        LsInPortSecIp,
        LsInLookupFdb,
        LsInPutFdb,
        LsInDhcpOptions,
        LsInBackendAnswer,
        LsInDnsLookup,
        LsInWholeErrors,
        LsInAclCopy,
        LsInAclPre,
        LsInAsAsked,
        LsInAclState,
        *LS_IN_ACL_EVAL,
        LsInAclAction,
        LsInAsSent,
        LsInOutsideVip,
        LsInLb,
        LsInNoBackend,
        LsInHairpin,
        LsInHairpinSnat,
        LsInHairpinOut,
        LsInAclAfterLbPre,
        *LS_IN_ACL_AFTER_LB_EVAL,
        LsInAclAfterLbAsked,
        LsInAclAfterLbBlock,
        LsInAclAfterLbAction,
        LsInAclCommit,
        LsInVirtualParent,
        LsInArpRsp,
        LsInL2Lookup,
        LsInL2Unknown,
    ],
)
