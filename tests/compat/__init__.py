"""Software of others, unmodified, on Treadle: OpenStack's clients, Kuryr, container runtimes.

Each client has a Python environment of its own (:mod:`tests.compat.environments`), for none of
them is a dependency of Treadle. What takes longer than CI has time for is marked ``compat`` and
runs with ``./run test --compat``.
"""
