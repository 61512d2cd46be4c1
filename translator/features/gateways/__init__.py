"""Gateways: the chassis on which routers meet what is outside of the overlay.

A *gateway port* of a router names chassis. One of them is in charge of it: the highest-ranked
one that is alive, as chassis find out among themselves. What leaves through the port is sent
to what stands for it, its *redirect port*, and by that through the tunnel to the chassis in
charge; what enters does so there. A *gateway router* is on one chassis altogether.
"""
