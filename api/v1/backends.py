"""Which backends of a virtual address get connections, and why others don't."""

from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse

from api.auth import BackendOf, ProjectViewer, ScopeOf
from api.openapi import answer, reference
from api.routers import new_router
from api.timestamps import timestamp
from api.v1.objects import READ_ONE_REFUSALS, Ref
from controller.answers import BackendReport
from northbound.services import LOAD_BALANCER_VIPS
from northbound.transaction import Reader

router = new_router()

EXAMPLE = {
    "vip": "7d0d2f8e-0b5f-4d0c-9a34-52d8ef9f6f51",
    "backends": [
        {
            "backend": "10.0.0.11:8080",
            "checked": True,
            "up": False,
            "reason": "nothing listens on TCP port 8080",
            "chassis": "hypervisor-1",
            "since": "2026-11-26T03:12:45+00:00",
        },
        {
            "backend": "10.0.0.12:8080",
            "checked": False,
            "up": None,
            "reason": None,
            "chassis": None,
            "since": None,
        },
    ],
}


@router.get(
    "/load-balancer-vips/{ref}/health",
    operation_id="get_load_balancer_vip_health",
    summary="Tell which backends of a virtual address are up",
    description="Backends that are not checked get connections; of those that are, those that "
    "are `up`. While nothing is known of one that is checked, `up` is null, and it gets none.",
    tags=["load balancer VIPs"],
    responses={
        200: answer("The backends.", reference("BackendsHealth"), EXAMPLE),
        **READ_ONE_REFUSALS,
    },
)
async def read_health(
    ref: Ref, backend: BackendOf, _caller: ProjectViewer, scope: ScopeOf
) -> Response:
    def work(reader: Reader) -> str:
        return LOAD_BALANCER_VIPS.get(reader, ref).id

    vip = await backend.read(work, scope)
    backends = await backend.controller.backends(vip)
    return JSONResponse({"vip": vip, "backends": list(map(_shown, backends))})


def _shown(report: BackendReport) -> dict[str, Any]:
    return {
        "backend": report.member,
        "checked": report.checked,
        "up": report.up,
        "reason": report.reason or None,
        "chassis": report.chassis or None,
        "since": None if report.since is None else timestamp(report.since),
    }
