"""Which scopes of rows this host needs. Pure.

The port of every interface that names one, the datapaths that hang together with
the ports that are bound here, and the sets that their flows are made from. Rows
that arrive can ask for more; :func:`wanted_scopes` is asked after each batch, so
that it ends when nothing new is named.
"""

from collections.abc import Iterable

from southbound.rows import GLOBAL_SCOPE, datapath_scope, port_scope, set_scope


def wanted_scopes(
    plugged: Iterable[str], datapaths: Iterable[str], sets: Iterable[str]
) -> frozenset[str]:
    return frozenset(
        (
            GLOBAL_SCOPE,
            *map(port_scope, plugged),
            *map(datapath_scope, datapaths),
            *map(set_scope, sets),
        )
    )
