"""Router advertisements: what a router port tells hosts of its network (RFC 4861).

Hosts that ask are answered on their own hypervisor. What is told without being asked each
agent sends to its own ports, so that nothing of it crosses a tunnel.
"""
