"""The server as a process, and the commands that ask it."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.testbed.tcp_ports import free_ports

pytestmark = pytest.mark.processes


ROOT = Path(__file__).parents[3]

NETWORK = """\
document: shop
logical_switches:
  web:
    subnet4: 10.0.1.0/24
    ports:
      web-1: {addresses: ["0a:00:00:00:00:01 10.0.1.11"]}
      web-2: {addresses: [unknown], enabled: false}
      web-to-edge: {type: router, router_port: edge-web}
    acls:
      - {direction: to-lport, priority: 7, match: icmp4, action: drop}
logical_routers:
  edge:
    ports:
      edge-web: {networks: [10.0.1.1/24]}
    static_routes:
      - {ip_prefix: 0.0.0.0/0, nexthop: 10.0.1.254}
port_groups:
  servers: {ports: [web-1]}
address_sets:
  office: {addresses: [192.0.2.0/24]}
"""


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(
    *arguments: str, text: str | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    """A command of `treadle`, to its end."""
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=ROOT,
        env={**os.environ, **environment},
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@dataclass
class RunningServer:
    process: subprocess.Popen[str]
    database: Path
    api_port: int
    agents_port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.api_port}"

    def run(self, *arguments: str, text: str | None = None) -> subprocess.CompletedProcess[str]:
        return run(*arguments, text=text, TREADLE_URL=self.url)

    def wait(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            try:
                httpx.get(f"{self.url}/healthz", timeout=30).raise_for_status()
            except httpx.HTTPError:
                assert self.process.poll() is None, self.process.communicate()[1]
                assert time.monotonic() < deadline, "the server does not answer"
                time.sleep(0.05)
            else:
                return


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    database = tmp_path_factory.mktemp("server") / "treadle.db"
    api_port, agents_port = free_ports(2)
    process = start(
        "server",
        *("--database", str(database)),
        *("--api-port", str(api_port)),
        *("--agents-port", str(agents_port)),
    )
    running = RunningServer(process, database, api_port, agents_port)
    running.wait()
    applied = running.run("apply", "-", "--wait", "chassis", text=NETWORK)
    assert applied.returncode == 0, applied.stderr
    yield running
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    assert "stopped" in log


def test_applying_tells_what_changed_and_the_second_time_that_nothing_did(
    server: RunningServer,
) -> None:
    again = server.run("apply", "-", text=NETWORK)
    assert again.stdout == "shop: nothing to do, the network is so already\n"
    larger = NETWORK.replace("  servers:", "  clients: {ports: [web-2]}\n  servers:")
    dry = server.run("apply", "-", "--dry-run", text=larger)
    assert "+ port group clients\n" in dry.stdout
    assert "dry run" in dry.stdout


def test_a_document_that_is_refused(server: RunningServer) -> None:
    wrong = server.run("apply", "-", text=NETWORK.replace("icmp4", "icmp5"))
    assert wrong.returncode == 1
    assert "logical_switches.web.acls.0.match" in wrong.stderr
    assert re.search(r"icmp5\n +\^", wrong.stderr)
    assert server.run("apply", "/nonexistent.yaml").returncode == 2


def test_the_network_is_shown_as_a_tree(server: RunningServer) -> None:
    shown = server.run("show").stdout
    assert "switch web  10.0.1.0/24" in shown
    assert "web-1  0a:00:00:00:00:01 10.0.1.11  not bound, down" in shown
    assert "web-2  unknown  not bound, down  disabled" in shown
    assert "web-to-edge  to router port edge-web" in shown
    assert "to-lport tier 0 priority 7: icmp4 -> drop" in shown
    assert "route  0.0.0.0/0 via 10.0.1.254" in shown
    assert "port group @servers  web-1" in shown
    assert "address set $office  192.0.2.0/24" in shown


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        ("logical-switches", "web"),
        ("logical-switch-ports", "web-1"),
        ("logical-routers", "edge"),
        ("logical-router-ports", "10.0.1.1/24"),
        ("static-routes", "10.0.1.254"),
        ("port-groups", "servers"),
        ("address-sets", "192.0.2.0/24"),
        ("acls", "icmp4"),
        ("chassis", "TUNNEL"),
        ("port-bindings", "web-to-edge"),
    ],
)
def test_one_kind_of_thing_is_shown_as_a_table(
    server: RunningServer, what: str, expected: str
) -> None:
    shown = server.run("show", what)
    assert shown.returncode == 0, shown.stderr
    assert expected in shown.stdout


@pytest.mark.parametrize("what", ["acl", "logical-switch", "address_set", "static_routes"])
def test_kinds_are_known_by_the_name_of_one(server: RunningServer, what: str) -> None:
    assert server.run("show", what).returncode == 0


def test_showing_what_there_is_not(server: RunningServer) -> None:
    assert server.run("show", "clouds").returncode == 2


def test_answers_for_programs(server: RunningServer) -> None:
    def answer(*arguments: str, text: str | None = None) -> Any:
        done = server.run(*arguments, "--json", text=text)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    assert [switch["name"] for switch in answer("show", "logical-switches")] == ["web"]
    everything = answer("show")
    assert everything["acls"][0]["match"] == "icmp4"
    assert {"chassis", "port-bindings", "static-routes"} <= everything.keys()
    flows = answer("lflow", "web", "--stage", "ls_in_l2_lkup")
    assert {flow["stage"] for flow in flows} == {"ls_in_l2_lkup"}
    (first,) = answer("revisions", "--limit", "1")
    assert answer("revisions", str(first["id"]))["changes"]
    assert answer("apply", "-", "--dry-run", text=NETWORK)["changed"] is False
    database = ("--database", str(server.database))
    assert run("token", "create", "program", "--role", "viewer", *database).returncode == 0
    tokens = json.loads(run("token", "list", "--json", *database).stdout)
    (token,) = (token for token in tokens if token["name"] == "program")
    assert (token["role"], token["expires_at"]) == ("viewer", None)
    assert run("token", "revoke", "program", *database).returncode == 0


def test_logical_flows_are_listed_by_table_and_priority(server: RunningServer) -> None:
    listed = server.run("lflow", "web", "--pipeline", "ls_in").stdout.splitlines()
    assert listed[0] == "Datapath: 'web'  Pipeline: ls_in (switch, ingress)"
    order = [
        (int(found[1]), -int(found[2]))
        for line in listed[1:]
        if (found := re.match(r"  table=(\d+)\(\w+\), priority=(\d+), match=", line))
    ]
    assert len(order) == len(listed) - 1
    assert order == sorted(order)


def test_logical_flows_tell_why_they_are_there(server: RunningServer) -> None:
    cause = "logical_switch_port/web-1"
    listed = server.run("lflow", "--cause", cause, "--why").stdout
    port = httpx.get(f"{server.url}/v1/logical-switch-ports/web-1", timeout=30).json()
    flows = [line for line in listed.splitlines() if line.startswith("  ")]
    assert flows
    assert all(line.endswith(f"# logical_switch_port/{port['id']}") for line in flows)
    assert server.run("lflow", "nowhere").returncode == 1


def test_revisions_are_told(server: RunningServer) -> None:
    assert re.search(r"^1 +\d{4}-.* local", server.run("revisions").stdout, re.MULTILINE)
    assert "+ logical switch web" in server.run("revisions", "1").stdout
    assert "  + address set address office" not in server.run("revisions", "1").stdout


def test_tokens_are_managed_while_the_server_runs(server: RunningServer) -> None:
    database = ("--database", str(server.database))
    made = run("token", "create", "alice", "--role", "viewer", *database)
    headers = {"Authorization": f"Bearer {made.stdout.strip()}"}
    assert httpx.get(f"{server.url}/v1/acls", headers=headers, timeout=30).status_code == 200
    assert httpx.post(f"{server.url}/v1/acls", headers=headers, timeout=30).status_code == 403
    assert "alice" in run("token", "list", *database).stdout
    twice = run("token", "create", "alice", "--role", "viewer", *database)
    assert (twice.returncode, "already taken" in twice.stderr) == (1, True)
    assert run("token", "revoke", "alice", *database).returncode == 0
    assert httpx.get(f"{server.url}/v1/acls", headers=headers, timeout=30).status_code == 401
    assert run("token", "revoke", "alice", *database).returncode == 1


def test_a_second_server_on_the_same_database(server: RunningServer) -> None:
    ports = free_ports(2)
    second = run(
        "server",
        *("--database", str(server.database)),
        *("--api-port", str(ports[0])),
        *("--agents-port", str(ports[1])),
    )
    assert second.returncode == 1
    assert f"another server works on {server.database}" in second.stderr
    assert f"process {server.process.pid}" in second.stderr


@pytest.mark.parametrize("listener", ["api", "agents"])
def test_a_port_that_is_in_use(server: RunningServer, tmp_path: Path, listener: str) -> None:
    (free,) = free_ports(1)
    ports = {"api": free, "agents": free, listener: getattr(server, f"{listener}_port")}
    if listener == "agents":
        (ports["api"],) = free_ports(1)
    refused = run(
        "server",
        *("--database", str(tmp_path / "treadle.db")),
        *("--api-port", str(ports["api"])),
        *("--agents-port", str(ports["agents"])),
    )
    assert refused.returncode == 1
    assert f"127.0.0.1 port {ports[listener]}: Address already in use" in refused.stderr


def test_an_open_door_is_refused_without_tokens(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    database = ("--database", str(tmp_path / "treadle.db"))
    open_door = ("--api-host", "0.0.0.0", "--api-port", str(port), "--agents-port", "0")
    refused = run("server", *database, *open_door)
    assert refused.returncode == 2
    assert "server.api: on 0.0.0.0 tokens would be sent in plain text" in refused.stderr
    trusted = {"TREADLE_SERVER__API__PLAIN_TEXT": "true"}
    refused = run("server", *database, *open_door, **trusted)
    assert refused.returncode == 1
    assert "treadle token create" in refused.stderr
    assert run("token", "create", "root", "--role", "admin", *database).returncode == 0
    process = start("server", *database, *open_door, **trusted)
    running = RunningServer(process, tmp_path / "treadle.db", port, 0)
    running.wait()
    assert httpx.get(f"{running.url}/v1/acls", timeout=30).status_code == 401
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) == 0
    process.communicate()


def test_a_stop_answers_those_who_wait(tmp_path: Path) -> None:
    """As what follows the log of revisions does nearly all the time."""
    ports = free_ports(2)
    listeners = ("--api-port", str(ports[0]), "--agents-port", str(ports[1]))
    process = start("server", "--database", str(tmp_path / "treadle.db"), *listeners)
    running = RunningServer(process, tmp_path / "treadle.db", *ports)
    running.wait()
    path = "/v1/revisions/1?wait=translated&timeout=600"
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    with socket.create_connection(("127.0.0.1", ports[0]), timeout=60) as waiting:
        waiting.sendall(request.encode())
        running.wait()  # what was asked before that is being worked on
        process.send_signal(signal.SIGTERM)
        answer = waiting.makefile("rb").read().decode()
    assert answer.startswith("HTTP/1.1 504 ")
    assert "there was no revision 1" in answer
    _, log = process.communicate(timeout=30)
    assert process.returncode == 0, log
    assert "error" not in log


def test_a_database_of_a_newer_version(tmp_path: Path) -> None:
    database = tmp_path / "treadle.db"
    assert run("db", "upgrade", "--database", str(database)).returncode == 0
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    refused = run("server", "--database", str(database), "--api-port", "0", "--agents-port", "0")
    assert refused.returncode == 3
    assert "newer" in refused.stderr


def test_no_database_where_there_should_be_one(tmp_path: Path) -> None:
    refused = run("token", "list", "--database", str(tmp_path / "none.db"))
    assert refused.returncode == 3
    assert "none.db" in refused.stderr


def test_the_database_is_compacted(tmp_path: Path) -> None:
    database = str(tmp_path / "treadle.db")
    assert run("db", "upgrade", "--database", database).returncode == 0
    done = run("db", "compact", "--database", database, TREADLE_SERVER__HISTORY__REVISIONS="1000")
    assert (done.returncode, done.stdout) == (0, "0 changes of old revisions are forgotten\n")
    refused = run("db", "compact", "--database", database, TREADLE_SERVER__HISTORY__REVISIONS="7")
    assert refused.returncode == 2
    assert "server.history.revisions" in refused.stderr


def test_no_server_where_there_should_be_one() -> None:
    (port,) = free_ports(1)
    refused = run("show", TREADLE_URL=f"http://127.0.0.1:{port}")
    assert refused.returncode == 3
    assert str(port) in refused.stderr


def test_help_loads_no_framework() -> None:
    code = "import sys, cli.main; print([m for m in sys.argv[1:] if m in sys.modules])"
    heavy = ("fastapi", "sqlalchemy", "httpx", "uvicorn", "ovs", "alembic")
    loaded = subprocess.run(
        [sys.executable, "-c", code, *heavy], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert json.loads(loaded.stdout.replace("'", '"')) == []


COMMANDS = [
    ("server", "--api-port", "0", "--agents-port", "0"),
    ("db", "upgrade"),
    ("token", "list"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_url_of_no_database_that_is_known(command: tuple[str, ...]) -> None:
    refused = run(*command, "--database", "mysql://x/y")
    assert refused.returncode == 2
    assert "there is no support for 'mysql'" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


@pytest.mark.parametrize("command", COMMANDS)
def test_without_the_driver(command: tuple[str, ...]) -> None:
    code = "import sys; sys.modules['psycopg'] = None; from cli.main import app; app(sys.argv[1:])"
    refused = subprocess.run(
        [sys.executable, "-c", code, *command, "--database", "postgresql://127.0.0.1/x"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode == 2
    assert "install treadle[postgresql]" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def _garbage(path: Path) -> None:
    path.write_bytes(b"garbage" * 1000)


def _damaged(path: Path) -> None:
    """The header of a database, and nothing that it promises."""
    assert run("db", "upgrade", "--database", str(path)).returncode == 0
    content = path.read_bytes()
    path.write_bytes(content[:4096] + b"\x55" * (len(content) - 4096))


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_garbage, "is not a database"),
        (_damaged, "damaged"),
        (Path.mkdir, "cannot be opened"),
    ],
    ids=["garbage", "damaged", "a directory"],
)
def test_a_file_that_is_no_database(
    tmp_path: Path, command: tuple[str, ...], spoil: Callable[[Path], None], reason: str
) -> None:
    database = tmp_path / "treadle.db"
    spoil(database)
    refused = run(*command, "--database", str(database))
    assert refused.returncode == 3
    assert reason in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_token_for_longer_than_anything_lasts(tmp_path: Path) -> None:
    database = ("--database", str(tmp_path / "treadle.db"))
    for days in ("1e300", "nan"):
        refused = run("token", "create", "x", "--role", "admin", f"--days={days}", *database)
        assert refused.returncode == 1
        assert "expires_in: has to be" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1


def test_it_ends_though_a_thread_does_not(tmp_path: Path) -> None:
    """A change that never comes to its next statement, as one that computes for long."""
    api_port, agents_port = free_ports(2)
    code = (
        "import sys, threading, cli.server.stopping as stopping;"
        "from northbound.services import LOGICAL_SWITCHES;"
        "from cli.main import app;"
        "LOGICAL_SWITCHES.create = lambda *_: threading.Event().wait();"
        "stopping.LAST_SECONDS = 1;"
        "app(sys.argv[1:])"
    )
    options = ("--database", str(tmp_path / "treadle.db"), "--api-port", str(api_port))
    process = subprocess.Popen(
        [sys.executable, "-c", code, "server", *options, "--agents-port", str(agents_port)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    running = RunningServer(process, tmp_path / "treadle.db", api_port, agents_port)
    running.wait()
    with pytest.raises(httpx.ReadTimeout):
        httpx.post(f"{running.url}/v1/logical-switches", json={"name": "web"}, timeout=1)
    process.send_signal(signal.SIGTERM)
    _, log = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "did not stop in time" in log
    assert run("db", "upgrade", "--database", str(tmp_path / "treadle.db")).returncode == 0
