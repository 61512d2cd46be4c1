"""Shares: the meters through which a sender's punted packets pass, see `punt.meters`."""

from chassis_agent import tables
from chassis_agent.desired.flow import Flow
from chassis_agent.openflow import actions as act
from chassis_agent.openflow.oxm import Term
from chassis_agent.physical.registers import FLAGS, flow
from chassis_agent.punt.meters import TUNNEL_SHARES, shares_of

_PRIORITY = 100


def sender_flows(sender: int, *, cookie: int) -> list[Flow]:
    """The shares of one sender, a value of `tables.SENDER`."""
    shares = shares_of(sender)
    packets = [Term(FLAGS, sender << tables.SENDER_SHIFT, tables.SENDER)]
    return [
        flow(tables.PUNT_SHARE, _PRIORITY, packets, act.meter(shares.punts), cookie=cookie),
        flow(tables.LOG_SHARE, _PRIORITY, packets, act.meter(shares.logs), cookie=cookie),
    ]


def elsewhere_flows(*, cookie: int) -> list[Flow]:
    """The shares of those whose packets come through a tunnel."""
    return [
        each
        for share in range(TUNNEL_SHARES)
        for each in sender_flows(tables.FIRST_SENDER_ELSEWHERE + share, cookie=cookie)
    ]
