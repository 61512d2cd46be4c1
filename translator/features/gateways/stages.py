"""The stage that sends packets to the chassis in charge of a gateway port."""

from logical_flow.roles import Role
from logical_flow.template import Local, Resident, Stage, Template


class LrInGwRedirect(Stage, name="lr_in_gw_redirect", failure="drop", role=Role.GATEWAY):
    """What leaves through a gateway port does so on the chassis that is in charge of it.

    What stands for the port becomes the output port, also where the next hop's address isn't known
    yet: the question has to be asked where the answer arrives. What has a floating IP that is
    translated where it is leaves there, and so does its question, which is asked from that address.

    By a port whose redirection is bridged the rest leaves here, for the router's own MAC address:
    the provider network carries it to the chassis in charge, where it is routed once more. What
    comes back to the router itself is redirected as ever, since its source is translated there.
    """

    FLOATING = 160
    """Above `unresolved`: on another chassis its source would not be translated."""

    unresolved = Template(
        150,
        "outport == {port:lport} && eth.dst == 00:00:00:00:00:00",
        "outport = {redirect:lport}; next;",
    )
    floating4 = Template(
        FLOATING,
        "outport == {port:lport} && ip4.src == {logical:ip4}",
        "eth.src = {mac:mac}; reg5 = {external:ip4}; next;",
        Local("logical_port"),
    )
    floating6 = Template(
        FLOATING,
        "outport == {port:lport} && ip6.src == {logical:ip6}",
        "eth.src = {mac:mac}; xxreg1 = {external:ip6}; next;",
        Local("logical_port"),
    )
    to_itself = Template(
        60, "outport == {port:lport} && eth.dst == {mac:mac}", "outport = {redirect:lport}; next;"
    )
    redirect = Template(50, "outport == {port:lport}", "outport = {redirect:lport}; next;")
    in_charge = Template(
        50, "outport == {port:lport}", "outport = {redirect:lport}; next;", Resident("redirect")
    )
    bridged = Template(40, "outport == {port:lport}", "eth.dst = {mac:mac}; next;")
