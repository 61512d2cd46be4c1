"""The native REST API, under ``/v1``."""

from api.kinds import CONTENTS, KINDS
from api.routers import new_router
from api.v1 import (
    apply,
    backends,
    bfd,
    cookies,
    hits,
    kinds,
    logical_flows,
    reachability,
    realised,
    revisions,
    tokens,
    trace,
    transactions,
)
from api.v1.members import MEMBERSHIPS, add_membership
from api.v1.objects import add_collection, add_contents

_objects = new_router()

for _kind in KINDS.values():
    add_collection(_objects, _kind)
for _content in CONTENTS:
    add_contents(_objects, _content)
for _membership in MEMBERSHIPS:
    add_membership(_objects, _membership)

ROUTERS = (
    _objects,
    *(
        module.router
        for module in (
            transactions,
            apply,
            backends,
            bfd,
            hits,
            kinds,
            realised,
            logical_flows,
            trace,
            reachability,
            cookies,
            revisions,
            tokens,
        )
    ),
)
