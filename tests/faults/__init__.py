"""A lab under constant writes whose parts are killed, stopped, frozen, cut off and filled up.

``journal`` remembers what was acknowledged, ``writers`` write all the time, ``mishaps`` are
the faults with their ends, ``schedule`` chooses them from a seed, ``obedience`` looks at packets,
and ``test_faults`` puts them together: a short round in continuous integration, a long one with
``./run test --faults 30m``.
"""
