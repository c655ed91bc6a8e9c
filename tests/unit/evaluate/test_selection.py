"""Which series counts for what."""

from fractions import Fraction

import pytest

from figwatch import contract
from figwatch_agent.evaluate.selection import failed, parse_bound, read_request, selected
from figwatch_agent.model.batch import Series
from figwatch_agent.model.selector import Matcher, Selector


def series(name: str, **labels: str) -> Series:
    return Series(name=name, labels=tuple(sorted(labels.items())))


@pytest.mark.parametrize(
    ("status", "error", "bad"),
    [
        ("200", "", False),
        ("404", "404", False),  # the client's mistake
        ("429", "429", False),
        ("500", "500", True),
        ("503", "", True),
        ("200", "stream_error", True),  # it broke after the status was sent
        ("", "timeout", True),
        ("", contract.CLIENT_DISCONNECT, False),
        ("", "", False),
        ("5", "", False),
        ("5000", "", False),
    ],
)
def test_what_is_bad_for_availability(status: str, error: str, bad: bool) -> None:
    assert failed(status, error) is bad


@pytest.mark.parametrize(
    ("text", "bound"), [("0.2", Fraction(1, 5)), ("1", Fraction(1)), ("1.0", Fraction(1)), ("+Inf", None), ("", None)]
)
def test_bounds_of_buckets_are_exact(text: str, bound: Fraction | None) -> None:
    assert parse_bound(text) == bound


def test_the_count_of_the_histogram_counts_every_request_once() -> None:
    request = read_request(series(contract.REQUEST_DURATION + "_count", **{contract.SERVED_BY: "legacy"}))
    assert request is not None
    assert (request.counts_all, request.side) == (True, "legacy")


def test_the_endless_bucket_does_not_count_them_again() -> None:
    request = read_request(series(contract.REQUEST_DURATION + "_bucket", le="+Inf"))
    assert request is not None
    assert (request.counts_all, request.endless) == (False, True)


@pytest.mark.parametrize("side", ["", "Legacy", "edge", "service "])
def test_a_side_that_is_none_of_ours_is_unknown(side: str) -> None:
    request = read_request(series(contract.REQUEST_DURATION + "_count", **{contract.SERVED_BY: side}))
    assert request is not None
    assert request.side == "unknown"


@pytest.mark.parametrize(
    ("error", "bad", "gone"), [("", False, False), ("timeout", True, False), (contract.CLIENT_DISCONNECT, False, True)]
)
def test_a_client_that_went_away_is_known_apart_from_failures(error: str, bad: bool, gone: bool) -> None:
    request = read_request(series(contract.REQUEST_DURATION + "_count", **{contract.ERROR_TYPE: error}))
    assert request is not None
    assert (request.failed, request.gone) == (bad, gone)


def test_sums_and_strange_metrics_are_no_requests() -> None:
    assert read_request(series(contract.REQUEST_DURATION + "_sum")) is None
    assert read_request(series("other_count")) is None


def test_a_selector_takes_the_metric_with_the_suffix_and_no_other() -> None:
    selectors = (Selector(metric="jobs_seconds", matchers=()),)
    assert selected(selectors, series("jobs_seconds_count"), "_count")
    assert not selected(selectors, series("jobs_seconds_bucket"), "_count")
    assert not selected((), series("jobs_seconds_count"), "_count")


CODES = (Matcher(label="code", operator="=~", value="5.."), Matcher(label="zone", operator="=", value=""))


@pytest.mark.parametrize(
    ("labels", "belongs"),
    [
        ({"code": "500"}, True),  # a label that is not there is empty
        ({"code": "500", "zone": ""}, True),
        ({"code": "500", "zone": "b"}, False),  # every matcher must hold
        ({"code": "200"}, False),
        ({}, False),
    ],
)
def test_a_selector_asks_all_its_matchers(labels: dict[str, str], belongs: bool) -> None:
    assert selected((Selector(metric="jobs_total", matchers=CODES),), series("jobs_total", **labels)) is belongs


def test_any_of_several_selectors_will_do() -> None:
    selectors = (
        Selector(metric="other_total", matchers=()),
        Selector(metric="jobs_total", matchers=(Matcher(label="code", operator="=", value="500"),)),
        Selector(metric="jobs_total", matchers=(Matcher(label="code", operator="=", value="200"),)),
    )
    assert selected(selectors, series("jobs_total", code="200"))
    assert selected(selectors, series("jobs_total", code="500"))
    assert not selected(selectors, series("jobs_total", code="404"))
