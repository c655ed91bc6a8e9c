"""The one engine of run, replay, backtest and explain: inputs and an instant in, an Outcome out."""

from figwatch_agent.engine.engine import Engine

__all__ = ["Engine"]
