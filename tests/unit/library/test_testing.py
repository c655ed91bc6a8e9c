"""The recorder that services use in their own tests."""

import pytest

from figwatch import contract
from figwatch.testing import recording
from support.library import fresh_telemetry


def test_only_what_happened_in_the_block_is_recorded() -> None:
    telemetry = fresh_telemetry()
    cell = telemetry.requests.get("GET", "/a", 200, "", "service", "application")
    cell.duration.observe(1)
    with recording(telemetry) as recorded:
        cell.duration.observe(2)
        recorded.assert_requests(1, http_route="/a")
        assert recorded.seconds(contract.REQUEST_DURATION) == 2


def test_a_wrong_expectation_lists_what_was_counted_instead() -> None:
    telemetry = fresh_telemetry()
    with recording(telemetry) as recorded:
        telemetry.requests.get("GET", "/a", 404, "", "service", "application").duration.observe(1)
    with pytest.raises(AssertionError, match=r"expected 1 requests .* counted 0; in all: 1 x .*'404'"):
        recorded.assert_requests(1, http_response_status_code="200")


def test_a_label_or_metric_that_does_not_exist_is_no_silent_zero() -> None:
    with recording(fresh_telemetry()) as recorded:
        with pytest.raises(KeyError, match="no label 'route'"):
            recorded.requests(route="/a")
        with pytest.raises(KeyError, match="no metric 'nothing'"):
            recorded.value("nothing")


def test_after_the_block_spans_go_where_they_went_before() -> None:
    telemetry = fresh_telemetry()
    with recording(telemetry):
        assert telemetry.span_sink is not None
    assert telemetry.span_sink is None
