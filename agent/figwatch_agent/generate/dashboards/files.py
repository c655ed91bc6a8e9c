"""All dashboards as {path: text}; the same input gives the same bytes."""

from collections.abc import Sequence

from figwatch_agent.generate.dashboards.agent import agent
from figwatch_agent.generate.dashboards.board import Board
from figwatch_agent.generate.dashboards.business import REFERENCE, business
from figwatch_agent.generate.dashboards.incidents import incidents
from figwatch_agent.generate.dashboards.overview import overview
from figwatch_agent.generate.dashboards.service import service
from figwatch_agent.generate.dashboards.slo import slo
from figwatch_agent.generate.texts import Links


def boards(metrics: Sequence[str] = REFERENCE) -> tuple[Board, ...]:
    """Every dashboard; ``metrics`` are the business metrics to show."""
    return (overview(), service(), slo(), incidents(), agent(), *([business(metrics)] if metrics else []))


def dashboard_files(links: Links, metrics: Sequence[str] = REFERENCE) -> dict[str, str]:
    """The files. Raises ModuleNotFoundError where the extra ``dashboards`` is not installed."""
    from figwatch_agent.generate.dashboards.grafana import dashboard_text  # rules are generated without the SDK

    return {f"{board.uid}.json": dashboard_text(board, links) for board in boards(metrics)}
