"""Charts and badges of arbitrary figures: small, well-formed, accessible, without NaN, Inf, style or script."""

from __future__ import annotations

import json
import re
from fractions import Fraction
from typing import Any
from xml.etree import ElementTree

from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND
from figwatch_agent.model.history import Axis
from figwatch_agent.report.badge import GREY, badge, text_width
from figwatch_agent.report.charts import (
    Line,
    Marker,
    Phase,
    Threshold,
    Value,
    burn_down,
    lines,
    sparkline,
    timeline,
)
from figwatch_agent.report.scale import Unit, figure, scale

NOW = 1_790_000_000_000
CHART = 6_000
SPARK = 600
"""Bytes; what a picture may weigh."""

counts = st.one_of(st.none(), st.integers(0, 10**6), st.sampled_from([0, 1, 10**18, -5, 10**30]))
ratios = st.one_of(
    st.none(),
    st.fractions(0, 1, max_denominator=10**9),
    st.sampled_from([Fraction(0), Fraction(1), Fraction(-80), Fraction(1, 10**15), Fraction(10**12)]),
)
hostile = st.one_of(
    st.sampled_from(["<script>alert(1)</script>", "\"&'>", "\x00\x1b[2J\u202e", "", "x" * 5000]), st.text()
)


@st.composite
def axes(draw: st.DrawFn) -> Axis:
    """As the rings give them."""
    step = draw(st.sampled_from([10 * SECOND, MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY]))
    slots = draw(st.integers(1, 130))
    end = -(-NOW // step) * step
    return Axis(start=end - slots * step, step=step, slots=slots, until=NOW)


def values(axis: Axis, kind: st.SearchStrategy[Any]) -> st.SearchStrategy[list[Value]]:
    """One a slot."""
    return st.lists(kind, min_size=axis.slots, max_size=axis.slots)


def checked(picture: str, heaviest: int) -> ElementTree.Element:
    """The picture, parsed."""
    root = ElementTree.fromstring(picture)  # noqa: S314 (our own picture)
    assert len(picture.encode()) < heaviest
    assert not re.search(
        r"\b(nan|inf|infinity)\b",
        re.sub(r"<(title|desc|text)[^>]*>[^<]*|aria-label=\"[^\"]*\"", "", picture),
        re.IGNORECASE,
    )
    for element in root.iter():
        assert element.tag.rpartition("}")[2] in {"svg", "title", "desc", "g", "path", "rect", "text", "pattern"}
        assert not [name for name in element.attrib if name == "style" or name.startswith("on") or "href" in name]
    ids = [element.attrib["id"] for element in root.iter() if "id" in element.attrib]
    assert len(ids) == len(set(ids))
    assert root.attrib["role"] == "img"
    assert set(root.attrib.get("aria-labelledby", "").split()) <= set(ids)
    title = root.find("./{*}title")
    assert title is not None
    assert title.text
    return root


@settings(max_examples=60)
@given(st.data(), hostile, st.sampled_from(["ratio", "ms", "requests"]))
def test_lines_of_any_figures_are_a_small_and_readable_picture(data: st.DataObject, text: str, unit: Unit) -> None:
    axis = data.draw(axes())
    kind = ratios if unit == "ratio" else counts
    drawn = [
        Line(name=text or "service", css="service", values=data.draw(values(axis, kind))),
        Line(name="legacy", css="legacy", values=data.draw(values(axis, kind))),
    ]
    markers = [
        Marker(at=NOW - back, kind="deployment", label=text) for back in data.draw(st.lists(st.integers(0, DAY)))
    ]
    threshold = Threshold(value=Fraction(1, 1000), label=text)
    picture = lines("errors", text or "t", axis, drawn, unit, thresholds=(threshold,), markers=markers)
    root = checked(picture, CHART)
    desc = root.find("./{*}desc")
    assert desc is not None
    assert desc.text


@settings(max_examples=40)
@given(st.data())
def test_bands_with_open_ends_are_pictures_too(data: st.DataObject) -> None:
    axis = data.draw(axes())
    lows = data.draw(values(axis, counts))
    open_ended = data.draw(st.lists(st.booleans(), min_size=axis.slots, max_size=axis.slots))
    highs = [None if low is None or beyond else low + 5 for low, beyond in zip(lows, open_ended, strict=True)]
    drawn = [Line(name=side, css=side, values=lows, highs=highs) for side in ("service", "legacy")]
    checked(lines("p95", "P95", axis, drawn, "ms"), CHART)


@settings(max_examples=40)
@given(st.data())
def test_a_budget_of_any_size_burns_down_in_a_picture(data: st.DataObject) -> None:
    axis = data.draw(axes())
    checked(burn_down("budget", "Budget", axis, data.draw(values(axis, ratios))), CHART)


@settings(max_examples=60)
@given(st.lists(ratios, max_size=200), hostile)
def test_a_sparkline_is_tiny(points: list[Value], text: str) -> None:
    root = checked(sparkline("spark-1", text or "t", points), SPARK)
    assert len(list(root.iter("path"))) == 1


@settings(max_examples=60)
@given(
    st.lists(
        st.builds(
            Phase,
            name=hostile,
            start=st.integers(0, NOW),
            end=st.one_of(st.none(), st.integers(0, NOW)),
            css=st.sampled_from(["bad", "service", '"><x']),
        ),
        max_size=20,
    )
)
def test_a_time_line_of_any_phases_is_a_picture(phases: list[Phase]) -> None:
    checked(timeline("stages", "Stages", phases, NOW), CHART)


@given(hostile, hostile)
def test_a_badge_of_any_words_is_a_small_picture(label: str, message: str) -> None:
    root = checked(badge(label, message, GREY), 1_500)
    assert int(root.attrib["width"]) >= 20
    assert root.attrib["aria-label"] == "".join(root.itertext()).split("\n", 1)[0][: len(root.attrib["aria-label"])]


@given(st.lists(ratios.filter(lambda value: value is not None), max_size=20))
def test_a_scale_holds_every_value_and_zero_between_its_first_and_last_tick(values: list[Fraction]) -> None:
    found = scale(values, "ratio")
    assert found.low <= min([Fraction(0), *values]) <= max([Fraction(0), *values]) <= found.high
    assert found.low < found.high
    assert 2 <= len(found.ticks) <= 8
    assert all(0 <= found.place(value, 148) <= 148 for value in values)


@given(st.fractions(), st.sampled_from(["ratio", "ms", "requests"]))
def test_a_figure_is_never_zero_unless_it_is(value: Fraction, unit: Unit) -> None:
    digits = set(re.sub(r"[^0-9]", "", figure(value, unit)))
    assert (digits == {"0"}) is (value == 0)


@given(st.text())
def test_every_text_has_a_width(text: str) -> None:
    assert text_width(text) >= 4 * len(text)
    assert json.dumps(text_width(text))
