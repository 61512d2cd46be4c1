"""OVN's own opinion of matches: a southbound database, and ``ovn-trace`` over it.

Each match becomes a flow of a table of its own, above a flow that always fits, so
that one trace says of every match whether the packet fits it.
"""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SCHEMA = Path("/usr/share/ovn/ovn-sb.ovsschema")
TABLES = 28
"""How many tables of a pipeline OVN lets ``next;`` advance through."""

_FLOWS_AT_ONCE = 200
"""They go over the command line, which is limited."""

_REFUSED = re.compile(
    r"\|WARN\|(?P<match>.*): parsing expression failed \((?P<reason>.*)\)$", re.DOTALL
)
_FITTING = re.compile(r"^ *(?P<table>\d+)\. .*priority 1, uuid", re.MULTILINE)


class OvnSouthbound:
    """A southbound database with one switch, named ``s``."""

    def __init__(self, remote: str) -> None:
        self._remote = remote

    def fitting(
        self, matches: Sequence[str], packets: Sequence[str]
    ) -> Iterator[tuple[str, set[str]]]:
        """Each packet with those of at most :data:`TABLES` matches that OVN says it fits."""
        self._replace_flows(matches)
        for packet in packets:
            yield packet, {matches[table] for table in self._trace(packet, len(matches))}

    def refusals(self, matches: Sequence[str]) -> dict[str, str]:
        """Why OVN takes some of `matches` for none, by their texts."""
        self._replace_flows([], also=matches)
        trace = subprocess.run(
            ["ovn-trace", f"--db={self._remote}", "s", "ip4"],
            check=True,
            capture_output=True,
            text=True,
        )
        found = (_REFUSED.search(line) for line in trace.stderr.splitlines())
        return {each["match"]: each["reason"] for each in found if each is not None}

    def add(self, ports: Sequence[str], sets: Mapping[str, Sequence[str]]) -> None:
        """Make the switch with its ports, and sets whose names carry their sigils."""
        datapath = _insert(
            "Datapath_Binding",
            {
                "tunnel_key": 1,
                "external_ids": _map(
                    {"logical-switch": "00000000-0000-0000-0000-000000000001", "name": "s"}
                ),
            },
        )
        bindings = [
            _insert(
                "Port_Binding",
                {"datapath": _DATAPATH, "logical_port": port, "tunnel_key": key},
            )
            for key, port in enumerate(ports, 1)
        ]
        members = [_set_row(name, found) for name, found in sets.items()]
        (answer, *_) = self._transact([datapath | {"uuid-name": "switch"}, *bindings, *members])
        self._datapath = answer["uuid"]

    def _replace_flows(self, matches: Sequence[str], also: Sequence[str] = ()) -> None:
        """Of each of `matches` a table, and of all in `also` one that no packet gets to."""
        flows = [
            _insert(
                "Logical_Flow",
                {
                    "logical_datapath": self._datapath,
                    "pipeline": "egress",
                    "table_id": 1,
                    "priority": priority,
                    "match": text,
                    "actions": "next;",
                },
            )
            for priority, text in enumerate(also)
        ]
        flows += [
            _insert(
                "Logical_Flow",
                {
                    "logical_datapath": self._datapath,
                    "pipeline": "ingress",
                    "table_id": table,
                    "priority": priority,
                    "match": text,
                    "actions": "next;",
                },
            )
            for table, match in enumerate(matches)
            for priority, text in ((1, match), (0, "1"))
        ]
        self._transact([{"op": "delete", "table": "Logical_Flow", "where": []}])
        for start in range(0, len(flows), _FLOWS_AT_ONCE):
            self._transact(flows[start : start + _FLOWS_AT_ONCE])

    def _trace(self, packet: str, tables: int) -> set[int]:
        """The tables whose match the packet fits; OVN is silent about the others."""
        trace = subprocess.run(
            ["ovn-trace", f"--db={self._remote}", "s", packet],
            check=True,
            capture_output=True,
            text=True,
        )
        assert not trace.stderr, trace.stderr
        assert f"{tables:2}. no match (implicit drop)" in trace.stdout, trace.stdout
        return {int(found["table"]) for found in _FITTING.finditer(trace.stdout)}

    def _transact(self, operations: list[dict[str, Any]]) -> list[dict[str, Any]]:
        done = subprocess.run(
            ["ovsdb-client", "transact", self._remote, json.dumps(["OVN_Southbound", *operations])],
            check=True,
            capture_output=True,
            text=True,
        )
        answers: list[dict[str, Any]] = json.loads(done.stdout)
        assert not any("error" in answer for answer in answers), done.stdout
        return answers


@contextmanager
def ovn_southbound(
    directory: Path, ports: Sequence[str], sets: Mapping[str, Sequence[str]]
) -> Iterator[OvnSouthbound]:
    """Serve a database in `directory` as long as the context lasts."""
    database, socket = directory / "sb.db", directory / "sock"
    subprocess.run(["ovsdb-tool", "create", database, SCHEMA], check=True)
    server = subprocess.Popen(
        [
            "ovsdb-server",
            f"--remote=punix:{socket}",
            f"--unixctl={directory / 'ctl'}",
            f"--log-file={directory / 'log'}",
            database,
        ],
        stderr=subprocess.DEVNULL,
    )
    try:
        southbound = OvnSouthbound(f"unix:{socket}")
        _wait_for(socket)
        southbound.add(ports, sets)
        yield southbound
    finally:
        server.terminate()
        server.wait()


def _wait_for(socket: Path) -> None:
    """``ovsdb-client wait`` tries again until somebody listens there."""
    remote = f"unix:{socket}"
    command = ["ovsdb-client", "--timeout=20", "wait", remote, "OVN_Southbound", "connected"]
    subprocess.run(command, check=True, capture_output=True)


_DATAPATH = ["named-uuid", "switch"]


def _insert(table: str, row: dict[str, Any]) -> dict[str, Any]:
    return {"op": "insert", "table": table, "row": row}


def _set_row(name: str, members: Sequence[str]) -> dict[str, Any]:
    table, column = ("Address_Set", "addresses") if name[0] == "$" else ("Port_Group", "ports")
    return _insert(table, {"name": name[1:], column: ["set", list(members)]})


def _map(pairs: Mapping[str, str]) -> list[Any]:
    return ["map", [[key, value] for key, value in pairs.items()]]
