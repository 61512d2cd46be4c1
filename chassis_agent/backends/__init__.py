"""Backends of load balancers: those behind ports of this chassis are asked whether they are up.

``checks`` knows when to ask and what an answer means; it is pure. ``frames`` makes questions and
reads answers, ``checker`` sends the ones and takes the others.
"""
