"""The packets that flows send to the agent, because a switch cannot make or remember them.

``opcodes`` is what flows and agent agree on, ``registry`` lists what handles each of them,
``handler`` says what a handler is given, and ``dispatcher`` ties them to the connection.
``codec`` reads and writes packets, ``replies`` makes new packets from punted ones, ``pending``
keeps those that wait for a neighbour's address. Tenants write these packets: everything that
reads them is bounded and survives any bytes.
"""
