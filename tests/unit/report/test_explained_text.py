"""What somebody reads who asks why: golden texts, and the document of an instant of the past."""

from pathlib import Path

import pytest

from figwatch_agent.durations import MINUTE, SECOND
from figwatch_agent.model.explanation import Explanation
from figwatch_agent.model.names import Mode
from figwatch_agent.report.explained import explanation_document, past_document
from figwatch_agent.report.explained_text import WIDTH, lines
from support.agent_site import failing_world
from support.engine import compact
from support.world import CHAT, World, settings

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "explain"


def explained(world: World, subject: str = CHAT) -> Explanation:
    found = world.engine.explain(subject)
    assert found is not None
    return found


def past(world: World, back: int) -> dict[str, object]:
    transitions = [each for outcome in world.outcomes for each in outcome.transitions][::-1]
    history = world.engine.history(CHAT, 15 * MINUTE)
    assert history is not None
    return past_document(explained(world), world.now - back, transitions, [history])


def quiet_world() -> World:
    """Two failures in a minute and a half."""
    world = World((compact(),), settings(mode=Mode.DRY_RUN))
    world.serve(good=1, bad=1)
    world.tick()
    world.run(90, good=20)
    world.run(1, good=18, bad=2)
    return world


def withheld_world() -> World:
    """Both sides fail alike."""
    world = World()
    world.both(30)
    world.both(8, service_bad=20, legacy_bad=5)
    return world


TEXTS = {
    "quiet": lambda: explanation_document(explained(quiet_world())),
    "paging": lambda: explanation_document(explained(failing_world(), "chat-availability")),
    "withheld": lambda: explanation_document(explained(withheld_world(), withheld_world().incident().id)),
    "past": lambda: past(failing_world(), 3 * SECOND),
}


@pytest.mark.parametrize("name", TEXTS)
def test_the_text_is_the_golden_one(name: str) -> None:
    text = "\n".join(lines(TEXTS[name]())) + "\n"
    assert text == (GOLDEN / f"{name}.txt").read_text("utf-8")


@pytest.mark.parametrize("name", TEXTS)
def test_no_line_is_wider_than_a_terminal_of_somebody_on_call(name: str) -> None:
    assert max(len(line) for line in lines(TEXTS[name](), everything=True)) <= WIDTH


def test_everything_holds_what_is_left_out_otherwise() -> None:
    document = explanation_document(explained(quiet_world()))
    short, whole = list(lines(document)), list(lines(document, everything=True))
    assert len(whole) > len(short)
    assert any("+ measured" in line for line in whole)
    assert not any("+ measured" in line for line in short)


def test_the_past_tells_what_fired_then_and_no_more() -> None:
    world = failing_world()
    begun = min(alert.fired_at for alert in world.incident().alerts)
    assert past(world, world.now - begun + 1)["incidents"] == []
    told = past(world, world.now - begun)["past"]
    assert isinstance(told, dict)
    assert {each["id"] for each in told["alerts"]} == {
        alert.id for alert in world.incident().alerts if alert.fired_at <= begun
    }
    assert told["decisions"][0]["conditions"]
    assert told["counted"][0]["bad"] == 160


def test_the_past_says_what_is_not_known() -> None:
    world = failing_world()
    told = past(world, world.now)["past"]
    assert isinstance(told, dict)
    assert told["counted"] == []
    assert any("is not kept" in each for each in told["unknown"])
    assert any("any more" in each for each in told["unknown"])


def test_a_hostile_word_cannot_steer_the_terminal() -> None:
    document = explanation_document(explained(quiet_world()))
    document["subject"] = "x\x1b[2Jy"
    assert "\x1b" not in "".join(lines(document))
