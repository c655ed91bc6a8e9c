"""Observe one request: exactly once, and never at the request's expense."""

from contextvars import copy_context

import pytest
from opentelemetry import trace

from figwatch import contract, current_request
from figwatch.errors import DefinitionError
from figwatch.gateway import _Paths
from figwatch.migration import SideRule
from figwatch.observation import Observation, Observer
from figwatch.routes import Routes
from figwatch.telemetry import ERROR_TYPE_CAP, Telemetry
from figwatch.testing import recording
from support.library import Timer, fresh_telemetry


def observer(telemetry: Telemetry, vantage: str = "application") -> Observer[str]:
    return Observer(
        telemetry,
        service="chat",
        vantage=vantage,
        rule=SideRule("service", "s3cret", telemetry.health),
        routes=Routes(("/a/{id}",), telemetry.health.folded),
        reader=_Paths(),
    )


def begin(telemetry: Telemetry, method: str = "GET") -> Observation[str]:
    seen = observer(telemetry).begin("/a/1", method)
    assert seen is not None
    return seen


def test_only_the_first_end_counts() -> None:
    telemetry = fresh_telemetry()
    with recording(telemetry) as recorded:
        seen = begin(telemetry)
        seen.status = 200
        seen.finish()
        seen.finish()
        seen.abort(contract.CLIENT_DISCONNECT)
        seen.failed(ValueError())
    recorded.assert_requests(1)
    recorded.assert_requests(1, http_response_status_code="200", error_type="")
    assert len(recorded.spans) == 1


def test_what_is_dismissed_is_not_counted() -> None:
    telemetry = fresh_telemetry()
    with recording(telemetry) as recorded:
        seen = begin(telemetry)
        seen.dismiss()
        seen.finish()
    recorded.assert_requests(0)


def test_the_clock_runs_from_start_to_first_and_to_last_byte() -> None:
    timer = Timer()
    telemetry = fresh_telemetry(timer)
    with recording(telemetry) as recorded:
        seen = begin(telemetry)
        seen.status = 200
        timer.now += 0.5
        seen.first_byte()
        timer.now += 1
        seen.first_byte()
        seen.finish()
    assert recorded.seconds(contract.TIME_TO_FIRST_BYTE) == 0.5
    assert recorded.seconds(contract.REQUEST_DURATION) == 1.5


def test_a_request_that_was_never_answered_has_no_first_byte() -> None:
    telemetry = fresh_telemetry()
    with recording(telemetry) as recorded:
        begin(telemetry).abort(contract.CLIENT_DISCONNECT)
    recorded.assert_requests(1, http_response_status_code="", error_type="client_disconnect")
    assert recorded.value(contract.TIME_TO_FIRST_BYTE) == 0


def test_made_up_methods_add_no_series() -> None:
    telemetry = fresh_telemetry()
    with recording(telemetry) as recorded:
        for method in ("BREW", "get", "X" * 5_000):
            begin(telemetry, method).finish()
    recorded.assert_requests(3, http_request_method="_OTHER")


def test_made_up_error_types_beyond_the_cap_add_no_series() -> None:
    telemetry = fresh_telemetry()
    with recording(telemetry) as recorded:
        for number in range(ERROR_TYPE_CAP + 10):
            begin(telemetry).abort(f"Error{number}")
    recorded.assert_requests(10, error_type="_OTHER")
    assert recorded.value(contract.FOLDED_LABELS, metric=contract.REQUEST_DURATION) == 10


@pytest.mark.parametrize("status", [-1, 0, 99, 1000])
def test_a_status_that_is_none_is_written_as_absent(status: int) -> None:
    telemetry = fresh_telemetry()
    with recording(telemetry) as recorded:
        seen = begin(telemetry)
        seen.status = status
        seen.finish()
    assert recorded.requests(http_response_status_code="") == 1


def test_a_request_is_current_between_enter_and_leave_only() -> None:
    seen = begin(fresh_telemetry())
    assert current_request() is None
    entered = seen.enter()
    now = current_request()
    assert now is not None
    assert now.service == "chat"
    assert now.served_by == "service"
    assert now.trace_id == seen.span.trace_id
    assert trace.get_current_span() is seen.span
    seen.leave(entered)
    assert current_request() is None
    assert trace.get_current_span() is not seen.span


def test_a_span_carries_what_the_metrics_carry() -> None:
    telemetry = fresh_telemetry()
    with recording(telemetry) as recorded:
        seen = begin(telemetry)
        seen.status = 503
        seen.finish()
    (span,) = recorded.spans
    assert (span.method, span.route, span.path, span.status) == ("GET", "/a/{id}", "/a/{id}", "503")
    assert (span.error_type, span.served_by, span.vantage, span.service) == ("503", "service", "application", "chat")


def test_a_caller_that_does_not_sample_gets_counts_and_no_span() -> None:
    telemetry = fresh_telemetry()
    with recording(telemetry) as recorded:
        seen = observer(telemetry).begin("/a/1", "GET", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00")
        assert seen is not None
        seen.finish()
    recorded.assert_requests(1)
    assert recorded.spans == []


def test_a_vantage_that_does_not_exist_is_refused() -> None:
    with pytest.raises(DefinitionError, match="edge, application"):
        observer(fresh_telemetry(), vantage="moon")


class Planted(Exception):
    """A fault planted inside the instrumentation."""


def planted(*_anything: object, **_more: object) -> None:
    raise Planted


def serve(telemetry: Telemetry) -> None:
    seen = observer(telemetry).begin("/a/1", "GET")
    if seen is not None:
        entered = seen.enter()
        seen.first_byte()
        seen.finish()
        seen.leave(entered)


@pytest.mark.parametrize(
    ("target", "where"),
    [
        ("figwatch.observation.open_span", "begin"),
        ("figwatch.observation.make_current", "enter"),
        ("figwatch.observation.detach", "leave"),
        ("figwatch.telemetry.RequestCells.get", "finish"),
        ("figwatch.cells.HistogramCell.observe", "finish"),
        ("figwatch.routes.Routes.name", "finish"),
    ],
)
def test_a_planted_fault_is_swallowed_and_counted(
    target: str, where: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    telemetry = fresh_telemetry()
    with recording(telemetry) as recorded:
        with monkeypatch.context() as patched:
            patched.setattr(target, planted)
            # In a context of its own: a planted fault in leaving leaves the request current.
            copy_context().run(serve, telemetry)
        assert recorded.value(contract.INTERNAL_ERRORS, where=where) == 1
        assert recorded.faults() == 1
    assert "the request was left alone" in caplog.text


def test_even_a_fault_in_the_counting_of_faults_stays_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = fresh_telemetry()
    with monkeypatch.context() as patched:
        patched.setattr("figwatch.cells.HistogramCell.observe", planted)
        patched.setattr("figwatch.cells.CounterCell.add", planted)
        begin(telemetry).finish()


def test_the_first_fault_of_a_place_is_logged_and_later_ones_only_counted(caplog: pytest.LogCaptureFixture) -> None:
    telemetry = fresh_telemetry()
    with recording(telemetry) as recorded:
        for _ in range(3):
            telemetry.health.fault("finish", Planted())
    assert recorded.faults() == 3
    assert len(caplog.records) == 1


def test_where_nobody_drains_spans_a_bucket_names_a_new_request_once_a_second() -> None:
    timer = Timer()
    telemetry = fresh_telemetry(timer)

    def named_after(seconds: float) -> str:
        timer.now += seconds
        seen = begin(telemetry)
        seen.status = 200
        seen.finish()
        labels = ("GET", "/a/{id}", "200", "", "service", "application")
        (named,) = [each for each in telemetry.requests.exemplars(labels) if each is not None]
        return "this" if named.trace_id == seen.span.trace_id else "an earlier one"

    assert [named_after(seconds) for seconds in (0, 0.5, 0.6, 0.1)] == [
        "this",
        "an earlier one",
        "this",
        "an earlier one",
    ]


def test_a_request_is_counted_alike_the_first_time_and_later() -> None:
    telemetry = fresh_telemetry()
    seen_by = observer(telemetry)
    with recording(telemetry) as recorded:
        for method in ("GET", "GET", "BREW", "BREW"):
            seen = seen_by.begin("/a/1", method)
            assert seen is not None
            seen.status = 200
            seen.finish()
    recorded.assert_requests(2, http_request_method="GET", http_route="/a/{id}")
    recorded.assert_requests(2, http_request_method=contract.OTHER_METHOD)
