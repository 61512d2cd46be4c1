"""Hypothesis on shared machines: an example that takes long is no failure."""

from hypothesis import settings

settings.register_profile("treadle", deadline=None)
settings.load_profile("treadle")
