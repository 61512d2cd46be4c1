"""The stage that sends packets to the chassis in charge of a gateway port."""

from logical_flow.roles import Role
from logical_flow.template import Stage, Template


class LrInGwRedirect(Stage, name="lr_in_gw_redirect", failure="drop", role=Role.GATEWAY):
    """What leaves through a gateway port does so on the chassis that is in charge of it.

    What stands for the port becomes the output port. That comes before anything that excepts
    packets from it where the next hop's address isn't known yet: the question has to be asked
    where the answer arrives.
    """

    unresolved = Template(
        150,
        "outport == {port:lport} && eth.dst == 00:00:00:00:00:00",
        "outport = {redirect:lport}; next;",
    )
    redirect = Template(50, "outport == {port:lport}", "outport = {redirect:lport}; next;")
