"""Collectors of the tests' own: over HTTP and gRPC, they read what arrives with OpenTelemetry's message classes."""

import gzip
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final, NamedTuple

import grpc  # type: ignore[import-untyped]  # its stubs are a package of their own
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import KeyValue
from opentelemetry.proto.metrics.v1.metrics_pb2 import Metric
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span

PATIENCE: Final = 20.0
"""Seconds a test waits for something to arrive."""


class Answer(NamedTuple):
    """What a collector says to one request."""

    status: int = 200  # HTTP status, or number of the gRPC status (0: OK)
    headers: tuple[tuple[str, str], ...] = ()
    rejected: int = 0
    body: bytes | None = None  # instead of the OTLP answer
    details: bytes = b""  # of a gRPC status


class Arrived(NamedTuple):
    """One request that was taken."""

    signal: str
    message: Any
    headers: dict[str, str]  # names in lower case
    when: float  # time.monotonic()


class Collector:
    """What arrived. Answers are taken from `answers`, oldest first, and then `usual`."""

    def __init__(self) -> None:
        self.url = ""
        self.arrived: list[Arrived] = []
        self.refused: list[Arrived] = []
        self.answers: deque[Answer] = deque()
        self.usual = Answer()

    def take(self, signal: str, body: bytes, headers: dict[str, str]) -> tuple[Answer, bytes]:
        """Read a request and say what becomes of it."""
        traces = signal == "traces"
        message = (ExportTraceServiceRequest if traces else ExportMetricsServiceRequest).FromString(body)
        answer = self.answers.popleft() if self.answers else self.usual
        arrived = Arrived(signal, message, headers, time.monotonic())
        (self.arrived if answer.status in (0, 200) else self.refused).append(arrived)
        if traces:
            said: Any = ExportTraceServiceResponse()
            said.partial_success.rejected_spans = answer.rejected
        else:
            said = ExportMetricsServiceResponse()
            said.partial_success.rejected_data_points = answer.rejected
        return answer, answer.body if answer.body is not None else said.SerializeToString()

    def spans(self) -> list[Span]:
        """Every span that was taken."""
        return [
            span
            for arrived in list(self.arrived)
            if arrived.signal == "traces"
            for resource in arrived.message.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def metrics(self) -> dict[str, Metric]:
        """The metrics of the newest request."""
        newest = [arrived.message for arrived in list(self.arrived) if arrived.signal == "metrics"][-1]
        return {
            metric.name: metric
            for resource in newest.resource_metrics
            for scope in resource.scope_metrics
            for metric in scope.metrics
        }

    def resources(self, signal: str) -> list[dict[str, Any]]:
        """Who sent each request of a signal."""
        found: list[Resource] = []
        for arrived in list(self.arrived):
            if arrived.signal == signal:
                message = arrived.message
                parts = message.resource_spans if signal == "traces" else message.resource_metrics
                found += [part.resource for part in parts]
        return [plain(resource.attributes) for resource in found]


def plain(attributes: Sequence[KeyValue]) -> dict[str, Any]:
    """Attributes as a dict."""
    return {pair.key: getattr(pair.value, str(pair.value.WhichOneof("value"))) for pair in attributes}


def wait_until(condition: Callable[[], bool], patience: float = PATIENCE) -> None:
    """Wait for what must come to be."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        threading.Event().wait(0.005)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    collector: Collector

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers["Content-Encoding"] == "gzip":
            body = gzip.decompress(body)
        headers = {name.lower(): value for name, value in self.headers.items()}
        assert self.path.startswith("/v1/")
        answer, said = self.collector.take(self.path.removeprefix("/v1/"), body, headers)
        self.send_response(answer.status)
        for name, value in answer.headers:
            self.send_header(name, value)
        self.send_header("Content-Type", "application/x-protobuf")
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def http_collector() -> Iterator[Collector]:
    """A collector over HTTP while the block runs; signals go to `url` + /v1/traces or /v1/metrics."""
    collector = Collector()
    handler = type("Handler", (_Handler,), {"collector": collector})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        collector.url = f"http://127.0.0.1:{server.server_port}"
        try:
            yield collector
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def grpc_collector() -> Iterator[Collector]:
    """A collector over gRPC while the block runs."""
    collector = Collector()
    with ThreadPoolExecutor(2) as pool:
        server = grpc.server(pool)
        for signal, service in (("traces", "trace.v1.TraceService"), ("metrics", "metrics.v1.MetricsService")):
            method = grpc.unary_unary_rpc_method_handler(_exporter(collector, signal))
            name = f"opentelemetry.proto.collector.{service}"
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(name, {"Export": method}),))
        collector.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        try:
            yield collector
        finally:
            server.stop(0).wait()


def _exporter(collector: Collector, signal: str) -> Callable[[bytes, Any], bytes]:
    def export(body: bytes, context: Any) -> bytes:
        headers = {str(key): str(value) for key, value in context.invocation_metadata()}
        answer, said = collector.take(signal, body, headers)
        if answer.status not in (0, 200):
            if answer.details:
                context.set_trailing_metadata((("grpc-status-details-bin", answer.details),))
            code = next(code for code in grpc.StatusCode if code.value[0] == answer.status)
            context.abort(code, "as the test wants it")
        return said

    return export


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        yield int(listener.getsockname()[1])


@contextmanager
def deaf_port() -> Iterator[int]:
    """A port that does not even answer a SYN: its backlog is full."""
    with ExitStack() as held:
        listener = held.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = int(listener.getsockname()[1])
        for _ in range(3):
            waiting = held.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(("127.0.0.1", port))
        yield port


def refusing_port() -> int:
    """A port that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
