"""The report says the same in JSON, Markdown and HTML, the same for the same state, and lets no text of others act."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from figwatch_agent.durations import DAY, MINUTE, format_instant
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.event import EventKind
from figwatch_agent.model.history import SPANS, Axis, RouteShare, Shares
from figwatch_agent.model.names import Measure
from figwatch_agent.model.slo import Criterion
from figwatch_agent.report.report_html import report_html
from figwatch_agent.report.report_markdown import report_markdown
from figwatch_agent.report.whole import Material, drawn_routes, report_document
from figwatch_agent.web.openapi import openapi_document
from support.agent_site import failing_world
from support.model_values import a_baseline, an_event
from support.world import MODELS, World, service

HOSTILE = '<script>alert(1)</script>"&\u202e|`*'


def material(world: World, **more: Any) -> Material:
    """What a world gives to report."""
    view, span = world.engine.view(world.now), SPANS["30d"][0]
    histories = (world.engine.history(route, span) for route in drawn_routes(view))
    found = tuple(history for history in histories if history is not None)
    return Material(view=view, shares=world.engine.shares(span), histories=found, **more)


def excluded(world: World) -> World:
    """With the last minute set aside after the fact, and what comes, left open."""
    data = (("from", format_instant(world.now - MINUTE)), ("scope", "service"), ("who", "ann"))
    world.commands.append(
        Command(
            id="x",
            kind=CommandKind.EXCLUDE,
            at=world.now,
            actor="bob",
            origin="cli",
            subject="chat",
            why=HOSTILE,
            data=data,
        )
    )
    world.both(3, service_bad=4)
    return world


def document(world: World, **more: Any) -> dict[str, Any]:
    """As it comes over HTTP."""
    found: dict[str, Any] = json.loads(json.dumps(report_document(material(world, **more)), allow_nan=False))
    return found


def deployments(world: World) -> tuple[Any, ...]:
    """Three of the newest, one failed, one told twice."""
    at = world.now - MINUTE
    return (
        an_event("d1", at=at, service="chat", version="1"),
        an_event("d2", at=at + 1, service="chat", version="2", status="failure"),
        an_event("d2", at=at + 2, service="chat", version="2", status="success"),
        an_event("s", EventKind.LAG, at=at, seconds="1"),
    )


class Tags(HTMLParser):
    """Tags in the order in which they begin, and whether all are closed."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[str] = []
        self.open: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append(tag)
        self.attributes += attrs
        if tag not in ("meta", "path", "rect"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag in self.open:
            assert self.open.pop() == tag


def test_the_document_keeps_to_its_schema_and_counts_deployments_by_the_rule() -> None:
    world = failing_world()
    found = document(world, events=deployments(world), baselines=(a_baseline(),))
    schema = {"$ref": "#/components/schemas/Report", "components": openapi_document()["components"]}
    Draft202012Validator(schema).validate(found)
    assert (found["deployments"]["succeeded"], found["deployments"]["failed"]) == (2, 1)
    assert found["deployments"]["services"] == {"chat": 2}
    assert [each["id"] for each in found["deployments"]["newest"]] == ["d2", "d2", "d1"]
    assert sum(found["verdicts"].values()) == len(found["criteria"])


@pytest.mark.parametrize(
    ("by", "in_time"),
    [("2026-12-31", True), ("2026-09-24", False), (None, None)],
)
def test_a_deadline_of_legacy_says_whether_the_forecast_is_in_time(by: str | None, in_time: bool | None) -> None:
    criterion = Criterion(name="legacy", measure=Measure.LEGACY_RATIO, target="< 1%", over=MINUTE, by=by)
    world = World((replace(service(), criteria=(criterion,)),))
    world.tick()
    falling = tuple(range(90, 30, -10))
    axis = Axis(start=world.now - 6 * DAY, step=DAY, slots=6, until=world.now)
    share = RouteShare(route="", service="", legacy=falling, total=(100,) * 6)
    made = replace(material(world), shares=Shares(axis=axis, routes=(), overall=share))
    found: Any = report_document(made)
    assert [(each["in_time"], each["zero_at"][:10]) for each in found["deadlines"]] == (
        [] if by is None else [(in_time, "2026-09-25")]
    )
    if by is not None:
        assert ("in time" if in_time else "too late") in report_markdown(json.loads(json.dumps(found)))


def test_every_stage_of_the_open_incident_is_timed() -> None:
    found = document(failing_world())
    stages = {each["stage"]: each for each in found["recovery"]}
    assert (stages["detected"]["count"], stages["mitigated"]["open"]) == (1, 1)
    assert stages["mitigated"]["mean_seconds"] is None
    assert stages["mitigated"]["mean_low_seconds"] > 0


def test_the_same_state_gives_the_same_report_byte_for_byte() -> None:
    first, second = (document(failing_world()) for _ in range(2))
    assert first == second
    assert report_html(first) == report_html(second)
    assert report_markdown(first) == report_markdown(second)


def test_markdown_and_html_name_every_criterion_with_verdict_and_evidence() -> None:
    world = failing_world()
    found = document(world, events=deployments(world))
    markdown, page = report_markdown(found), report_html(found)
    for each in found["criteria"]:
        assert f"### {each['name']}: {each['verdict']}" in markdown
        assert each["name"] in page
    for title in ("Success criteria", "Legacy", "Error budgets", "Time to recover", "Incidents", "Deployments"):
        assert f"## {title}" in markdown
        assert f">{title}</h2>" in page
    assert page.count("<svg") >= 3
    assert "exclusions" not in page.lower()


def test_what_is_set_aside_is_told_in_every_form_and_adds_up_to_all_that_was_counted() -> None:
    world = excluded(failing_world())
    found, rings = document(world), world.engine._rings
    markdown, page = report_markdown(found), html.unescape(report_html(found))
    Draft202012Validator(
        {"$ref": "#/components/schemas/Report", "components": openapi_document()["components"]}
    ).validate(found)
    (exclusion,) = found["exclusions"]
    assert (exclusion["who"], exclusion["why"], exclusion["state"]) == ("ann", HOSTILE, "running")
    for text in (markdown, page):
        assert exclusion["id"] in text
        assert "ann" in text
    seen = 0
    for each, stream in zip(found["budgets"], world.engine.catalog.streams, strict=True):
        raw = rings.whole(stream.service.window)
        whole = [int(part.most[stream.index]) for part in (raw.bad, raw.total)]
        parts = [(each["counts"][name], each["excluded"][name]) for name in ("bad", "total")]
        assert [sum(pair) for pair in parts] == whole
        assert each["excluded_seconds"] > 30
        cells = [f"{bad} of {total} bad" for bad, total in (*zip(*parts, strict=True), whole)]
        assert f"| {' | '.join(cells)} |" in markdown
        assert all(f">{cell}</td>" in page for cell in cells)
        seen += each["excluded"]["bad"] > 0
    assert seen


def test_a_report_of_nothing_says_so() -> None:
    world = World((replace(service(routes=(MODELS,)), criteria=()),))
    world.tick()
    found = document(world)
    assert "No criterion is declared." in report_markdown(found)
    assert "No incident paged." in report_html(found)


def test_no_text_of_others_becomes_markup() -> None:
    world = failing_world()
    found = document(excluded(world), events=deployments(world))
    hostile = _poisoned(found)
    tags = Tags()
    page = report_html(hostile)
    tags.feed(page)
    assert tags.open == []
    assert not {"script", "iframe", "object", "img", "link", "a"} & set(tags.seen)
    assert not [name for name, _ in tags.attributes if name.startswith("on") or name in ("src", "href")]
    assert "\u202e" not in page
    markdown = report_markdown(hostile)
    assert "<script" not in re.sub(r"\\<", "", markdown)
    assert "\u202e" not in markdown


def _poisoned(part: Any, name: str = "") -> Any:
    """Texts of others, replaced; words and instants of ours stay."""
    if isinstance(part, dict):
        return {key: _poisoned(value, key) for key, value in part.items()}
    if isinstance(part, list):
        return [_poisoned(value, name) for value in part]
    others = (
        "name",
        "evidence",
        "route",
        "service",
        "slo",
        "id",
        "note",
        "query",
        "migration",
        "version",
        "finding",
        "actor",
    )
    return HOSTILE if name in others and isinstance(part, str) else part


@pytest.mark.parametrize("word", ["nan", "inf", "infinity"])
def test_no_figure_is_nan_or_infinite(word: str) -> None:
    world = failing_world()
    found = document(world, events=deployments(world))
    for text in (report_html(found), report_markdown(found)):
        assert not re.search(rf"(?<![a-z]){word}(?![a-z])", text.lower())
