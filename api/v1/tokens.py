"""Tokens, for admins. The first is made on the server's host: ``treadle token create``."""

from typing import Any

from fastapi import Response
from fastapi.responses import JSONResponse
from sqlalchemy.orm import Session

from api.auth import Admin, BackendOf
from api.documents import TokenRequest
from api.kinds import EXAMPLE_ID
from api.openapi import answer, body, page_of, reference
from api.requests import JsonObject
from api.routers import new_router
from api.v1.objects import READ_REFUSALS, WRITE_REFUSALS, Ref
from northbound import tokens
from northbound.specs import parse
from northbound.tokens import Token

router = new_router(tags=["tokens"])

EXAMPLE: dict[str, Any] = {
    "id": EXAMPLE_ID,
    "name": "alice",
    "role": "operator",
    "chassis": None,
    "hostname": None,
    "encap_ips": [],
    "project": None,
    "created_at": "2026-11-23T12:00:00+00:00",
    "expires_at": None,
}


@router.get(
    "/tokens",
    operation_id="list_tokens",
    summary="List tokens",
    description="All of them in one page; expired ones too.",
    responses={
        200: answer("The tokens.", page_of("Token"), {"items": [EXAMPLE], "next_cursor": None}),
        **READ_REFUSALS,
    },
)
async def list_tokens(backend: BackendOf, _caller: Admin) -> Response:
    found = await backend.read(tokens.every)
    return JSONResponse({"items": [_token(token) for token in found], "next_cursor": None})


@router.post(
    "/tokens",
    operation_id="create_token",
    summary="Create a token",
    description="The secret is in the response and cannot be had again.",
    status_code=201,
    responses={
        201: answer("Created.", reference("NewToken"), {**EXAMPLE, "token": "treadle_bGV0bWVpbg"}),
        **WRITE_REFUSALS,
    },
    openapi_extra={
        "requestBody": body(reference("TokenRequest"), {"name": "alice", "role": "operator"})
    },
)
async def create_token(backend: BackendOf, _caller: Admin, values: JsonObject) -> Response:
    wanted = parse(TokenRequest, values)
    expires_at = None if wanted.expires_in is None else tokens.end_of_life(wanted.expires_in)

    def work(session: Session) -> tuple[Token, str]:
        return tokens.create(
            session,
            name=wanted.name,
            role=wanted.role,
            chassis=wanted.chassis,
            expires_at=expires_at,
            hostname=wanted.hostname,
            encap_ips=wanted.encap_ips,
            project=wanted.project,
        )

    token, secret = await backend.maintain(work)
    return JSONResponse({**_token(token), "token": secret}, status_code=201)


@router.delete(
    "/tokens/{ref}",
    operation_id="delete_token",
    summary="Revoke a token",
    status_code=204,
    responses={204: {"description": "Revoked."}, **WRITE_REFUSALS},
)
async def delete_token(ref: Ref, backend: BackendOf, _caller: Admin) -> Response:
    await backend.maintain(lambda session: tokens.delete(session, ref))
    return Response(status_code=204)


def _token(token: Token) -> dict[str, Any]:
    return {
        **token._asdict(),
        "encap_ips": list(token.encap_ips),
        "created_at": token.created_at.isoformat(),
        "expires_at": None if token.expires_at is None else token.expires_at.isoformat(),
    }
