"""The pipelines of logical switches and routers: every stage, every flow template.

Read the four modules from top to bottom to read what happens to a packet:
:mod:`~translator.pipeline.ls_in`, :mod:`~translator.pipeline.ls_out`,
:mod:`~translator.pipeline.lr_in`, :mod:`~translator.pipeline.lr_out`. What a stage does is
declared by the feature that it belongs to, in :mod:`translator.features`.
Names of stages, registers and priorities follow OVN where that has them.

A packet enters at an ingress pipeline with ``inport`` set and registers at 0,
gets an ``outport`` there, and goes through the egress pipeline on the chassis of
that port (for a multicast group: once for each member).
"""

from logical_flow.template import check_ids
from translator.pipeline.lr_in import LR_IN
from translator.pipeline.lr_out import LR_OUT
from translator.pipeline.ls_in import LS_IN
from translator.pipeline.ls_out import LS_OUT

PIPELINES = (LS_IN, LS_OUT, LR_IN, LR_OUT)
check_ids(PIPELINES)

STAGES = {stage.name: stage for pipeline in PIPELINES for stage in pipeline.stages}
"""All stages by name."""

__all__ = ["LR_IN", "LR_OUT", "LS_IN", "LS_OUT", "PIPELINES", "STAGES"]
