"""Atomic batches: all operations are done, as one revision, or none is.

Operations run in order, and each sees what those before it did. An object that an
earlier operation created is referred to by its name, or by the alias that the
operation gave it (``"as": "http"``): ``#http`` then stands for it wherever another
object is referred to.
"""

from fastapi import Response
from fastapi.responses import JSONResponse

from api.auth import BackendOf, ProjectOperator, ScopeOf
from api.errors import TooComplexError
from api.kinds import EXAMPLE_ID, LOGICAL_SWITCH
from api.openapi import answer, body, reference
from api.requests import JsonObject, Options
from api.routers import new_router
from api.v1.objects import REVISION_HEADER, WRITE_REFUSALS
from api.waiting import wait_for
from northbound.batch import Transaction, run_batch
from northbound.specs import parse

router = new_router()

EXAMPLE = {
    "operations": [
        {"action": "create", "kind": "logical_switch", "as": "new", "values": {"name": "db"}},
        {
            "action": "create",
            "kind": "logical_switch_port",
            "values": {"name": "db-1", "logical_switch": "#new", "addresses": ["unknown"]},
        },
        {"action": "update", "kind": "logical_router", "ref": "edge", "values": {"enabled": False}},
        {"action": "delete", "kind": "logical_switch", "ref": "spare"},
    ]
}
RESULT_EXAMPLE = {
    "revision": 42,
    "changed": True,
    "results": [
        {
            "action": "create",
            "kind": "logical_switch",
            "id": EXAMPLE_ID,
            "object": LOGICAL_SWITCH.view_example,
        }
    ],
}


@router.post(
    "/transactions",
    operation_id="run_transaction",
    summary="Do several operations, or none",
    description="\n\n".join((__doc__ or "").replace("``", "`").split("\n\n")[1:]),
    tags=["transactions"],
    responses={
        200: answer(
            "All were done.", reference("TransactionResult"), RESULT_EXAMPLE, (REVISION_HEADER,)
        ),
        **WRITE_REFUSALS,
    },
    openapi_extra={"requestBody": body(reference("Transaction"), EXAMPLE)},
)
async def run_transaction(
    backend: BackendOf,
    caller: ProjectOperator,
    scope: ScopeOf,
    values: JsonObject,
    options: Options,
) -> Response:
    batch = parse(Transaction, values)
    limit = backend.limits.operation_limit
    if len(batch.operations) > limit:
        raise TooComplexError(f"{len(batch.operations)} operations are more than {limit}")

    written = await backend.write(
        lambda tx: run_batch(tx, batch), author=caller.name, comment=options.comment, scope=scope
    )
    await wait_for(backend, written.revision, options.wait, options.timeout, scope)
    return JSONResponse(
        {"revision": written.revision, "changed": written.changed, "results": written.result},
        headers={REVISION_HEADER: str(written.revision)},
    )
