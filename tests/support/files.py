"""Small files for tests, as people write them."""

from pathlib import Path

SLO = """\
version: 1
migration: ai-assistant
service: chat
window: 30d
routes:
  - {route: /api/v1/chat, stage: canary, rollback: chat-to-legacy}
slos:
  - name: chat-availability
    sli: {kind: availability}
    objective: 99.9%
  - name: chat-uptime
    sli: {kind: uptime, probe: {http: "http://127.0.0.1:8101/healthz", interval: 5s}}
    objective: 99.9%
criteria:
  - {name: legacy-traffic, measure: legacy_ratio, target: "< 1%", by: 2026-12-31}
"""

SETTINGS = """\
source: {scrape: {interval: 5s, targets: ["http://127.0.0.1:8101/metrics"]}}
state: {sqlite: figwatch.db}
receivers:
  - {name: oncall, pagerduty: {routing_key: {env: PAGERDUTY_KEY}}, for: [page], fallback: chat-ops}
  - {name: chat-ops, slack: {webhook_url: {file: secrets/slack}}}
rollback:
  plans:
    chat-to-legacy:
      data: dual_write
      legacy: {probe: "http://127.0.0.1:8100/healthz", capacity: 200/s}
      lag: {read: "http://127.0.0.1:8100/lag", field: seconds, at_most: 30s}
      steps:
        - {id: redirect, repeat: idempotent, http: {post: "http://gateway:8080/routes", json: {to: legacy, route: /x}}}
      verify: {slo: chat-availability, within: 2m}
"""


def write_project(folder: Path, *, settings: str = SETTINGS, **slo: str) -> str:
    """figwatch.yaml and slo/NAME.yaml under ``folder``; returns the path of figwatch.yaml."""
    folder.joinpath("slo").mkdir(parents=True, exist_ok=True)
    for name, text in (slo or {"chat": SLO}).items():
        folder.joinpath("slo", f"{name}.yaml").write_text(text, "utf-8")
    path = folder / "figwatch.yaml"
    path.write_text(settings, "utf-8")
    return str(path)
