"""The files that a user would write for the stack in the box: slo/*.yaml and figwatch.yaml, with the real addresses.

Secrets are named by environment variable and never written.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import urlencode

from figwatch_agent.demo import routes, tokens

HOLD_SECONDS: Final = 5
"""Five minutes by default; the story has ninety seconds, and prints this."""
LEGACY_CAPACITY: Final = "500/s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """Where everything listens, as URLs without a path."""

    gateway: str
    legacy: str
    services: Mapping[str, str]  # by the names in routes.SERVICES
    pager: str
    agent_port: int  # where the agent is to listen


def write(folder: Path, addresses: Addresses, shares: Mapping[str, int]) -> list[Path]:
    """Write all files below ``folder`` and return their paths, figwatch.yaml first; ``shares`` are the gateway's."""
    texts = {"figwatch.yaml": settings(addresses)}
    texts |= {f"slo/{spelled(service)}.yaml": promises(service, addresses, shares) for service in routes.SERVICES}
    for name, text in texts.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return [folder / name for name in texts]


def spelled(service: str) -> str:
    """A service's name as people write it: ``model-gateway``."""
    return service.replace("_", "-")


def plan(route: routes.Route) -> str:
    """Name of the rollback plan of a route: ``api-v1-chat-id-to-legacy``."""
    words = route.template.replace("{", "").replace("}", "").strip("/").split("/")
    return "-".join([*words, "to-legacy"])


def promises(service: str, addresses: Addresses, shares: Mapping[str, int]) -> str:
    """The file slo/<service>.yaml."""
    name = spelled(service)
    own = [route for route in routes.ROUTES if route.service == service]
    lines = [
        f'  - {{route: "{route.template}", stage: {_stage(shares[route.template])}, rollback: {plan(route)}}}'
        for route in own
    ]
    criteria = _CRITERIA if service == routes.SERVICES[0] else ""
    return _PROMISES.format(name=name, routes="\n".join(lines), url=addresses.services[service]) + criteria


def _stage(share: int) -> str:
    return {0: "legacy", 100: "migrated"}.get(share, "canary")


def settings(addresses: Addresses) -> str:
    """The file figwatch.yaml."""
    scraped = [addresses.gateway, addresses.legacy, *addresses.services.values()]
    return _SETTINGS.format(
        targets="\n".join(f"      - {url}/metrics" for url in scraped),
        pager=addresses.pager,
        hold=f"{HOLD_SECONDS}s",
        plans="\n".join(_plan(route, addresses) for route in routes.ROUTES),
        port=addresses.agent_port,
        pagerduty=tokens.PAGERDUTY,
        slack=tokens.SLACK,
        webhook=tokens.WEBHOOK,
        agent=tokens.AGENT,
    )


def _plan(route: routes.Route, addresses: Addresses) -> str:
    return _PLAN.format(
        name=plan(route),
        legacy=addresses.legacy,
        capacity=LEGACY_CAPACITY,
        gateway=addresses.gateway,
        route=route.template,
        query=urlencode({"route": route.template}, safe="/"),
        service=spelled(route.service),
        token=tokens.GATEWAY,
    )


_PROMISES: Final = """\
version: 1
migration: ai-assistant
service: {name}
window: 30d
routes:
{routes}
slos:
  - name: {name}-availability
    sli: {{kind: availability}}
    objective: 99.9%
  - name: {name}-latency
    sli: {{kind: latency, threshold: 200ms}}
    objective: 95%
  - name: {name}-uptime
    sli: {{kind: uptime, probe: {{http: "{url}/healthz", interval: 1s, timeout: 900ms}}}}
    objective: 99.9%
"""

_CRITERIA: Final = """\
criteria:
  - {name: uptime, measure: uptime, slo: chat-uptime, target: "> 99.9%", over: 1m}
  - {name: latency-p95, measure: latency_p95, slo: chat-latency, target: "< 200ms", over: 1m}
  - {name: data-loss, measure: data_loss, target: "< 1"}
  - {name: deployments, measure: deployment_frequency, target: "x5"}
  - {name: mttr, measure: mttr, target: "< 15m"}
  - {name: legacy-traffic, measure: legacy_ratio, target: "< 1%", over: 1m}
  - {name: satisfaction, measure: satisfaction, target: "kept"}
  - {name: delivery-speed, measure: delivery_speed, target: "+40%"}
  - {name: infrastructure-cost, measure: infrastructure_cost, target: "-30%"}
  - {name: productivity, measure: developer_productivity, target: "up"}
  - {name: time-to-market, measure: time_to_market, target: "-50%"}
"""

_SETTINGS: Final = """\
source:
  scrape:
    interval: 1s
    targets:
{targets}
state: {{sqlite: figwatch.db}}
alerting: {{hold: {hold}}}
receivers:
  - name: oncall
    for: [page]
    pagerduty: {{routing_key: {{env: {pagerduty}}}, url: "{pager}/v2/enqueue"}}
    fallback: chat-ops
  - name: chat-ops
    for: [page, ticket]
    slack: {{webhook_url: {{env: {slack}}}}}
  - name: audit
    for: [page, ticket]
    webhook: {{url: "{pager}/hook", secret: {{env: {webhook}}}}}
rollback:
  mode: auto
  plans:
{plans}
web:
  listen: 127.0.0.1:{port}
  tokens:
    - {{name: demo, token: {{env: {agent}}}}}
"""

_PLAN: Final = """\
    {name}:
      data: stateless
      legacy: {{probe: "{legacy}/healthz", capacity: {capacity}}}
      gateway:
        read:
          get: "{gateway}/routes/one?{query}"
          headers: {{Authorization: {{bearer: {{env: {token}}}}}}}
        fields: [service_share, revision]
      steps:
        - id: redirect
          repeat: idempotent
          http:
            post: "{gateway}/routes"
            headers: {{Authorization: {{bearer: {{env: {token}}}}}}}
            json: {{route: "{route}", to: legacy}}
      verify: {{slo: {service}-availability, within: 20s}}"""
