"""Where spans and metrics are exported to, by OpenTelemetry's variables. What cannot be read keeps its default."""

import logging
import threading
from collections.abc import Mapping
from typing import Final, NamedTuple
from urllib.parse import unquote

SPANS: Final = "spans"
METRICS: Final = "metrics"
SIGNALS: Final = {SPANS: "TRACES", METRICS: "METRICS"}
"""What is exported, and what OpenTelemetry's variables call it."""

HTTP: Final = "http/protobuf"
GRPC: Final = "grpc"

SPAN_INTERVAL: Final = 5.0
"""Seconds between batches of spans: OTEL_BSP_SCHEDULE_DELAY's default."""
METRIC_INTERVAL: Final = 60.0
"""Seconds between exports of the metrics: OTEL_METRIC_EXPORT_INTERVAL's default."""
TIMEOUT: Final = 10.0
"""Seconds one request may take: OTEL_EXPORTER_OTLP_TIMEOUT's default."""
LEAST_MILLISECONDS: Final = 100.0
"""From here on a timeout is milliseconds, as the specification says; below it seconds, as Python's SDK reads it. Nobody
waits for a minute and a half, or less than a tenth of a second, so that both kinds of users get what they meant."""
BATCH: Final = 512
"""Spans in one request: OTEL_BSP_MAX_EXPORT_BATCH_SIZE's default."""
QUEUE: Final = 2048
"""Spans that may wait: OTEL_BSP_MAX_QUEUE_SIZE's default."""

_ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_EXPORTERS: Final = {SPANS: "OTEL_TRACES_EXPORTER", METRICS: "OTEL_METRICS_EXPORTER"}
_PATHS: Final = {SPANS: "/v1/traces", METRICS: "/v1/metrics"}

_logger = logging.getLogger("figwatch")


class Destination(NamedTuple):
    """Where one signal goes."""

    signal: str  # SPANS or METRICS
    protocol: str  # HTTP or GRPC
    url: str  # for HTTP with its path, for GRPC with or without a scheme
    headers: tuple[tuple[str, str], ...] = ()
    timeout: float = TIMEOUT  # seconds
    gzip: bool = False
    certificate: str = ""  # files, as are the next two
    client_key: str = ""
    client_certificate: str = ""
    insecure: bool = False  # for GRPC to a URL without a scheme


class Settings(NamedTuple):
    """What is exported, and when. Intervals are seconds."""

    destinations: tuple[Destination, ...]
    span_interval: float = SPAN_INTERVAL
    metric_interval: float = METRIC_INTERVAL
    batch: int = BATCH
    queue: int = QUEUE


def settings_from(environment: Mapping[str, str]) -> Settings:
    """Settings by OpenTelemetry's variables; what has no destination that we can reach is left out, with a warning."""
    found = (_destination(signal, environment) for signal in SIGNALS)
    queue = _whole(environment.get("OTEL_BSP_MAX_QUEUE_SIZE"), QUEUE)
    return Settings(
        destinations=tuple(destination for destination in found if destination is not None),
        span_interval=_seconds(environment.get("OTEL_BSP_SCHEDULE_DELAY"), 1e-3, SPAN_INTERVAL),
        metric_interval=_seconds(environment.get("OTEL_METRIC_EXPORT_INTERVAL"), 1e-3, METRIC_INTERVAL),
        batch=min(_whole(environment.get("OTEL_BSP_MAX_EXPORT_BATCH_SIZE"), BATCH), queue),
        queue=queue,
    )


def _destination(signal: str, environment: Mapping[str, str]) -> Destination | None:

    def read(variable: str) -> str:
        return environment.get(_own(variable, signal), "").strip() or environment.get(variable, "").strip()

    protocol = read("OTEL_EXPORTER_OTLP_PROTOCOL") or HTTP
    url = _url(signal, protocol, environment)
    if not url or environment.get(_EXPORTERS[signal], "").strip().lower() == "none":
        return None
    if protocol not in (HTTP, GRPC) or (protocol == HTTP and not url.startswith(("http://", "https://"))):
        _logger.warning(
            "no %s are exported: figwatch speaks OTLP %s to http(s) URLs, and %s, not %s to %s",
            signal, HTTP, GRPC, protocol, url,
        )  # fmt: skip
        return None
    return Destination(
        signal=signal,
        protocol=protocol,
        url=url,
        headers=pairs(read("OTEL_EXPORTER_OTLP_HEADERS")),
        timeout=_timeout(read("OTEL_EXPORTER_OTLP_TIMEOUT")),
        gzip=read("OTEL_EXPORTER_OTLP_COMPRESSION").lower() == "gzip",
        certificate=read("OTEL_EXPORTER_OTLP_CERTIFICATE"),
        client_key=read("OTEL_EXPORTER_OTLP_CLIENT_KEY"),
        client_certificate=read("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"),
        insecure=read("OTEL_EXPORTER_OTLP_INSECURE").lower() == "true",
    )


def _own(variable: str, signal: str) -> str:
    """The variable of one signal, which goes before the common one."""
    return variable.replace("OTLP_", f"OTLP_{SIGNALS[signal]}_", 1)


def _url(signal: str, protocol: str, environment: Mapping[str, str]) -> str:
    own = environment.get(_own(_ENDPOINT, signal), "").strip()
    base = environment.get(_ENDPOINT, "").strip()
    if own or not base or protocol == GRPC:
        return own or base
    return base.rstrip("/") + _PATHS[signal]


def pairs(text: str) -> tuple[tuple[str, str], ...]:
    """`a=b,c=d` with percent signs decoded; pairs that are none are left out."""
    parts = (pair.partition("=") for pair in text.split(","))
    return tuple(
        (unquote(key.strip()), unquote(value.strip())) for key, equals, value in parts if equals and key.strip()
    )


def _timeout(text: str) -> float:
    seconds = _seconds(text, 1.0, TIMEOUT)
    return seconds if seconds < LEAST_MILLISECONDS else seconds / 1_000


def _seconds(text: str | None, unit: float, default: float) -> float:
    """A positive number of `unit` seconds, else the default."""
    try:
        value = float(text or "") * unit
    except ValueError:
        return default
    return value if 0 < value < threading.TIMEOUT_MAX else default


def _whole(text: str | None, default: int) -> int:
    try:
        value = int(text or "")
    except ValueError:
        return default
    return value if value > 0 else default
