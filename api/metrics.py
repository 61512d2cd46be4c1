"""``/metrics``: what the server tells Prometheus.

What the controller knows is asked of it when it is scraped; requests are counted as they
end. Each application has a registry of its own.
"""

import time
from collections.abc import Iterable

from fastapi import FastAPI, Response
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.backend import Backend
from controller.answers import AclHits, Progress

UNMATCHED = "unmatched"


class _Gauges(Collector):
    """Gauges of what the controller said last: a scrape asks it first."""

    def __init__(self) -> None:
        self.progress: Progress | None = None

    def collect(self) -> Iterable[Metric]:
        progress = self.progress
        if progress is None:
            return
        for name, text, value in (
            ("translated_revision", "The revision that logical flows realise.", progress.revision),
            ("flow_groups", "Groups of logical flows.", progress.flow_groups),
            ("chassis", "Chassis known.", progress.chassis),
            ("chassis_alive", "Chassis heard within the lease.", progress.chassis_alive),
            ("port_bindings", "Logical ports.", progress.port_bindings),
            ("ports_up", "Ports of workloads whose flows are in place.", progress.ports_up),
            ("translation_faults", "Derivations that failed.", len(progress.faults)),
        ):
            yield GaugeMetricFamily(f"treadle_{name}", text, value=value)
        yield CounterMetricFamily(
            "treadle_port_takeovers",
            "Ports that were up on a live chassis and went to one that plugged them in later.",
            value=progress.takeovers,
        )


class _HitCounters(Collector):
    """What ACLs have decided, those that have decided something."""

    def __init__(self) -> None:
        self.counted: dict[str, AclHits] = {}

    def collect(self) -> Iterable[Metric]:
        packets = CounterMetricFamily(
            "treadle_acl_packets", "Packets that an ACL has decided, by its id.", labels=("acl",)
        )
        octets = CounterMetricFamily(
            "treadle_acl_bytes", "Bytes of packets that an ACL has decided.", labels=("acl",)
        )
        for acl, hits in self.counted.items():
            packets.add_metric((acl,), hits.packets)
            octets.add_metric((acl,), hits.bytes)
        yield from (packets, octets)


class _Measure:
    """Middleware that counts and times the requests that pass."""

    def __init__(self, app: ASGIApp, requests: Counter, seconds: Histogram) -> None:
        self._app = app
        self._requests = requests
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        status = 500

        async def note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, note)
        finally:
            path = getattr(scope.get("route"), "path", UNMATCHED)
            self._requests.labels(scope["method"], path, status).inc()
            self._seconds.labels(scope["method"], path).observe(time.perf_counter() - began)


def install(app: FastAPI, backend: Backend) -> None:
    """Count the requests of `app`, and serve ``/metrics``."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    gauges = _Gauges()
    registry.register(gauges)
    hits = _HitCounters()
    registry.register(hits)
    requests = Counter(
        "treadle_http_requests",
        "Requests answered.",
        ("method", "path", "status"),
        registry=registry,
    )
    seconds = Histogram(
        "treadle_http_request_seconds", "Time to answer.", ("method", "path"), registry=registry
    )

    app.add_middleware(_Measure, requests=requests, seconds=seconds)

    @app.get(
        "/metrics",
        operation_id="get_metrics",
        summary="Metrics for Prometheus",
        tags=["server"],
        response_class=Response,
        responses={
            200: {
                "description": "Metrics in Prometheus' text format.",
                "content": {"text/plain": {"example": "treadle_ports_up 8.0\n"}},
            }
        },
    )
    async def metrics() -> Response:
        gauges.progress = await backend.controller.progress()
        hits.counted = await backend.controller.acl_hits(None, 0)
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_LATEST)
