"""A history read from an engine chunk by chunk, by both readers: nothing twice, less where less is bearable."""

from __future__ import annotations

from typing import Any

import pytest
from aiohttp import web

from figwatch_agent.model.batch import Series
from figwatch_agent.model.past import History
from figwatch_agent.sources.history_prometheus import HistoryUnavailable, PrometheusHistory
from support.readers import Made, reading
from support.served import served

SECOND = 1000


class Engine:
    """What a Prometheus answers to raw selectors: one counter, a sample a minute, as much as it finds bearable."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []  # (from, to] in seconds
        self.most = 10**9  # seconds of one question
        self.partial: range = range(0)

    async def query(self, request: web.Request) -> web.Response:
        form = await request.post()
        assert request.method == "POST"
        end = round(float(str(form["time"])))
        length = int(str(form["query"]).rpartition("[")[2].removesuffix("ms]")) // SECOND
        if length > self.most:
            said = {"status": "error", "errorType": "execution", "error": "query would load too many samples"}
            return web.json_response(said, status=422)
        self.asked.append((end - length, end))
        values = [[at, str(at // 60)] for at in range(end - length, end + 1) if at % 60 == 0]
        result = [{"metric": {"__name__": "jobs_total", "job": "j"}, "values": values}]
        body: dict[str, Any] = {"status": "success", "data": {"resultType": "matrix", "result": result}}
        if any(at in self.partial for at in range(end - length + 1, end + 1)):
            body["warnings"] = ["a store did not answer"]
        return web.json_response(body)

    async def read(self, made: Made, start: int, end: int) -> History:
        """Its history of ``jobs_total``."""
        app = web.Application()
        app.router.add_post("/api/v1/query", self.query)
        async with served(app) as url, reading(made, url) as reader:
            return await PrometheusHistory(reader, ["jobs_total"], _everything).read(start * SECOND, end * SECOND)


def _everything(series: Series) -> bool:
    return True


async def test_chunks_follow_one_another_and_no_sample_counts_twice(made: Made) -> None:
    engine = Engine()
    found = await engine.read(made, 600, 100_000)
    assert engine.asked[0][0] == 0
    assert engine.asked[-1][1] == 100_000
    assert all(one[1] == other[0] for one, other in zip(engine.asked, engine.asked[1:], strict=False))
    (track,) = found.targets[0].tracks
    assert track.at.tolist() == [at * SECOND for at in range(0, 100_001, 60)]


async def test_an_engine_that_finds_a_chunk_too_much_is_asked_for_less(made: Made) -> None:
    engine = Engine()
    engine.most = 3_000
    found = await engine.read(made, 600, 20_000)
    assert max(end - start for start, end in engine.asked) <= 3_000
    assert found.samples == 20_000 // 60 + 1


async def test_a_span_that_the_engine_saw_in_part_is_unknown_and_named(made: Made) -> None:
    engine = Engine()
    engine.partial = range(30_000, 30_001)
    found = await engine.read(made, 600, 100_000)
    (cut,) = found.cuts
    assert cut[0] < 30_000 * SECOND <= cut[1]
    (track,) = found.targets[0].tracks
    assert not [at for at in track.at.tolist() if cut[0] < at < cut[1]]
    assert "a store did not answer" in found.notices[0]


async def test_an_engine_that_bears_nothing_is_an_error(made: Made) -> None:
    engine = Engine()
    engine.most = 0
    with pytest.raises(HistoryUnavailable, match="too many samples"):
        await engine.read(made, 600, 10_000)
