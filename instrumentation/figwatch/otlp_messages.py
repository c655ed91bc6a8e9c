"""Spans and cells as OTLP messages, by OpenTelemetry's own message classes."""

from collections.abc import Iterable, Mapping
from typing import Final

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2

from figwatch import contract
from figwatch.cells import Definition, Reading
from figwatch.telemetry import Telemetry
from figwatch.tracing import SpanRecord

_UNITS: Final = {"seconds": "s", "milliseconds": "ms", "microseconds": "us"}  # UCUM, as OTLP writes units
_NANOSECONDS: Final = 1_000_000_000
_CUMULATIVE: Final = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE


def traces_request(spans: Iterable[SpanRecord], resource: Mapping[str, str]) -> bytes:
    """The body of a POST to /v1/traces."""
    scoped = trace_pb2.ScopeSpans(scope=_scope(), spans=[_span(span) for span in spans])
    message = ExportTraceServiceRequest(
        resource_spans=[trace_pb2.ResourceSpans(resource=_resource(resource), scope_spans=[scoped])]
    )
    return bytes(message.SerializeToString())


def metrics_request(telemetry: Telemetry, resource: Mapping[str, str]) -> bytes:
    """The body of a POST to /v1/metrics: every family that has a series."""
    now = telemetry.wall_clock()
    metrics = [_metric(definition, readings, now) for definition, readings in telemetry.cells.own() if readings]
    scoped = metrics_pb2.ScopeMetrics(scope=_scope(), metrics=metrics)
    message = ExportMetricsServiceRequest(
        resource_metrics=[metrics_pb2.ResourceMetrics(resource=_resource(resource), scope_metrics=[scoped])]
    )
    return bytes(message.SerializeToString())


def _scope() -> InstrumentationScope:
    return InstrumentationScope(name="figwatch", version=contract.__version__)


def _resource(attributes: Mapping[str, str]) -> Resource:
    return Resource(attributes=_attributes(attributes))


def _attributes(pairs: Mapping[str, str | int]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in pairs.items() if value != ""]


def _value(value: str | int) -> AnyValue:
    return AnyValue(string_value=value) if isinstance(value, str) else AnyValue(int_value=value)


def _span(span: SpanRecord) -> trace_pb2.Span:
    failed = span.error_type not in ("", contract.CLIENT_DISCONNECT)
    code = trace_pb2.Status.STATUS_CODE_ERROR if failed else trace_pb2.Status.STATUS_CODE_UNSET
    return trace_pb2.Span(
        trace_id=bytes.fromhex(span.trace_id),
        span_id=bytes.fromhex(span.span_id),
        parent_span_id=bytes.fromhex(span.parent_id),
        trace_state=span.tracestate,
        name=f"{span.method} {span.route}",
        kind=trace_pb2.Span.SPAN_KIND_SERVER,
        start_time_unix_nano=span.start,
        end_time_unix_nano=span.end,
        attributes=_attributes(_span_attributes(span)),
        status=trace_pb2.Status(code=code),
    )


def _span_attributes(span: SpanRecord) -> dict[str, str | int]:
    return {
        "http.request.method": span.method,
        "http.route": span.route,
        "url.path": span.path,
        "http.response.status_code": int(span.status) if span.status else "",
        "error.type": span.error_type,
        "figwatch.served_by": span.served_by,
        "figwatch.vantage": span.vantage,
    }


def _metric(definition: Definition, readings: list[Reading], now: int) -> metrics_pb2.Metric:
    metric = metrics_pb2.Metric(
        name=definition.name, description=definition.help, unit=_UNITS.get(definition.unit, definition.unit)
    )
    if definition.kind == "counter":
        points = [_number(definition, reading, now) for reading in readings]
        metric.sum.CopyFrom(metrics_pb2.Sum(data_points=points, aggregation_temporality=_CUMULATIVE, is_monotonic=True))
    else:
        buckets = [_histogram(definition, reading, now) for reading in readings]
        metric.histogram.CopyFrom(metrics_pb2.Histogram(data_points=buckets, aggregation_temporality=_CUMULATIVE))
    return metric


def _number(definition: Definition, reading: Reading, now: int) -> metrics_pb2.NumberDataPoint:
    point = metrics_pb2.NumberDataPoint(
        attributes=_labels(definition, reading),
        start_time_unix_nano=int(reading.created * _NANOSECONDS),
        time_unix_nano=now,
    )
    if reading.total:
        point.as_double = reading.counts[0] + reading.total
    else:
        point.as_int = reading.counts[0]
    return point


def _histogram(definition: Definition, reading: Reading, now: int) -> metrics_pb2.HistogramDataPoint:
    return metrics_pb2.HistogramDataPoint(
        attributes=_labels(definition, reading),
        start_time_unix_nano=int(reading.created * _NANOSECONDS),
        time_unix_nano=now,
        count=sum(reading.counts),
        sum=reading.total,
        bucket_counts=reading.counts,
        explicit_bounds=definition.bounds,
    )


def _labels(definition: Definition, reading: Reading) -> list[KeyValue]:
    return _attributes(dict(zip(definition.labels, reading.labels, strict=True)))
