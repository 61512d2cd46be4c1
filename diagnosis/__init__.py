"""What becomes of packets, by the flows that are stored or would be, and why.

:mod:`diagnosis.trace` walks one packet, :mod:`diagnosis.explain` says whether one end reaches
another and what is in the way, and :mod:`diagnosis.live` compares a walk with what the
switches on its way do. All of it is read only: what is tried is tried in dry runs, which lock
nothing. What it looks at comes through :mod:`diagnosis.sources`.
"""
