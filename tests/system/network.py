"""Declare a network over REST, tersely, waiting until every agent concerned has it."""

import json
from collections.abc import Callable
from typing import Any

import httpx

from cli.testbed.server import Server
from cli.testbed.wait import until


class RefusedError(AssertionError):
    """The API refused what a test took for granted; holds the problem document."""


class Network:
    """The API of one lab, one method a kind of object.

    `effective` returns once packets obey what is in the switches.
    """

    def __init__(self, server: Server, effective: Callable[[], None]) -> None:
        self.client: httpx.Client = server.client()
        self._effective = effective

    def call(self, method: str, path: str, body: Any = None, *, wait: str = "chassis") -> Any:
        params = {"wait": wait, "timeout": 50} if method != "GET" else None
        answer = self.client.request(method, f"/v1{path}", json=body, params=params)
        if not answer.is_success:
            raise RefusedError(f"{method} {path}: {answer.status_code} {answer.text}")
        if method != "GET":
            self._effective()
        return answer.json() if answer.content else None

    def catch_up(self) -> None:
        """Wait until packets obey what was changed through another API."""
        revision = self.get("/status")["revision"]
        params = {"wait": "chassis", "timeout": 50}
        self.client.get(f"/v1/revisions/{revision}", params=params).raise_for_status()
        self._effective()

    def get(self, path: str) -> Any:
        return self.call("GET", path)

    def reachability(self, question: Any) -> Any:
        """Return the answer to a question once all agents have what the answer rests on.

        Routers and switches learn at any time, and agents acknowledge that a moment later.
        """
        found: dict[str, Any] = {}

        def is_settled() -> bool:
            answer = self.client.post("/v1/reachability", json=question)
            assert answer.status_code == 200, answer.text
            found.update(answer.json())
            return "has not acknowledged" not in json.dumps(found)

        until(is_settled, "agents have acknowledged what they were told")
        return found

    def switch(self, name: str, **fields: Any) -> None:
        self.call("POST", "/logical-switches", {"name": name, **fields})

    def port(self, switch: str, name: str, *addresses: str, **fields: Any) -> None:
        body = {"name": name, "addresses": list(addresses), **fields}
        self.call("POST", f"/logical-switches/{switch}/ports", body)

    def change_port(self, name: str, **fields: Any) -> None:
        self.call("PATCH", f"/logical-switch-ports/{name}", fields)

    def router(self, name: str, **fields: Any) -> None:
        self.call("POST", "/logical-routers", {"name": name, **fields})

    def router_port(self, router: str, name: str, mac: str, *networks: str, **fields: Any) -> None:
        body = {"name": name, "mac": mac, "networks": list(networks), **fields}
        self.call("POST", f"/logical-routers/{router}/ports", body)

    def attach(self, router: str, switch: str, mac: str, *networks: str) -> None:
        """A router port ``ROUTER-SWITCH``, and ``SWITCH-ROUTER`` on the switch that leads to it."""
        self.router_port(router, f"{router}-{switch}", mac, *networks)
        self.port(switch, f"{switch}-{router}", type="router", router_port=f"{router}-{switch}")

    def route(self, router: str, prefix: str, nexthop: str) -> None:
        body = {"ip_prefix": prefix, "nexthop": nexthop}
        self.call("POST", f"/logical-routers/{router}/static-routes", body)

    def port_group(self, name: str, *ports: str) -> None:
        self.call("POST", "/port-groups", {"name": name, "ports": list(ports)})

    def address_set(self, name: str, *addresses: str) -> None:
        self.call("POST", "/address-sets", {"name": name, "addresses": list(addresses)})

    def acl(
        self, owner: str, direction: str, priority: int, match: str, action: str, **fields: Any
    ) -> str:
        """An ACL on ``pg:NAME`` or ``ls:NAME``; its id."""
        kind, _, name = owner.partition(":")
        body = {
            {"pg": "port_group", "ls": "logical_switch"}[kind]: name,
            "direction": direction,
            "priority": priority,
            "match": match,
            "action": action,
            **fields,
        }
        created = self.call("POST", "/acls", body)
        return str(created["id"])

    def delete(self, path: str) -> None:
        self.call("DELETE", path)
