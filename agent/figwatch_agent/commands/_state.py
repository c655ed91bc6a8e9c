"""An engine as the state keeps it, for verbs that answer beside a running agent or without one."""

from pathlib import Path

from figwatch_agent.engine import Engine
from figwatch_agent.errors import NotEnoughData
from figwatch_agent.files.load import Loaded
from figwatch_agent.model.baseline import RecordedBaseline
from figwatch_agent.model.event import Event
from figwatch_agent.model.outcome import Saved
from figwatch_agent.store.writer import open_inbox

MOST_EVENTS = 10_000


def kept_engine(loaded: Loaded) -> tuple[Engine, Saved]:
    """The engine as of the last committed tick. Raises StoreError, and NotEnoughData where there was no tick yet."""
    path = loaded.settings.state
    with open_inbox(path) as inbox:
        saved = inbox.saved()
    if not saved.sequence:
        raise NotEnoughData(f"the agent of {Path(path)} has not finished a tick yet: let it run, and ask again")
    return Engine(loaded.services, loaded.settings, saved), saved


def told(saved: Saved) -> tuple[tuple[Event, ...], tuple[RecordedBaseline, ...]]:
    """The newest events, and the baselines."""
    return saved.events[-MOST_EVENTS:], saved.baselines
