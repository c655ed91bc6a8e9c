"""The real Alertmanager on the configuration that is generated, told alerts as Prometheus tells them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp

from figwatch_agent.generate.alertmanager import PAGE, TICKET, alertmanager_config
from support.real_alertmanager import RealAlertmanager, alertmanager

AN_HOUR = timedelta(hours=1)
QUICK = {"group_wait": "0s", "group_interval": "300ms", "repeat_interval": "1h"}


@dataclass(slots=True)
class Prometheus:
    """Posts alerts, and remembers when each began, as a rule does."""

    server: RealAlertmanager
    began: dict[str, datetime] = field(default_factory=dict)

    async def fires(self, name: str, **labels: str) -> None:
        """Told for the first time, or once more."""
        await self._post(name, labels, datetime.now(UTC) + AN_HOUR)

    async def resolves(self, name: str, **labels: str) -> None:
        """It is over since a moment ago."""
        await self._post(name, labels, datetime.now(UTC))

    async def _post(self, name: str, labels: Mapping[str, str], ends: datetime) -> None:
        began = self.began.setdefault(name, datetime.now(UTC) - timedelta(seconds=2))
        alert = {
            "labels": {"alertname": name, **labels},
            "annotations": {"summary": f"{name} is told"},
            "startsAt": began.isoformat(),
            "endsAt": ends.isoformat(),
            "generatorURL": "http://127.0.0.1:9090/graph",
        }
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"{self.server.url}/api/v2/alerts", json=[alert]) as answer,
        ):
            assert answer.status == 200, await answer.text()


@asynccontextmanager
async def generated(
    folder: Path, hook: str, token: str = "", options: Sequence[str] = (), **times: str
) -> AsyncIterator[Prometheus]:
    """Routes and inhibition as generated, with quick times; both receivers tell one webhook."""
    async with alertmanager(folder, hook=hook, options=options) as server:
        config = alertmanager_config()
        quick = {**QUICK, **times}
        config["route"] |= quick
        for route in config["route"]["routes"]:
            route |= quick
        told: dict[str, Any] = {"url": hook, "send_resolved": True, "max_alerts": 50}
        if token:
            told["http_config"] = {"authorization": {"type": "Bearer", "credentials": token}}
        config["receivers"] = [{"name": name, "webhook_configs": [told]} for name in (PAGE, TICKET)]
        (server.folder / "alertmanager.json").write_text(json.dumps(config), "utf-8")
        async with aiohttp.ClientSession() as session, session.post(f"{server.url}/-/reload") as answer:
            assert answer.status == 200, await answer.text()
        yield Prometheus(server)


async def told_by_webhook(server: RealAlertmanager, what: str = "notifications_total") -> int:
    """How many notifications it sent by webhook so far, or how many ``notification_requests_failed_total``."""
    async with aiohttp.ClientSession() as session, session.get(f"{server.url}/metrics") as answer:
        text = await answer.text()
    name = f'alertmanager_{what}{{integration="webhook"'
    return sum(int(float(line.rpartition(" ")[2])) for line in text.splitlines() if line.startswith(name))
