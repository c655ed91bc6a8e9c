"""OTLP over HTTP, from a thread of its own: spans off the bounded queue, metrics from the cells. Extra [otlp].

No request ever waits for a collector. A batch that cannot be sent is tried again at the next interval and dropped, and
counted, after three attempts. At exit the thread gets two seconds for what is left.
"""

import atexit
import logging
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.error import URLError
from urllib.parse import unquote
from urllib.request import Request, urlopen

from figwatch.otlp_messages import metrics_request, traces_request
from figwatch.telemetry import Telemetry
from figwatch.tracing import SpanQueue, SpanRecord

SPAN_INTERVAL: Final = 5.0
"""Seconds between batches of spans: OTEL_BSP_SCHEDULE_DELAY's default."""
METRIC_INTERVAL: Final = 60.0
"""Seconds between exports of the metrics: OTEL_METRIC_EXPORT_INTERVAL's default."""
BATCH: Final = 512
"""Spans in one request: OTEL_BSP_MAX_EXPORT_BATCH_SIZE's default."""
ATTEMPTS: Final = 3
TIMEOUT: Final = 10.0
"""Seconds one request may take: OTEL_EXPORTER_OTLP_TIMEOUT's default."""
EXIT_PATIENCE: Final = 2.0

_logger = logging.getLogger("figwatch")


@dataclass(slots=True, frozen=True, kw_only=True)
class Settings:
    """Where to send what; an empty URL sends nothing of that kind. Intervals and the timeout are seconds."""

    traces_url: str
    metrics_url: str
    headers: Mapping[str, str]
    timeout: float = TIMEOUT
    span_interval: float = SPAN_INTERVAL
    metric_interval: float = METRIC_INTERVAL


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Settings by OpenTelemetry's variables; numbers that are none keep their defaults."""
    base = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").rstrip("/")
    return Settings(
        traces_url=environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT") or (f"{base}/v1/traces" if base else ""),
        metrics_url=environment.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT") or (f"{base}/v1/metrics" if base else ""),
        headers=_pairs(environment.get("OTEL_EXPORTER_OTLP_HEADERS", "")),
        timeout=_seconds(environment.get("OTEL_EXPORTER_OTLP_TIMEOUT"), 1.0, TIMEOUT),
        span_interval=_seconds(environment.get("OTEL_BSP_SCHEDULE_DELAY"), 1e-3, SPAN_INTERVAL),
        metric_interval=_seconds(environment.get("OTEL_METRIC_EXPORT_INTERVAL"), 1e-3, METRIC_INTERVAL),
    )


def start(telemetry: Telemetry, resource: Mapping[str, str]) -> "Drain | None":
    """Start draining this process; None, with a warning, where the variables ask for what we do not speak."""
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf")
    settings = settings_from(os.environ)
    urls = [url for url in (settings.traces_url, settings.metrics_url) if url]
    if protocol != "http/protobuf" or not all(url.startswith(("http://", "https://")) for url in urls):
        _logger.warning(
            "nothing is exported: figwatch speaks OTLP http/protobuf to http(s) URLs, not %s to %s", protocol, urls
        )
        return None
    drain = Drain(telemetry, settings, resource)
    drain.start()
    atexit.register(drain.stop)
    os.register_at_fork(after_in_child=drain.restart)
    return drain


class Drain:
    """The thread that sends."""

    def __init__(self, telemetry: Telemetry, settings: Settings, resource: Mapping[str, str]) -> None:
        """Sends nothing before `start`."""
        self._telemetry = telemetry
        self._settings = settings
        self._resource = dict(resource)
        self._begin()

    def start(self) -> None:
        """Take spans from now on, and begin to send."""
        if self._settings.traces_url:
            self._telemetry.span_sink = self._queue.put
        self._thread.start()

    def stop(self, patience: float = EXIT_PATIENCE) -> None:
        """Send what is left, within `patience` seconds; the thread then ends with the process."""
        self._stopping.set()
        self._thread.join(patience)

    def restart(self) -> None:
        """In a forked child: the thread stayed behind, and what waits belongs to the parent."""
        self._begin()
        self.start()

    def _begin(self) -> None:
        self._queue = SpanQueue(self._telemetry.health.span_dropped)
        self._stopping = threading.Event()
        self._pending: list[SpanRecord] = []
        self._attempts = 0
        self._thread = threading.Thread(target=self._run, name="figwatch-otlp", daemon=True)

    def _run(self) -> None:
        until_metrics = self._settings.metric_interval
        while not self._stopping.wait(min(self._settings.span_interval, until_metrics)):
            until_metrics -= min(self._settings.span_interval, until_metrics)
            self._tick(with_metrics=until_metrics <= 0)
            until_metrics = until_metrics if until_metrics > 0 else self._settings.metric_interval
        self._tick(with_metrics=True)

    def _tick(self, *, with_metrics: bool) -> None:
        try:
            self._send_spans()
            if with_metrics and self._settings.metrics_url:
                self._post(self._settings.metrics_url, metrics_request(self._telemetry, self._resource))
        except Exception as error:  # noqa: BLE001 - the thread's edge: it must outlive whatever a collector does
            self._telemetry.health.fault("otlp", error)

    def _send_spans(self) -> None:
        while self._pending or len(self._queue):
            self._pending = self._pending or self._queue.take(BATCH)
            if not self._post(self._settings.traces_url, traces_request(self._pending, self._resource)):
                self._give_up_after_attempts()
                return
            self._pending, self._attempts = [], 0

    def _give_up_after_attempts(self) -> None:
        self._attempts += 1
        if self._attempts >= ATTEMPTS:
            self._telemetry.health.span_dropped(len(self._pending))
            self._pending, self._attempts = [], 0

    def _post(self, url: str, body: bytes) -> bool:
        headers = {**self._settings.headers, "Content-Type": "application/x-protobuf"}
        request = Request(url, data=body, headers=headers, method="POST")  # noqa: S310 - http(s) only, checked at start
        try:
            with urlopen(request, timeout=self._settings.timeout) as answer:  # noqa: S310 - http(s) only, as above
                answer.read()
        except (URLError, OSError):
            return False
        return True


def _pairs(text: str) -> dict[str, str]:
    parts = (pair.partition("=") for pair in text.split(","))
    return {unquote(key.strip()): unquote(value.strip()) for key, equals, value in parts if equals and key.strip()}


def _seconds(text: str | None, unit: float, default: float) -> float:
    """A positive number of `unit` seconds, else the default."""
    try:
        value = float(text or "") * unit
    except ValueError:
        return default
    return value if 0 < value < threading.TIMEOUT_MAX else default
