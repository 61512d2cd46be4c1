"""Gateways: which chassis is in charge of a port, as this one sees it, and what it does then.

`sessions`    what BFD over the tunnels tells of other chassis
`pulse`       whether the switch of this host runs
`election`    who is in charge
`rows`        the tunnel ports on which BFD runs
"""
