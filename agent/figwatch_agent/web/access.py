"""Who may ask what: one rule for every path and method. A path without a rule is refused."""

from collections.abc import Mapping
from enum import Enum
from typing import Final

from aiohttp import web


class Rule(Enum):
    """What a request needs."""

    OPEN = "nothing: it says nothing about the migration, or it must work without people"
    LOOK = "nothing where web.access is public, else a token or a session of any role"
    TRUSTED = "a token or a session whose role is operate: it names people and where they come from"
    SELF = "a session; a form of this agent"
    FORM = "a session whose role is operate; a form of this agent"
    SIGNED = "a signature with a secret of web.webhooks, which the handler checks"
    TOKEN = "a bearer token whose role is operate"  # noqa: S105 (a sentence)


RULES: Final[Mapping[tuple[str, str], Rule]] = {
    ("GET", "/healthz"): Rule.OPEN,
    ("GET", "/readyz"): Rule.OPEN,
    ("GET", "/metrics"): Rule.OPEN,
    ("GET", "/sign-in"): Rule.OPEN,
    ("POST", "/sign-in"): Rule.OPEN,  # it asks for the token itself
    ("POST", "/sign-out"): Rule.SELF,
    ("GET", "/act/{kind}"): Rule.FORM,
    ("POST", "/act/{kind}"): Rule.FORM,
    ("POST", "/api/v1/commands"): Rule.TOKEN,
    ("POST", "/api/v1/events"): Rule.TOKEN,
    ("POST", "/api/v1/alertmanager"): Rule.TOKEN,
    ("POST", "/api/v1/webhooks/{name}"): Rule.SIGNED,
    ("GET", "/api/v1/events"): Rule.LOOK,
    ("GET", "/api/v1/baselines"): Rule.LOOK,
    ("GET", "/api/v1/exclusions"): Rule.LOOK,
    ("GET", "/api/v1/status"): Rule.LOOK,
    ("GET", "/api/v1/overview"): Rule.LOOK,
    ("GET", "/api/v1/routes"): Rule.LOOK,
    ("GET", "/api/v1/routes/{route}"): Rule.LOOK,
    ("GET", "/api/v1/incidents"): Rule.LOOK,
    ("GET", "/api/v1/incidents/{id}"): Rule.LOOK,
    ("GET", "/api/v1/criteria"): Rule.LOOK,
    ("GET", "/api/v1/explain"): Rule.LOOK,
    ("GET", "/api/v1/report"): Rule.LOOK,
    ("GET", "/api/v1/gate"): Rule.LOOK,
    ("GET", "/api/v1/agent"): Rule.LOOK,
    ("GET", "/api/v1/openapi.json"): Rule.OPEN,
    ("GET", "/badges/route/{route}.svg"): Rule.LOOK,
    ("GET", "/badges/criterion/{name}.svg"): Rule.LOOK,
    ("GET", "/api/v1/rollbacks"): Rule.LOOK,
    ("GET", "/api/v1/rollbacks/{id}"): Rule.LOOK,
    ("GET", "/api/v1/deliveries"): Rule.LOOK,
    ("GET", "/api/v1/transitions"): Rule.LOOK,
    ("GET", "/api/v1/audit"): Rule.TRUSTED,
    ("GET", "/runbooks"): Rule.LOOK,
    ("GET", "/runbooks/"): Rule.LOOK,
    ("GET", "/runbooks/{name}"): Rule.LOOK,
    ("GET", "/incidents/{id}"): Rule.LOOK,
    ("GET", "/incidents"): Rule.LOOK,
    ("GET", "/routes/{route}"): Rule.LOOK,
    ("GET", "/agent"): Rule.LOOK,
    ("GET", "/"): Rule.LOOK,
    ("GET", "/live"): Rule.LOOK,
    ("GET", "/static/{digest}/{name}"): Rule.OPEN,
    ("GET", "/icon/{state}.svg"): Rule.OPEN,
    ("GET", "/favicon.ico"): Rule.OPEN,
}
"""By method and path. HEAD asks what GET asks."""


def key_of(request: web.Request) -> tuple[str, str] | None:
    """Where the rule of a request stands; None for a path or method that nobody answers."""
    resource = request.match_info.route.resource
    if request.match_info.http_exception is not None or resource is None:
        return None
    return "GET" if request.method == "HEAD" else request.method, resource.canonical


def rule_of(request: web.Request) -> Rule:
    """The rule of a request. What nobody answers needs nothing to be told so."""
    key = key_of(request)
    if key is None:
        return Rule.OPEN
    return RULES.get(key, Rule.LOOK if key[0] == "GET" else Rule.TOKEN)
