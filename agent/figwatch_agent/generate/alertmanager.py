"""Alertmanager's side: who is told what, and what is not worth telling while something larger is told."""

from typing import Any

from figwatch_agent.generate.agent_alerts import SERVICE
from figwatch_agent.model.names import AlertName, Severity

PAGE = "figwatch-page"
TICKET = "figwatch-ticket"
PAGERDUTY_KEY = "/etc/alertmanager/secrets/pagerduty_routing_key"
SLACK_URL = "/etc/alertmanager/secrets/slack_webhook_url"

_SUMMARIES = '{{ range .Alerts }}{{ .Annotations.summary }}{{ "\\n" }}{{ end }}'
_WHOLE = (
    '{{ range .Alerts }}*{{ .Annotations.summary }}*{{ "\\n" }}{{ .Annotations.description }}{{ "\\n" }}'
    '{{ .Annotations.decide }}{{ "\\n" }}{{ .Annotations.runbook_url }}{{ "\\n" }}'
    '{{ .Annotations.dashboard_url }}{{ "\\n" }}{{ end }}'
)


def alertmanager_config() -> dict[str, Any]:
    """A whole configuration; its routes and inhibition rules can be moved into one that exists.

    Alerts of one route are one group, as they are one incident for the agent. A page is never held back.
    """
    return {
        "route": {
            "receiver": TICKET,
            "group_by": ["migration", "service", "route", "severity"],
            "group_wait": "30s",
            "group_interval": "5m",
            "repeat_interval": "1d",
            "routes": [
                {
                    "receiver": PAGE,
                    "matchers": [f'severity="{Severity.PAGE.value}"'],
                    "group_wait": "0s",
                    "group_interval": "1m",
                    "repeat_interval": "4h",
                },
                {"receiver": TICKET, "matchers": [f'severity="{Severity.TICKET.value}"']},
            ],
        },
        "inhibit_rules": _inhibition(),
        "receivers": [
            {
                "name": PAGE,
                "pagerduty_configs": [
                    {
                        "routing_key_file": PAGERDUTY_KEY,
                        "description": "{{ .CommonLabels.service }}: {{ (index .Alerts 0).Annotations.summary }}",
                        "details": {"alerts": _WHOLE},
                    }
                ],
            },
            {
                "name": TICKET,
                "slack_configs": [
                    {
                        "api_url_file": SLACK_URL,
                        "send_resolved": True,
                        "title": _SUMMARIES,
                        "text": _WHOLE,
                    }
                ],
            },
        ],
    }


def _inhibition() -> list[dict[str, Any]]:
    page, ticket = f'severity="{Severity.PAGE.value}"', f'severity="{Severity.TICKET.value}"'
    lost, silent = f'alertname="{AlertName.TELEMETRY_LOST.value}"', f'alertname="{AlertName.TRAFFIC_LOST.value}"'
    ourselves, others = f'service="{SERVICE}"', f'service!="{SERVICE}"'
    return [
        # A slow burn is no news while the same promise burns fast.
        {"source_matchers": [page, others], "target_matchers": [ticket, others], "equal": ["service", "slo", "route"]},
        # What is not measured has no traffic either.
        {"source_matchers": [lost], "target_matchers": [silent], "equal": ["service", "slo", "route"]},
        # While figwatch itself is gone, what it says of itself is old, and a page has been sent already.
        {
            "source_matchers": [page, lost, ourselves],
            "target_matchers": [ticket, ourselves],
        },
        {"source_matchers": [page, lost, ourselves], "target_matchers": [ticket, lost, others]},
    ]
