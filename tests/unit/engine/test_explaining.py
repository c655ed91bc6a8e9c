"""Why it pages, and why it does not: the conditions that are told are those that decide."""

import json
import random
from fractions import Fraction

import pytest
from jsonschema import Draft202012Validator

from figwatch_agent.durations import MINUTE, SECOND, format_instant
from figwatch_agent.engine.explaining import SHOWN_CLOSED
from figwatch_agent.model.command import Command, CommandKind
from figwatch_agent.model.explanation import Explanation, WatchExplained
from figwatch_agent.model.names import Mode, Severity, Tri
from figwatch_agent.report.explained import explanation_document, past_document
from figwatch_agent.report.explained_text import lines
from figwatch_agent.web.openapi import openapi_document
from support.agent_site import failing_world
from support.engine import compact, wish
from support.exact import at_least, below, decimal
from support.world import CHAT, World, settings


def of(world: World, subject: str = CHAT) -> Explanation:
    found = world.engine.explain(subject)
    assert found is not None
    return found


def the(found: Explanation, tier: str, lane: str = "all") -> WatchExplained:
    return next(each for each in found.watches if (each.tier, each.lane) == (tier, lane))


def small_world() -> World:
    """One SLO with windows of minutes, every series on the first page."""
    world = World((compact(),), settings(mode=Mode.DRY_RUN, hold=5 * SECOND))
    for side in ("service", "legacy"):
        world.serve(side=side, good=1, bad=1)
    world.tick()
    return world


def excluded(world: World, lasts: int) -> None:
    """From now on, for so many seconds."""
    data = (("scope", "route"), ("to", format_instant(world.now + lasts * SECOND)), ("who", "ann"))
    world.commands.append(
        Command(
            id="x",
            kind=CommandKind.EXCLUDE,
            at=world.now,
            actor="bob",
            origin="cli",
            subject=CHAT,
            why="upgrade",
            data=data,
        )
    )


def test_before_the_first_tick_there_is_nothing_to_explain() -> None:
    assert World().engine.explain(CHAT) is None


def test_an_unknown_subject_is_not_explained_and_what_is_known_is_listed() -> None:
    world = failing_world()
    assert world.engine.explain("nothing") is None
    assert {CHAT, "chat-availability", world.incident().id, world.incident().alerts[0].id} <= set(
        world.engine.subjects()
    )


def test_a_quiet_tier_says_how_far_its_windows_are_and_how_many_bad_events_would_be_evidence() -> None:
    world = small_world()
    world.run(120, good=10)
    world.run(1, good=9, bad=1)
    tier = the(of(world), "fast")
    assert tier.firing is None
    assert tier.recovery is None
    (long, short) = tier.windows
    assert (long.inside.bad, long.edge.bad, long.over, long.certified) == (1, 0, Tri.NO, True)
    assert (short.inside.bad, short.inside.total, short.edge.total) == (1, 20, 100)  # its start cuts a slot of 10 s
    assert long.low == Fraction(1, 1120 + 90 + long.imputed)
    assert "taken as good" not in tier.because[1].text  # all of its time was measured
    assert tier.evidence is not None
    assert (tier.evidence.counts.bad, tier.evidence.enough) == (1, False)


@pytest.mark.parametrize("good", [1, 40, 700])
def test_the_bad_events_that_are_needed_are_the_fewest_that_are_evidence(good: int) -> None:
    world = small_world()
    world.run(130, good=good)
    evidence = the(of(world), "fast").evidence
    assert evidence is not None
    budget, total = decimal(Fraction(1, 1000)), evidence.counts.total
    assert below(at_least(evidence.needed, total, budget), evidence.alpha)
    assert evidence.needed == 2 or not below(at_least(evidence.needed - 1, total, budget), evidence.alpha)


def test_time_without_measurement_is_told_with_the_good_events_it_stands_for() -> None:
    world = small_world()
    world.run(30, good=10)
    long = the(of(world), "fast").windows[0]
    assert long.covered == 30 * SECOND
    assert long.imputed == 900
    assert "900 taken as good for 1 min 30 s without measurement" in the(of(world), "fast").because[1].text


def test_what_is_not_measured_is_unknown_and_says_why() -> None:
    world = small_world()
    world.run(10, good=10)
    world.up = False
    world.tick()
    measured = the(of(world), "fast").because[0]
    assert (measured.name, measured.holds) == ("measured", Tri.UNKNOWN)
    assert "is down" in measured.text


def test_an_early_lane_tells_its_statistic_and_what_it_waits_for() -> None:
    world = failing_world()
    early = the(of(world, "chat-availability"), "early")
    assert early.firing is not None
    assert early.early is not None
    assert early.early.statistic == early.early.threshold
    assert early.recovery is not None
    assert (early.recovery.held, early.recovery.rejected, early.recovery.needed) == (False, False, 14)
    world.run(6, good=40)
    recovery = the(of(world, "chat-availability"), "1h").recovery
    assert recovery is None


def test_bad_events_from_before_a_resolve_are_told_as_ignored() -> None:
    world = small_world()
    world.run(60, good=20)
    world.run(8, good=10, bad=10)
    world.run(60, good=20)
    assert not world.incident().open
    counted = world.engine.view(world.now).streams[0].counts.bad
    assert counted == 80
    assert the(of(world), "fast").ignored == counted


def test_incidents_alerts_slos_and_routes_lead_to_their_watches_with_the_guards_conditions() -> None:
    world = failing_world()
    incident = world.incident()
    for subject, kind in (
        (CHAT, "route"),
        (CHAT.removeprefix("/"), "route"),
        ("chat-availability", "slo"),
        (incident.id, "incident"),
        (incident.alerts[0].id, "alert"),
    ):
        found = of(world, subject)
        assert found.kind == kind
        assert found.incidents == (incident,)
        assert found.watches
    assert [each.firing for each in of(world, incident.alerts[0].id).watches] == [incident.alerts[0]]
    assert {each.route for each in of(world, "chat-uptime").watches} == {""}
    assert incident.decision is not None
    assert of(world).incidents[0].decision == incident.decision


def test_silences_and_the_latch_are_told() -> None:
    world = failing_world()
    world.commands.append(wish(world, CommandKind.SILENCE, CHAT, "c1"))
    world.tick()
    found = of(world)
    assert [(each.actor, each.why) for each in found.silences] == [("ann", "because")]
    assert [route.latched for route in found.routes] == [world.incident().rollback is not None]
    world.run(2 * MINUTE // SECOND, good=40)
    assert of(world).silences == ()


def test_of_closed_incidents_the_newest_are_told() -> None:
    world = small_world()
    for _ in range(SHOWN_CLOSED + 1):
        world.run(10, good=20)
        world.run(6, good=10, bad=10)
        world.run(10, good=20)
    world.run(20, good=20)
    found = of(world).incidents
    assert len([each for each in found if not each.open]) == SHOWN_CLOSED
    assert found[0].impact_start == max(each.impact_start for each in found)


@pytest.mark.parametrize("seed", range(2))
def test_a_tier_fires_in_the_tick_in_which_all_its_conditions_hold_and_in_no_other(seed: int) -> None:
    chance, world = random.Random(seed), small_world()
    fired = 0
    for _ in range(12):
        world.up = chance.random() > 0.1
        failing = chance.choice([0, 0, 1, 5, 20])
        for _ in range(chance.randint(1, 8)):
            world.serve(good=20 - failing, bad=failing)
            world.tick()
            for watch in of(world).watches:
                holds = all(each.holds is Tri.YES for each in watch.because)
                if watch.firing is None:
                    assert not holds
                elif watch.firing.fired_at == world.now:
                    fired += 1
                    assert holds
    assert fired


def test_severities_and_thresholds_are_those_of_the_tiers() -> None:
    world = small_world()
    found = of(world, "chat-availability")
    assert [(each.tier, each.severity) for each in found.watches if each.lane == "all"] == [
        ("fast", Severity.PAGE),
        ("slow", Severity.TICKET),
        ("early", Severity.PAGE),
    ]
    assert [the(found, tier).threshold for tier in ("fast", "slow", "early")] == [
        Fraction(144, 10_000),
        Fraction(6, 1000),
        Fraction(1, 5),
    ]


def test_excluded_time_is_named_with_its_events_and_is_not_taken_for_unmeasured_time() -> None:
    world = small_world()
    world.run(30, good=10)
    excluded(world, lasts=20)
    world.run(20, bad=10)
    found = of(world)
    (exclusion,) = found.exclusions
    tier = the(found, "fast")
    (out,) = tier.windows[0].left_out  # from the boundary of a slot on, a second before it was declared
    assert (out.lasted, out.inside.bad, out.inside.total, out.edge.total) == (21 * SECOND, 200, 210, 0)
    assert f"21.0 s excluded by {exclusion.id} (ann: upgrade): 210 events left out" in tier.because[1].text
    assert "taken as good for 1 min 10 s without" in tier.because[1].text  # of two minutes, 29 s are measured
    assert tier.because[0].text == f"excluded ({exclusion.id}, ann): upgrade"
    assert f"21.0 s excluded by {exclusion.id}" in the(found, "early").because[1].text


def test_the_explanation_names_exclusions_as_json_and_in_words_now_and_then() -> None:
    world = small_world()
    world.run(30, good=10)
    excluded(world, lasts=20)
    world.run(10, bad=10)
    then = world.now
    found, schema = of(world), {"$ref": "#/components/schemas/Explained", **openapi_document()}
    now = explanation_document(found)
    words = " ".join(" ".join(lines(now)).split())
    assert f"by {found.exclusions[0].id} (ann: upgrade)" in words
    world.run(60, good=10)
    for at, many in ((then, 1), (world.now, 0)):
        past = past_document(of(world), at, (), ())
        assert len(past["exclusions"]) == many  # type: ignore[arg-type]  # a list
        assert ("SET ASIDE" in "\n".join(lines(past))) is bool(many)
        Draft202012Validator(schema).validate(json.loads(json.dumps(past)))
    Draft202012Validator(schema).validate(json.loads(json.dumps(now)))
