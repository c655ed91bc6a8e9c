"""Where is exported to, by OpenTelemetry's variables."""

import logging
import threading

import pytest

from figwatch import launch
from figwatch.otlp_settings import GRPC, HTTP, METRICS, SPANS, Destination, Settings, settings_from
from support.library import fresh_telemetry

ENDPOINT = "OTEL_EXPORTER_OTLP_ENDPOINT"


def only(signal: str, environment: dict[str, str]) -> Destination:
    (found,) = [each for each in settings_from(environment).destinations if each.signal == signal]
    return found


def test_everything_may_be_set_for_all_and_for_one_signal() -> None:
    found = settings_from(
        {
            ENDPOINT: "http://collector:4318/",
            "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": "https://elsewhere:4317",
            "OTEL_EXPORTER_OTLP_METRICS_PROTOCOL": "grpc",
            "OTEL_EXPORTER_OTLP_HEADERS": "api-key=a%20b, x = y ,nonsense",
            "OTEL_EXPORTER_OTLP_METRICS_HEADERS": "m=1",
            "OTEL_EXPORTER_OTLP_TIMEOUT": "3",
            "OTEL_EXPORTER_OTLP_METRICS_TIMEOUT": "0.5",
            "OTEL_EXPORTER_OTLP_COMPRESSION": "gzip",
            "OTEL_EXPORTER_OTLP_CERTIFICATE": "ca.pem",
            "OTEL_EXPORTER_OTLP_METRICS_CLIENT_KEY": "key.pem",
            "OTEL_EXPORTER_OTLP_METRICS_CLIENT_CERTIFICATE": "cert.pem",
            "OTEL_BSP_SCHEDULE_DELAY": "250",
            "OTEL_BSP_MAX_QUEUE_SIZE": "100",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "500",
            "OTEL_METRIC_EXPORT_INTERVAL": "soon",
        }
    )
    spans = Destination(
        SPANS, HTTP, "http://collector:4318/v1/traces", (("api-key", "a b"), ("x", "y")), 3.0, True, "ca.pem"
    )
    metrics = Destination(
        METRICS, GRPC, "https://elsewhere:4317", (("m", "1"),), 0.5, True, "ca.pem", "key.pem", "cert.pem"
    )
    assert found == Settings((spans, metrics), span_interval=0.25, metric_interval=60.0, batch=100, queue=100)


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("10", 10.0), ("0.5", 0.5), ("99", 99.0), ("100", 0.1), ("10000", 10.0), ("2500", 2.5), ("-1", 10.0), ("", 10.0)],
)
def test_a_timeout_is_read_as_the_specification_and_as_pythons_sdk_mean_it(value: str, seconds: float) -> None:
    assert only(SPANS, {ENDPOINT: "http://c:1", "OTEL_EXPORTER_OTLP_TIMEOUT": value}).timeout == seconds


@pytest.mark.parametrize(
    ("protocol", "url"),
    [("", "http://c:1/x/v1/traces"), ("http/protobuf", "http://c:1/x/v1/traces"), ("grpc", "http://c:1/x")],
)
def test_only_http_has_paths(protocol: str, url: str) -> None:
    found = only(SPANS, {ENDPOINT: "http://c:1/x", "OTEL_EXPORTER_OTLP_PROTOCOL": protocol})
    assert found.url == url


@pytest.mark.parametrize(
    "environment",
    [
        {ENDPOINT: "http://c:1", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json"},
        {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "file:///etc/passwd"},
    ],
)
def test_what_we_do_not_speak_is_left_out_with_a_warning(
    environment: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        assert all(each.signal != SPANS for each in settings_from(environment).destinations)
    assert "no spans are exported" in caplog.text
    assert "http/protobuf" in caplog.text


@pytest.mark.parametrize("name", ["OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER"])
def test_a_signal_may_be_switched_off(name: str) -> None:
    signals = {each.signal for each in settings_from({ENDPOINT: "http://c:1", name: "none"}).destinations}
    assert signals == ({METRICS} if "TRACES" in name else {SPANS})


@pytest.mark.parametrize("value", ["", "-1", "0", "nan", "inf", "1e400", "ten"])
def test_a_number_that_is_none_keeps_the_default(value: str) -> None:
    names = (
        "OTEL_EXPORTER_OTLP_TIMEOUT",
        "OTEL_BSP_SCHEDULE_DELAY",
        "OTEL_METRIC_EXPORT_INTERVAL",
        "OTEL_BSP_MAX_QUEUE_SIZE",
        "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    )
    assert settings_from({ENDPOINT: "http://c:1", **dict.fromkeys(names, value)}) == settings_from(
        {ENDPOINT: "http://c:1"}
    )


@pytest.mark.parametrize(
    "environment",
    [{}, {ENDPOINT: ""}, {ENDPOINT: "http://c", "OTEL_SDK_DISABLED": "TRUE"}],
)
def test_without_an_endpoint_no_thread_starts(environment: dict[str, str]) -> None:
    telemetry = fresh_telemetry()
    before = threading.active_count()
    launch.start_export(telemetry, "x", environment)
    assert threading.active_count() == before
    assert telemetry.span_sink is None
    assert telemetry.stop_export is None


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"OTEL_SERVICE_NAME": "chat"}, "chat"),
        ({"OTEL_RESOURCE_ATTRIBUTES": "team=a,service.name=the%20chat"}, "the chat"),
        ({"OTEL_SERVICE_NAME": "chat", "OTEL_RESOURCE_ATTRIBUTES": "service.name=other"}, "chat"),
        ({}, "unknown_service"),
    ],
)
def test_the_service_is_named_by_opentelemetrys_variables(environment: dict[str, str], name: str) -> None:
    assert launch.service_name(environment) == name
