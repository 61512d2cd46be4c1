"""Provider networks: ports of switches that lead out of the overlay, on every chassis that can.

Such a port is where the chassis is that handles the packet, so between chassis packets leave
through it, and no tunnel takes them: agents see to that. Here is what of the pipeline is
different for what comes and goes that way.
"""
