"""The kinds of objects: what clients need to find and show those of any kind.

A client that reads this shows kinds that are newer than itself, too.
"""

from typing import Any

from fastapi.responses import JSONResponse

from api.auth import ProjectViewer
from api.kinds import KINDS, Kind
from api.openapi import answer, page_of
from api.requests import PageOf
from api.routers import new_router
from api.v1.listing import page_by_key
from api.v1.objects import READ_REFUSALS

router = new_router()


def _described(kind: Kind) -> dict[str, Any]:
    declaration = kind.service.declaration
    return {
        "kind": kind.name,
        "title": kind.title,
        "plural": kind.plural,
        "path": f"/v1/{kind.path}",
        "owners": [field.name for field in kind.service.owners],
        "collection": declaration.collection or None,
        "columns": list(declaration.columns),
    }


DESCRIBED = [_described(kind) for kind in KINDS.values()]
_EXAMPLE = {"items": DESCRIBED, "next_cursor": None}


@router.get(
    "/kinds",
    operation_id="list_kinds",
    summary="List the kinds of objects",
    description="They come in the order in which they build on each other.",
    tags=["server"],
    responses={200: answer("The kinds.", page_of("ObjectKind"), _EXAMPLE), **READ_REFUSALS},
)
async def list_kinds(_caller: ProjectViewer, page: PageOf) -> JSONResponse:
    places = range(len(DESCRIBED))
    return page_by_key(places, page, lambda place: f"{place:04}", DESCRIBED.__getitem__)
