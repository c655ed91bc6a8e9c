"""Whole processes that export: how they begin, fork and end."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest

from figwatch import contract
from figwatch.otlp_settings import GRPC, HTTP
from support.collector import Collector, grpc_collector, http_collector, plain, silent_port

BEGIN = """
import os, sys, time
import figwatch
began = time.monotonic()
def app(environ, start_response):
    start_response("200 OK", [])
    return [b"."]
served = figwatch.instrument(app, service="chat", routes=("/a",))
def serve():
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/a", "SCRIPT_NAME": "", "wsgi.url_scheme": "http"}
    answer = served(environ, lambda *_arguments: None)
    list(answer)
    getattr(answer, "close", list)()
"""
SERVE = "serve()\n"
FORK = """
child = os.fork()
if not child:
    serve()
    sys.exit(0)
assert os.waitpid(child, 0)[1] == 0
"""


@pytest.fixture(params=[HTTP, GRPC])
def protocol(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def collector(protocol: str) -> Iterator[Collector]:
    with (http_collector if protocol == HTTP else grpc_collector)() as running:
        yield running


def run(code: str, url: str, protocol: str, **environment: str) -> tuple[float, str]:
    """Seconds from the end of the program's last line to the end of the process, and what it wrote."""
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + code + "\nprint(time.monotonic(), flush=True)"],
        env={
            **os.environ,
            "OTEL_EXPORTER_OTLP_ENDPOINT": url,
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
            "OTEL_BSP_SCHEDULE_DELAY": "20",
            **environment,
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    ended = time.monotonic()
    assert done.returncode == 0, done.stderr
    return ended - float(done.stdout.split()[-1]), done.stderr


def counts(collector: Collector) -> dict[str, int]:
    """Requests by the instance that counted them, from each one's newest export."""
    found: dict[str, int] = {}
    for arrived in collector.arrived:
        if arrived.signal == "metrics":
            (resource,) = arrived.message.resource_metrics
            who = plain(resource.resource.attributes)["service.instance.id"]
            for metric in resource.scope_metrics[0].metrics:
                if metric.name == contract.REQUEST_DURATION:
                    found[who] = sum(point.count for point in metric.histogram.data_points)
    return found


def test_a_process_that_ends_exports_what_waits(collector: Collector, protocol: str) -> None:
    run(SERVE, collector.url, protocol, OTEL_BSP_SCHEDULE_DELAY="60000")
    assert [span.name for span in collector.spans()] == ["GET /a"]
    assert list(counts(collector).values()) == [1]


def test_a_process_without_exit_handlers_says_when(collector: Collector, protocol: str) -> None:
    run(
        SERVE + "figwatch.shutdown()\nfigwatch.shutdown()\nprint(time.monotonic(), flush=True)\nos._exit(0)\n",
        collector.url,
        protocol,
    )
    assert [span.name for span in collector.spans()] == ["GET /a"]


def test_before_a_silent_collector_nothing_blocks_and_the_end_comes_within_two_seconds(protocol: str) -> None:
    code = f"""
assert time.monotonic() - began < 5, "instrument blocked"
{SERVE}
time.sleep(0.1)
asked = time.monotonic()
{FORK.replace("sys.exit(0)", "os._exit(0)")}
assert time.monotonic() - asked < 2, "fork blocked"
asked = time.monotonic()
serve()
assert time.monotonic() - asked < 2, "a request blocked"
"""
    with silent_port() as port:
        seconds, said = run(code, f"http://127.0.0.1:{port}", protocol)
    assert seconds < 2.5  # and a little for the interpreter to end
    assert "Traceback" not in said


def test_a_preloading_parent_says_nothing_and_each_child_speaks_for_itself(collector: Collector, protocol: str) -> None:
    run(FORK + FORK, collector.url, protocol)
    assert list(counts(collector).values()) == [1, 1]
    spans = collector.spans()
    assert len({span.span_id for span in spans}) == len({span.trace_id for span in spans}) == 2


def test_a_child_of_a_process_that_exports_already_exports_too_and_repeats_nothing(
    collector: Collector, protocol: str
) -> None:
    code = f"""
serve()
time.sleep(0.5)  # the parent's connection is open
for _ in range(3):
    serve()
{FORK}
"""
    run(code, collector.url, protocol)
    assert sorted(counts(collector).values()) == [1, 4]
    assert len(collector.spans()) == 5
    assert len({span.span_id for span in collector.spans()}) == 5


def test_a_process_of_multiprocessing_exports_what_waits(collector: Collector, protocol: str) -> None:
    code = """
import multiprocessing
worker = multiprocessing.get_context("fork").Process(target=serve)
worker.start()
worker.join()
assert worker.exitcode == 0
"""
    run(code, collector.url, protocol, OTEL_BSP_SCHEDULE_DELAY="60000")
    assert len(collector.spans()) == 1
    assert list(counts(collector).values()) == [1]
