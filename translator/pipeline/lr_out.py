"""Egress of a logical router: out of the port that routing chose."""

from logical_flow.template import Pipeline
from translator.features.bfd.stages import LrOutBfd
from translator.features.nat.stages import LrOutEgressLoop, LrOutSnat, LrOutUndnat
from translator.features.router.stages import LrOutDelivery

LR_OUT = Pipeline(
    "lr_out",
    kind="lr",
    direction="egress",
    stages=[LrOutBfd, LrOutUndnat, LrOutSnat, LrOutEgressLoop, LrOutDelivery],
)
