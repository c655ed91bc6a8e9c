"""Right in every awkward case: twenty-three rows, for each family, over real servers.

A row that a family cannot meet stands in CANNOT with the reason, and a test below checks the claim.
"""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, NamedTuple

import aiohttp
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from figwatch import contract
from figwatch.exposition import Page
from figwatch.telemetry import Telemetry
from figwatch.testing import Recorder, recording
from support import stage
from support.families import FAMILIES, Answer, Family, ask, instrumented, leave_early, until
from support.library import call_asgi, call_wsgi, fresh_telemetry, staying, talk_asgi

# Django leaves the request's body to the garbage collector when a stream breaks under ASGI.
pytestmark = pytest.mark.filterwarnings(
    "ignore:Unclosed file <tempfile.Spooled:ResourceWarning",
    "ignore:Exception ignored in. <function SpooledTemporaryFile:pytest.PytestUnraisableExceptionWarning",
)

TOKEN = "s3cret"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
SPAN_FIELDS = ("method", "route", "status", "error_type", "served_by", "vantage")


NO_SOCKETS = "WSGI has no websockets: its server answers an upgrade as the request that it also is"
CANNOT = {
    # row: family -> why
    5: {
        "flask": "WSGI cannot be cancelled from outside",
        "django_wsgi": "the same",
    },
    14: {"flask": NO_SOCKETS, "django_wsgi": NO_SOCKETS, "django_asgi": "Django's handler refuses websocket scopes"},
}


class Served(NamedTuple):
    """One family's application behind its server, and the telemetry it counts in."""

    family: Family
    app: Any
    port: int
    telemetry: Telemetry

    def get(self, path: str, method: str = "GET", **headers: str) -> Answer:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return ask(self.port, path, method=method, headers=named)


@pytest.fixture(scope="module", params=FAMILIES, ids=lambda family: family.name)
def served(request: pytest.FixtureRequest) -> Iterator[Served]:
    telemetry = fresh_telemetry(stage.TIMER)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("figwatch.telemetry._process", telemetry)
        app = instrumented(request.param, trust_token=TOKEN)
    with request.param.serve(app) as port:
        yield Served(request.param, app, port, telemetry)


@pytest.fixture
def recorded(served: Served) -> Iterator[Recorder]:
    with recording(served.telemetry) as recorder:
        yield recorder
        assert recorder.faults() == 0


def counted(recorded: Recorder, number: int = 1, **labels: str) -> None:
    until(lambda: recorded.requests() >= number)
    recorded.assert_requests(number)
    recorded.assert_requests(number, **labels)


def test_01_the_duration_runs_to_the_last_byte_and_the_first_is_a_metric_of_its_own(
    served: Served, recorded: Recorder
) -> None:
    assert served.get("/stream").body == "firstlast"
    counted(recorded, http_route="/stream", error_type="")
    assert recorded.seconds(contract.TIME_TO_FIRST_BYTE) == 1
    assert recorded.seconds(contract.REQUEST_DURATION) == 3


def test_02_work_in_the_background_is_not_in_the_duration(served: Served, recorded: Recorder) -> None:
    stage.DONE.clear()
    assert served.get("/afterwards").body == "x"
    assert stage.DONE.wait(10)
    counted(recorded, http_route="/afterwards", http_response_status_code="200", error_type="")
    assert recorded.seconds(contract.REQUEST_DURATION) == 0


def test_03_an_error_in_mid_stream_is_an_error(served: Served, recorded: Recorder) -> None:
    served.get("/breaks")
    counted(recorded, http_route="/breaks", http_response_status_code="200", error_type="support.stage.Broken")


def test_04_a_client_that_leaves_is_marked(served: Served, recorded: Recorder) -> None:
    leave_early(served.port, "/endless")
    counted(recorded, http_route="/endless", http_response_status_code="200", error_type="client_disconnect")


def test_05_a_cancelled_request_is_recorded_once_and_without_a_status(served: Served, recorded: Recorder) -> None:
    if served.family.name in CANNOT[5]:
        return
    if served.family.kind == "asgi":
        asyncio.run(cancel_before_an_answer(served.app))
    else:
        with pytest.raises(ConnectionError):  # aiohttp closes the connection of a handler that was cancelled
            served.get("/waits")
    counted(recorded, http_route="/waits", http_response_status_code="", error_type=contract.CANCELLED)
    until(lambda: len(recorded.spans) == 1)


def test_05_where_a_family_cannot_be_cancelled_what_ends_its_worker_is_recorded_so(
    served: Served, recorded: Recorder
) -> None:
    if served.family.name not in CANNOT[5]:
        return
    assert not asyncio.iscoroutinefunction(served.app)
    with pytest.raises(SystemExit):
        call_wsgi(served.app, "/exits", headers=[("Host", "x")])
    counted(recorded, http_route="/exits", http_response_status_code="", error_type=contract.CANCELLED)


async def cancel_before_an_answer(app: Any) -> None:
    """What a server does that is told to stop: it cancels the task."""
    stage.WAITING.clear()
    task = asyncio.ensure_future(call_asgi(staying(app), "/waits", headers=[("Host", "x")]))
    while not stage.WAITING.is_set():  # noqa: ASYNC110 - set by a handler, possibly of another thread
        await asyncio.sleep(0.001)
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("path", ["/items/1", "/items/abc"])
def test_06_the_template_is_the_route(served: Served, recorded: Recorder, path: str) -> None:
    served.get(path)
    counted(recorded, http_route="/items/{id}")


def test_06_a_routers_prefix_is_in_the_route(served: Served, recorded: Recorder) -> None:
    assert served.get("/v2/items/1").status == 200
    counted(recorded, http_route="/v2/items/{id}")


def test_07_a_mounted_application_is_in_the_route(served: Served, recorded: Recorder) -> None:
    assert served.get("/tenants/acme/deep/items/1").status == 200
    tenant = "acme" if served.family.name == "aiohttp" else "{tenant}"
    counted(recorded, http_route=f"/tenants/{tenant}/deep/items/{{id}}")


def test_08_paths_that_match_nothing_are_counted_together(served: Served, recorded: Recorder) -> None:
    for path in ("/no", "/such/path", "/v2/items", "/%ff%fe", "//"):
        assert served.get(path).status in (404, 405)
    counted(recorded, 5, http_response_status_code="404")
    assert recorded.requests(http_route="__unmatched__") >= 3


def test_09_a_wrong_method_keeps_the_template(served: Served, recorded: Recorder) -> None:
    assert served.get("/items/1", "DELETE").status == 405
    counted(recorded, http_route="/items/{id}", http_response_status_code="405", http_request_method="DELETE")


def test_10_made_up_methods_add_no_series(served: Served, recorded: Recorder) -> None:
    before = series(served)
    for method in ("PROPFIND", "MKCOL", "LOCK"):  # servers let no other made-up ones through
        served.get("/items/1", method)
    counted(recorded, 3, http_request_method="_OTHER")
    assert series(served) - before <= 2  # both histograms of _OTHER


def test_11_made_up_hosts_add_no_series(served: Served, recorded: Recorder) -> None:
    served.get("/items/1")
    counted(recorded)
    before = series(served)
    for host in ("a.example", "b.example", "c.example"):
        assert served.get("/items/1", Host=host).status == 200
    counted(recorded, 4)
    assert series(served) == before


def series(served: Served) -> int:
    return sum(len(family.readings()) for family in served.telemetry.cells.families())


def test_12_an_error_of_the_client_is_none_of_the_span_and_one_of_the_server_is(
    served: Served, recorded: Recorder
) -> None:
    for code in (404, 422, 503):
        assert served.get(f"/status/{code}").status == code
    assert served.get("/raises").status == 500
    counted(recorded, 4)
    until(lambda: len(recorded.spans) == 4)
    told = {span.status: (span.failed, span.error_type) for span in recorded.spans}
    assert told.pop("500") in [(True, "500"), (True, "support.stage.Broken")]
    assert told == {"404": (False, ""), "422": (False, ""), "503": (True, "503")}


def test_13_one_request_is_one_span_whatever_its_chunks(served: Served, recorded: Recorder) -> None:
    served.get("/stream")
    counted(recorded)
    until(lambda: len(recorded.spans) == 1)
    (span,) = recorded.spans
    assert span.name == "GET /stream"


def test_14_a_websocket_is_one_span_and_has_metrics_of_its_own(served: Served, recorded: Recorder) -> None:
    if served.family.name in CANNOT[14]:
        return
    answers = asyncio.run(talk(served, ["one", "two"]))
    assert answers == ["echo one", "echo two"]
    until(lambda: len(recorded.spans) == 1)
    (span,) = recorded.spans
    assert (span.name, span.status, span.error_type) == ("GET /socket/{room}", "101", "")
    assert span.attributes()["network.protocol.name"] == "websocket"
    where = {"http_route": "/socket/{room}", "served_by": "service", "vantage": "application"}
    assert recorded.value(contract.WEBSOCKET_DURATION, close_code="1000", error_type="", **where) == 1
    assert recorded.value(contract.WEBSOCKET_MESSAGES, direction="in", **where) == 2
    assert recorded.value(contract.WEBSOCKET_MESSAGES, direction="out", **where) == 2
    recorded.assert_requests(0)


def test_14_where_a_family_has_no_websockets_an_upgrade_is_a_request(served: Served, recorded: Recorder) -> None:
    if served.family.name not in CANNOT[14]:
        return
    upgrade = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec_WebSocket_Version": "13"}
    assert served.get("/items/1", **upgrade).status in (200, 400)  # Flask has no route of that kind
    counted(recorded, error_type="")
    if served.family.kind == "asgi":
        with pytest.raises(ValueError, match="can only handle ASGI/HTTP"):
            asyncio.run(talk(served, []))


async def talk(served: Served, said: list[str]) -> list[str]:
    """What a websocket answers. uvicorn has none without another part, so ASGI is spoken to directly."""
    if served.family.kind == "asgi":
        return await talk_asgi(served.app, "/socket/7", said)
    answers: list[str] = []
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(f"http://127.0.0.1:{served.port}/socket/7") as socket,
    ):
        for text in said:
            await socket.send_str(text)
            answers.append(await socket.receive_str())
    return answers


def test_15_names_units_and_buckets_are_those_of_the_conventions_and_the_contract(
    served: Served, recorded: Recorder
) -> None:
    served.get("/items/1")
    counted(recorded)
    until(lambda: len(recorded.spans) == 1)
    assert recorded.spans[0].attributes() == {
        "http.request.method": "GET",
        "http.route": "/items/{id}",
        "url.path": "/items/{id}",
        "http.response.status_code": 200,
        "figwatch.served_by": "service",
        "figwatch.vantage": "application",
    }
    definitions = {each.definition.name: each.definition for each in served.telemetry.cells.families()}
    for name in (contract.REQUEST_DURATION, contract.TIME_TO_FIRST_BYTE):
        assert definitions[name].unit == "seconds"
        assert definitions[name].bounds == contract.BUCKETS


def test_16_the_trace_id_is_the_handlers_and_the_responses(served: Served, recorded: Recorder) -> None:
    answer = served.get("/items/1", traceparent=PARENT)
    assert answer.body.split()[0] == TRACE
    assert answer.headers["x-trace-id"] == TRACE
    until(lambda: len(recorded.spans) == 1)
    assert recorded.spans[0].parent_id == PARENT.split("-")[2]


def test_17_a_bucket_names_a_request_that_fell_into_it(served: Served, recorded: Recorder) -> None:
    served.get("/items/1", traceparent=PARENT)
    counted(recorded)
    status, kind, page = Page(served.telemetry)("application/openmetrics-text; version=1.0.0")
    assert (status, kind.partition(";")[0]) == (200, "application/openmetrics-text")
    families = {each.name: each for each in parsed(page)}
    buckets = [each for each in families[contract.REQUEST_DURATION].samples if each.labels.get("le") == "0.005"]
    named = [each.exemplar.labels["trace_id"] for each in buckets if each.exemplar is not None]
    assert TRACE in named
    assert b"trace_id" not in Page(served.telemetry)("text/plain")[2]


def parsed(page: bytes) -> Any:
    """The families of a page, by OpenMetrics' own parser: it refuses exemplars that break the format."""
    return text_string_to_metric_families(page.decode())  # type: ignore[no-untyped-call]  # untyped there


def test_18_nothing_of_a_request_is_recorded_that_nobody_allowed(served: Served, recorded: Recorder) -> None:
    secret = "hunter2"
    headers = {"Authorization": secret, "X_User_Id": secret, "Cookie": secret, "User_Agent": secret}
    served.get(f"/items/{secret}?token={secret}", **headers)
    served.get(f"/{secret}?{secret}", **headers)
    counted(recorded, 2)
    until(lambda: len(recorded.spans) == 2)
    assert secret not in str([(span.name, span.attributes(), span) for span in recorded.spans])
    assert secret.encode() not in Page(served.telemetry)("")[2]


@pytest.mark.parametrize(
    ("headers", "side"),
    [
        ({}, "service"),
        ({"X_Migration_Status": "legacy"}, "service"),  # dropped: nobody vouches for it
        ({"X_Migration_Status": "legacy", "X_Migration_Token": "guess"}, "service"),
        ({"X_Migration_Status": "legacy", "X_Migration_Token": TOKEN}, "legacy"),
        ({"X_Migration_Status": "shadow", "X_Migration_Token": TOKEN}, "shadow"),
        ({"X_Migration_Status": "canary", "X_Migration_Token": TOKEN}, "unknown"),
    ],
)
def test_19_the_side_is_on_metric_and_span_and_in_the_request(
    served: Served, recorded: Recorder, headers: dict[str, str], side: str
) -> None:
    assert served.get("/side", **headers).body == side
    counted(recorded, served_by=side)
    until(lambda: len(recorded.spans) == 1)
    assert recorded.spans[0].served_by == side
    refused = recorded.value(contract.UNTRUSTED_HEADERS)
    assert refused == (0 if side in ("legacy", "shadow") or not headers else 1)


@pytest.mark.parametrize(
    ("networks", "side"), [(("127.0.0.0/8",), "legacy"), (("10.0.0.0/8",), "service")], ids=["near", "far"]
)
@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_19_a_gateway_in_a_trusted_network_is_believed_by_its_address(
    family: Family, networks: tuple[str, ...], side: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    telemetry = fresh_telemetry(stage.TIMER)
    monkeypatch.setattr("figwatch.telemetry._process", telemetry)
    with family.serve(instrumented(family, trust_networks=networks)) as port:
        assert ask(port, "/side", headers={"X-Migration-Status": "legacy"}).body == side


def test_22_threads_count_every_request_and_none_twice(served: Served, recorded: Recorder) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: served.get(f"/items/{number}").body.split()[0], range(80)))
    counted(recorded, 80, http_route="/items/{id}", http_response_status_code="200")
    until(lambda: len(recorded.spans) == 80)
    assert len(set(answers)) == 80  # every handler saw the trace of its own request
    assert {span.trace_id for span in recorded.spans} == set(answers)


def broken(*_anything: object, **_more: object) -> Any:
    raise RuntimeError("planted")


STAGES = [
    # where the fault is planted, the path that goes there
    ("figwatch.observation.Observer.begin", "/items/1"),
    ("figwatch.observation.open_span", "/items/1"),
    ("figwatch.observation.make_current", "/items/1"),
    ("figwatch.observation.detach", "/items/1"),
    ("figwatch.migration.SideRule.decide", "/items/1"),
    ("figwatch.observation.Observer.route_of", "/nowhere"),
    ("figwatch.cells.HistogramCell.observe_with", "/items/1"),
    ("figwatch.observation.Observer.record", "/items/1"),
    ("support.library.Timer.__call__", "/stream"),
    ("figwatch.observation.Observer.record", "/breaks"),
    ("figwatch.observation.Observer.record", "/raises"),
]


@pytest.mark.parametrize(("plant", "path"), STAGES)
def test_23_a_fault_of_ours_changes_nothing_of_the_answer_and_is_counted(
    served: Served, plant: str, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    side = {"X_Migration_Status": "legacy", "X_Migration_Token": TOKEN}
    with recording(served.telemetry) as recorded:
        without = served.get(path, **side)
        counted(recorded)
    with recording(served.telemetry) as recorded:
        with monkeypatch.context() as patched:
            patched.setattr(plant, broken)
            answer = served.get(path, **side)
            until(lambda: recorded.faults() >= 1)
            if plant.endswith(("make_current", "detach")):
                counted(recorded)  # what is not current is counted all the same
        assert answer.status == without.status
        assert set(answer.headers) - {"x-trace-id"} == set(without.headers) - {"x-trace-id"}
        if path != "/items/1":
            assert answer.body == without.body


ADAPTERS = [
    # kind of family, where the fault is planted, the path that goes there
    ("asgi", "figwatch.server.asgi._Exchange._answered", "/items/1"),
    ("asgi", "figwatch.server.asgi._joined", "/items/1"),
    ("asgi", "figwatch.observation.error_name", "/breaks"),
    ("wsgi", "figwatch.server.wsgi._lower", "/stream"),
    ("wsgi", "figwatch.server.wsgi.is_complete", "/items/1"),
    ("wsgi", "figwatch.server.wsgi.is_complete", "/stream"),
    ("wsgi", "figwatch.observation.error_name", "/breaks"),
    ("aiohttp", "figwatch.server.aiohttp.header_of", "/items/1"),
    ("aiohttp", "figwatch.server.aiohttp_root.TRACE_ID", "/items/1"),
    ("aiohttp", "figwatch.server.aiohttp._watch_writes", "/stream"),
    ("aiohttp", "figwatch.server.aiohttp._note", "/stream"),
    ("aiohttp", "figwatch.server.aiohttp._is_gone", "/raises"),
    ("aiohttp", "figwatch.server.aiohttp._socket_ended", "/breaks"),
    ("aiohttp", "figwatch.observation.error_name", "/raises"),
]
BEFORE_IT_BEGINS = ("figwatch.server.asgi._joined", "figwatch.server.aiohttp.header_of")
"""Here a fault means that the request is left alone altogether."""


@pytest.mark.parametrize(("kind", "plant", "path"), ADAPTERS)
def test_23_a_fault_of_an_adapter_changes_nothing_of_the_answer_and_is_counted(
    kind: str, plant: str, path: str, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    if served.family.kind != kind:
        return
    side = {"X_Migration_Status": "legacy", "X_Migration_Token": TOKEN}
    with recording(served.telemetry) as recorded:
        without = served.get(path, **side)
        counted(recorded)
    with recording(served.telemetry) as recorded, monkeypatch.context() as patched:
        patched.setattr(plant, broken)
        answer = served.get(path, **side)
        until(lambda: recorded.faults() >= 1)
        if plant not in BEFORE_IT_BEGINS:
            counted(recorded)
    assert answer.status == without.status
    assert set(answer.headers) - {"x-trace-id"} == set(without.headers) - {"x-trace-id"}
    if path != "/items/1":
        assert answer.body == without.body


class FailingLater:
    """A timer that works once for each request, for its beginning."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> float:
        self.asked += 1
        return 1.0 if self.asked == 1 else broken()


@pytest.mark.parametrize(("path", "faults"), [("/stream", 3), ("/afterwards", 2)])  # each chunk and the end
def test_23_a_clock_that_fails_later_changes_nothing_of_the_answer_and_is_counted(
    path: str, faults: int, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    with recording(served.telemetry) as recorded:
        without = served.get(path)
        counted(recorded)
    with recording(served.telemetry) as recorded, monkeypatch.context() as patched:
        patched.setattr("support.library.Timer.__call__", FailingLater())
        answer = served.get(path)
        if path == "/afterwards" and served.family.kind == "wsgi":
            faults = 1  # a body that is all there: only its end is looked at
        until(lambda: recorded.faults() >= faults)
    assert answer.status == without.status
    assert set(answer.headers) == set(without.headers)
    assert answer.body == without.body


@pytest.mark.parametrize(
    "plant", ["figwatch.connections.Connections.__init__", "figwatch.connections.Connection._record"]
)
def test_23_a_fault_of_ours_leaves_a_websocket_alone(
    plant: str, served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    if served.family.name in CANNOT[14]:
        return
    for watching in (served.app, getattr(served.app, "middleware_stack", None)):
        if hasattr(watching, "_connections"):
            monkeypatch.setattr(watching, "_connections", None)  # as at the first websocket
    with recording(served.telemetry) as recorded, monkeypatch.context() as patched:
        patched.setattr(plant, broken)
        assert asyncio.run(talk(served, ["one"])) == ["echo one"]
        until(lambda: recorded.faults() >= 1)


def test_23_a_sink_that_fails_changes_nothing_of_the_answer_and_is_counted(served: Served) -> None:
    with recording(served.telemetry) as recorded:
        served.telemetry.span_sink = broken
        assert served.get("/items/1").status == 200
        until(lambda: recorded.faults() == 1)
        recorded.assert_requests(1)
