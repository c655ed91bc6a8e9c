"""Which path of the API is answered by what. The OpenAPI document names the same paths, and a test says so."""

from figwatch_agent.web.api import Api
from figwatch_agent.web.api_badges import Badges
from figwatch_agent.web.api_query import Handler, checked
from figwatch_agent.web.deps import Deps
from figwatch_agent.web.events import Events
from figwatch_agent.web.explaining import Explaining
from figwatch_agent.web.records import Records


def api_routes(deps: Deps) -> dict[str, Handler]:
    """Reads by their path, badges included."""
    api, records, badges, events = Api(deps), Records(deps), Badges(deps), Events(deps)
    explaining = Explaining(deps)
    reads: dict[str, Handler] = {
        "/api/v1/status": api.status,
        "/api/v1/overview": api.overview,
        "/api/v1/routes": api.routes,
        "/api/v1/routes/{route:.+}": api.route,
        "/api/v1/incidents": api.incidents,
        "/api/v1/incidents/{id:.+}": api.incident,
        "/api/v1/criteria": api.criteria,
        "/api/v1/explain": explaining.explain,
        "/api/v1/report": api.report,
        "/api/v1/gate": api.gate,
        "/api/v1/exclusions": api.exclusions,
        "/api/v1/agent": api.agent,
        "/api/v1/rollbacks": records.rollbacks,
        "/api/v1/rollbacks/{id:.+}": records.rollback,
        "/api/v1/deliveries": records.deliveries,
        "/api/v1/transitions": records.transitions,
        "/api/v1/audit": records.audit,
        "/api/v1/events": events.told,
        "/api/v1/baselines": events.baselines,
        "/api/v1/openapi.json": api.openapi,
        "/badges/route/{route:.+}.svg": badges.route,
        "/badges/criterion/{name:.+}.svg": badges.criterion,
    }
    return {path: checked(handler) for path, handler in reads.items()}
