"""What docs/instrumentation.md says is true: its code runs, its tables are those of the library."""

import asyncio
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from opentelemetry import trace
from opentelemetry.util._once import Once

import figwatch
from figwatch import contract
from figwatch.telemetry import Telemetry
from figwatch.testing import recording
from support import stage
from support.families import ask, configure_django, make_raw, on_aiohttp, on_uvicorn, on_waitress, until
from support.library import call_asgi, call_wsgi, fresh_telemetry
from support.parts import ROOT

PAGE = ROOT.joinpath("docs", "instrumentation.md").read_text("utf-8")
BLOCKS = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SET_UP = re.compile(
    r"instrument\((?:app|plain_asgi|plain_wsgi|get_wsgi_application\(\)), service=\"chat\"(?!.*capture)"
)


@pytest.fixture(autouse=True)
def telemetry(monkeypatch: pytest.MonkeyPatch) -> Telemetry:
    fresh = fresh_telemetry(stage.TIMER)
    monkeypatch.setattr("figwatch.telemetry._process", fresh)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", None)
    monkeypatch.setattr(trace, "_TRACER_PROVIDER_SET_ONCE", Once())
    configure_django()
    for name, contents in {"chat": chat(), "gateway": {"forward": make_raw()}}.items():
        module = ModuleType(name)
        vars(module).update(contents)
        monkeypatch.setitem(sys.modules, name, module)
    return fresh


def chat() -> dict[str, Any]:
    """The reader's own module."""
    messages = figwatch.counter("messages_total", "Messages answered.", labels=("channel",))

    def plain_wsgi(environ: Any, start_response: Any) -> list[bytes]:
        messages.inc(channel="web")
        start_response("200 OK", [])
        return [b"x"]

    app = figwatch.instrument(plain_wsgi, routes=["/api/v1/chat/{id}"])
    client = SimpleNamespace(get=lambda path: call_wsgi(app, path))
    return {"plain_asgi": make_raw(), "plain_wsgi": plain_wsgi, "app": app, "client": client}


def run(block: str) -> dict[str, Any]:
    names: dict[str, Any] = {"__name__": "example"}
    exec(block, names)  # noqa: S102 (it is our own page)
    return names


def having(word: str) -> str:
    (block,) = [each for each in BLOCKS if word in each]
    return str(block)


@pytest.mark.parametrize("block", [each for each in BLOCKS if SET_UP.search(each)])
def test_each_family_is_instrumented_in_five_lines_and_shows_its_page(block: str) -> None:
    assert len([line for line in block.splitlines() if line]) <= 5
    names = run(block)
    app = names.get("app", names.get("application"))
    with server_of(app, block)(app) as port:
        answer = ask(port, "/metrics")
        ask(port, "/api/v1/chat/1")
        until(lambda: f"\n{contract.REQUEST_DURATION}_count" in ask(port, "/metrics/").body)
        page = ask(port, "/metrics/").body
    assert answer.status == 200
    counts = re.findall(r"^http_server_request_duration_seconds_count\{.*\} (.*)$", page, re.MULTILINE)
    assert [float(count) for count in counts] == [1]


def server_of(app: Any, block: str) -> Callable[[Any], Any]:
    if isinstance(app, web.Application):
        return on_aiohttp
    return on_waitress if "flask" in block or "wsgi" in block else on_uvicorn


def test_every_family_has_its_lines() -> None:
    shown = [each for each in BLOCKS if SET_UP.search(each)]
    assert len(shown) == 7  # FastAPI, Starlette, ASGI, Flask, Django, WSGI, aiohttp


def test_the_page_of_a_mount_answers() -> None:
    with on_uvicorn(run(having("figwatch.metrics_app()"))["page"]) as port:
        assert ask(port, "/metrics/").status == 200


async def test_the_gateway_that_is_shown_counts(telemetry: Telemetry) -> None:
    app = run(having("edge.install"))["app"]
    with recording(telemetry) as recorded:
        await call_asgi(app, "/api/v1/chat/7")
    recorded.assert_requests(1, http_route="/api/v1/chat/{id}", served_by="service", vantage="edge")


def test_the_business_metrics_that_are_shown_count(telemetry: Telemetry) -> None:
    names = run(having("inference.time"))
    with recording(telemetry) as recorded:
        names["answer"]("small")
    assert recorded.value("messages_total", channel="web") == 1
    assert recorded.value("inference_duration_ms", model="small", outcome="ok") == 1
    assert recorded.faults() == 0


def test_the_consumer_that_is_shown_counts(telemetry: Telemetry) -> None:
    names = run(having("figwatch.message("))
    record = SimpleNamespace(headers=[("traceparent", b"")], timestamp=1_700_000_000, handle=lambda: None)
    with recording(telemetry) as recorded:
        names["consume"](record)
    assert recorded.value(contract.MESSAGE_DURATION, messaging_destination_name="orders") == 1
    assert recorded.value(contract.MESSAGE_LAG) == 1


def test_the_clients_that_are_shown_can_be_made() -> None:
    names = run(having("for_httpx.instrument("))
    names["client"].close()
    names["session"].close()


async def test_what_is_allowed_by_name_goes_on_the_span(telemetry: Telemetry) -> None:
    app = run(having("capture="))["app"]
    with recording(telemetry) as recorded:
        await call_asgi(paging(app), "/items/7", headers=[("X-Tenant", "acme"), ("X-User", "42")])
    attributes = recorded.spans[0].attributes()
    assert attributes["url.path"] == "/items/7"
    assert attributes["figwatch.query.page"] == "3"
    assert attributes["http.request.header.x-tenant"] == "acme"
    assert "42" not in str(attributes)


def paging(app: Any) -> Any:
    async def with_query(scope: Any, receive: Any, send: Any) -> None:
        await app({**scope, "query_string": b"page=3&token=42"}, receive, send)

    return with_query


def test_the_test_that_is_shown_passes() -> None:
    run(having("figwatch.testing.recording"))["test_an_answer_is_counted_by_its_route"]()


async def test_the_provider_that_is_shown_gets_our_spans(capsys: pytest.CaptureFixture[str]) -> None:
    # The exporter takes standard output when the SDK is imported; pytest gives each test one of its own.
    names = run("import sys\n" + having("TracerProvider()").replace("Exporter()", "Exporter(out=sys.stdout)"))
    app = figwatch.instrument(make_raw(), routes=["/items/{id}"])
    await call_asgi(app, "/items/1")
    await asyncio.to_thread(names["provider"].shutdown)
    assert '"name": "GET /items/{id}"' in capsys.readouterr().out


def tables() -> Iterator[tuple[str, list[list[str]]]]:
    for block in re.findall(r"(?:^\|.*\n)+", PAGE, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()]
        yield rows[0][0], rows[2:]


def named(column: str) -> dict[str, str]:
    """The names in the first cells of the table with this column, each with what stands beside it."""
    (rows,) = [rows for name, rows in tables() if name == column]
    return {name: row[-1] for row in rows for name in re.findall(r"`([^`]+)`", row[0])}


def declared() -> Mapping[str, tuple[str, ...]]:
    telemetry = fresh_telemetry()
    known = {each.definition.name: each.definition.labels for each in telemetry.cells.families()}
    known[contract.WEBSOCKET_DURATION] = contract.WEBSOCKET_LABELS
    known[contract.WEBSOCKET_MESSAGES] = contract.WEBSOCKET_MESSAGE_LABELS
    known[contract.MESSAGE_DURATION] = contract.MESSAGE_LABELS
    known[contract.MESSAGE_LAG] = contract.LAG_LABELS
    return known


def test_every_series_is_listed_with_its_labels() -> None:
    said = named("series")
    assert set(said) == set(contract.SERIES) == set(declared())
    for series, labels in declared().items():
        expected = [] if said[series] == "the same" else list(labels)
        assert re.findall(r"`([^`]+)`", said[series]) == expected, series


def test_every_label_is_listed() -> None:
    assert set(named("label")) == {label for labels in declared().values() for label in labels}


def test_every_variable_that_the_library_reads_is_listed() -> None:
    texts = [file.read_text("utf-8") for file in ROOT.joinpath("instrumentation", "figwatch").rglob("*.py")]
    read = {name for text in texts for name in re.findall(r"\b(?:FIGWATCH|OTEL|PROMETHEUS)_[A-Z_]*[A-Z]\b", text)}
    assert set(named("variable")) == read


def test_every_header_is_listed() -> None:
    assert set(named("header")) == {value for name, value in vars(contract).items() if name.endswith("_HEADER")}


def test_every_setting_is_listed() -> None:
    assert list(named("setting")) == list(inspect.signature(figwatch.instrument).parameters)[1:]
