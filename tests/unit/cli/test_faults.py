"""Whatever a user does wrong ends a command in a few lines and an exit code, never a traceback."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cli import main
from cli.output import ExitCode
from cli.testbed.wait import until

# Open vSwitch's library leaves sockets to the garbage collector.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

ROOT = Path(__file__).parents[3]


KEYS = ("--private-key", "gone", "--certificate", "gone", "--ca-cert", "gone")


class Done(NamedTuple):
    code: object
    output: str
    errors: str


Treadle = Callable[..., Done]


@pytest.fixture
def treadle(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> Iterator[Treadle]:
    """Runs the command in this process, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TREADLE_TESTBED_DIR", str(tmp_path / "labs"))
    handler = signal.getsignal(signal.SIGINT)

    def call(*arguments: str) -> Done:
        with monkeypatch.context() as patch:
            patch.setattr(sys, "argv", ["treadle", *arguments])
            with pytest.raises(SystemExit) as ended:
                main.run()
        return Done(ended.value.code, *capsys.readouterr())

    yield call
    signal.signal(signal.SIGINT, handler)


def assert_told(done: Done, code: int | None = None) -> None:
    """The command has ended by telling its user what is wrong."""
    assert "Traceback" not in done.errors
    assert done.errors.strip()
    assert done.code in (ExitCode.REFUSED, ExitCode.USAGE, ExitCode.UNREACHABLE), done
    if code is not None:
        assert done.code == code, done


ASKING = [
    ("show",),
    ("show", "chassis"),
    ("lflow",),
    ("revisions",),
    ("revisions", "7"),
    ("trace", "tcp", "a", "b:80"),
    ("explain", "a", "b"),
    ("detrace", "0x2a"),
    ("apply", "good.yaml"),
]
"""Commands that ask a server."""


@pytest.fixture(autouse=True)
def _files(tmp_path: Path) -> None:
    (tmp_path / "good.yaml").write_text("document: d\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken.yaml").write_text("a: [")
    (tmp_path / "empty.yaml").write_text("# nothing\n")
    (tmp_path / "text.db").write_text("this is no database\n" * 100)


@pytest.mark.parametrize("command", ASKING, ids=" ".join)
@pytest.mark.parametrize(
    ("url", "code"),
    [
        ("nonsense", ExitCode.USAGE),
        ("", ExitCode.USAGE),
        ("http://", ExitCode.USAGE),
        ("http://[", ExitCode.USAGE),
        ("http://h:99999", ExitCode.USAGE),
        ("http://h\x00", ExitCode.USAGE),
        ("ftp://h", ExitCode.USAGE),
        ("http://127.0.0.1:1", ExitCode.UNREACHABLE),
        ("https://127.0.0.1:1", ExitCode.UNREACHABLE),
        ("http://name.invalid", ExitCode.UNREACHABLE),
    ],
)
def test_a_server_that_is_none(
    treadle: Treadle, command: tuple[str, ...], url: str, code: ExitCode
) -> None:
    assert_told(treadle(*command, "--url", url), code)


class Answer(NamedTuple):
    body: bytes
    status: int = 200
    kind: str = "application/json"


ANSWERS = {
    "a web page": Answer(b"<html>hello</html>", kind="text/html"),
    "an empty object": Answer(b"{}"),
    "a list": Answer(b"[]"),
    "a number": Answer(b"1"),
    "no UTF-8": Answer(b"\xff"),
    "other items": Answer(json.dumps({"items": [1], "next_cursor": None}).encode()),
    "elsewhere": Answer(b"", 302),
    "a page that is not there": Answer(b"<html>", 404, "text/html"),
    "a problem that is none": Answer(b"[]", 422, "application/problem+json"),
    "half a problem": Answer(b'{"title": 1}', 422, "application/problem+json"),
}


@pytest.fixture(params=ANSWERS.values(), ids=list(ANSWERS))
def other_server(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a server that answers everything alike."""
    answer: Answer = request.param

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.kind)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        do_GET = do_POST = answer  # noqa: N815 - the names that the base class looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize("command", ASKING, ids=" ".join)
def test_another_server_than_treadles(
    treadle: Treadle, other_server: str, command: tuple[str, ...]
) -> None:
    assert_told(treadle(*command, "--url", other_server))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["apply", "gone.yaml"], ExitCode.USAGE),
        (["apply", "folder"], ExitCode.USAGE),
        (["apply"], ExitCode.USAGE),
        (["trace", "--with", "gone.yaml", "tcp a b:1"], ExitCode.USAGE),
        (["trace", "--with", "binary", "tcp a b:1"], ExitCode.USAGE),
        (["trace", "--with", "broken.yaml", "tcp a b:1"], ExitCode.USAGE),
        (["trace", "--with", "empty.yaml", "tcp a b:1"], ExitCode.USAGE),
        (["trace"], ExitCode.USAGE),
        (["show", "nonsense"], ExitCode.UNREACHABLE),
        (["show", "--token", "a\nb"], ExitCode.USAGE),
        (["show", "--token", "ü"], ExitCode.USAGE),
        (["show", "--token-file", "gone"], ExitCode.USAGE),
        (["show", "--token-file", "binary"], ExitCode.USAGE),
        (["show", "--token-file", "folder"], ExitCode.USAGE),
        (["show", "--token", "a", "--token-file", "good.yaml"], ExitCode.USAGE),
        (["revisions", "--limit", "-1"], ExitCode.USAGE),
        (["revisions", "x"], ExitCode.USAGE),
        (["detrace", "nothing"], ExitCode.USAGE),
        (["nonsense"], ExitCode.USAGE),
        (["--nonsense"], ExitCode.USAGE),
        (["server", "--config", "gone.toml"], ExitCode.USAGE),
        (["server", "--config", "binary"], ExitCode.USAGE),
        (["server", "--config", "broken.yaml"], ExitCode.USAGE),
        (["server", "--api-port", "99999"], ExitCode.USAGE),
        (["token", "list", "--database", "gone.db"], ExitCode.UNREACHABLE),
        (["token", "list", "--database", "text.db"], ExitCode.UNREACHABLE),
        (["token", "list", "--database", "folder"], ExitCode.UNREACHABLE),
        (["token", "create", "a", "--role", "king"], ExitCode.USAGE),
        (["token", "create", "a", "--role", "admin", "--days", "nan"], None),
        (["token", "create", "a", "--role", "admin", "--days", "1e308"], None),
        (["db", "upgrade", "--database", "text.db"], ExitCode.UNREACHABLE),
        (["db", "upgrade", "--database", "nonsense://x"], None),
        (["agent", "status", "--state-directory", "folder"], ExitCode.UNREACHABLE),
        (["agent", "status", "--state-directory", "gone"], ExitCode.UNREACHABLE),
        (["agent", "status", "--state-directory", "x" * 200], ExitCode.UNREACHABLE),
        (["agent", "detrace", "0x2a", "--config", "gone.toml"], ExitCode.USAGE),
        (["import-ovn", "--nb", "gone.db"], ExitCode.UNREACHABLE),
        (["import-ovn", "--nb", "text.db"], ExitCode.UNREACHABLE),
        (["import-ovn", "--nb", "folder"], ExitCode.UNREACHABLE),
        (["import-ovn", "--nb", ""], ExitCode.UNREACHABLE),
        (["import-ovn", "--nb", "unix:gone.sock"], ExitCode.UNREACHABLE),
        (["import-ovn", "--nb", f"unix:/{'x' * 200}"], ExitCode.UNREACHABLE),
        (["import-ovn", "--nb", "tcp:127.0.0.1:1"], ExitCode.UNREACHABLE),
        (["import-ovn", "--nb", "tcp:127.0.0.1"], ExitCode.UNREACHABLE),
        (["import-ovn", "--nb", "tcp:127.0.0.1:port"], ExitCode.UNREACHABLE),
        (["import-ovn", "--nb", "tcp:"], ExitCode.UNREACHABLE),
        (["import-ovn", "--nb", "ssl:127.0.0.1:1"], ExitCode.UNREACHABLE),
        (
            ["import-ovn", "--nb", "ssl:127.0.0.1:1", *KEYS],
            ExitCode.UNREACHABLE,
        ),
        (["testbed", "up", "--file", "gone.yaml"], ExitCode.REFUSED),
        (["testbed", "up", "--file", "folder"], ExitCode.REFUSED),
        (["testbed", "up", "--file", "binary"], ExitCode.REFUSED),
        (["testbed", "up", "--file", "broken.yaml"], ExitCode.REFUSED),
        (["testbed", "up", "../x"], ExitCode.REFUSED),
        (["testbed", "up", "a", "--name", "b"], ExitCode.USAGE),
        (["testbed", "demo", "gone.yaml"], ExitCode.REFUSED),
        (["testbed", "status"], ExitCode.REFUSED),
        (["testbed", "status", "gone"], ExitCode.REFUSED),
        (["testbed", "down"], ExitCode.REFUSED),
        (["testbed", "exec", "hv1", "--", "true"], ExitCode.REFUSED),
    ],
    ids=lambda value: " ".join(value)[:60] if isinstance(value, list) else "",
)
def test_commands_that_cannot_work(
    treadle: Treadle, arguments: list[str], code: ExitCode | None
) -> None:
    assert_told(treadle(*arguments), code)


def test_files_that_may_not_be_used(
    treadle: Treadle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "labs").write_text("a file where labs ought to be")
    for arguments in (["testbed", "up", "--hypervisors", "1"], ["testbed", "status"]):
        assert_told(treadle(*arguments), ExitCode.REFUSED)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "gone.pem"))
    assert_told(treadle("show", "--url", "https://127.0.0.1:1"))


WORDS = st.text(st.characters(exclude_characters="\x00"), max_size=8)


@settings(max_examples=60)
@given(
    command=st.sampled_from([*main.COMMANDS, "agent status", "token list", "testbed status", ""]),
    words=st.lists(st.one_of(WORDS, WORDS.map(lambda text: f"--{text}")), max_size=4),
)
def test_whatever_is_typed(command: str, words: list[str]) -> None:
    """With an option that there is not, so that no lab and no server is started."""
    arguments = [*command.split(), "--no-such-option", *words]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "argv", ["treadle", *arguments])
        patch.setattr(signal, "signal", lambda *_: None)
        with pytest.raises(SystemExit) as ended:
            main.run()
    assert ended.value.code in (0, ExitCode.USAGE)


def test_what_no_command_foresaw_is_a_line(
    treadle: Treadle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a fault of ours")

    monkeypatch.setattr("cli.client.Client.items", broken)
    done = treadle("show", "chassis")
    assert done.code == ExitCode.FAULT
    assert done.errors.splitlines()[0] == "treadle: unexpected RuntimeError: a fault of ours"
    monkeypatch.setenv("TREADLE_TRACEBACK", "1")
    monkeypatch.setattr(sys, "argv", ["treadle", "show", "chassis"])
    with pytest.raises(RuntimeError):
        main.run()


def _process(*arguments: str, **options: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=ROOT,
        text=True,
        stderr=subprocess.PIPE,
        **options,
    )


@pytest.mark.parametrize("directory", ["good.yaml", "good.yaml/below", "x" * 200])
def test_an_agent_without_a_place_for_its_state(tmp_path: Path, directory: str) -> None:
    process = _process("agent", "run", "--state-directory", str(tmp_path / directory))
    _, errors = process.communicate(timeout=60)
    assert process.returncode == ExitCode.REFUSED, errors
    assert errors.splitlines()[-1].startswith(f"treadle: state directory {tmp_path}")
    assert "Traceback" not in errors


def test_a_pipe_that_nobody_reads() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = _process("--help", stdout=writing)
    os.close(writing)
    _, errors = process.communicate(timeout=30)
    assert errors == ""
    assert process.returncode != 0


def test_control_c_while_a_server_thinks() -> None:
    asked = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.set()
            self.rfile.read(1)  # until the client has gone

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    process = _process("show", "--url", f"http://127.0.0.1:{server.server_port}")
    try:
        until(asked.is_set, "the request", 30)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=30)
    finally:
        process.kill()
        server.shutdown()
        thread.join()
        server.server_close()
    assert process.returncode == 130
    assert errors == ""
