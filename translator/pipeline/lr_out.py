"""Egress of a logical router: out of the port that routing chose.

``reg9[0]`` says that the packet gets another source; those of ingress are cleared.
"""

from logical_flow.template import Pipeline
from translator.features.bfd.stages import LrOutBfd
from translator.features.nat.stages import LrOutEgressLoop, LrOutPostSnat, LrOutSnat, LrOutUndnat
from translator.features.router.stages import LrOutDelivery

LR_OUT = Pipeline(
    "lr_out",
    kind="lr",
    direction="egress",
    stages=[LrOutBfd, LrOutUndnat, LrOutSnat, LrOutPostSnat, LrOutEgressLoop, LrOutDelivery],
)
