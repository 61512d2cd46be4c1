"""``treadle import-ovn``: a running OVN's northbound database as a declarative document.

`database` reads a consistent copy, a `snapshot`; `translation` makes a document of it,
by way of `switching`, `routing` and `filtering`, each on the tables of its kind. What
cannot be kept is never dropped silently: `columns` says of every column and option of
OVN's schema what becomes of it, and whatever it doesn't know counts as lost.
"""
