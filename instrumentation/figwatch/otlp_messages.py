"""Spans and cells as OTLP messages, by OpenTelemetry's own message classes."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # its stubs are a package of their own
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import (
    ExportMetricsServiceRequest,
    ExportMetricsServiceResponse,
)
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, ArrayValue, InstrumentationScope, KeyValue
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1 import trace_pb2
from opentelemetry.trace import StatusCode

from figwatch import contract
from figwatch.cells import Definition, Reading
from figwatch.notes import Event, Link
from figwatch.otlp_settings import SPANS
from figwatch.span_record import SpanRecord
from figwatch.telemetry import Telemetry

_UNITS: Final = {"seconds": "s", "milliseconds": "ms", "microseconds": "us"}  # UCUM, as OTLP writes units
_NANOSECONDS: Final = 1_000_000_000
_KINDS: Final = {"server": trace_pb2.Span.SPAN_KIND_SERVER, "consumer": trace_pb2.Span.SPAN_KIND_CONSUMER}
_CODES: Final = {
    "UNSET": trace_pb2.Status.STATUS_CODE_UNSET,
    "OK": trace_pb2.Status.STATUS_CODE_OK,
    "ERROR": trace_pb2.Status.STATUS_CODE_ERROR,
}
Exemplars = Callable[[tuple[str, ...]], Sequence[SpanRecord | None]]
"""The exemplars of a series, one for each bucket or none at all."""

_ENCODED: Final = 4096  # label sets; those of one service are bounded far below
_encoded: Final[dict[tuple[str, ...], bytes]] = {}
_CUMULATIVE: Final = metrics_pb2.AGGREGATION_TEMPORALITY_CUMULATIVE


def traces_request(spans: Iterable[SpanRecord], resource: Mapping[str, str]) -> bytes:
    """The body of a POST to /v1/traces."""
    message = ExportTraceServiceRequest()
    of_resource = message.resource_spans.add(resource=_resource(resource))
    scoped = of_resource.scope_spans.add(scope=_scope())
    for span in spans:  # filled in place: handing over finished messages would copy each of them
        _fill(scoped.spans.add(), span)
    return bytes(message.SerializeToString())


def metrics_request(telemetry: Telemetry, resource: Mapping[str, str]) -> bytes | None:
    """The body of a POST to /v1/metrics: every family that has a series; None where nothing was ever counted."""
    now = telemetry.wall_clock()
    families = [(definition, readings) for definition, readings in telemetry.cells.own() if readings]
    if not any(any(reading.counts) or reading.total for _, readings in families for reading in readings):
        return None
    metrics = [_metric(definition, readings, now, telemetry.requests.exemplars) for definition, readings in families]
    scoped = metrics_pb2.ScopeMetrics(scope=_scope(), metrics=metrics)
    message = ExportMetricsServiceRequest(
        resource_metrics=[metrics_pb2.ResourceMetrics(resource=_resource(resource), scope_metrics=[scoped])]
    )
    return bytes(message.SerializeToString())


def rejected_of(signal: str, answer: bytes) -> tuple[int, str]:
    """How many spans or data points a collector did not take, and why; an answer that is no OTLP says nothing."""
    try:
        if signal == SPANS:
            traces = ExportTraceServiceResponse.FromString(answer).partial_success
            return traces.rejected_spans, traces.error_message
        metrics = ExportMetricsServiceResponse.FromString(answer).partial_success
        return metrics.rejected_data_points, metrics.error_message
    except DecodeError:
        return 0, ""


def _scope() -> InstrumentationScope:
    return InstrumentationScope(name="figwatch", version=contract.__version__)


def _resource(attributes: Mapping[str, str]) -> Resource:
    return Resource(attributes=_attributes(attributes))


def _attributes(pairs: Mapping[str, Any]) -> list[KeyValue]:
    return [KeyValue(key=key, value=_value(value)) for key, value in pairs.items() if value != ""]


def _value(value: object) -> AnyValue:
    if isinstance(value, bool):
        return AnyValue(bool_value=value)
    if isinstance(value, int):
        # Wider integers than OTLP carries are written out.
        return AnyValue(int_value=value) if -(2**63) <= value < 2**63 else AnyValue(string_value=str(value))
    if isinstance(value, float):
        return AnyValue(double_value=value)
    if isinstance(value, tuple):
        return AnyValue(array_value=ArrayValue(values=[_value(each) for each in value]))
    return AnyValue(string_value=str(value).encode("utf-8", "replace").decode())


def _fill(message: trace_pb2.Span, span: SpanRecord) -> None:
    if span.notes is None and not span.sent_path:
        message.MergeFromString(_alike(span))
    else:
        message.MergeFrom(_shape(span))
    message.trace_id = bytes.fromhex(span.trace_id)
    message.span_id = bytes.fromhex(span.span_id)
    message.parent_span_id = bytes.fromhex(span.parent_id)
    message.trace_state = span.tracestate
    message.start_time_unix_nano = span.start
    message.end_time_unix_nano = span.end


def _alike(span: SpanRecord) -> bytes:
    """What all spans of the same labels have in common, encoded once: reading it costs a fifth of building it."""
    known = _encoded.get(span.labels)
    if known is None:
        if len(_encoded) >= _ENCODED:
            _encoded.clear()
        known = _encoded[span.labels] = bytes(_shape(span).SerializeToString())
    return known


def _shape(span: SpanRecord) -> trace_pb2.Span:
    """Everything but identity and time."""
    notes = span.notes
    return trace_pb2.Span(
        name=span.name,
        kind=_KINDS[notes.kind if notes is not None else "server"],
        attributes=_attributes(span.attributes()),
        events=[_event(event) for event in notes.events] if notes is not None else (),
        links=[_link(link) for link in notes.links] if notes is not None else (),
        status=_status(span),
    )


def _status(span: SpanRecord) -> trace_pb2.Status:
    if span.notes is not None and span.notes.status is not StatusCode.UNSET:
        return trace_pb2.Status(code=_CODES[span.notes.status.name], message=span.notes.description)
    return trace_pb2.Status(code=_CODES["ERROR" if span.failed else "UNSET"])


def _event(event: Event) -> trace_pb2.Span.Event:
    return trace_pb2.Span.Event(
        name=event.name, time_unix_nano=event.timestamp, attributes=_attributes(event.attributes)
    )


def _link(link: Link) -> trace_pb2.Span.Link:
    return trace_pb2.Span.Link(
        trace_id=link.context.trace_id.to_bytes(16, "big"),
        span_id=link.context.span_id.to_bytes(8, "big"),
        trace_state=link.context.trace_state.to_header(),
        attributes=_attributes(link.attributes),
    )


def _metric(definition: Definition, readings: list[Reading], now: int, exemplars: Exemplars) -> metrics_pb2.Metric:
    metric = metrics_pb2.Metric(
        name=definition.name, description=definition.help, unit=_UNITS.get(definition.unit, definition.unit)
    )
    if definition.kind == "counter":
        points = [_number(definition, reading, now) for reading in readings]
        metric.sum.CopyFrom(metrics_pb2.Sum(data_points=points, aggregation_temporality=_CUMULATIVE, is_monotonic=True))
    else:
        of_series = exemplars if definition.name == contract.REQUEST_DURATION else _none
        buckets = [_histogram(definition, reading, now, of_series(reading.labels)) for reading in readings]
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


def _none(_labels: tuple[str, ...]) -> Sequence[SpanRecord | None]:
    return ()


def _histogram(
    definition: Definition, reading: Reading, now: int, exemplars: Sequence[SpanRecord | None]
) -> metrics_pb2.HistogramDataPoint:
    return metrics_pb2.HistogramDataPoint(
        attributes=_labels(definition, reading),
        start_time_unix_nano=int(reading.created * _NANOSECONDS),
        time_unix_nano=now,
        count=sum(reading.counts),
        sum=reading.total,
        bucket_counts=reading.counts,
        explicit_bounds=definition.bounds,
        exemplars=[_exemplar(record) for record in exemplars if record is not None],
    )


def _exemplar(record: SpanRecord) -> metrics_pb2.Exemplar:
    return metrics_pb2.Exemplar(
        trace_id=bytes.fromhex(record.trace_id),
        span_id=bytes.fromhex(record.span_id),
        time_unix_nano=record.end,
        as_double=record.seconds,
    )


def _labels(definition: Definition, reading: Reading) -> list[KeyValue]:
    return _attributes(dict(zip(definition.labels, reading.labels, strict=True)))
