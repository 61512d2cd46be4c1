"""How BFD sessions are, by the chassis that run them."""

from fastapi import Response
from fastapi.responses import JSONResponse

from api.auth import BackendOf, ProjectViewer, ScopeOf
from api.openapi import answer, reference
from api.routers import new_router
from api.timestamps import timestamp
from api.v1.objects import READ_ONE_REFUSALS, Ref
from northbound.services import BFD_SESSIONS
from northbound.transaction import Reader
from southbound.bfd_facts import diagnostic_text

router = new_router()

EXAMPLE = {
    "session": "2c1b7a0a-8f0e-4d2c-9a77-6d2f5f3c1a10",
    "state": "down",
    "chassis": "gateway-1",
    "since": "2026-11-26T03:12:45+00:00",
    "diagnostic": 1,
    "reason": "the neighbour fell silent",
    "remote_diagnostic": 0,
}


@router.get(
    "/bfd-sessions/{ref}/status",
    operation_id="get_bfd_session_status",
    summary="Tell how a BFD session is",
    description="By the chassis that is in charge of its router port. While no chassis has said "
    "anything, `state` is null; routes and policies that go by the session are out then, as they "
    "are in every state but `up`.",
    tags=["BFD sessions"],
    responses={
        200: answer("The status.", reference("BfdStatus"), EXAMPLE),
        **READ_ONE_REFUSALS,
    },
)
async def read_status(
    ref: Ref, backend: BackendOf, _caller: ProjectViewer, scope: ScopeOf
) -> Response:
    def work(reader: Reader) -> str:
        return BFD_SESSIONS.get(reader, ref).id

    session = await backend.read(work, scope)
    row = await backend.controller.bfd_status(session)
    return JSONResponse(
        {
            "session": session,
            "state": None if row is None else row.state,
            "chassis": None if row is None else row.chassis,
            "since": None if row is None else timestamp(row.since),
            "diagnostic": None if row is None else row.diagnostic,
            "reason": None if row is None or row.state == "up" else diagnostic_text(row.diagnostic),
            "remote_diagnostic": None if row is None else row.remote_diagnostic,
        }
    )
