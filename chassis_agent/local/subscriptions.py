"""Which scopes of rows this host needs, beside the sets that flows are made from. Pure.

The port of every interface that names one, the ports for which this chassis may be elected, and
the datapaths that hang together with the ports that are or may be here. Rows
that arrive can ask for more; :func:`wanted_scopes` is asked after each batch, so
that it ends when nothing new is named.
"""

from collections.abc import Iterable

from southbound.rows import GLOBAL_SCOPE, chassis_scope, datapath_scope, port_scope


def wanted_scopes(chassis: str, plugged: Iterable[str], datapaths: Iterable[str]) -> frozenset[str]:
    return frozenset(
        (
            GLOBAL_SCOPE,
            chassis_scope(chassis),
            *map(port_scope, plugged),
            *map(datapath_scope, datapaths),
        )
    )
