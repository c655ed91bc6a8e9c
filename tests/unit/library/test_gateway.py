"""The framework-free core of a gateway."""

import asyncio
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from figwatch import contract
from figwatch.errors import DefinitionError, RevisionConflictError, RouteError, UnknownRouteError
from figwatch.gateway import Decision, Edge, EdgeObservation, RouteTable, migration_headers
from figwatch.testing import recording
from support.library import Timer, fresh_telemetry

CHAT = Decision(route_template="/api/v1/chat", side="service")


@settings(max_examples=50)
@given(st.integers(min_value=0, max_value=100))
def test_of_a_hundred_even_draws_exactly_the_share_goes_to_the_service(share: int) -> None:
    table = RouteTable({"/api/v1/chat": share})
    sides = Counter(table.decide("/api/v1/chat", draw).side for draw in range(100))
    assert sides["service"] == share
    assert sides["legacy"] == 100 - share


def test_what_no_rule_matches_stays_with_legacy() -> None:
    assert RouteTable({"/a": 100}).decide("/b", 0) == Decision(route_template="__unmatched__", side="legacy")


def test_the_decision_names_the_template_not_the_path() -> None:
    assert RouteTable({"/a/{id}": 100}).decide("/a/42/", 99) == Decision(route_template="/a/{id}", side="service")


def test_a_change_counts_up_the_revision_and_remembers_who() -> None:
    table = RouteTable({"/a/": 80})
    assert table.read("/a") == {"route": "/a", "service_share": 80, "revision": 1, "changed_by": "configuration"}
    changed = table.set_share("/a", 0, changed_by="on call")
    assert changed == {"route": "/a", "service_share": 0, "revision": 2, "changed_by": "on call"}
    assert table.read("/a") == changed == table.read_all()[0]
    assert table.decide("/a", 0).side == "legacy"


def test_a_change_that_was_overtaken_is_refused_and_changes_nothing() -> None:
    table = RouteTable({"/a": 80})
    table.set_share("/a", 50, changed_by="a person")
    with pytest.raises(RevisionConflictError, match="changed by a person"):
        table.set_share("/a", 0, changed_by="figwatch", expected_revision=1)
    assert table.read("/a")["service_share"] == 50
    table.set_share("/a", 0, changed_by="figwatch", expected_revision=2)
    assert table.read("/a")["revision"] == 3


@pytest.mark.parametrize("share", [-1, 101, 50.0, "50", True, None])
def test_a_share_that_is_no_whole_number_up_to_a_hundred_is_refused(share: Any) -> None:
    with pytest.raises(RouteError, match="whole number from 0 to 100"):
        RouteTable({"/a": share})
    table = RouteTable({"/a": 1})
    with pytest.raises(RouteError, match="whole number from 0 to 100"):
        table.set_share("/a", share, changed_by="me")
    assert table.read("/a")["revision"] == 1


def test_an_unknown_route_is_refused_with_the_ones_there_are() -> None:
    with pytest.raises(UnknownRouteError, match="no route '/b' here; there are: /a"):
        RouteTable({"/a": 1}).read("/b")


def test_unmatched_requests_go_to_a_real_side_only() -> None:
    with pytest.raises(RouteError, match="'legacy' or 'service'"):
        RouteTable({}, unmatched="nowhere")


@pytest.mark.parametrize(
    "forged",
    ["X-Migration-Status", "x-migration-status", "X-MIGRATION-TOKEN", "X_Migration_Token", "x-original_path"],
)
def test_forged_migration_headers_are_stripped_in_any_spelling(forged: str) -> None:
    headers = migration_headers([(forged, "forged"), ("Accept", "*/*")], CHAT, "/api/v1/chat", "s3cret")
    assert headers == [
        ("Accept", "*/*"),
        ("X-Migration-Status", "service"),
        ("X-Original-Path", "/api/v1/chat"),
        ("X-Migration-Token", "s3cret"),
    ]


def test_without_a_secret_no_token_is_sent() -> None:
    assert "X-Migration-Token" not in dict(migration_headers([], CHAT, "/a", None))


@given(st.text())
def test_no_path_can_break_out_of_its_header(path: str) -> None:
    value = dict(migration_headers([], CHAT, path.encode("utf-8", "replace").decode(), None))["X-Original-Path"]
    assert value.isascii()
    assert value.isprintable()
    assert " " not in value


LEFT = ConnectionResetError("client")


@pytest.mark.parametrize(
    ("deeds", "raised", "gone", "status", "error_type"),
    [
        (["200"], None, False, "200", ""),
        (["404"], None, False, "404", ""),
        (["500"], None, False, "500", "500"),  # the upstream's own failure, passed on
        (["failed"], None, False, "502", "upstream_failure"),
        (["timed_out"], None, False, "504", "upstream_timeout"),
        (["200", "failed"], None, False, "200", "upstream_failure"),  # broke off in mid-stream
        (["failed", "502"], None, False, "502", "upstream_failure"),
        (["200", "left"], None, False, "200", "client_disconnect"),
        (["failed", "left"], None, False, "502", "upstream_failure"),
        (["200"], LEFT, True, "200", "client_disconnect"),
        ([], asyncio.CancelledError(), True, "", "client_disconnect"),
        ([], asyncio.CancelledError(), False, "", "cancelled"),
        ([], LEFT, False, "500", "ConnectionResetError"),  # not the client: a bug of the gateway
        ([], None, False, "502", "no_response"),
    ],
)
def test_the_edge_counts_what_the_user_saw(
    deeds: list[str], raised: BaseException | None, gone: bool, status: str, error_type: str
) -> None:
    telemetry = fresh_telemetry()
    edge = Edge(telemetry=telemetry)

    def serve() -> None:
        with edge.observe("GET", "/api/v1/chat", CHAT, client_gone=lambda: gone) as seen:
            for deed in deeds:
                do(seen, deed)
            if raised is not None:
                raise raised

    with recording(telemetry) as recorded:
        if raised is None:
            serve()
        else:
            with pytest.raises(type(raised)):
                serve()
    recorded.assert_requests(1)
    recorded.assert_requests(
        1,
        http_request_method="GET",
        http_route="/api/v1/chat",
        http_response_status_code=status,
        error_type=error_type,
        served_by="service",
        vantage="edge",
    )


def do(seen: EdgeObservation, deed: str) -> None:
    deeds = {"failed": seen.upstream_failed, "timed_out": seen.upstream_timed_out, "left": seen.client_left}
    if deed.isdigit():
        seen.answered(int(deed))
    else:
        deeds[deed]()


def test_the_edge_measures_first_and_last_byte() -> None:
    timer = Timer()
    telemetry = fresh_telemetry(timer)
    with recording(telemetry) as recorded, Edge(telemetry=telemetry).observe("GET", "/api/v1/chat", CHAT) as seen:
        timer.now += 0.25
        seen.answered(200)
        seen.first_byte()
        timer.now += 0.5
        seen.first_byte()
    assert recorded.seconds(contract.TIME_TO_FIRST_BYTE) == 0.25
    assert recorded.seconds(contract.REQUEST_DURATION) == 0.75


def test_the_upstream_becomes_a_child_of_this_hop() -> None:
    trace = "0af7651916cd43dd8448eb211c80319c"
    edge = Edge(telemetry=fresh_telemetry())
    with edge.observe("GET", "/a", CHAT, traceparent=f"00-{trace}-b7ad6b7169203331-01") as seen:
        seen.answered(200)
        headers = seen.upstream_headers([("TraceParent", "the client's"), ("Accept", "*/*")], "s3cret")
    sent = [value for name, value in headers if name.lower() == "traceparent"]
    assert len(sent) == 1
    assert sent[0].startswith(f"00-{trace}-")
    assert "b7ad6b7169203331" not in sent[0]
    assert seen.trace_id == trace
    assert ("X-Migration-Status", "service") in headers


def test_a_side_that_does_not_exist_is_refused() -> None:
    with pytest.raises(DefinitionError, match="side 'canary'"):
        Edge(telemetry=fresh_telemetry()).observe("GET", "/a", Decision(route_template="/a", side="canary"))


def test_a_gateway_whose_instrumentation_fails_forwards_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    telemetry = fresh_telemetry()

    def broken(*_anything: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr("figwatch.observation.open_span", broken)
    with recording(telemetry) as recorded:
        with Edge(telemetry=telemetry).observe("GET", "/a", CHAT) as seen:
            seen.answered(200)
            seen.first_byte()
            headers = seen.upstream_headers([], "s3cret")
        assert ("X-Migration-Status", "service") in headers
        assert seen.trace_id is None
    assert recorded.faults() == 1
    recorded.assert_requests(0)
