"""Kubernetes: network policies as port groups and ACLs, kept as a cluster says."""
