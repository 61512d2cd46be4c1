"""External ports: workloads on a provider network that Open vSwitch doesn't carry.

A bare-metal server, or a virtual machine whose network card goes past the switch of its host
(SR-IOV), is on the provider network that a port of the logical switch leads to. What it sends
enters there, on every chassis that has a bridge to the network, and is known by its MAC address.
From then on it comes from the external port: ACLs and port security see that. One chassis of a
group answers its DHCP clients and its DNS queries, and routes for it.
"""
