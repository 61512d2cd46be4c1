"""DNS: names that workloads on a switch can look up, whichever server they ask.

Queries are answered on the asker's hypervisor. What isn't known goes on to the server that was
asked. ACLs see neither queries that are answered nor answers, as with DHCP; what goes on they
decide about.
"""
