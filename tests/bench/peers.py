"""OpenTelemetry's SDK as a service would set it up, with exporters that keep what they get in memory."""

from __future__ import annotations

from dataclasses import dataclass

from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter


@dataclass(frozen=True, kw_only=True, slots=True)
class Sdk:
    """Both providers, and where their spans end."""

    tracers: TracerProvider
    meters: MeterProvider
    spans: InMemorySpanExporter

    def empty(self) -> None:
        """Export what waits, and forget it."""
        self.tracers.force_flush()
        self.spans.clear()


def sdk() -> Sdk:
    """A new one; nothing of it is global."""
    spans = InMemorySpanExporter()
    tracers = TracerProvider()
    tracers.add_span_processor(BatchSpanProcessor(spans))
    return Sdk(tracers=tracers, meters=MeterProvider([InMemoryMetricReader()]), spans=spans)
