"""A real Prometheus that was given a history by promtool tells the same story as the file."""

from __future__ import annotations

import asyncio
import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from figwatch_agent import cli
from support.histories import START, replayed_counts, reported_counts, written
from support.parts import program
from support.real_prometheus import prometheus


@pytest.mark.slow
@pytest.mark.needs("prometheus", "promtool")
async def test_file_and_server_give_the_same_document(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files, history = written(tmp_path)
    await asyncio.to_thread(_blocks, history, tmp_path / "data")
    span = ["--from", str(START), "--to", str(START + 240 * 60), "--output", "json"]

    def answer(verb: str, *arguments: str) -> dict[str, Any]:
        assert cli.main([verb, files, *arguments, *span]) == 0
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    from_file, reported = answer("replay", "--history", history), answer("report", "--history", history)
    async with prometheus(tmp_path, []) as url:
        from_server = await asyncio.to_thread(answer, "replay", "--prometheus", url)
        report = await asyncio.to_thread(answer, "report", "--prometheus", url)
    assert from_server == from_file
    assert from_file["slos"][0]["total"] > 0
    assert reported_counts(report) == replayed_counts(from_server)
    assert f"the history of {url}, " in report["findings"].pop(0)
    reported["findings"].pop(0)
    assert report == reported


def _blocks(history: str, data: Path) -> None:
    create = [str(program("promtool")), "tsdb", "create-blocks-from", "openmetrics", history, str(data)]
    subprocess.run(create, check=True, capture_output=True, timeout=60)
