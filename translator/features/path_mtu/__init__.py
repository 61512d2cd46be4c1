"""Path MTU: senders are told when their packets are too big for where a router sends them.

A router port with a `gateway_mtu` leads to a network that carries no bigger packets. The error
comes from the router port by which the packet came in, and is routed back like any packet.
"""
