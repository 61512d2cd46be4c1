"""Hypothesis on shared machines: an example that takes long is no failure.

Continuous integration tries the same examples each time, so that what it says is about
the change; everywhere else they are new ones.
"""

import os

from hypothesis import settings

settings.register_profile("treadle", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("treadle")
