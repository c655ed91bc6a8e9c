"""From settings to concrete classes: the one place that knows which they are."""

from figwatch_agent.wiring.building import Agent, build

__all__ = ["Agent", "build"]
