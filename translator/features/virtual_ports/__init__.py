"""Virtual ports: addresses that one of several workloads has at a time."""
