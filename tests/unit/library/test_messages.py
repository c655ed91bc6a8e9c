"""Message consumers: one span, how long, how it ended, how long it had waited."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

import figwatch
from figwatch import contract
from figwatch.errors import DefinitionError
from figwatch.messages import DESTINATION_CAP
from figwatch.telemetry import Telemetry
from figwatch.testing import Recorder, recording
from support.library import Timer, fresh_telemetry

TRACE = "0af7651916cd43dd8448eb211c80319c"
SENDER = f"00-{TRACE}-b7ad6b7169203331-01"
NOW = 1_700_000_000.0


@pytest.fixture
def timer() -> Timer:
    return Timer()


@pytest.fixture
def telemetry(timer: Timer, monkeypatch: pytest.MonkeyPatch) -> Telemetry:
    fresh = fresh_telemetry(timer)
    monkeypatch.setattr("figwatch.telemetry._process", fresh)
    return fresh


@pytest.fixture
def recorded(telemetry: Telemetry) -> Iterator[Recorder]:
    with recording(telemetry) as recorder:
        yield recorder
        assert recorder.faults() == 0


def test_a_message_is_timed_and_counted_by_its_destination(recorded: Recorder, timer: Timer) -> None:
    with figwatch.message("orders"):
        timer.now += 2
    labels = {"messaging_destination_name": "orders", "outcome": "ok", "error_type": "", "served_by": "service"}
    assert recorded.value(contract.MESSAGE_DURATION, **labels) == 1
    assert recorded.seconds(contract.MESSAGE_DURATION) == 2
    recorded.assert_requests(0)


def test_a_handler_that_fails_is_told_from_one_that_is_cancelled(recorded: Recorder) -> None:
    with pytest.raises(ValueError, match="boom"), figwatch.message("orders"):
        raise ValueError("boom")
    with pytest.raises(asyncio.CancelledError), figwatch.message("orders"):
        raise asyncio.CancelledError
    assert recorded.value(contract.MESSAGE_DURATION, outcome="error", error_type="ValueError") == 1
    assert recorded.value(contract.MESSAGE_DURATION, outcome="cancelled", error_type="cancelled") == 1
    assert [span.failed for span in recorded.spans] == [True, True]


@pytest.mark.parametrize(
    ("sent_at", "lag"),
    [(NOW - 30, 30), (datetime.fromtimestamp(NOW - 5, UTC), 5), (NOW + 60, 0)],
    ids=["seconds", "datetime", "a clock ahead of ours"],
)
def test_the_lag_is_what_a_message_has_waited(recorded: Recorder, sent_at: datetime | float, lag: float) -> None:
    with figwatch.message("orders", sent_at=sent_at):
        pass
    assert recorded.value(contract.MESSAGE_LAG, messaging_destination_name="orders") == 1
    assert recorded.seconds(contract.MESSAGE_LAG) == lag


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(DefinitionError, match="no time zone"):
        figwatch.message("orders", sent_at=datetime(2026, 1, 1))  # noqa: DTZ001 (what is refused)


@pytest.mark.parametrize("headers", [{"Traceparent": SENDER}, [("traceparent", SENDER.encode())]])
def test_the_span_is_a_child_of_the_senders(
    recorded: Recorder, headers: dict[str, str | bytes] | list[tuple[str, str | bytes]]
) -> None:
    with figwatch.message("orders", headers, system="kafka"):
        assert figwatch.trace_id() == TRACE
    (span,) = recorded.spans
    assert (span.name, span.trace_id, span.parent_id) == ("process orders", TRACE, "b7ad6b7169203331")
    assert span.notes is not None
    assert span.notes.kind == "consumer"
    assert span.attributes() == {
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": "orders",
        "messaging.system": "kafka",
        "figwatch.served_by": "service",
        "figwatch.vantage": "application",
    }


def test_a_linked_span_begins_a_trace_of_its_own_and_points_to_the_sender(recorded: Recorder) -> None:
    with figwatch.message("orders", {"traceparent": SENDER}, link=True):
        pass
    (span,) = recorded.spans
    assert span.trace_id != TRACE
    assert span.parent_id == ""
    assert span.notes is not None
    (link,) = span.notes.links
    assert (f"{link.context.trace_id:032x}", f"{link.context.span_id:016x}") == (TRACE, "b7ad6b7169203331")


async def test_an_asynchronous_block_is_observed_alike(recorded: Recorder) -> None:
    async with figwatch.message("orders"):
        await asyncio.sleep(0)
    assert recorded.value(contract.MESSAGE_DURATION, outcome="ok") == 1


def test_business_metrics_in_a_message_carry_its_side(recorded: Recorder) -> None:
    counter = figwatch.counter("orders_handled_total", "Orders.")
    headers = {"X-Migration-Status": "legacy", "X-Migration-Token": "s3cret"}
    with figwatch.message("orders", headers, trust_token="s3cret"):
        counter.inc()
    with figwatch.message("orders", headers, trust_token="another"):
        counter.inc()
    assert recorded.value("orders_handled_total", served_by="legacy") == 1
    assert recorded.value("orders_handled_total", served_by="service") == 1
    assert recorded.value(contract.MESSAGE_DURATION, served_by="legacy") == 1
    assert recorded.value(contract.UNTRUSTED_HEADERS, reason="untrusted") == 1


def test_made_up_destinations_share_one_series_beyond_the_cap(recorded: Recorder) -> None:
    for number in range(DESTINATION_CAP + 3):
        with figwatch.message(f"reply-{number}"):
            pass
    assert recorded.value(contract.MESSAGE_DURATION, messaging_destination_name="__overflow__") == 3
    assert recorded.value(contract.FOLDED_LABELS, metric=contract.MESSAGE_DURATION) == 3


def test_a_fault_of_ours_leaves_the_message_alone(telemetry: Telemetry, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_anything: object, **_more: object) -> None:
        raise RuntimeError("planted")

    for plant in ("figwatch.messages.MessageBlock._describe", "figwatch.messages.MessageBlock._record"):
        with recording(telemetry) as recorded, monkeypatch.context() as patched:
            patched.setattr(plant, broken)
            with figwatch.message("orders"):
                pass
            assert recorded.faults() == 1
