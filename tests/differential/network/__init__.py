"""Random small networks: what Debian's OVN makes of a packet there, and what Treadle does.

:mod:`topologies` and :mod:`packets` draw the cases. :mod:`ovn` and :mod:`treadle` say
what becomes of a packet, both as an :mod:`outcome`. :mod:`judge` compares them;
:mod:`intended` lists where the two differ on purpose. :mod:`shrinking` makes a failing
case small, :mod:`cases` keeps it.
"""
