"""Plumbing on a hypervisor: pairs of interfaces, namespaces, ports of the integration bridge.

It is done by the tools that a hypervisor has anyway, ``ip`` and ``ovs-vsctl``: each takes one to
three milliseconds of CPU, less than to load a Python library that speaks netlink, of which a
plugin that runs for each container would have to load all. Many steps are one call (``ip -batch``,
one transaction of ``ovs-vsctl``), which either tool does in order.

What always holds: everything may be done again, and nothing outlasts its deadline.
"""
