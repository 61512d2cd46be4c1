"""Egress of a logical switch: what reaches the output port, on that port's chassis.

The ACL stages have registers of their own, see :mod:`translator.features.acl`.
"""

from logical_flow.template import Pipeline
from translator.features.acl.copies import LsOutAclCopy
from translator.features.acl.stages import (
    LS_OUT_ACL_EVAL,
    LsOutAclAction,
    LsOutAclPre,
    LsOutAclState,
)
from translator.features.load_balancing.stages import LsOutOutsideVip, LsOutWholeErrors
from translator.features.port_security.stages import LsOutPortSecIp, LsOutPortSecL2

LS_OUT = Pipeline(
    "ls_out",
    kind="ls",
    direction="egress",
    stages=[
        LsOutWholeErrors,
        LsOutOutsideVip,
        LsOutAclCopy,
        LsOutAclPre,
        LsOutAclState,
        *LS_OUT_ACL_EVAL,
        LsOutAclAction,
        LsOutPortSecIp,
        LsOutPortSecL2,
    ],
)
