"""Traces: what becomes of a packet, by the logical flows that are stored or would be.

:mod:`api.trace.words` reads short descriptions of packets, :mod:`api.trace.addressing`
makes packets of them, :mod:`api.trace.network` has what they are walked through,
:mod:`api.trace.stored_flows` makes its flows ready, :mod:`api.trace.proposal` shows the
network as a change would make it, :mod:`api.trace.causes` knows the objects behind flows,
:mod:`api.trace.liveness` whether chassis carry them out, and :mod:`api.trace.result` tells
what happened.
"""
