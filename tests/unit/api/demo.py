"""Switches behind a router with ACLs, as in the demo, on a server, and traces through it."""

from pathlib import Path
from typing import Any

from tests.unit.api.conftest import Server

NETWORK = Path(__file__).with_name("demo.yaml")


async def apply_demo(server: Server) -> Server:
    headers = {"Content-Type": "application/yaml"}
    made = await server.client.post("/v1/apply", content=NETWORK.read_text(), headers=headers)
    assert made.status_code == 200, made.text
    await server.translate()
    return server


async def trace(server: Server, packet: str | None = None, **more: Any) -> dict[str, Any]:
    request = more if packet is None else {"packet": packet, **more}
    response = await server.client.post("/v1/trace", json=request)
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


async def verdict(server: Server, packet: str | None = None, **more: Any) -> dict[str, Any]:
    found: dict[str, Any] = (await trace(server, packet, **more))["verdict"]
    return found
