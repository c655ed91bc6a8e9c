"""Raw samples of an engine become the scrapes they came from."""

from __future__ import annotations

from typing import Any

import pytest

from figwatch_agent.sources.fault import Fault
from figwatch_agent.sources.raw_samples import RawSamples


def series(name: str, *values: tuple[float, str], instance: str = "a:1", **labels: str) -> dict[str, Any]:
    """One series of a matrix."""
    metric = {"__name__": name, "job": "chat", "instance": instance, **labels}
    return {"metric": metric, "values": [list(value) for value in values]}


def up(*values: tuple[float, str], instance: str = "a:1") -> dict[str, Any]:
    """What the engine's own scrapes said."""
    return series("up", *values, instance=instance)


def test_samples_of_one_scrape_are_one_batch() -> None:
    counters = [series("a_total", (1.5, "3"), (2.5, "5")), series("b_total", (1.5, "1"), (2.5, "1"))]
    found = RawSamples().batches(counters, [up((1.5, "1"), (2.5, "1"))])
    assert [(batch.target, batch.at, batch.up, batch.values.tolist()) for batch in found] == [
        ("job=chat instance=a:1", 1_500, True, [3.0, 1.0]),
        ("job=chat instance=a:1", 2_500, True, [5.0, 1.0]),
    ]
    assert found[0].table is found[1].table


def test_what_was_read_before_is_not_read_again() -> None:
    samples = RawSamples()
    samples.batches([series("a_total", (1, "3"))], [up((1, "1"))])
    found = samples.batches([series("a_total", (1, "3"), (2, "5"))], [up((1, "1"), (2, "1"))])
    assert [batch.at for batch in found] == [2_000]


def test_a_scrape_that_failed_is_a_target_that_is_down() -> None:
    samples = RawSamples()
    samples.batches([series("a_total", (1, "3"))], [up((1, "1"))])
    (batch,) = samples.batches([], [up((2, "0"))])
    assert (batch.at, batch.up, batch.reason) == (2_000, False, "down")


def test_a_page_that_lost_the_metric_is_an_answer_without_it() -> None:
    samples = RawSamples()
    samples.batches([series("a_total", (1, "3"))], [up((1, "1"))])
    (batch,) = samples.batches([], [up((2, "1"))])
    assert batch.up
    assert batch.table.series == ()
    assert "a" not in batch.table.families


def test_targets_that_never_had_a_wanted_series_are_left_out() -> None:
    assert RawSamples().batches([], [up((1, "1"), instance="other:1")]) == ()


def test_an_engine_that_is_written_to_has_samples_without_scrapes() -> None:
    (batch,) = RawSamples().batches([{"metric": {"__name__": "a_total"}, "values": [[1, "4"]]}], [])
    assert (batch.target, batch.up, batch.values.tolist()) == ("series without job and instance", True, [4.0])


def test_a_series_that_comes_later_changes_the_table_from_there_on() -> None:
    counters = [series("a_total", (1, "3"), (2, "5")), series("b_total", (2, "1"))]
    first, second = RawSamples().batches(counters, [])
    assert [each.name for each in first.table.series] == ["a_total"]
    assert [each.name for each in second.table.series] == ["a_total", "b_total"]


def test_what_is_no_number_is_left_out() -> None:
    assert RawSamples().batches([series("a_total", (1, "NaN"), (2, "+Inf"))], []) == ()


def test_batches_come_oldest_first_over_all_targets() -> None:
    counters = [series("a_total", (2, "3"), instance="b:1"), series("a_total", (1, "3"), (3, "4"))]
    assert [batch.at for batch in RawSamples().batches(counters, [])] == [1_000, 2_000, 3_000]


@pytest.mark.parametrize(
    "result", [[{}], [1], [{"metric": {}, "value": [1, "2"]}], [{"metric": {}, "values": [["x", "1"]]}]]
)
def test_an_answer_of_another_form_is_said_to_be_one(result: list[Any]) -> None:
    with pytest.raises(Fault):
        RawSamples().batches(result, [])
