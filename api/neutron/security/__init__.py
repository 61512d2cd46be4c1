"""Security groups: what their rules let through, and which ports they protect.

A security group is a port group, its rules are ACLs of it in a tier of their own, and what no
rule allows is dropped on every port that has port security, by ACLs of one more port group.
Both write intent by the services of :mod:`northbound`, so that /v1, traces and explanations
know them as any other.
"""
