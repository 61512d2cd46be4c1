"""What ACLs have decided: packets, bytes, and when the last was."""

from typing import Annotated, Any

from fastapi import Query, Response
from fastapi.responses import JSONResponse

from api.auth import BackendOf, ProjectViewer, ScopeOf
from api.openapi import answer, reference
from api.routers import new_router
from api.timestamps import timestamp
from api.v1.objects import READ_ONE_REFUSALS, Ref
from controller.answers import AclHits
from northbound.services import ACLS
from northbound.transaction import Reader
from southbound.hits import Hits

router = new_router()

LONGEST_WAIT = 30.0

EXAMPLE = {
    "acl": "7d0d2f8e-0b5f-4d0c-9a34-52d8ef9f6f51",
    "name": "db-silent",
    "packets": 1200,
    "bytes": 88800,
    "last_hit": "2026-11-26T03:12:45+00:00",
    "chassis": {
        "hypervisor-1": {"packets": 1000, "bytes": 74000, "last_hit": "2026-11-26T03:12:45+00:00"},
        "hypervisor-2": {"packets": 200, "bytes": 14800, "last_hit": None},
    },
    "not_counted": {},
}

NONE = AclHits(0, 0, None, {}, {})


@router.get(
    "/acls/{ref}/hits",
    operation_id="get_acl_hits",
    summary="Count what an ACL has decided",
    description="Asks the agents that have the ACL, so that every packet until now is in. "
    "`not_counted` says which of them didn't answer, and why: of these it is what they said last.",
    tags=["acls"],
    responses={
        200: answer("Packets and bytes.", reference("AclHits"), EXAMPLE),
        **READ_ONE_REFUSALS,
    },
)
async def read_hits(
    ref: Ref,
    backend: BackendOf,
    _caller: ProjectViewer,
    scope: ScopeOf,
    timeout: Annotated[  # noqa: ASYNC109
        float,
        Query(
            ge=0,
            le=LONGEST_WAIT,
            description="Seconds to wait for agents; 0 asks none, and tells what they said last.",
        ),
    ] = 5.0,
) -> Response:
    def work(reader: Reader) -> tuple[str, str]:
        acl = ACLS.get(reader, ref)
        return acl.id, acl.name or ""

    acl, name = await backend.read(work, scope)
    counted = await backend.controller.acl_hits([acl], timeout)
    return JSONResponse(document(acl, name, counted.get(acl, NONE)))


def document(acl: str, name: str, hits: AclHits) -> dict[str, Any]:
    """Return the counters of an ACL as they are shown."""
    return {
        "acl": acl,
        "name": name or None,
        **_shown(Hits(hits.packets, hits.bytes, hits.last_hit)),
        "chassis": {chassis: _shown(each) for chassis, each in sorted(hits.chassis.items())},
        "not_counted": dict(sorted(hits.not_counted.items())),
    }


def _shown(hits: Hits) -> dict[str, Any]:
    return {
        "packets": hits.packets,
        "bytes": hits.bytes,
        "last_hit": None if hits.last_hit is None else timestamp(hits.last_hit),
    }
