"""A lab of hypervisors on one machine, for users, the demo and the system tests.

Every hypervisor is a network namespace with an ``ovsdb-server`` and an
``ovs-vswitchd`` of its own (userspace datapath, so no kernel module is needed)
and a chassis agent; every VM is a network namespace joined to its hypervisor's
integration bridge by a veth pair. A further namespace holds the underlay, one
Linux bridge between the hypervisors. Nothing outside these namespaces, one
directory and loopback is touched, several labs can be up at once, and a lab
that was interrupted half-way can still be taken down: what is going to be made
is written down before it is made.
"""
