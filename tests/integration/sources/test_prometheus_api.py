"""What the agent's own reader asks beyond samples and metadata."""

from __future__ import annotations

from aiohttp import web

from figwatch_agent.model.settings import PrometheusServer
from figwatch_agent.sources.prometheus_api import PrometheusApi
from support.readers import read_secret
from support.served import everywhere, served


async def test_rules_alerts_and_exemplars_have_their_own_paths() -> None:
    asked: list[tuple[str, str, dict[str, str]]] = []

    async def handle(request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        asked.append((request.method, request.path, form))
        return web.json_response({"status": "success", "data": []})

    async with served(everywhere(handle)) as url:
        api = PrometheusApi(PrometheusServer(url=url), read_secret)
        await api.rules()
        await api.alerts()
        await api.exemplars("up", 1_000, 9_000)
        await api.close()
    assert asked == [
        ("GET", "/api/v1/rules", {}),
        ("GET", "/api/v1/alerts", {}),
        ("POST", "/api/v1/query_exemplars", {"query": "up", "start": "1.000", "end": "9.000"}),
    ]
