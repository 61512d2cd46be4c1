"""Clients that change the network all the time and keep a journal of what they were told."""

import random
import threading
from collections.abc import Mapping
from typing import Any

import httpx

from tests.faults.journal import Journal, Value

PORT = "port/"
"""Paths of ports; their value is :func:`port_value`."""
ACL = "acl/"
"""Paths of ACLs, by id; their value is the action."""

_NOTHING_WRITTEN = frozenset({503, 507})
_PATIENCE = 10.0
_MOST_PORTS = 40


def port_value(port: Mapping[str, Any]) -> str:
    """What the writers change of a port, as text."""
    return f"{port['external_ids'].get('n', '')},{port['enabled']}"


def read_all(client: httpx.Client) -> dict[str, str]:
    """The value of every port and ACL that the server has, by path."""
    found = {}
    for kind, path, key, value in (
        ("logical-switch-ports", PORT, "name", port_value),
        ("acls", ACL, "id", lambda acl: str(acl["action"])),
    ):
        cursor = None
        while True:
            parameters = {"limit": 1000} | ({"cursor": cursor} if cursor else {})
            answer = client.get(f"/v1/{kind}", params=parameters)
            answer.raise_for_status()
            page = answer.json()
            found.update({path + item[key]: value(item) for item in page["items"]})
            cursor = page["next_cursor"]
            if cursor is None:
                break
    return found


class Writer(threading.Thread):
    """Creates, changes and deletes ports of a switch of its own, singly and in batches.

    `flips` are paths of objects with the two values between which this writer turns them.
    """

    def __init__(
        self,
        url: str,
        journal: Journal,
        number: int,
        seed: int,
        flips: Mapping[str, tuple[str, str]],
    ) -> None:
        super().__init__(name=f"writer {number}")
        self.problems: list[str] = []
        self._client = httpx.Client(base_url=url, timeout=_PATIENCE)
        self._journal = journal
        self._switch = f"churn-{number}"
        self._number = number
        self._dice = random.Random(seed)
        self._flips = dict(flips)
        self._made = 0
        self._stopped = threading.Event()

    def prepare(self) -> None:
        """Make the switch; the server has to be there."""
        answer = self._client.post("/v1/logical-switches", json={"name": self._switch})
        answer.raise_for_status()

    def run(self) -> None:
        try:
            while not self._stopped.is_set():
                self._write_once()
                # A pause like a client's that does something in between.
                self._stopped.wait(0.01)
        except Exception as error:
            self.problems.append(f"{self.name}: {error!r}")

    def stop(self) -> None:
        """End after the request under way."""
        self._stopped.set()
        self.join()
        self._stopped.clear()

    def again(self) -> "Writer":
        """A thread that goes on where this one stopped."""
        successor = Writer(str(self._client.base_url), self._journal, self._number, 0, self._flips)
        successor._client, successor._dice = self._client, self._dice
        successor._made, successor.problems = self._made, self.problems
        return successor

    def close(self) -> None:
        self._client.close()

    def _write_once(self) -> None:
        mine = self._journal.known(f"{PORT}{self._switch}-")
        flips = [path for path in self._flips if self._journal.known(path)]
        choices = ["create", "batch"] if len(mine) < _MOST_PORTS else ["delete"]
        choices += ["change", "change together", "delete"] if len(mine) > 1 else []
        choices += ["flip"] if flips else []
        choice = self._dice.choice(choices)
        if choice == "create":
            self._create(1)
        elif choice == "batch":
            self._create(3)
        elif choice == "change":
            self._change([self._dice.choice(mine)])
        elif choice == "change together":
            self._change(self._dice.sample(mine, 2))
        elif choice == "delete":
            path = self._dice.choice(mine)
            name = path.removeprefix(PORT)
            self._send({path: None}, "DELETE", f"/logical-switch-ports/{name}")
        else:
            self._flip(self._dice.choice(flips))

    def _create(self, count: int) -> None:
        values: dict[str, Value] = {}
        operations = []
        for _ in range(count):
            self._made += 1
            name = f"{self._switch}-{self._made}"
            host = f"{self._made >> 8 & 255:x}{self._made & 255:02x}"
            body = {
                "name": name,
                "logical_switch": self._switch,
                "addresses": [f"0a:0{self._number}:00:00:{host[:-2]:0>2}:{host[-2:]}"],
                "external_ids": {"n": "0"},
            }
            values[PORT + name] = "0,True"
            operations.append({"action": "create", "kind": "logical_switch_port", "values": body})
        self._transact(values, operations)

    def _change(self, paths: list[str]) -> None:
        n = str(self._dice.randrange(10**9))
        operations = [
            {
                "action": "update",
                "kind": "logical_switch_port",
                "ref": path.removeprefix(PORT),
                "values": {"external_ids": {"n": n}},
            }
            for path in paths
        ]
        self._transact(dict.fromkeys(paths, f"{n},True"), operations)

    def _flip(self, path: str) -> None:
        value = self._dice.choice(self._flips[path])
        if path.startswith(ACL):
            self._send({path: value}, "PATCH", f"/acls/{path.removeprefix(ACL)}", action=value)
        else:
            enabled = value.endswith("True")
            name = path.removeprefix(PORT)
            self._send({path: value}, "PATCH", f"/logical-switch-ports/{name}", enabled=enabled)

    def _transact(self, values: Mapping[str, Value], operations: list[dict[str, Any]]) -> None:
        self._send(values, "POST", "/transactions", operations=operations)

    def _send(self, values: Mapping[str, Value], method: str, path: str, **body: Any) -> None:
        attempt = self._journal.begin(values)
        try:
            answer = self._client.request(method, f"/v1{path}", json=body or None)
        except httpx.TransportError:
            self._journal.leave_open()
            self._stopped.wait(0.2)
            return
        if answer.is_success:
            self._journal.acknowledge(attempt)
        elif answer.status_code in _NOTHING_WRITTEN:
            self._journal.refuse(attempt)
            self._stopped.wait(0.1)
        else:
            self._journal.leave_open()
            self.problems.append(f"{method} {path}: {answer.status_code} {answer.text}")
