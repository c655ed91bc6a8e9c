"""A page that is accepted only after its incident has ended was a page all the same."""

from figwatch_agent.model.names import Mode
from figwatch_agent.model.outcome import TransitionKind
from figwatch_agent.model.page import PageKind
from support.engine import compact
from support.world import World, settings


def over_before_it_was_told() -> World:
    """A world whose only incident has ended, and whose page is accepted with the next tick."""
    world = World((compact(),), settings(mode=Mode.DRY_RUN))
    world.both(20)
    world.both(6, service_bad=40)
    world.both(20)
    assert not world.incident().open
    assert world.incident().paged_at is None
    world.accepted(world.rows(PageKind.TRIGGER)[0])
    return world


def test_the_ended_incident_says_when_it_was_paged() -> None:
    world = over_before_it_was_told()
    accepted = world.now
    outcome = world.tick()
    assert [incident.paged_at for incident in outcome.incidents] == [accepted]
    assert [incident.paged_at for incident in world.engine.view(world.now).incidents] == [accepted]
    assert len(world.said(TransitionKind.INCIDENT_PAGED)) == 1


def test_a_second_acceptance_changes_nothing() -> None:
    world = over_before_it_was_told()
    world.tick()
    world.accepted(world.rows(PageKind.TRIGGER)[0])
    assert world.tick().incidents == ()
    assert len(world.said(TransitionKind.INCIDENT_PAGED)) == 1
