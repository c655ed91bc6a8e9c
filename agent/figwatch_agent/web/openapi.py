"""The API as an OpenAPI 3.1 document, built from the words of the model so that neither drifts from the other."""

from functools import cache
from typing import Any, Final

from figwatch import contract
from figwatch_agent.model.event import EventKind
from figwatch_agent.model.history import SPANS
from figwatch_agent.model.names import Stage
from figwatch_agent.web.answers import BODY_LIMIT
from figwatch_agent.web.api_query import LONGEST_ID, LONGEST_ROUTE, LONGEST_SUBJECT, LONGEST_TEXT, MOST, MOST_PAGES
from figwatch_agent.web.openapi_alertmanager import ALERTMANAGER
from figwatch_agent.web.openapi_parts import Schema, ref, word
from figwatch_agent.web.openapi_schemas import SCHEMAS

_ABOUT: Final = """What figwatch measures, decides and remembers, as its pages show it.

Instants are ISO 8601 in UTC. Counts are whole numbers and exact. Ratios are rounded half to even at 9 decimals, and one
that is not whole never shows as 0 or 1. What is not known is null; a member beside it says why. Members may be added to
a version; none changes its meaning. Errors are a list that names every problem of a request.
"""

_ERRORS: Final[dict[str, str]] = {
    "400": "The request cannot be read; the errors say why.",
    "401": "This needs a token.",
    "403": "The token may not do this.",
    "404": "There is no such thing.",
    "408": "The body did not come in time.",
    "413": "The body is too large.",
    "414": "Path and query are too long.",
    "415": "The body is of another type.",
    "429": "Too many requests; wait as Retry-After says.",
    "500": "figwatch failed; its log says why.",
    "503": "Nothing was seen yet, or the state cannot be read; ask again.",
}

_LIMIT: Final[Schema] = {
    "name": "limit",
    "in": "query",
    "description": "at most so many, the newest",
    "schema": {"type": "integer", "minimum": 1, "maximum": MOST},
}
_SPAN: Final[Schema] = {"name": "span", "in": "query", "description": "how far back", "schema": word(SPANS)}
_OVERVIEW: Final[tuple[Schema, ...]] = (
    {
        "name": "page",
        "in": "query",
        "description": "which page; one beyond the last is the last",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST_PAGES},
    },
    {
        "name": "q",
        "in": "query",
        "description": "part of a route's template or of its service's name",
        "schema": {"type": "string", "maxLength": LONGEST_TEXT},
    },
    {"name": "stage", "in": "query", "description": "routes of this stage", "schema": word(Stage)},
    _SPAN,
)
_INCIDENT: Final[Schema] = {
    "name": "incident",
    "in": "query",
    "description": "those of one incident",
    "schema": {"type": "string", "maxLength": LONGEST_ID},
}
_SUBJECT: Final[tuple[Schema, ...]] = (
    {
        "name": "subject",
        "in": "query",
        "required": True,
        "description": "a route, an SLO, or the id of an incident or an alert",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_SUBJECT},
    },
    {
        "name": "at",
        "in": "query",
        "description": "an instant of the past: what was stored then",
        "schema": {"type": "string", "format": "date-time"},
    },
)
_GATE: Final[tuple[Schema, ...]] = (
    {
        "name": "route",
        "in": "query",
        "required": True,
        "description": "the route's template",
        "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_ROUTE},
    },
    {"name": "to", "in": "query", "description": "the stage; the next one without it", "schema": word(Stage)},
    {
        "name": "over",
        "in": "query",
        "description": "judge budgets over this time",
        "schema": {"type": "string", "pattern": "^[1-9][0-9]?[smhd]$"},
    },
)
_EVENT_KIND: Final[Schema] = {
    "name": "kind",
    "in": "query",
    "description": "events of this kind",
    "schema": word(EventKind),
}
_KEY: Final[Schema] = {
    "name": "Idempotency-Key",
    "in": "header",
    "description": "the same key of the same token is the same wish",
    "schema": {"type": "string", "minLength": 1, "maxLength": 200, "pattern": "^[!-~]+$"},
}


@cache
def openapi_document() -> dict[str, Any]:
    """The whole document."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "figwatch",
            "version": contract.__version__,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": "see"}, {"name": "remember"}, {"name": "act"}],
        "paths": _paths(),
        "components": {
            "schemas": SCHEMAS | ALERTMANAGER,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "a token of web.tokens in figwatch.yaml"}
            },
        },
    }


def _paths() -> dict[str, Any]:
    return {
        "/api/v1/status": _get("see", "status", "Everything that the newest view holds", "Status"),
        "/api/v1/overview": _get("see", "overview", "Routes, worst first, and the whole", "Overview", _OVERVIEW),
        "/api/v1/routes": _get("see", "routes", "A page of routes, worst first", "Routes", _OVERVIEW),
        "/api/v1/routes/{route}": _get(
            "see", "route", "One route, both sides over time", "Route", (_path("route"), _SPAN), found=True
        ),
        "/api/v1/incidents": _get("see", "incidents", "Open incidents, then the newest closed", "Incidents"),
        "/api/v1/incidents/{id}": _get(
            "see", "incident", "Everything that is known of one", "Incident", (_path("id"),), found=True
        ),
        "/api/v1/explain": _get(
            "see", "explain", "Why it pages, or not, and why a rollback is withheld", "Explained", _SUBJECT, found=True
        ),
        "/api/v1/criteria": _get("see", "criteria", "Success criteria with verdicts", "Criteria"),
        "/api/v1/report": _get("see", "report", "Everything that the migration is judged by", "Report"),
        "/api/v1/gate": _get("see", "gate", "Whether a route may move on", "Gate", _GATE, found=True),
        "/api/v1/exclusions": _get("see", "exclusions", "Maintenance that is set aside, newest first", "Exclusions"),
        "/api/v1/agent": _get("see", "agent", "The agent about itself", "Agent"),
        "/api/v1/rollbacks": _get("remember", "rollbacks", "Rollbacks with their journal", "Rollbacks", (_LIMIT,)),
        "/api/v1/rollbacks/{id}": _get(
            "remember", "rollback", "One, by its own id or its incident's", "Rollback", (_path("id"),), found=True
        ),
        "/api/v1/deliveries": _get("remember", "deliveries", "Who was told what", "Deliveries", (_INCIDENT, _LIMIT)),
        "/api/v1/transitions": _get("remember", "transitions", "What happened", "Transitions", (_LIMIT,)),
        "/api/v1/audit": _for_operators(
            _get("remember", "audit", "Who asked for what, newest first", "Audit", (_LIMIT,))
        ),
        "/api/v1/events": {
            **_get("remember", "events", "What was told, newest first", "Events", (_EVENT_KIND, _LIMIT)),
            "post": _told(),
        },
        "/api/v1/baselines": _get("remember", "baselines", "What criteria are compared with", "Baselines"),
        "/api/v1/webhooks/{name}": {"post": _webhook()},
        "/api/v1/alertmanager": {"post": _alertmanager()},
        "/api/v1/openapi.json": _get("see", "openapi", "This document", None),
        "/api/v1/commands": {"post": _commands()},
    }


def _get(
    tag: str, name: str, summary: str, schema: str | None, parameters: tuple[Schema, ...] = (), *, found: bool = False
) -> dict[str, Any]:
    body: Schema = {"type": "object", "required": ["openapi", "paths"]} if schema is None else ref(schema)
    statuses = ["400", "401", *(["404"] if found else []), "414", "429", "500", "503"]
    operation = {
        "tags": [tag],
        "operationId": name,
        "summary": summary,
        "security": [{}, {"token": []}],
        "responses": {"200": _answer(summary, body), **_failures(statuses)},
    }
    return {"get": {**operation, "parameters": list(parameters)} if parameters else operation}


def _for_operators(path: dict[str, Any]) -> dict[str, Any]:
    get = path["get"]
    return {"get": {**get, "security": [{"token": []}], "responses": {**get["responses"], **_failures(["403"])}}}


def _commands() -> dict[str, Any]:
    return {
        "tags": ["act"],
        "operationId": "command",
        "summary": "Wish for something; the loop decides in its next tick",
        "description": f"Durable when answered. A body has at most {BODY_LIMIT} bytes.",
        "security": [{"token": []}],
        "parameters": [_KEY],
        "requestBody": {"required": True, "content": {"application/json": {"schema": ref("Wish")}}},
        "responses": {
            "202": _answer("It is in the inbox", ref("Taken")),
            **_failures(["400", "401", "403", "408", "413", "414", "415", "429", "500", "503"]),
        },
    }


def _told() -> dict[str, Any]:
    return {
        "tags": ["act"],
        "operationId": "tell",
        "summary": "Tell of events, one or many, taken all or not at all",
        "description": "An id that is known changes nothing and is counted.",
        "security": [{"token": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": ref("Told")}}},
        "responses": {
            "202": _answer("All are in the inbox", ref("TakenEvents")),
            **_failures(["400", "401", "403", "408", "413", "414", "415", "429", "500", "503"]),
        },
    }


def _webhook() -> dict[str, Any]:
    body: Schema = {"type": "object"}
    return {
        "tags": ["act"],
        "operationId": "webhook",
        "summary": "A deployment, told by another system in GitHub's shape or a plain one, signed",
        "description": "Signed with a secret of web.webhooks: X-Hub-Signature-256, or X-Figwatch-Signature.",
        "security": [],
        "parameters": [_path("name")],
        "requestBody": {"required": True, "content": {"application/json": {"schema": body}}},
        "responses": {
            "200": _answer("Well signed, and nothing to count", ref("TakenEvents")),
            "202": _answer("It is in the inbox", ref("TakenEvents")),
            **_failures(["400", "401", "403", "408", "413", "414", "415", "429", "500", "503"]),
        },
    }


def _alertmanager() -> dict[str, Any]:
    return {
        "tags": ["act"],
        "operationId": "alertmanager",
        "summary": "Alerts of other systems, as Alertmanager's webhook tells them",
        "description": "An alert that is known, by its fingerprint and start, changes nothing and is counted.",
        "security": [{"token": []}],
        "requestBody": {"required": True, "content": {"application/json": {"schema": ref("AlertmanagerNotification")}}},
        "responses": {
            "200": _answer("All are in the inbox", ref("TakenAlerts")),
            **_failures(["400", "401", "403", "408", "413", "414", "415", "429", "500", "503"]),
        },
    }


def _path(name: str) -> Schema:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1}}


def _answer(text: str, schema: Schema) -> Schema:
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _failures(statuses: list[str]) -> dict[str, Schema]:
    return {status: _answer(_ERRORS[status], ref("Errors")) for status in statuses}
