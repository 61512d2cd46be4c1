"""The same packets through two labs on real Open vSwitch: Treadle's, and Debian's OVN.

Each lab is two hypervisors of the test bed. In one they are programmed by Treadle's
server and agents, in the other by ovn-northd and ovn-controller. Both get the same
random topologies, the same bytes enter at the same logical ports, and what comes out
must be the same bytes at the same ports.

Random topologies and packets are those of `tests.differential.network`, which judges
without switches; here it is the switches themselves that are compared: flows compiled
to OpenFlow, tunnels, connection tracking, and packets that the controllers make.
"""
