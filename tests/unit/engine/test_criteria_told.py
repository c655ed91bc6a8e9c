"""What is told becomes figures of criteria: counted once, compared with a baseline that stays, else unknown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from figwatch_agent.durations import DAY, HOUR, MINUTE, format_instant
from figwatch_agent.engine import Engine
from figwatch_agent.model.batch import SAMPLE, Reading
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.names import Measure
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.slo import Criterion
from figwatch_agent.report.criteria import criterion_document
from support.engine import Memory, restarted
from support.world import CHAT, World, service

CRITERIA = (
    Criterion(name="deploys", measure=Measure.DEPLOYMENT_FREQUENCY, target="x5", over=30 * DAY),
    Criterion(name="no-loss", measure=Measure.DATA_LOSS, target="<= 0", over=HOUR, every=10 * MINUTE),
    Criterion(name="loss-ratio", measure=Measure.DATA_LOSS, target="< 1%", over=HOUR, every=10 * MINUTE),
    Criterion(name="happy", measure=Measure.SATISFACTION, target="kept", over=30 * DAY),
    Criterion(name="faster", measure=Measure.DELIVERY_SPEED, target="+40%", over=30 * DAY),
    Criterion(name="cheaper", measure=Measure.INFRASTRUCTURE_COST, target="-30%", over=30 * DAY),
    Criterion(name="productive", measure=Measure.DEVELOPER_PRODUCTIVITY, target="up", over=30 * DAY),
    Criterion(name="sooner", measure=Measure.TIME_TO_MARKET, target="-50%", over=30 * DAY),
)


def world(*criteria: Criterion) -> World:
    """The chat service with these criteria."""
    made = World((replace(service(), criteria=criteria or CRITERIA),))
    made.tick()
    return made


def told(world: World, kind: str, ago: int = 0, id_: str = "", subject: str = "chat", **fields: str) -> None:
    """One event reaches the engine with the next tick."""
    data = {"kind": kind, "at": format_instant(world.now - ago), **fields}
    if id_:
        data["id"] = id_
    number = f"c{len(world.commands)}-{world.now}-{kind}"
    world.commands.append(
        Command(
            id=number,
            kind=CommandKind.EVENT,
            at=world.now,
            actor="ann",
            origin="cli",
            subject=subject,
            data=tuple(sorted(data.items())),
        )
    )


def recorded(world: World, name: str, **data: str) -> list[str]:
    """Record a baseline; the refusals of that tick."""
    world.commands.append(
        Command(
            id=f"b{name}{world.now}",
            kind=CommandKind.BASELINE,
            at=world.now,
            actor="ann",
            origin="cli",
            subject=name,
            data=tuple(sorted(data.items())),
        )
    )
    outcome = world.tick()
    return [each.text for each in outcome.transitions if each.kind is TransitionKind.COMMAND_REFUSED]


def figure(world: World, name: str) -> dict[str, Any]:
    """The document of a criterion now."""
    found = next(each for each in world.engine.view(world.now).criteria if each.criterion.name == name)
    return criterion_document(found)


def deploy(world: World, count: int, first_days_ago: int, over: int, prefix: str) -> None:
    """So many deployments, evenly."""
    for number in range(count):
        ago = first_days_ago * DAY - number * over * DAY // count
        told(world, "deployment", ago, f"{prefix}{number}", service="chat", version=str(number))


def test_five_times_as_many_deployments_as_in_the_frozen_baseline_is_met_and_the_interval_is_shown() -> None:
    w = world()
    deploy(w, 12, 60, 29, "old")
    deploy(w, 60, 29, 29, "new")
    w.tick()
    start, end = format_instant(w.now - 61 * DAY), format_instant(w.now - 31 * DAY)
    assert recorded(w, "deploys", **{"from": start, "to": end}) == []
    found = figure(w, "deploys")
    assert (found["verdict"], found["counts"]["total"], found["recorded"]["count"]) == ("met", 60, 12)
    [times] = found["figures"]
    assert times["value"] == 5
    assert (round(times["low"], 1), round(times["high"], 1)) == (2.7, 10.2)
    assert "one for each id" in found["query"]


def test_the_counted_ratio_decides_although_its_interval_is_wide() -> None:
    w = world()
    deploy(w, 59, 29, 29, "new")
    told(w, "deployment", 40 * DAY, "first", service="chat")
    w.tick()
    window = {"from": "2026-01-01T00:00:00Z", "to": "2026-01-31T00:00:00Z"}
    assert recorded(w, "deploys", value="12", **window) == []
    assert figure(w, "deploys")["verdict"] == "missed"
    told(w, "deployment", MINUTE, "one-more", service="chat")
    w.tick()
    assert figure(w, "deploys")["verdict"] == "met"


def test_failed_repeated_and_foreign_deployments_are_not_counted() -> None:
    w = world()
    told(w, "deployment", 40 * DAY, "first", service="chat")
    told(w, "deployment", DAY, "a", service="chat")
    told(w, "deployment", DAY - 1, "a", service="chat")
    told(w, "deployment", DAY, "b", service="chat", status="failure")
    told(w, "deployment", DAY, "c", service="models")
    w.tick()
    assert figure(w, "deploys")["counts"]["total"] == 1


def test_deployments_that_began_to_be_told_within_the_window_may_have_been_more() -> None:
    w = world()
    deploy(w, 3, 10, 9, "new")
    w.tick()
    recorded(w, "deploys", value="30", **{"from": "2026-01-01T00:00:00Z", "to": "2026-01-31T00:00:00Z"})
    found = figure(w, "deploys")
    assert (found["verdict"], found["high"]) == ("inconclusive", None)
    assert found["coverage"] == pytest.approx(10 / 30, abs=1e-3)


@pytest.mark.parametrize("name", [each.name for each in CRITERIA])
def test_nothing_told_is_unknown_and_never_a_figure(name: str) -> None:
    found = figure(world(), name)
    assert (found["verdict"], found["value"], found["low"], found["high"]) == ("inconclusive", None, None, None)
    assert "told of" in found["reason"] or "no sample" in found["reason"]


@pytest.mark.parametrize(
    ("name", "kind", "before", "after", "verdict"),
    [
        ("happy", "satisfaction", "4.1", "4.1", "met"),  # kept is no less
        ("happy", "satisfaction", "4.1", "4.09", "missed"),
        ("faster", "delivery_speed", "10", "14", "met"),  # +40 % to the letter
        ("faster", "delivery_speed", "10", "13.999999", "missed"),
        ("cheaper", "infrastructure_cost", "1000", "700", "met"),
        ("cheaper", "infrastructure_cost", "1000", "700.01", "missed"),
        ("productive", "developer_productivity", "5", "5", "missed"),  # up is more
        ("productive", "developer_productivity", "5", "5.1", "met"),
        ("sooner", "time_to_market", "90", "45", "met"),
        ("sooner", "time_to_market", "90", "46", "missed"),
        ("faster", "delivery_speed", "0", "3", "inconclusive"),  # no multiple of nothing
    ],
)
def test_figures_that_people_bring_are_compared_exactly(
    name: str, kind: str, before: str, after: str, verdict: str
) -> None:
    w = world()
    told(w, kind, DAY, value=after)
    w.tick()
    assert "no baseline was recorded" in figure(w, name)["reason"]
    assert recorded(w, name, value=before) == []
    assert figure(w, name)["verdict"] == verdict


def test_figures_in_different_units_are_not_added_up() -> None:
    w = world()
    told(w, "time_to_market", DAY, value="3", unit="weeks")
    told(w, "time_to_market", DAY, value="20", unit="days")
    w.tick()
    assert "different units: days, weeks" in figure(w, "sooner")["reason"]


def test_a_baseline_in_another_unit_is_none() -> None:
    w = world()
    told(w, "time_to_market", DAY, value="20", unit="days")
    w.tick()
    recorded(w, "sooner", value="6", unit="weeks")
    assert "its baseline is in weeks and the figure in days" in figure(w, "sooner")["reason"]


def test_a_baseline_is_made_of_a_window_and_stays_whatever_comes_later() -> None:
    w = world()
    for days, value in ((50, "4"), (45, "5"), (2, "4.5")):
        told(w, "satisfaction", days * DAY, value=value)
    w.tick()
    window = {"from": format_instant(w.now - 60 * DAY), "to": format_instant(w.now - 40 * DAY)}
    assert recorded(w, "happy", **window) == []
    assert figure(w, "happy")["recorded"]["value"] == 4.5
    told(w, "satisfaction", 48 * DAY, value="1")
    w.tick()
    found = figure(w, "happy")
    assert (found["verdict"], found["baseline"], found["recorded"]["count"]) == ("met", 4.5, 2)


def test_a_baseline_that_stands_is_replaced_only_when_asked_for() -> None:
    w = world()
    told(w, "satisfaction", DAY, value="4")
    recorded(w, "happy", value="3")
    [refusal] = recorded(w, "happy", value="5")
    assert "stands: 3" in refusal
    assert "--replace" in refusal
    assert recorded(w, "happy", value="5", replace="yes") == []
    assert figure(w, "happy")["verdict"] == "missed"
    assert "in the place of 3" in w.said(TransitionKind.BASELINE_RECORDED)[-1]


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("nobody", {"value": "1"}, "no criterion of that name"),
        ("no-loss", {"value": "1"}, "not compared with a baseline"),
        ("happy", {}, "no satisfaction was told of"),
        ("happy", {"value": "many"}, "is a number"),
        ("deploys", {}, "no deployment was told of"),
        ("deploys", {"value": "12"}, "give --from and --to"),
        ("deploys", {"value": "1.5", "from": "2026-01-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}, "whole number"),
        ("happy", {"value": "1", "from": "2026-02-01T00:00:00Z", "to": "2026-01-01T00:00:00Z"}, "before it ends"),
        ("happy", {"value": "1", "to": "2099-01-01T00:00:00Z"}, "has ended"),
        ("happy", {"value": "1", "from": "yesterday"}, "yesterday"),
    ],
)
def test_a_baseline_that_says_nothing_is_refused_with_the_reason(name: str, data: dict[str, str], said: str) -> None:
    [refusal] = recorded(world(), name, **data)
    assert said in refusal


def test_a_route_has_a_baseline_of_its_own_for_the_guard() -> None:
    assert recorded(world(), CHAT, bad="1", total="1000") == []


def test_zero_loss_is_met_by_whole_coverage_alone() -> None:
    w = world()
    for minutes in range(0, 60, 10):
        told(w, "consistency", minutes * MINUTE, f"c{minutes}", checked="1000", mismatched="0")
    w.tick(0.001)
    found = figure(w, "no-loss")
    assert (found["verdict"], found["coverage"]) == ("met", 1)
    w.tick(45 * 60.0)
    found = figure(w, "no-loss")
    assert (found["verdict"], found["low"], found["high"]) == ("inconclusive", 0, None)
    assert "of the time has a sample" in found["reason"]


def test_records_that_differ_are_a_loss_at_once() -> None:
    w = world()
    told(w, "consistency", MINUTE, "c", checked="1000", mismatched="2")
    w.tick()
    assert figure(w, "no-loss")["verdict"] == "missed"
    assert "2 of 1000 compared records differ" in figure(w, "no-loss")["evidence"]
    assert figure(w, "loss-ratio")["verdict"] == "inconclusive"  # two in a thousand, and most of the hour is unknown


def test_a_month_of_samples_is_accounted_for_once_a_minute() -> None:
    loss = replace(CRITERIA[1], over=DAY, every=2 * MINUTE)
    w = world(loss)
    for number in range(720):
        told(w, "consistency", number * 2 * MINUTE, f"c{number}", checked="10", mismatched="0")
    w.tick(0.001)
    first = figure(w, "no-loss")
    assert first["coverage"] == pytest.approx(1, abs=0.002)
    told(w, "consistency", 0, "bad", checked="10", mismatched="1")
    w.tick(60.0)
    assert figure(w, "no-loss")["verdict"] == "missed"


def test_a_query_that_is_answered_is_a_sample_and_one_that_fails_is_none() -> None:
    w = world()
    row = json.dumps({"checked": "50", "mismatched": "0", "lag_seconds": "1.5"})
    w.tick(readings=(Reading(name=SAMPLE + "no-loss", at=w.now, ok=True, detail="", value=row),))
    assert figure(w, "no-loss")["counts"] == {"bad": 0, "total": 50}
    assert figure(w, "no-loss")["figures"][0]["value"] == 1500
    assert figure(w, "loss-ratio")["counts"] is None  # it is another criterion's query
    w.tick(readings=(Reading(name=SAMPLE + "no-loss", at=w.now, ok=False, detail="no such table: orders"),))
    found = figure(w, "no-loss")
    assert found["counts"]["total"] == 50
    assert "the newest query failed: no such table: orders" in found["evidence"]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kind": "satisfaction"}, "value: a satisfaction needs it"),
        ({"kind": "lag", "seconds": "1", "at": "2001-01-01T00:00:00Z"}, "too long ago"),
        ({"kind": "lag", "seconds": "1", "at": "2025-01-01T00:00:00Z"}, "state.keep"),
    ],
)
def test_an_event_that_cannot_be_counted_is_refused(fields: dict[str, str], said: str) -> None:
    w = world()
    told(w, subject="x", **fields)  # type: ignore[arg-type]  # `at` and `kind` may be wrong on purpose
    w.tick()
    assert said in w.said(TransitionKind.COMMAND_REFUSED)[-1]


def test_the_same_event_twice_is_told_once() -> None:
    w = world()
    for _ in range(2):
        told(w, "satisfaction", DAY, "survey", value="4")
        w.tick()
    assert len(w.said(TransitionKind.EVENT_RECORDED)) == 1
    assert figure(w, "happy")["counts"]["total"] == 1


def test_what_was_told_and_recorded_outlives_the_process() -> None:
    w, memory = world(), Memory()
    told(w, "satisfaction", DAY, "survey", value="4")
    recorded(w, "happy", value="3")
    before = [figure(w, each.name) for each in CRITERIA]
    restarted(w, memory)
    assert isinstance(w.engine, Engine)
    assert [figure(w, each.name) for each in CRITERIA] == before


def test_both_forms_of_uptime_stand_side_by_side_with_bounds_and_coverage() -> None:
    w = World(
        (
            replace(
                service(),
                criteria=(
                    Criterion(name="up", measure=Measure.UPTIME, target="> 90%", over=MINUTE),
                    Criterion(
                        name="served", measure=Measure.UPTIME, target="> 90%", over=MINUTE, slo="chat-availability"
                    ),
                ),
            ),
        )
    )
    w.run(70, good=10)
    w.run(10, good=5, bad=5)
    found = figure(w, "up")
    probes, requests = found["figures"]
    assert (probes["name"], requests["name"]) == ("probe_based", "request_based")
    assert (probes["value"], probes["coverage"]) == (1, 1)
    assert requests["counts"] == {"bad": 50, "total": 600}
    assert requests["low"] <= requests["value"] <= requests["high"]
    assert found["verdict"] == "met"  # probes decide
    served = figure(w, "served")
    assert [each["name"] for each in served["figures"]] == ["request_based"]
    assert "requests decide" in served["query"]


def test_every_stage_of_incidents_has_mean_median_p90_and_worst() -> None:
    w = World((replace(service(), criteria=(Criterion(name="mttr", measure=Measure.MTTR, target="< 15m", over=DAY),)),))
    w.both(30)
    w.both(10, service_bad=30)
    found = figure(w, "mttr")
    names = {each["name"] for each in found["figures"]}
    assert {f"mitigated {word}" for word in ("mean", "median", "p90", "worst")} <= names
    assert {name.split()[0] for name in names} == {"detected", "paged", "acknowledged", "mitigated", "resolved"}
    mean = next(each for each in found["figures"] if each["name"] == "mitigated mean")
    assert (mean["value"], mean["high"], mean["counts"]) == (None, None, {"bad": 1, "total": 1})
    assert mean["low"] > 0
