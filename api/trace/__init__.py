"""Traces: what becomes of a packet, by the logical flows that are stored.

:mod:`api.trace.words` reads short descriptions of packets, :mod:`api.trace.addressing`
makes packets of them, :mod:`api.trace.network` has the flows for the walk,
:mod:`api.trace.causes` knows the objects behind them, and :mod:`api.trace.result`
tells what happened.
"""
