"""``treadle server`` and ``treadle db``: the process that serves, and its database."""
