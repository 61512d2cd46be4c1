"""Copies of packets for the agent, which says in userdata what it should do with them."""

from chassis_agent.punt.sending import punt_to, punted

__all__ = ["punt_to", "punted"]
