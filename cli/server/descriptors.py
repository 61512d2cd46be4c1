"""Descriptors: enough for all connections that the listeners may take, and for the rest.

Where connections took the last one, nothing could open the database. So the process asks
for as many as it may need when it starts, and where it does not get them its listeners
take fewer connections.
"""

import resource

import structlog

log = structlog.get_logger(__name__)

RESERVED = 256
"""For the database, certificates, and everything else that is no connection."""


def share_of_connections(wanted: int) -> float:
    """Raise the soft limit as far as `wanted` connections need; the share that can be had.

    1.0 where there are enough.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = wanted + RESERVED
    if soft == resource.RLIM_INFINITY or soft >= needed:
        return 1.0
    allowed = needed if hard == resource.RLIM_INFINITY else min(hard, needed)
    if allowed > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (allowed, hard))
    if allowed == needed:
        return 1.0
    share = max(allowed - RESERVED, allowed // 2) / wanted
    log.warning(
        "fewer connections are taken than set: the limit of descriptors is too low",
        limit=allowed,
        needed=needed,
    )
    return share
