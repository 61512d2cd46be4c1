"""Egress of a logical router: out of the port that routing chose."""

from logical_flow.roles import Role
from logical_flow.template import Pipeline, Stage, Template


class LrOutDelivery(Stage, name="lr_out_delivery", default="drop", role=Role.DELIVERY):
    """Hands the packet to what is attached to the router port, unless that is disabled."""

    port = Template(100, "outport == {port:lport}", "output;")
    disabled = Template(100, "outport == {port:lport}", "drop;")


LR_OUT = Pipeline("lr_out", kind="lr", direction="egress", stages=[LrOutDelivery])
