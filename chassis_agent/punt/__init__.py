"""The packets that flows send to the agent, because a switch cannot make or remember them.

``opcodes`` is what flows and agent agree on, ``codec`` reads and writes packets, ``replies``
makes new packets from punted ones, ``pending`` keeps those that wait for a neighbour's address,
and ``dispatcher`` ties them to the connection. Tenants write these packets: everything that
reads them is bounded and survives any bytes.
"""
