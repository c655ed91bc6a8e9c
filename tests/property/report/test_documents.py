"""Whatever happens in a world, every document keeps to its schema: whole counts, no NaN, no Inf, badges well-formed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any
from xml.etree import ElementTree

from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from figwatch_agent.durations import format_instant
from figwatch_agent.model.effect import DeliveryState, RollbackState
from figwatch_agent.model.history import SPANS
from figwatch_agent.model.journal import Delivery, RollbackRecord
from figwatch_agent.model.view import View
from figwatch_agent.report.badge import criterion_badge, route_badge
from figwatch_agent.report.charts import timeline
from figwatch_agent.report.criteria import criterion_document
from figwatch_agent.report.incident_record import incident_record, phases
from figwatch_agent.report.overview import overview_document
from figwatch_agent.report.report_html import report_html
from figwatch_agent.report.report_markdown import report_markdown
from figwatch_agent.report.route import route_document
from figwatch_agent.report.status import status_document
from figwatch_agent.report.whole import Material, drawn_routes, report_document
from figwatch_agent.web.openapi import openapi_document
from support.engine import circumstances, deeds, traffic, worlds
from support.world import World

COUNTS = frozenset(
    [
        "attempts",
        "bad",
        "bytes",
        "failed",
        "judged",
        "legacy",
        "matching",
        "pages",
        "requests",
        "rows",
        "sequence",
        "service",
        "shadow",
        "slots",
        "slos",
        "total",
        "unknown",
        "up_ms",
        "down_ms",
        "unknown_ms",
        "covered_ms",
    ]
)
"""Members that count something; a figure among them is a whole number, and so is every one of a list."""

HEALTHY = {"loop": True, "store": False}


@cache
def schema(name: str) -> Draft202012Validator:
    """Of a document of the API."""
    return Draft202012Validator(
        {"$ref": f"#/components/schemas/{name}", "components": openapi_document()["components"]}
    )


def keeps(name: str, document: object) -> None:
    """Assert that a document is JSON of this schema, counts being whole."""
    text = json.dumps(document, allow_nan=False)
    found = json.loads(text)
    problems = [f"{'/'.join(map(str, error.path))}: {error.message}" for error in schema(name).iter_errors(found)]
    assert not problems, problems[:5]
    assert not [(member, value) for member, value in counted(document) if isinstance(value, float)]


def counted(part: object, member: str = "") -> Iterator[tuple[str, object]]:
    """Every figure of a member that counts."""
    if isinstance(part, dict):
        for name, value in part.items():
            yield from counted(value, name)
    elif isinstance(part, list):
        for value in part:
            yield from counted(value, member)
    elif member in COUNTS:
        yield member, part


def lived(world: World, story: list[dict[str, Any]]) -> World:
    """After everything of a story has happened."""
    for number, deed in enumerate(story):
        circumstances(world, deed, number)
        for _ in range(deed["ticks"]):
            traffic(world, deed)
            world.tick(deed["pause"])
    return world


def report(world: World, view: View) -> None:
    """The report keeps to its schema, and both of its written forms can be made of it."""
    span = SPANS["30d"][0]
    histories = (world.engine.history(route, span) for route in drawn_routes(view))
    document = report_document(
        Material(
            view=view,
            shares=world.engine.shares(span),
            histories=tuple(history for history in histories if history is not None),
            events=tuple(event for outcome in world.outcomes for event in outcome.events),
            baselines=tuple(each for outcome in world.outcomes for each in outcome.baselines),
        )
    )
    keeps("Report", document)
    report_html(document), report_markdown(document)
    ours = {**document, "migration": "m", "findings": []}  # what is left are words and figures of ours
    for text in (report_html(ours), report_markdown(ours)):
        assert not re.search(r"(?<![a-z0-9])(nan|inf|infinity)(?![a-z0-9])", text.lower())


# Without shrinking: it would take minutes, and the story that is printed can be followed as it is.
@settings(max_examples=6, phases=(Phase.explicit, Phase.reuse, Phase.generate))
@given(world=worlds(), story=st.lists(deeds, max_size=8), name=st.text(min_size=1))
def test_every_document_of_every_world_keeps_to_its_schema(
    world: World, story: list[dict[str, Any]], name: str
) -> None:
    lived(world, story)
    view = world.engine.view(world.now)
    view = replace(view, migration=name, findings=(*view.findings, name))
    at = format_instant(view.at)
    transitions = [each for outcome in world.outcomes for each in outcome.transitions]
    keeps("Status", status_document(view, HEALTHY))
    keeps("Criteria", {"version": 1, "at": at, "criteria": [criterion_document(each) for each in view.criteria]})
    keeps("Overview", overview_document(view, world.engine.shares(SPANS["30d"][0])))
    report(world, replace(view, migration=name))
    for span, (back, _) in SPANS.items():
        for route in view.routes:
            history = world.engine.history(route.route, back)
            if history is not None:
                keeps("Route", route_document(view, history, span, transitions))
    for incident in view.incidents:
        keeps(
            "Incident",
            incident_record(
                incident,
                view.at,
                deliveries=[
                    Delivery(row=row, state=DeliveryState.PENDING, attempts=0, created_at=row.page.at, next_at=0)
                    for row in world.rows()
                    if row.incident == incident.id
                ],
                rollback=next(
                    (
                        RollbackRecord(intent=intent, state=RollbackState.COMMITTED)
                        for outcome in world.outcomes
                        for intent in outcome.intents
                        if intent.incident == incident.id
                    ),
                    None,
                ),
                transitions=transitions,
                runbooks={"EarlyOutage"},
            ),
        )
        ElementTree.fromstring(timeline("t", name, phases(incident), view.at))  # noqa: S314 (our own picture)
    for badge in (
        *(route_badge(view, route.route) for route in view.routes),
        *(criterion_badge(view, each.criterion.name) for each in view.criteria),
    ):
        assert badge is not None
        ElementTree.fromstring(badge)  # noqa: S314 (our own picture)
