"""Receivers that others wrote: rotel takes our OTLP and passes it on, Prometheus scrapes our page with exemplars."""

import importlib.util
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

import figwatch
from figwatch import contract
from figwatch.gateway import Decision, Edge
from figwatch.otlp import Drain
from figwatch.otlp_settings import GRPC, HTTP, METRICS, SPANS, Destination, Settings
from figwatch.telemetry import Telemetry
from support.collector import Collector, http_collector, plain, refusing_port, wait_until
from support.library import Timer, fresh_telemetry
from support.parts import not_here, program

CALLER = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
FAILED = Decision(route_template="/a/{id}", side="service")


@contextmanager
def running(command: list[str], folder: Path) -> Iterator[None]:
    """A program while the block runs; its output is shown where the block fails."""
    log = folder / "log"
    with log.open("wb") as file:
        process = subprocess.Popen(command, stdout=file, stderr=file, cwd=folder)
    try:
        yield
    except BaseException:
        sys.stderr.write(log.read_text("utf-8", "replace"))
        raise
    finally:
        process.kill()
        process.wait()


def listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@contextmanager
def rotel(behind: Collector, folder: Path) -> Iterator[dict[str, str]]:
    """A rotel that passes on to a collector of ours; the URL to send to, by protocol."""
    spec = importlib.util.find_spec("rotel")
    if spec is None or spec.origin is None:
        not_here("rotel (pip install rotel)")
    agent = Path(spec.origin).with_name("rotel-agent")
    version = subprocess.run([agent, "--version"], capture_output=True, text=True, timeout=10, check=False)
    if version.returncode != 0:  # it needs the shared library of its Python, which not every Python has
        not_here(f"rotel (does not start: {version.stderr.strip()})")
    ports = {HTTP: refusing_port(), GRPC: refusing_port()}
    command = [
        str(agent), "start",
        "--otlp-http-endpoint", f"127.0.0.1:{ports[HTTP]}",
        "--otlp-grpc-endpoint", f"127.0.0.1:{ports[GRPC]}",
        "--exporter", "otlp", "--otlp-exporter-protocol", "http", "--otlp-exporter-endpoint", behind.url,
        "--batch-timeout", "20ms", "--pid-file", str(folder / "pid"), "--log-file", str(folder / "rotel.log"),
    ]  # fmt: skip
    with running(command, folder):
        wait_until(lambda: all(listens(port) for port in ports.values()))
        yield {protocol: f"http://127.0.0.1:{port}" for protocol, port in ports.items()}


@pytest.mark.parametrize("protocol", [HTTP, GRPC])
def test_a_foreign_collector_takes_spans_and_metrics_and_passes_them_on(protocol: str, tmp_path: Path) -> None:
    timer = Timer()
    telemetry = fresh_telemetry(timer)
    with http_collector() as behind, rotel(behind, tmp_path) as urls:
        paths = {SPANS: "/v1/traces", METRICS: "/v1/metrics"} if protocol == HTTP else {}
        destinations = tuple(
            Destination(signal, protocol, urls[protocol] + paths.get(signal, ""), gzip=signal == SPANS)
            for signal in (SPANS, METRICS)
        )
        drain = Drain(telemetry, Settings(destinations), {"service.name": "gateway"})
        drain.start()
        for number in range(3):
            with Edge(telemetry=telemetry).observe("GET", f"/a/{number}", FAILED, traceparent=CALLER) as seen:
                timer.now += 0.25
                seen.upstream_failed()
        drain.stop(10)
        wait_until(lambda: len(behind.spans()) == 3 and bool(behind.resources("metrics")))
    assert {span.name for span in behind.spans()} == {"GET /a/{id}"}
    assert {span.parent_span_id.hex() for span in behind.spans()} == {"b7ad6b7169203331"}
    assert plain(behind.spans()[0].attributes)["http.response.status_code"] == 502
    assert behind.resources("traces")[0]["service.name"] == "gateway"
    (point,) = behind.metrics()[contract.REQUEST_DURATION].histogram.data_points
    assert (point.count, point.sum, tuple(point.explicit_bounds)) == (3, 0.75, contract.BUCKETS)
    assert behind.metrics()[contract.DROPPED_SPANS].sum.data_points[0].as_int == 0


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def served_page() -> Iterator[int]:
    """A WSGI service with a page of its own; its port."""

    def answer(_environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "1")])
        return [b"."]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("figwatch.telemetry._process", Telemetry())  # exemplars of other tests stand in the shared one
        app = figwatch.instrument(answer, service="chat", routes=("/scraped/{id}",))
    with make_server("127.0.0.1", 0, app, handler_class=_Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def asked(url: str, **headers: str) -> str:
    request = urllib.request.Request(url, headers=headers)  # noqa: S310 - http on loopback
    with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310 - as above
        return str(answer.read().decode())


def is_ready(port: int) -> bool:
    """Whether Prometheus takes queries: it listens a little before."""
    try:
        return "Ready" in asked(f"http://127.0.0.1:{port}/-/ready")
    except OSError:
        return False


def query(port: int, path: str, expression: str) -> list[dict[str, Any]]:
    """What Prometheus answers about the last minute."""
    words = urlencode({"query": expression, "start": time.time() - 60, "end": time.time() + 60})
    data = json.loads(asked(f"http://127.0.0.1:{port}/api/v1/{path}?{words}"))["data"]
    found: list[dict[str, Any]] = data if isinstance(data, list) else data["result"]
    return found


@pytest.mark.needs("prometheus")
def test_the_real_prometheus_scrapes_counts_and_exemplars(tmp_path: Path) -> None:
    with served_page() as service:
        port = refusing_port()
        (tmp_path / "prometheus.yml").write_text(
            json.dumps(
                {
                    "global": {"scrape_interval": "100ms", "scrape_timeout": "100ms"},
                    "scrape_configs": [{"job_name": "chat", "static_configs": [{"targets": [f"127.0.0.1:{service}"]}]}],
                }
            )
        )
        command = [
            str(program("prometheus")), "--config.file=prometheus.yml", f"--storage.tsdb.path={tmp_path / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}", "--enable-feature=exemplar-storage", "--log.level=warn",
        ]  # fmt: skip
        with running(command, tmp_path):
            wait_until(lambda: is_ready(port))
            for _ in range(5):
                asked(f"http://127.0.0.1:{service}/scraped/1", traceparent=CALLER)

            counted = f'{contract.REQUEST_DURATION}_count{{http_route="/scraped/{{id}}"}}'
            wait_until(lambda: [each["value"][1] for each in query(port, "query", counted)] == ["5"])
            wait_until(lambda: bool(query(port, "query_exemplars", f"{contract.REQUEST_DURATION}_bucket")))
            exemplars = query(port, "query_exemplars", f"{contract.REQUEST_DURATION}_bucket")
    labels = [each["labels"] for series in exemplars for each in series["exemplars"]]
    assert "0af7651916cd43dd8448eb211c80319c" in {each["trace_id"] for each in labels}
    assert exemplars[0]["seriesLabels"]["http_route"] == "/scraped/{id}"
