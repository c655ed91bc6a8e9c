"""SLOs that nobody is told about: the originals had their alerts switched off."""

from dataclasses import replace

from support.engine import compact
from support.world import World, settings


def test_an_slo_without_tiers_is_measured_and_pages_nobody() -> None:
    chat = compact()
    quiet = replace(chat, slos=tuple(replace(slo, tiers=(), early=False) for slo in chat.slos))
    world = World((quiet,), settings())
    world.both(60)
    world.both(60, service_bad=40)
    assert world.rows() == []
    (stream, *_) = world.engine.view(world.now).streams
    assert stream.tiers == ()
