"""/metrics, read back by prometheus_client's own parsers."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client import Metric
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_text

from figwatch import contract
from figwatch.cells import Definition
from figwatch.exposition import Page, wants_openmetrics
from figwatch.telemetry import Telemetry
from support.library import BIRTH, fresh_telemetry

OPENMETRICS = "application/openmetrics-text; version=1.0.0, text/plain; q=0.5"


def families(telemetry: Telemetry, accept: str) -> dict[str, Metric]:
    status, content_type, page = Page(telemetry)(accept)
    assert status == 200
    parse = parse_openmetrics if content_type.startswith("application/openmetrics-text") else parse_text
    return {family.name: family for family in parse(page.decode())}


def count_one(telemetry: Telemetry, route: str = "/a/{id}") -> None:
    cell = telemetry.requests.get("GET", route, 200, "", "service", "application")
    cell.duration.observe(0.2)
    cell.first_byte.observe(0.001)


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_the_request_histograms_are_announced_before_the_first_request(accept: str) -> None:
    shown = families(fresh_telemetry(), accept)
    for name in (contract.REQUEST_DURATION, contract.TIME_TO_FIRST_BYTE):
        assert shown[name].type == "histogram"
        assert shown[name].samples == []


@pytest.mark.parametrize("accept", ["", OPENMETRICS])
def test_a_request_appears_in_its_bucket_with_exactly_the_contracts_labels(accept: str) -> None:
    telemetry = fresh_telemetry()
    count_one(telemetry)
    samples = families(telemetry, accept)[contract.REQUEST_DURATION].samples
    buckets = {s.labels["le"]: s.value for s in samples if s.name.endswith("_bucket")}
    assert [float(le) for le in buckets] == [*contract.BUCKETS, math.inf]
    assert buckets["0.1"] == 0
    assert buckets["0.2"] == buckets["+Inf"] == 1
    (total,) = [s for s in samples if s.name.endswith("_count")]
    assert total.value == 1
    assert total.labels == {
        "http_request_method": "GET",
        "http_route": "/a/{id}",
        "http_response_status_code": "200",
        "error_type": "",
        "served_by": "service",
        "vantage": "application",
    }
    (seconds,) = [s for s in samples if s.name.endswith("_sum")]
    assert seconds.value == 0.2


def test_every_series_tells_its_birth_in_the_text_format() -> None:
    telemetry = fresh_telemetry()
    count_one(telemetry)
    shown = families(telemetry, "")
    created = shown[f"{contract.REQUEST_DURATION}_created"]
    assert created.type == "gauge"
    assert [sample.value for sample in created.samples] == [BIRTH]
    assert shown["figwatch_dropped_spans_created"].samples[0].value == BIRTH


def test_every_series_tells_its_birth_in_openmetrics() -> None:
    telemetry = fresh_telemetry()
    count_one(telemetry)
    samples = families(telemetry, OPENMETRICS)[contract.REQUEST_DURATION].samples
    assert [sample.value for sample in samples if sample.name.endswith("_created")] == [BIRTH]


@settings(max_examples=50)
@given(st.text(max_size=30), st.integers(min_value=0, max_value=2**53))
def test_any_label_value_and_any_count_comes_back_as_it_went_in(value: str, number: int) -> None:
    telemetry = fresh_telemetry()
    definition = Definition(name="things_total", help="Things \\ and\nmore.", kind="counter", unit="", labels=("kind",))
    family = telemetry.cells.counter(definition, cap=10, folded=telemetry.health.folded)
    bare = value.encode("utf-8", "ignore").decode().replace("\r", "")
    family.cell((bare,)).add(number)
    for accept in ("", OPENMETRICS):
        (sample,) = [s for s in families(telemetry, accept)["things"].samples if s.name == "things_total"]
        assert sample.labels == {"kind": bare}
        assert sample.value == number


@pytest.mark.parametrize(
    ("accept", "openmetrics"),
    [
        ("", False),
        ("*/*", False),
        ("text/plain", False),
        ("application/openmetrics-text", True),
        ("application/openmetrics-text;version=1.0.0;q=0.6,text/plain;q=0.3", True),
        ("text/plain, Application/OpenMetrics-Text; version=1.0.0", True),
        ("application/openmetrics-text;q=0", False),
        ("application/openmetrics-textual", False),
        (",;,", False),
    ],
)
def test_the_format_follows_the_accept_header(accept: str, openmetrics: bool) -> None:
    assert wants_openmetrics(accept) is openmetrics


def test_a_page_that_cannot_be_made_is_a_counted_500(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = fresh_telemetry()
    page = Page(telemetry)
    count_one(telemetry)

    def broken(*_arguments: object) -> None:
        raise RuntimeError("planted")

    with monkeypatch.context() as patched:
        patched.setattr("figwatch.exposition._metric", broken)
        assert page("")[0] == 500
    (sample,) = [s for s in families(telemetry, "")["figwatch_internal_errors"].samples if s.name.endswith("_total")]
    assert sample.labels == {"where": "exposition"}
    assert sample.value == 1
