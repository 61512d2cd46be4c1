"""Whether the controller is well, for people, probes and Prometheus.

``/healthz`` answers 200 while the controller works, with what is wrong around it (``degraded``),
and 503 once it hasn't got to its work for a minute. ``/readyz`` answers 503 while anything is
wrong. ``/metrics`` has the numbers.
"""

import json
import threading
import time
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

STUCK_SECONDS = 60.0


class Health:
    """What is wrong, by the part it is about, and what was counted. For several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._problems: dict[str, str] = {}
        self._numbers: dict[str, float] = {}
        self._turned = time.monotonic()

    def tell(self, part: str, problem: str) -> None:
        """Note what is wrong with a part; "" for nothing."""
        with self._lock:
            if problem:
                self._problems[part] = problem
            else:
                self._problems.pop(part, None)

    def count(self, name: str, more: float = 1) -> None:
        with self._lock:
            self._numbers[name] = self._numbers.get(name, 0) + more

    def gauge(self, name: str, value: float) -> None:
        with self._lock:
            self._numbers[name] = value

    def turn(self) -> None:
        """Note that the controller got to its work."""
        self._turned = time.monotonic()

    def is_stuck(self) -> bool:
        return time.monotonic() - self._turned > STUCK_SECONDS

    def problems(self) -> Mapping[str, str]:
        with self._lock:
            return dict(self._problems)

    def metrics(self) -> str:
        """Return the numbers in Prometheus' text format."""
        with self._lock:
            numbers = dict(self._numbers)
            degraded = len(self._problems)
        lines = [f"treadle_kubernetes_degraded {degraded}"]
        lines += [f"treadle_kubernetes_{name} {value:g}" for name, value in sorted(numbers.items())]
        return "\n".join(lines) + "\n"


class _Handler(BaseHTTPRequestHandler):
    health: Health
    timeout = 10
    """Seconds that a client may take for its request."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Probes come every few seconds, and need no line each."""

    def do_GET(self) -> None:
        if self.path == "/metrics":
            self._answer(200, "text/plain; version=0.0.4", self.health.metrics())
            return
        if self.path not in ("/healthz", "/readyz"):
            self._answer(404, "text/plain", "there is /healthz, /readyz and /metrics\n")
            return
        problems, is_stuck = self.health.problems(), self.health.is_stuck()
        status = "stuck" if is_stuck else "degraded" if problems else "ok"
        is_bad = is_stuck or (self.path == "/readyz" and bool(problems))
        text = json.dumps({"status": status, "problems": problems}) + "\n"
        self._answer(503 if is_bad else 200, "application/json", text)

    def _answer(self, status: int, kind: str, text: str) -> None:
        octets = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(octets)))
        self.end_headers()
        self.wfile.write(octets)


class HealthServer:
    """Serves a :class:`Health`. Raises OSError if the address is taken."""

    def __init__(self, health: Health, host: str, port: int) -> None:
        handler = type("Handler", (_Handler,), {"health": health})
        self._server = ThreadingHTTPServer((host, port), handler)
        self._server.daemon_threads = True
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(
            target=self._server.serve_forever, name="health", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
