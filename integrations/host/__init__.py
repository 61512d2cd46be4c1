"""Plumbing on a hypervisor: pairs of interfaces, namespaces, ports of the integration bridge."""
