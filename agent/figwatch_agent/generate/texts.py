"""What an alert says to the person on call: summary, description, what to decide, and where to look."""

from dataclasses import dataclass
from typing import Final

from figwatch_agent.generate.panel_ids import PANELS, panel_id
from figwatch_agent.generate.series import ALL
from figwatch_agent.model.names import AlertName

ROUTE: Final = "{{ $labels.route }}"
ROUTE_IN_URL: Final = "{{ $labels.route | urlquery }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """Where links lead."""

    runbooks: str = "http://127.0.0.1:9464/runbooks/"  # prefix; the alert's name is appended
    grafana: str = "http://127.0.0.1:3000"  # without a slash at its end
    agent: str = "http://127.0.0.1:9464"  # without a slash at its end


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """The sentences of one alert. Templates of Prometheus are allowed."""

    summary: str
    description: str
    decide: str  # what the person who is called has to decide, and by what
    variables: tuple[tuple[str, str], ...] = ()  # of the alert's dashboard, values ready for a URL


def annotations(name: AlertName, text: Text, links: Links) -> dict[str, str]:
    """As they stand in a rule."""
    board, panel = PANELS[name]
    query = "".join(f"&var-{key}={value}" for key, value in text.variables)
    return {
        "summary": text.summary,
        "description": text.description,
        "decide": text.decide,
        "runbook_url": f"{links.runbooks}{name.value}",
        "dashboard_url": f"{links.grafana}/d/{board}?viewPanel={panel_id(board, panel)}{query}",
    }


def place(service: str) -> str:
    """Where it is, for a summary."""
    return f'{{{{ if eq $labels.route "{ALL}" }}}}{service}{{{{ else }}}}{service} {ROUTE}{{{{ end }}}}'
