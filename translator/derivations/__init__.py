"""The derivations: pure functions of `(read, key)` from intent to realised rows.

One module for each kind of object or relation. Which of them run, over what and
in which order is all in :mod:`translator.graph`.
"""
