"""The smallest change that takes an obstacle away, for each kind of obstacle.

Most are changes of intent, as operations of a batch for ``POST /v1/transactions``. Where
the packet itself is wrong it is the packet to send instead, and where a hypervisor is,
the words to run there. Some obstacles have no remedy that could be named.

======================  =========================================================
an ACL                  an ACL of the same owner and tier, one priority higher, for
                        this source, destination and service alone; if no priority is
                        left, in the tier before, or above the ACL that makes room
port security           the address that is missing, in the port's ``port_security``
no route                a route to the one address, by the nearest router towards it
policy                  one that lets these two addresses pass, one priority higher
disabled                ``enabled`` again
DHCP                    it, switched on; the only options for an address of the port
no such name            the only record set that has it, known on the switch, too
no advertisement        the router port's ``ipv6_ra``
unknown destination     the address, for the port that uses it or for a new port
NAT without gateway     a gateway port around the external address
no NAT of an address    one of it, as the address by which the router leads outside
no chassis in charge    one that is alive, beside those that are named
no backend              one that is down, back again; one that answers elsewhere
======================  =========================================================

======================  =========================================================
:mod:`~.finding`        which remedy is for which obstacle
:mod:`~.case`           what a remedy is, and what it is made from
:mod:`~.acls`           an ACL before the one that drops
:mod:`~.ports`          what is set on ports: port security, ``enabled``, DHCP
:mod:`~.routes`         routes and policies
:mod:`~.names`          DNS record sets
:mod:`~.frames`         the packet to send instead
:mod:`~.addresses`      addresses that no port has
:mod:`~.gateways`       chassis for gateways
:mod:`~.services`       load balancers, router advertisements, the MTU of what is beyond
======================  =========================================================
"""
