"""What a stage is there for, for those who have to know it from others.

A stage declares its role (``role=Role.ROUTING``), so that revocation finds the stages that
judge connections, a trace the ACL behind a verdict, and an explanation the route that a packet
took, whatever stages are called and however many a pipeline has of a kind.
"""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What a stage does with packets."""

    ADMISSION = "admission"
    """Decides what may enter a datapath at all."""
    PORT_SECURITY = "port-security"
    """Holds a port to the addresses that it may use."""
    LEARNING = "learning"
    """Looks up who sent a packet, and learns it."""
    CONNECTION_TRACKING = "connection-tracking"
    """Decides which packets ACLs see with the state of their connection, and which they don't."""
    CONNECTION_STATE = "connection-state"
    """Settles what the state of a connection decides by itself."""
    ACL = "acl"
    """Holds ACLs, which decide on a verdict."""
    ACL_VERDICT = "acl-verdict"
    """Carries out the verdict of an ACL on the packet and on its connection."""
    ANSWERING = "answering"
    """Answers in the place of others, and for the datapath's own addresses."""
    AS_ASKED = "as-asked"
    """Shows ACLs what a client asked for, before its packets were translated."""
    LOAD_BALANCING = "load-balancing"
    """Chooses a backend for connections to virtual addresses."""
    FORWARDING = "forwarding"
    """Chooses the output port by the Ethernet destination."""
    ROUTING = "routing"
    """Chooses next hop and output port by IP addresses."""
    NEXT_HOP = "next-hop"
    """Finds the MAC address of the next hop."""
    TRANSLATION = "translation"
    """Translates addresses of connections."""
    GATEWAY = "gateway"
    """Sends packets to the chassis that is in charge of a gateway port."""
    DELIVERY = "delivery"
    """Hands the packet to what is attached to the output port."""
    OTHER = "other"
    """Nothing that other parts ask for, or a role that only newer releases know."""


OF_ACLS: Final = frozenset(
    {Role.CONNECTION_TRACKING, Role.CONNECTION_STATE, Role.ACL, Role.ACL_VERDICT}
)
"""The roles of the stages that ACLs need."""

KEEPING_OUT: Final = OF_ACLS | {Role.ADMISSION, Role.PORT_SECURITY}
"""The roles of the stages that keep packets out: a flow that is missing there lets none in."""

_NAMES: Final = (
    ("_acl_copy", Role.CONNECTION_TRACKING),
    ("_acl_pre", Role.CONNECTION_TRACKING),
    ("_acl_state", Role.CONNECTION_STATE),
    ("_acl_eval_", Role.ACL),
    ("_acl_action", Role.ACL_VERDICT),
    ("_acl_commit", Role.ACL_VERDICT),
    ("_acl_after_lb_pre", Role.CONNECTION_STATE),
    ("_acl_after_lb_eval_", Role.ACL),
    ("_acl_after_lb_asked", Role.ACL_VERDICT),
    ("_acl_after_lb_block", Role.ACL_VERDICT),
    ("_acl_after_lb_action", Role.ACL_VERDICT),
    ("_port_sec_", Role.PORT_SECURITY),
)


def role_of_name(stage: str) -> Role:
    """Return the role of a stage whose server doesn't tell it, by the names that stages had.

    Agents need no other roles than those of stages that keep packets out and go on by default.

    >>> role_of_name("ls_in_acl_eval_0"), role_of_name("lr_in_ip_routing")
    (<Role.ACL: 'acl'>, <Role.OTHER: 'other'>)
    """
    return next((role for part, role in _NAMES if part in stage), Role.OTHER)


def role_of(text: str) -> Role:
    """Return the role that a server calls so; one that isn't known is `OTHER`."""
    try:
        return Role(text)
    except ValueError:
        return Role.OTHER
