"""OTLP over gRPC.

grpcio and fork do not go together: a child that inherits a channel may hang in it. So the channel is opened by the
thread that exports, when there is something to send, and a forked child opens its own.
"""

from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import grpc  # type: ignore[import-untyped]  # its stubs, and those of the next two, are packages of their own
from google.rpc.error_details_pb2 import RetryInfo  # type: ignore[import-untyped]  # as above
from google.rpc.status_pb2 import Status  # type: ignore[import-untyped]  # as above

from figwatch import contract
from figwatch.otlp_messages import rejected_of
from figwatch.otlp_settings import METRICS, SPANS, Destination
from figwatch.otlp_transport import BUSY, PARTIAL, REFUSED, UNREACHABLE, Delivery

_METHODS: Final = {
    SPANS: "/opentelemetry.proto.collector.trace.v1.TraceService/Export",
    METRICS: "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export",
}
_LATER: Final = frozenset(
    {
        grpc.StatusCode.CANCELLED,
        grpc.StatusCode.ABORTED,
        grpc.StatusCode.OUT_OF_RANGE,
        grpc.StatusCode.DATA_LOSS,
    }
)
_UNREACHABLE: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
"""With those above, what the specification allows to be tried again; RESOURCE_EXHAUSTED only where it says when."""
_DETAILS: Final = "grpc-status-details-bin"


class GrpcTransport:
    """Calls Export on one channel."""

    def __init__(self, destination: Destination) -> None:
        """Opens nothing."""
        self._destination = destination
        self._channel: Any = None
        self._call: Any = None

    def send(self, body: bytes, timeout: float) -> Delivery:
        """One call."""
        if self._channel is None:
            self._open()
        try:
            answer = self._call(body, timeout=timeout, metadata=self._metadata())
        except grpc.RpcError as error:
            return _failed(error)
        rejected, message = rejected_of(self._destination.signal, answer)
        return Delivery(PARTIAL, rejected, message=message) if rejected else Delivery()

    def close(self) -> None:
        """Close the channel; the next request opens another."""
        if self._channel is not None:
            self._channel.close()
            self._channel = self._call = None

    def _open(self) -> None:
        destination = self._destination
        split = urlsplit(destination.url if "://" in destination.url else f"//{destination.url}")
        options = [("grpc.primary_user_agent", f"figwatch/{contract.__version__}")]
        compression = grpc.Compression.Gzip if destination.gzip else grpc.Compression.NoCompression
        target = split.netloc or destination.url
        if split.scheme == "http" or (not split.scheme and destination.insecure):
            self._channel = grpc.insecure_channel(target, options, compression)
        else:
            self._channel = grpc.secure_channel(target, self._credentials(), options, compression)
        # Without serializers bytes go in and come out.
        self._call = self._channel.unary_unary(_METHODS[destination.signal])

    def _credentials(self) -> Any:
        files = (self._destination.certificate, self._destination.client_key, self._destination.client_certificate)
        roots, key, chain = (Path(file).read_bytes() if file else None for file in files)
        return grpc.ssl_channel_credentials(roots, key, chain)

    def _metadata(self) -> tuple[tuple[str, str], ...]:
        """Names of metadata are lower case."""
        return tuple((name.lower(), value) for name, value in self._destination.headers)


def _failed(error: Any) -> Delivery:
    code, message = error.code(), f"gRPC status {error.code().name}: {error.details()}"
    wait = _retry_delay(error)
    if code in _UNREACHABLE:
        return Delivery(UNREACHABLE if wait is None else BUSY, wait=wait, message=message)
    if code in _LATER or (code is grpc.StatusCode.RESOURCE_EXHAUSTED and wait is not None):
        return Delivery(BUSY, wait=wait, message=message)
    return Delivery(REFUSED, message=message)


def _retry_delay(error: Any) -> float | None:
    """Seconds of the RetryInfo that a collector may send along."""
    for key, value in error.trailing_metadata() or ():
        if key == _DETAILS:
            for detail in Status.FromString(value).details:
                info = RetryInfo()
                if detail.Unpack(info):
                    return float(info.retry_delay.seconds + info.retry_delay.nanos / 1e9)
    return None
