"""The docs list what the code knows, every name of it and no other."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from importlib import import_module
from typing import Any

import click
import pytest

from figwatch import contract
from figwatch.otlp_transport import REASONS
from figwatch.testing import recording
from figwatch_agent import cli
from figwatch_agent.durations import format_duration
from figwatch_agent.files import call_file, plan_file, settings_file, slo_file, source_file
from figwatch_agent.files.targets import TAKEN
from figwatch_agent.model.audit import AuditKind
from figwatch_agent.model.command import CommandKind
from figwatch_agent.model.decision import DecisionOutcome, Reason
from figwatch_agent.model.effect import DeliveryState, RollbackState
from figwatch_agent.model.incident import RollbackVerdict
from figwatch_agent.model.names import AlertName
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import (
    KEEP,
    Alerting,
    Heartbeat,
    PagerDuty,
    Rollback,
    SlackBot,
    Web,
)
from figwatch_agent.notify import webhook
from figwatch_agent.notify.reasons import DeliveryReason
from figwatch_agent.report.series import FAMILIES
from figwatch_agent.rollback import exec as process
from figwatch_agent.rollback import http as calls
from figwatch_agent.sources.fault import FaultReason
from figwatch_agent.telemetry import Telemetry
from support.agent_site import Site
from support.grammar import Key, keys
from support.library import call_asgi
from support.parts import ROOT

SHARED = {
    "http": call_file.HTTP,
    "exec": call_file.EXEC,
    "reading": call_file.READING,
    "call": call_file.CALL,
    "asked": call_file.ASKED,
}
GRAMMARS = {
    "figwatch.yaml": settings_file.FILE,
    "slo/*.yaml": slo_file.FILE,
    "HTTP call": call_file.HTTP,
    "Process": call_file.EXEC,
    "Reading": call_file.READING,
}
SHARED_FLAGS = {"--config", "--output", "--dry-run"}


def doc(name: str) -> str:
    """A page of docs/."""
    return ROOT.joinpath("docs", name).read_text("utf-8")


def section(text: str, title: str) -> str:
    """What stands under a heading, up to the next one of its level or above."""
    found = re.search(rf"^(#+) {re.escape(title)}$\n", text, re.MULTILINE)
    assert found is not None, title
    rest = text[found.end() :]
    end = re.search(rf"^#{{1,{len(found[1])}}} ", rest, re.MULTILINE)
    return rest if end is None else rest[: end.start()]


def tables(text: str) -> Iterator[tuple[str, list[list[str]]]]:
    """Name of the first column, and the rows, of every table."""
    for block in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in block.splitlines()]
        yield rows[0][0], rows[2:]


def listed(text: str, column: str) -> list[str]:
    """The first cells, without marks, of the tables whose first column has this name."""
    return [row[0].strip("`") for name, rows in tables(text) if name == column for row in rows]


def described(title: str) -> dict[str, list[str]]:
    """Key -> row, of the tables of keys under a heading."""
    text = section(doc("configuration.md"), title)
    if title == "figwatch.yaml":
        text = text.split("### HTTP call")[0]
    return {row[0].strip("`"): row for name, rows in tables(text) if name == "key" for row in rows}


def known(title: str) -> dict[str, Key]:
    """The grammar's keys for a heading."""
    grammar: Any = GRAMMARS[title]
    return keys(grammar, {name: piece for name, piece in SHARED.items() if piece is not grammar})


@pytest.mark.parametrize("title", GRAMMARS)
def test_every_key_of_the_files_is_described_and_no_other(title: str) -> None:
    assert set(described(title)) == set(known(title))


@pytest.mark.parametrize("title", GRAMMARS)
def test_a_key_is_said_to_be_required_exactly_where_it_is(title: str) -> None:
    said = {key for key, row in described(title).items() if row[3] == "required"}
    assert said == {key for key, known_key in known(title).items() if known_key.required}


@pytest.mark.parametrize("title", GRAMMARS)
def test_every_key_has_a_meaning_and_a_form(title: str) -> None:
    assert [key for key, row in described(title).items() if len(row) != 4 or not row[1] or not row[2]] == []


DEFAULTS: Mapping[str, str] = {
    "source.scrape.interval": format_duration(source_file.DEFAULT_SCRAPE),
    "source.scrape.timeout": f"{format_duration(source_file.DEFAULT_TIMEOUT)}",
    "source.prometheus.interval": format_duration(source_file.DEFAULT_LOOK),
    "source.prometheus.timeout": format_duration(source_file.DEFAULT_LOOK_TIMEOUT),
    "receivers[].pagerduty.url": PagerDuty(routing_key=Secret(env="KEY")).url,
    "receivers[].slack.url": SlackBot(bot_token=Secret(env="TOKEN"), channel="C0").url,
    "alerting.hold": format_duration(Alerting().hold),
    "alerting.telemetry_lost_after": format_duration(Alerting().telemetry_lost_after),
    "alerting.exclusion_open_after": format_duration(Alerting().exclusion_open_after),
    "alerting.traffic_lost_after": format_duration(Alerting().traffic_lost_after),
    "rollback.mode": Rollback().mode.value,
    "rollback.cool_down": format_duration(Rollback().cool_down),
    "rollback.blast_cap": str(Rollback().blast_cap),
    "rollback.blast_window": format_duration(Rollback().blast_window),
    "rollback.approval_expires": format_duration(Rollback().approval_expires),
    "rollback.plans.NAME.steps[].deadline": format_duration(plan_file.DEADLINE),
    "state.keep": format_duration(KEEP),
    "web.access": Web().access,
    "web.listen": f"{Web().host}:{Web().port}",
    "heartbeat.interval": format_duration(Heartbeat(url="http://x").interval),
}


@pytest.mark.parametrize("key", DEFAULTS)
def test_a_default_is_said_as_it_is(key: str) -> None:
    said = described("figwatch.yaml")[key][3]
    assert said.startswith(f"`{DEFAULTS[key]}`")


def test_the_defaults_of_probes_are_said_as_they_are() -> None:
    rows = described("slo/*.yaml")
    assert rows["slos[].sli.probe.interval"][3] == f"`{format_duration(slo_file.DEFAULT_PROBE_INTERVAL)}`"
    assert rows["slos[].sli.probe.timeout"][3].startswith(f"`{format_duration(slo_file.DEFAULT_PROBE_TIMEOUT)}`")


def test_every_measure_is_listed_with_a_target_that_it_takes() -> None:
    rows = [row for name, rows in tables(doc("configuration.md")) if name == "measure" for row in rows]
    assert {row[0].strip("`"): row[1].replace("`", "") for row in rows} == {
        measure.value: taken.example for measure, taken in TAKEN.items()
    }


def families(page: str) -> set[str]:
    """Names of the families on a metrics page, counters with their ending, without those about creation."""
    found = re.findall(r"^# TYPE (\S+) (\S+)$", page, re.MULTILINE)
    return {name for name, _ in found if not name.endswith("_created")}


def test_every_series_is_listed() -> None:
    said = listed(doc("reference.md"), "series")
    assert set(said) == {*contract.SERIES, *families(Telemetry().render().decode()), *FAMILIES}
    assert len(said) == len(set(said))


def test_every_label_of_the_library_is_listed_with_its_closed_values() -> None:
    rows = {row[0].strip("`"): row[1] for name, rows in tables(doc("reference.md")) if name == "label" for row in rows}
    of_messages = {*contract.WEBSOCKET_LABELS, *contract.WEBSOCKET_MESSAGE_LABELS, *contract.MESSAGE_LABELS}
    assert set(rows) == {*contract.REQUEST_LABELS, *of_messages}
    assert re.findall(r"`(\w+)`", rows[contract.OUTCOME]) == list(contract.OUTCOMES)
    assert re.findall(r"`(\w+)`", rows[contract.SERVED_BY]) == list(contract.SIDES)
    assert set(re.findall(r"`(\w+)`", rows[contract.VANTAGE])) == set(contract.VANTAGES)


def test_the_bucket_bounds_are_those_of_the_contract() -> None:
    said = re.search(r"Bucket bounds in seconds: (.*)\.\n", doc("reference.md"))
    assert said is not None
    assert tuple(float(bound) for bound in said[1].split(",")) == contract.BUCKETS


def test_every_header_is_listed() -> None:
    of_contract = {value for name, value in vars(contract).items() if name.endswith("_HEADER")}
    own = {webhook.ID, webhook.TIMESTAMP, webhook.SIGNATURE, calls.CHANGED_BY, calls.IDEMPOTENCY_KEY}
    assert set(listed(doc("reference.md"), "header")) == of_contract | own


def test_every_reason_of_a_failed_export_is_listed() -> None:
    assert listed(doc("reference.md"), "export reason") == list(REASONS)


def test_every_environment_variable_is_listed() -> None:
    read = set()
    for folder in ("instrumentation/figwatch", "agent/figwatch_agent"):
        for file in ROOT.joinpath(folder).rglob("*.py"):
            if "demo" not in file.parts and "scaffold" not in file.parts:
                read |= set(re.findall(r"\b(?:FIGWATCH|OTEL|PROMETHEUS)_[A-Z_]+\b", file.read_text("utf-8")))
    assert process.KEY_VARIABLE in read
    assert set(listed(doc("reference.md"), "variable")) == read | {"NO_COLOR"}


def commands(command: click.Command, path: str) -> Iterator[tuple[str, click.Command]]:
    """Every command below a verb with the words that call it."""
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, f"{path} {name}")
    else:
        yield path, command


def test_every_command_is_listed_with_its_flags() -> None:
    rows = [row for name, rows in tables(doc("reference.md")) if name == "command" for row in rows]
    said = {}
    for row in rows:
        words = re.sub(r"[\[{A-Z].*", "", row[0].strip("`")).strip()
        said[words] = set(re.findall(r"--[a-z-]+", row[1]))
    real = {}
    for verb in cli.VERBS.values():
        for path, command in commands(import_module(verb.module).command, f"figwatch {verb.name}"):
            flags = {each.opts[0] for each in command.params if isinstance(each, click.Option)}
            real[path] = flags - SHARED_FLAGS
    assert said == real


def test_every_shared_flag_is_listed() -> None:
    assert set(listed(doc("reference.md"), "flag")) >= SHARED_FLAGS


def test_the_exit_codes_are_those_of_the_command_line() -> None:
    assert cli.__doc__ is not None
    told = cli.__doc__.partition("Exit codes:")[2]
    assert listed(doc("reference.md"), "exit code") == re.findall(r"\b(\d) ", told)
    assert [cli.ERROR, cli.FINDINGS, cli.NOT_ENOUGH_DATA] == [1, 3, 5]


SETS: Mapping[str, type[StrEnum]] = {
    "alert": AlertName,
    "outcome": DecisionOutcome,
    "decision reason": Reason,
    "state": RollbackState,
    "rollback verdict": RollbackVerdict,
    "delivery state": DeliveryState,
    "delivery reason": DeliveryReason,
    "scrape reason": FaultReason,
    "kind": CommandKind,
    "audit kind": AuditKind,
}


@pytest.mark.parametrize("column", SETS)
def test_every_word_of_a_closed_set_is_listed_in_its_order(column: str) -> None:
    assert listed(doc("reference.md"), column) == [word.value for word in SETS[column]]


def test_every_path_of_the_agents_server_is_listed() -> None:
    routes = Site().app().router.resources()
    real = {_canonical(each.canonical) for each in routes}
    said = [cell.split(" ")[1].partition("?")[0] for cell in listed(doc("reference.md"), "path")]
    assert set(said) == real


def _canonical(path: str) -> str:
    return path.rstrip("/") or "/"


def links(text: str) -> Iterable[str]:
    """Relative links of a page, without anchors."""
    return [link.split("#")[0] for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text) if "://" not in link]


@pytest.mark.parametrize(
    "page", ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_every_relative_link_of_a_page_leads_somewhere(page: str) -> None:
    file = ROOT / page
    assert [link for link in links(file.read_text("utf-8")) if not (file.parent / link).exists()] == []


def test_the_readme_shows_a_gateway_that_decides_and_counts() -> None:
    page = ROOT.joinpath("README.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(from figwatch import edge\n.*?)```", page, re.DOTALL)
    names: dict[str, Any] = {"app": _forward}
    exec(code, names)  # noqa: S102 (it is our own README)
    with recording() as recorded:
        start, _end = asyncio.run(call_asgi(names["app"], "/api/v1/chat"))
    assert start["status"] == 200
    recorded.assert_requests(1, http_route="/api/v1/chat", vantage="edge")


async def _forward(scope: Any, _receive: Any, send: Any) -> None:
    marked = (contract.MIGRATION_STATUS_HEADER.lower().encode(), scope["figwatch.served_by"].encode())
    await send({"type": "http.response.start", "status": 200 if marked in scope["headers"] else 500, "headers": []})
    await send({"type": "http.response.body", "body": b"."})
