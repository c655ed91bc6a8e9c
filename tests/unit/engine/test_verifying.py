"""Whether a rollback helped is judged on what fired, not only on what the plan names."""

from figwatch_agent.model.incident import RollbackVerdict
from figwatch_agent.model.names import AlertName
from support.world import World


def _slow_until_rolled_back(world: World) -> None:
    world.both(20)
    for _ in range(20):
        world.serve(side="service", slow=40)
        world.serve(side="legacy", good=10)
        world.tick()
        if world.intents():
            break
    world.rolled_back()


def _verdict(world: World) -> RollbackVerdict:
    rollback = world.incident().rollback
    assert rollback is not None
    return rollback.verdict


def test_a_latency_fault_that_legacy_shows_too_makes_the_rollback_ineffective_although_nothing_fails() -> None:
    world = World()
    _slow_until_rolled_back(world)
    world.run(125, side="legacy", slow=50)
    assert _verdict(world) is RollbackVerdict.INEFFECTIVE
    assert AlertName.ROLLBACK_INEFFECTIVE in {alert.name for alert in world.incident().alerts}


def test_a_latency_fault_that_ends_with_the_rollback_has_been_helped() -> None:
    world = World()
    _slow_until_rolled_back(world)
    world.run(3, side="legacy", good=50)
    assert _verdict(world) is RollbackVerdict.HELPED


def test_without_requests_a_rollback_is_unverified_at_the_deadline_and_not_before() -> None:
    world = World()
    _slow_until_rolled_back(world)
    world.run(100)
    assert _verdict(world) is RollbackVerdict.PENDING
    world.run(30)
    assert _verdict(world) is RollbackVerdict.UNVERIFIED
