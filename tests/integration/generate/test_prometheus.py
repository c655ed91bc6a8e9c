"""The standalone rules on a real Prometheus that scrapes a real page: a total outage pages."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.generate import ALERTS
from support.parts import program

ROUTE = "/api/v1/knowledge/search"
SECONDS = 200
"""Rules count whole minutes: the first is over after two."""


class Page(BaseHTTPRequestHandler):
    """An edge at which ten requests a second fail, from when it was started."""

    began = time.monotonic()

    def do_GET(self) -> None:
        """One page of metrics."""
        failed = int((time.monotonic() - self.began) * 10)
        labels = f'http_route="{ROUTE}",vantage="edge",served_by="service",http_request_method="GET"'
        bad = f'{labels},http_response_status_code="500",error_type="500"'
        good = f'{labels},http_response_status_code="200",error_type=""'
        name = "http_server_request_duration_seconds"
        body = (
            f"# TYPE {name} histogram\n"
            f'{name}_bucket{{{bad},le="0.2"}} {failed}\n{name}_bucket{{{bad},le="+Inf"}} {failed}\n'
            f"{name}_count{{{bad}}} {failed}\n{name}_sum{{{bad}}} 1\n"
            f'{name}_bucket{{{good},le="0.2"}} 50\n{name}_bucket{{{good},le="+Inf"}} 50\n'
            f"{name}_count{{{good}}} 50\n{name}_sum{{{good}}} 1\n"
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Quietly."""


@contextmanager
def edge() -> Iterator[int]:
    """The port of a page that is served while the block runs."""
    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def prometheus(target: int, folder: Path) -> Iterator[str]:
    """The URL of a Prometheus that scrapes the page and has the rules."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config = {
        "global": {"scrape_interval": "5s"},
        "rule_files": [str(ALERTS / "standalone/knowledge.rules.yml")],
        "scrape_configs": [{"job_name": "edge", "static_configs": [{"targets": [f"127.0.0.1:{target}"]}]}],
    }
    (folder / "prometheus.yml").write_text(json.dumps(config), "utf-8")
    command = [
        str(program("prometheus")), f"--config.file={folder / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=folder)
    try:
        yield f"http://127.0.0.1:{port}"
    except BaseException:
        sys.stderr.write((folder / "log").read_text("utf-8", "replace")[-4000:])
        raise
    finally:
        process.kill()
        process.wait()


def firing(url: str) -> list[dict[str, Any]]:
    """Alerts that fire; none while the server does not answer yet."""
    try:
        with urllib.request.urlopen(f"{url}/api/v1/alerts", timeout=5) as answer:  # noqa: S310 (our own server)
            found = json.load(answer)["data"]["alerts"]
    except OSError:
        return []
    return [alert for alert in found if alert["state"] == "firing"]


@pytest.mark.slow
@pytest.mark.timeout(SECONDS + 60)
@pytest.mark.needs("prometheus")
def test_a_total_outage_pages_on_a_real_prometheus(tmp_path: Path) -> None:
    with edge() as target, prometheus(target, tmp_path) as url:
        deadline = time.monotonic() + SECONDS
        pages: list[dict[str, Any]] = []
        while not pages and time.monotonic() < deadline:
            time.sleep(1)
            pages = [alert for alert in firing(url) if alert["labels"]["severity"] == "page"]
    assert pages
    labels, said = pages[0]["labels"], pages[0]["annotations"]
    assert (labels["alertname"], labels["service"], labels["route"]) == ("ErrorBudgetBurnFast", "knowledge", ROUTE)
    assert labels["slo"] == "knowledge-availability"
    assert said["summary"].startswith(f"knowledge {ROUTE}: 100% bad")
    assert said["runbook_url"].endswith("/ErrorBudgetBurnFast")
