"""What charts say and how: gaps, thresholds, markers, words for those who do not see them."""

from __future__ import annotations

from fractions import Fraction
from xml.etree import ElementTree

import pytest

from figwatch_agent.durations import HOUR, MINUTE
from figwatch_agent.model.history import Axis
from figwatch_agent.report.charts import Line, Marker, Phase, Threshold, burn_down, lines, sparkline, timeline
from figwatch_agent.report.scale import clock_time, figure, times

NOON = 1_795_348_800_000
AXIS = Axis(start=NOON - HOUR, step=10 * MINUTE, slots=6, until=NOON)
HALF = Fraction(1, 2)


def drawn(*values: Fraction | int | None, css: str = "service") -> Line:
    """One line."""
    return Line(name=f"{css} side", css=css, values=values)


def described(picture: str) -> str:
    """The words of a screen reader."""
    root = ElementTree.fromstring(picture)  # noqa: S314 (our own picture)
    return "".join(root.findtext("./{*}desc") or "")


def test_what_was_not_measured_is_hatched_and_labelled() -> None:
    picture = lines("e", "Errors", AXIS, [drawn(None, None, None, HALF, HALF, HALF)], "ratio")
    assert '<path class="unknown"' in picture
    assert "not measured" in picture
    assert "3 of 6 slots without a figure" in described(picture)


def test_what_was_measured_everywhere_has_no_gap() -> None:
    picture = lines("e", "Errors", AXIS, [drawn(*[HALF] * 6)], "ratio")
    assert "unknown" not in picture


def test_a_chart_of_nothing_says_so() -> None:
    picture = lines("e", "Errors", AXIS, [drawn(*[None] * 6)], "ratio")
    assert "not measured" in picture
    assert "service side: no figure, 6 of 6 slots without a figure." in described(picture)


def test_sides_are_told_apart_without_colour() -> None:
    picture = lines("e", "Errors", AXIS, [drawn(*[0] * 6), drawn(*[1] * 6, css="legacy")], "ratio")
    root = ElementTree.fromstring(picture)  # noqa: S314 (our own picture)
    dashes = {path.get("class"): path.get("stroke-dasharray") for path in root.iter() if path.get("class")}
    assert dashes["service"] != dashes["legacy"]
    assert [text for text in root.itertext() if text in ("service side", "legacy side")] == [
        "service side",
        "legacy side",
    ]


def test_the_description_names_newest_lowest_and_highest_with_their_unit() -> None:
    picture = lines("p", "P95", AXIS, [drawn(20, 40, 1500, 80, 10, 30)], "ms")
    assert "service side: newest 30 ms, lowest 10 ms, highest 1.5 s." in described(picture)


def test_thresholds_and_markers_are_drawn_and_named() -> None:
    picture = lines(
        "e",
        "Errors",
        AXIS,
        [drawn(*[Fraction(1, 1000)] * 6)],
        "ratio",
        thresholds=[Threshold(value=Fraction(1, 500), label="14.4 x budget")],
        markers=[Marker(at=NOON - MINUTE, kind="deployment", label="deployed 1.2")],
    )
    assert ">14.4 x budget</text>" in picture
    assert ">deployed 1.2</text>" in picture
    assert "14.4 x budget at 0.2%." in described(picture)
    assert "22 Nov 11:59: deployed 1.2." in described(picture)


def test_markers_outside_of_the_axis_are_left_out() -> None:
    marker = Marker(at=NOON - 5 * HOUR, kind="deployment", label="long ago")
    assert ">long ago</text>" not in lines("e", "Errors", AXIS, [drawn(*[0] * 6)], "ratio", markers=[marker])


def test_a_point_between_gaps_is_a_dot() -> None:
    assert "h2" in lines("e", "Errors", AXIS, [drawn(None, None, HALF, None, None, None)], "ratio")


def test_labels_of_others_cannot_become_markup() -> None:
    picture = lines("e", "<b>", AXIS, [drawn(*[0] * 6)], "ratio", markers=[Marker(at=NOON, kind='"', label="<i>&")])
    assert "<b>" not in picture
    assert "&lt;i&gt;&amp;" in picture


def test_a_sparkline_says_its_newest_figure() -> None:
    assert "<title" in sparkline("s", "Share of legacy", [HALF, None, Fraction(1, 5)])
    assert "Share of legacy: 20%</title>" in sparkline("s", "Share of legacy", [HALF, None, Fraction(1, 5)])
    assert "Share of legacy: not measured</title>" in sparkline("s", "Share of legacy", [None])


def test_a_phase_without_an_end_goes_on_until_now() -> None:
    picture = timeline("t", "Stages", [Phase(name="impact", start=NOON - 90_000, end=None)], NOON)
    assert "1 min 30 s so far" in picture
    assert described(picture) == "impact: from 22 Nov 11:58:30, 1 min 30 s so far"


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (Fraction(0), "ratio", "0%"),
        (Fraction(1, 200), "ratio", "0.5%"),
        (Fraction(1, 10**6), "ratio", "0.0001%"),
        (Fraction(200), "ms", "200 ms"),
        (Fraction(2500), "ms", "2.5 s"),
        (Fraction(12_345), "requests", "12.3k"),
        (Fraction(-3), "requests", "-3"),
        (Fraction(10**15), "requests", "1P"),
    ],
)
def test_figures_are_short_and_carry_their_unit(value: Fraction, unit: str, text: str) -> None:
    assert figure(value, unit) == text  # type: ignore[arg-type]  # the table above holds units


def test_times_are_round_and_in_utc_and_days_are_named() -> None:
    assert times(NOON - HOUR, NOON) == tuple(
        (NOON - HOUR + place * 10 * MINUTE, label)
        for place, label in enumerate(("11:00", "11:10", "11:20", "11:30", "11:40", "11:50", "12:00"))
    )
    assert [label for _, label in times(NOON - 24 * HOUR, NOON)][4] == "22 Nov"
    assert clock_time(NOON, seconds=True) == "22 Nov 12:00:00"


def test_markers_closer_than_a_label_is_high_share_one_label() -> None:
    times_of = (0, 5, 20, 40 * 60)
    markers = [
        Marker(at=NOON - HOUR + second * 1000, kind="incident", label=f"number {place}")
        for place, second in enumerate(times_of)
    ]
    picture = lines("e", "Errors", AXIS, [drawn(*[0] * 6)], "ratio", markers=markers)
    assert ">number 0 +2</text>" in picture
    assert ">number 3</text>" in picture
    assert ">number 1" not in picture
    assert "number 1." in described(picture)  # who listens hears of all


def test_a_young_axis_begins_with_the_slot_in_which_somebody_began_to_look() -> None:
    young = AXIS.since(NOON - 25 * MINUTE)
    assert (young.start, young.slots, young.end) == (NOON - 30 * MINUTE, 3, AXIS.end)
    picture = lines("e", "Errors", young, [drawn(None, None, None, 1, 2, 3)], "requests")
    assert "not measured" not in picture
    assert "lowest 1, highest 3" in described(picture)


@pytest.mark.parametrize(("at", "slots"), [(NOON - 5 * HOUR, 6), (NOON - HOUR, 6), (NOON, 1), (NOON + HOUR, 1)])
def test_an_axis_keeps_its_last_slot_and_never_grows(at: int, slots: int) -> None:
    assert AXIS.since(at).slots == slots


def test_a_budget_that_is_spent_many_times_is_told_in_times_and_names_one_line() -> None:
    picture = burn_down("b", "Budget", AXIS, [Fraction(-60)] * 6)
    assert "-60×" in picture
    assert "k%" not in picture
    assert "whole budget" not in picture
    assert "whole budget" in burn_down("b", "Budget", AXIS, [HALF] * 6)
