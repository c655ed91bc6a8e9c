"""The names other processes rely on."""

import subprocess
import sys

import pytest

import figwatch
from figwatch import contract


def test_the_series_keep_their_names() -> None:
    assert contract.REQUEST_DURATION == "http_server_request_duration_seconds"
    assert contract.TIME_TO_FIRST_BYTE == "http_server_time_to_first_byte_seconds"
    assert contract.INTERNAL_ERRORS == "figwatch_internal_errors_total"
    assert contract.DROPPED_SPANS == "figwatch_dropped_spans_total"
    assert contract.FOLDED_LABELS == "figwatch_folded_label_values_total"
    assert contract.UNTRUSTED_HEADERS == "figwatch_untrusted_migration_headers_total"


def test_the_request_labels_keep_their_names_and_order() -> None:
    assert contract.REQUEST_LABELS == (
        "http_request_method",
        "http_route",
        "http_response_status_code",
        "error_type",
        "served_by",
        "vantage",
    )


def test_the_closed_sets_stay_closed() -> None:
    assert contract.SIDES == ("legacy", "service", "shadow", "unknown")
    assert contract.VANTAGES == ("edge", "application")


def test_the_buckets_are_opentelemetrys_plus_the_promised_200_ms() -> None:
    advised = (0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10)
    assert tuple(sorted((*advised, 0.2))) == contract.BUCKETS


def test_the_headers_keep_their_names() -> None:
    assert contract.MIGRATION_STATUS_HEADER == "X-Migration-Status"
    assert contract.ORIGINAL_PATH_HEADER == "X-Original-Path"
    assert contract.MIGRATION_TOKEN_HEADER == "X-Migration-Token"
    assert contract.TRACE_ID_HEADER == "X-Trace-Id"


def test_the_public_names_are_these() -> None:
    assert figwatch.__all__ == [
        "CurrentRequest",
        "__version__",
        "counter",
        "current_request",
        "edge",
        "histogram",
        "instrument",
        "message",
        "metrics_app",
        "outgoing",
        "shutdown",
        "testing",
        "trace_id",
    ]


@pytest.mark.parametrize("name", figwatch.__all__)
def test_every_public_name_resolves(name: str) -> None:
    assert getattr(figwatch, name) is not None


def test_a_name_that_does_not_exist_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'instrumnet'"):
        _ = figwatch.instrumnet


def loaded_by(statement: str) -> set[str]:
    code = f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=_environment())
    return set(done.stdout.split())


def _environment() -> dict[str, str]:
    import os

    return {**os.environ, "PYTHONPATH": os.pathsep.join(entry for entry in sys.path if entry)}


def test_the_contract_loads_nothing_but_itself_and_the_standard_library() -> None:
    foreign = {
        name for name in loaded_by("import figwatch.contract") if name.split(".")[0] not in sys.stdlib_module_names
    }
    assert foreign == {"figwatch", "figwatch.contract"}


def test_instrumenting_loads_no_framework_that_the_service_did_not_load() -> None:
    statement = "import figwatch; figwatch.instrument(lambda environ, start_response: [])"
    dependencies = "import opentelemetry.trace, prometheus_client"  # of which earlier versions load asyncio
    roots = {name.split(".")[0] for name in loaded_by(statement) - loaded_by(dependencies)}
    assert not roots & {"aiohttp", "starlette", "fastapi", "flask", "django", "httpx", "requests", "asyncio", "grpc"}
