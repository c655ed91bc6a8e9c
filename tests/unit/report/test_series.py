"""What the newest tick knows, as gauges: exact, bounded, and absent where nothing is known."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from prometheus_client.parser import text_string_to_metric_families

from figwatch_agent.durations import DAY
from figwatch_agent.model.history import Axis, RouteShare
from figwatch_agent.model.view import View
from figwatch_agent.report.series import FAMILIES, series_page
from support.agent_site import failing_world
from support.world import CHAT, World, service

Samples = dict[tuple[str, frozenset[str]], float]


def page(world: World, view: View | None = None) -> str:
    """The text that Prometheus reads."""
    return series_page(view or world.engine.view(world.now), world.engine.shares(30 * DAY)).decode()


def samples(text: str) -> Samples:
    """Value by name and label values, ``migration`` left out."""
    return {
        (one.name, frozenset(value for label, value in one.labels.items() if label != "migration")): one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def key(name: str, *labels: str) -> tuple[str, frozenset[str]]:
    """Under what ``samples`` keeps it."""
    return name, frozenset(labels)


def test_counts_budget_and_share_are_those_of_the_view() -> None:
    world = failing_world()
    found, (stream, *_) = samples(page(world)), world.engine.view(world.now).streams
    whose = ("chat", stream.slo, CHAT)
    assert found[key("figwatch_slo_window_events", *whose)] == stream.counts.total
    assert found[key("figwatch_slo_window_bad_events", *whose)] == stream.counts.bad
    assert stream.budget_left is not None
    assert found[key("figwatch_slo_budget_remaining_ratio", *whose)] == float(stream.budget_left)
    assert found[key("figwatch_route_legacy_ratio", "chat", CHAT)] == found[key("figwatch_legacy_ratio")] == 0.2


def test_a_tier_has_its_burn_rate_its_threshold_and_whether_it_fires() -> None:
    found = samples(page(failing_world()))
    whose = ("chat", "chat-availability", CHAT, "1h", "page")
    assert found[key("figwatch_slo_burn_rate_threshold", *whose)] == pytest.approx(14.4)
    assert found[key("figwatch_slo_burn_rate", *whose)] > 14.4
    assert found[key("figwatch_slo_tier_firing", *whose)] == 0
    assert found[key("figwatch_slo_tier_firing", "chat", "chat-availability", CHAT, "early", "page")] == 1


def test_the_early_lane_has_no_threshold_of_burn() -> None:
    found = samples(page(failing_world()))
    early = {name for name, labels in found if "early" in labels}
    assert early == {"figwatch_slo_burn_rate", "figwatch_slo_tier_firing"}


def test_an_incident_with_its_decision_stands_on_its_route() -> None:
    world = failing_world()
    found, incident = samples(page(world)), world.incident()
    assert found[key("figwatch_route_open_incidents", "chat", CHAT, "page")] == 1
    assert found[key("figwatch_route_open_incidents", "chat", CHAT, "ticket")] == 0
    began = found[key("figwatch_incident_impact_start_timestamp_seconds", "chat", CHAT, "page")]
    assert began * 1000 == incident.impact_start
    assert incident.decision is not None
    words = (incident.decision.outcome.value, incident.decision.reason.value)
    assert found[key("figwatch_rollback_decision", "chat", CHAT, *words)] == 1


def test_what_is_not_known_has_no_sample() -> None:
    world = World()
    world.tick()
    names = {name for name, labels in samples(page(world)) if "chat-availability" in labels or not labels}
    assert "figwatch_slo_objective_ratio" in names
    assert not names & {"figwatch_slo_budget_remaining_ratio", "figwatch_legacy_ratio", "figwatch_slo_burn_rate"}


def test_a_route_that_is_not_measured_says_so() -> None:
    world = World()
    world.both(20)
    measured = key("figwatch_slo_measured", "chat", "chat-availability", CHAT)
    assert samples(page(world))[measured] == 1
    world.up = False
    world.tick()
    assert samples(page(world))[measured] == 0


def test_the_date_of_the_last_request_to_legacy_stands_with_its_range() -> None:
    world = World()
    world.both(20)
    shares = world.engine.shares(30 * DAY)
    legacy = tuple(100 - 10 * day for day in range(8))
    share = RouteShare(route=CHAT, service="chat", legacy=legacy, total=(100,) * 8)
    axis = Axis(start=0, step=DAY, slots=8, until=8 * DAY)
    moving = replace(shares, axis=axis, routes=(share,), overall=share)
    found = samples(series_page(world.engine.view(world.now), moving).decode())
    name = "figwatch_route_legacy_zero_timestamp_seconds"
    assert found[key(name, "chat", CHAT, "expected")] == 10.5 * 86_400
    assert found[key("figwatch_route_legacy_forecast", "chat", CHAT, "dated")] == 1


def test_a_route_without_a_date_says_why() -> None:
    world = World()
    world.both(20)
    found = samples(page(world))
    assert found[key("figwatch_route_legacy_forecast", "chat", CHAT, "too_few")] == 1
    assert "figwatch_route_legacy_zero_timestamp_seconds" not in {name for name, _ in found}


def test_every_criterion_has_exactly_one_verdict() -> None:
    world = failing_world()
    view = world.engine.view(world.now)
    found = samples(page(world))
    assert view.criteria
    for measured in view.criteria:
        verdicts = [
            value
            for (name, labels), value in found.items()
            if name == "figwatch_criterion_verdict" and measured.criterion.name in labels
        ]
        assert sorted(verdicts) == [0, 0, 1]


def test_a_figure_beyond_a_double_is_left_out() -> None:
    world = World()
    world.both(20)
    view = world.engine.view(world.now)
    huge = replace(view, streams=(replace(view.streams[0], budget_left=Fraction(-(10**400))), *view.streams[1:]))
    text = page(world, huge)
    assert key("figwatch_slo_budget_remaining_ratio", "chat", view.streams[0].slo, CHAT) not in samples(text)
    assert not any(word in text for word in (" NaN", " +Inf", " -Inf", " inf"))


def test_series_grow_with_what_the_files_declare_and_with_nothing_else() -> None:
    routes = tuple(f"/r{number}" for number in range(40))
    world = World((service(routes=routes),))
    world.tick()
    few = len(samples(page(world)))
    for number in range(50):
        world.serve(f"/elsewhere/{number}")
        world.tick()
    assert len(samples(page(world))) <= few + 2 * len(routes)  # burn rates and ratios, once there was traffic


def test_every_name_and_label_is_one_of_the_list() -> None:
    for family in text_string_to_metric_families(page(failing_world())):
        for one in family.samples:
            assert set(one.labels) == {"migration", *FAMILIES[one.name].labels}


def test_uptime_is_three_figures_of_which_unknown_time_makes_the_difference() -> None:
    world = World()
    world.both(20)
    found = samples(page(world))
    bounds = [
        found[key("figwatch_slo_uptime_ratio", "chat", "chat-uptime", "all", bound)]
        for bound in ("lower", "known", "upper")
    ]
    assert bounds[0] < 1e-4
    assert bounds[1:] == [1, 1]
