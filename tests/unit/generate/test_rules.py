"""Rules as they are generated: how many, what they are called, what each alert carries, and in which syntax."""

from __future__ import annotations

import re
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import promql_parser
import pytest
import yaml

from figwatch_agent.evaluate.evidence import rejects_within_budget
from figwatch_agent.generate.promql import bucket, literally, number, quoted, reach
from figwatch_agent.generate.rule_files import rule_files
from figwatch_agent.generate.rules import MOST_PER_SLO, Options, beside_agent, by_service, left_out
from figwatch_agent.generate.texts import Links
from figwatch_agent.generate.tier_alerts import evidence_constant, surprise
from figwatch_agent.model.names import AlertName
from figwatch_agent.model.slo import ServiceSlos
from support.generate import committed, own_services, rules_of, services_from
from support.parts import ROOT

KINDS = [Options(), Options(standalone=True), Options(standalone=True, sloth_names=True)]
SAID_BY_THE_AGENT_ALONE = {
    AlertName.EARLY_OUTAGE,  # a statistic that is carried from scrape to scrape
    AlertName.ROLLBACK_INEFFECTIVE,
    AlertName.ROLLBACK_UNVERIFIED,
    AlertName.ROLLBACK_NEEDS_HUMAN,
    AlertName.EXTERNAL_ALERT,  # of somebody else's rules
}
HEAD = "version: 1\nmigration: m\nservice: {service}\nwindow: 30d\n"
OWN_COUNTERS = (
    HEAD.format(service="orders")
    + """slos:
  - name: orders-kept
    objective: 99.9%
    sli: {events: {total: [a_total, b_total, 'a_total{kind="x"}'], bad: 'a_total{code=~"5.."}'}}
  - name: orders-good
    objective: 99%
    sli: {events: {total: a_total, good: 'a_total{code="200"}'}}
  - name: orders-fast
    objective: 95%
    sli: {histogram: 'work_seconds{queue="q"}', threshold: 2}
  - name: orders-odd
    objective: 99%
    sli: {promql: {bad: 'sum(increase(x[5m]))', total: 'sum(increase(y[5m]))'}}
"""
)


def small_services() -> list[ServiceSlos]:
    """Two of our files: what holds for them holds for more, and costs less."""
    return [service for service in own_services() if service.path.endswith(("knowledge.yaml", "migration.yaml"))]


def alerts() -> list[dict[str, Any]]:
    return [rule for text in committed("*/*.rules.yml").values() for rule in rules_of(text) if "alert" in rule]


@pytest.mark.parametrize("options", KINDS)
def test_the_same_files_give_the_same_bytes_in_whatever_order_they_come(options: Options) -> None:
    services = small_services()
    first = rule_files(services, options)
    Random(3).shuffle(services)
    assert rule_files(services, options) == first


@pytest.mark.parametrize("options", KINDS)
def test_every_file_says_which_command_wrote_it(options: Options) -> None:
    heads = {text.splitlines()[0] for text in rule_files(small_services(), options).values()}
    assert len(heads) == 1
    assert ("--standalone" in heads.pop()) is options.standalone


def test_at_most_six_rules_an_slo_stand_beside_the_agent() -> None:
    for service in by_service(own_services()):
        rules = sum(len(group.rules) for group in beside_agent(service, Options()))
        assert 0 < rules <= MOST_PER_SLO * len(service.slos)


def test_six_rules_are_enough_for_a_service_of_one_slo(tmp_path: Path) -> None:
    text = HEAD.format(service="one") + "slos: [{name: o, objective: 99%, sli: {events: {total: a, bad: b}}}]\n"
    (service,) = by_service(services_from(tmp_path, one=text))
    assert sum(len(group.rules) for group in beside_agent(service, Options())) == MOST_PER_SLO


def test_every_expression_parses(tmp_path: Path) -> None:
    texts = list(committed("*/*.rules.yml").values())
    texts += [
        text
        for path, text in rule_files(services_from(tmp_path, orders=OWN_COUNTERS), KINDS[2]).items()
        if path.endswith(".rules.yml")
    ]
    expressions = [rule["expr"] for text in texts for rule in rules_of(text)]
    assert len(expressions) > 200
    for expression in expressions:
        promql_parser.parse(expression)


def test_every_recorded_series_is_named_level_metric_operation() -> None:
    names = {
        rule["record"] for text in committed("*/*.rules.yml").values() for rule in rules_of(text) if "record" in rule
    }
    assert {name for name in names if not re.fullmatch(r"[a-z]+:[a-z_]+:[a-z0-9_]+", name)} == {"sloth_slo_info"}


def test_sloths_public_names_and_labels_are_there() -> None:
    rules = [rule for text in committed("standalone/*.sloth.rules.yml").values() for rule in rules_of(text)]
    windows = ("5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d")
    names = {f"slo:sli_error:ratio_rate{window}" for window in windows} | {
        "slo:objective:ratio",
        "slo:error_budget:ratio",
        "slo:time_period:days",
        "slo:current_burn_rate:ratio",
        "slo:period_burn_rate:ratio",
        "slo:period_error_budget_remaining:ratio",
        "sloth_slo_info",
    }
    assert {rule["record"] for rule in rules} == names
    for rule in rules:
        assert {"sloth_id", "sloth_service", "sloth_slo"} <= rule["labels"].keys()
        assert ("sloth_window" in rule["labels"]) is ("ratio_rate" in rule["record"])


def test_every_alert_carries_what_a_person_needs() -> None:
    assert alerts()
    for rule in alerts():
        said = rule["annotations"]
        assert set(said) == {"summary", "description", "decide", "runbook_url", "dashboard_url"}
        assert all(said.values())
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert {"service", "slo", "tier"} <= rule["labels"].keys()


def test_every_alert_has_its_runbook_and_every_runbook_its_alert() -> None:
    runbooks = {file.stem for file in ROOT.joinpath("runbooks").glob("*.md")} - {"README"}
    told = {rule["alert"] for rule in alerts()}
    assert told | {name.value for name in SAID_BY_THE_AGENT_ALONE} == runbooks
    assert not told & {name.value for name in SAID_BY_THE_AGENT_ALONE}
    for rule in alerts():
        assert rule["annotations"]["runbook_url"].rsplit("/", 1)[1] == rule["alert"]


def test_links_lead_where_the_options_say() -> None:
    links = Links(runbooks="https://wiki.example/", grafana="https://graphs.example")
    files = rule_files(small_services(), Options(standalone=True, links=links))
    for rule in rules_of(files["knowledge.rules.yml"]):
        if "alert" in rule:
            assert rule["annotations"]["runbook_url"].startswith("https://wiki.example/")
            assert re.match(r"https://graphs\.example/d/figwatch-[a-z]+", rule["annotations"]["dashboard_url"])


def test_promql_of_ones_own_is_left_to_the_agent_and_named(tmp_path: Path) -> None:
    services = services_from(tmp_path, orders=OWN_COUNTERS)
    assert left_out(services) == ("orders-odd",)
    assert "orders-odd" not in rule_files(services, KINDS[1])["orders.rules.yml"]


def test_a_window_that_is_no_whole_number_of_minutes_is_refused(tmp_path: Path) -> None:
    text = HEAD.format(service="fast") + (
        "slos: [{name: f, objective: 99%, sli: {events: {total: a, bad: b}},"
        " tiers: [{share: 1%, long: 10m, short: 30s, severity: page}]}]\n"
    )
    with pytest.raises(ValueError, match="30s is no whole number of minutes"):
        rule_files(services_from(tmp_path, fast=text), KINDS[1])


@pytest.mark.parametrize("objective", [Fraction(1, 2), Fraction(95, 100), Fraction(999, 1000), Fraction(99999, 100000)])
@pytest.mark.parametrize("alpha", [Fraction(1, 100_000), Fraction(1, 1_000_000)])
def test_evidence_by_the_bound_is_never_weaker_than_the_exact_test(objective: Fraction, alpha: Fraction) -> None:
    random = Random(11)
    fired = 0
    for _ in range(300):
        total = random.choice([5, 60, 600, 20_000, 3_000_000])
        expected = float(total * (1 - objective))
        bad = min(total, max(2, round(expected + random.uniform(0, 9) * max(expected, 1) ** 0.5 + random.random() * 6)))
        if bad > expected and surprise(bad, expected) >= evidence_constant(alpha):
            fired += 1
            assert rejects_within_budget(bad, total, objective, alpha)
    assert fired > 0


def test_the_tables_of_the_documentation_are_what_the_two_tests_say() -> None:
    page = ROOT.joinpath("docs/rules.md").read_text("utf-8")
    alpha = Fraction(1, 100_000)
    for objective, exact, bound in re.findall(r"^\| ([\d.]+)% \| (\d+) \| (\d+) \|$", page, re.MULTILINE):
        budget = 1 - Fraction(objective) / 100
        every = range(2, 50)
        assert int(exact) == next(n for n in every if rejects_within_budget(n, n, 1 - budget, alpha))
        assert int(bound) == next(n for n in every if surprise(n, float(budget * n)) >= evidence_constant(alpha))
    rows = re.findall(r"^\| ([\d,]+) \| (\d+) \| (\d+) \|$", page, re.MULTILINE)
    assert len(rows) == 6
    for requests, exact, bound in rows:
        total = int(requests.replace(",", ""))
        above = range(max(2, total // 1000 + 1), total + 1)
        assert int(exact) == next(k for k in above if rejects_within_budget(k, total, Fraction(999, 1000), alpha))
        assert int(bound) == next(k for k in above if surprise(k, total / 1000) >= evidence_constant(alpha))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (Fraction(144, 10_000), "0.0144"),
        (Fraction(30), "30"),
        (Fraction(1, 3), "0.3333333333333333"),
        (Fraction(-1, 4), "-0.25"),
    ],
)
def test_numbers_are_exact_decimals_where_there_are_any(value: Fraction, text: str) -> None:
    assert number(value) == text
    assert float(text) == float(value)


def test_a_route_is_taken_literally() -> None:
    route = "/a.b/{id}|x$"
    assert re.fullmatch(literally(route), route)
    assert not re.fullmatch(literally(route), "/aXb/{id}|x$")
    assert quoted('a"\\n') == '"a\\"\\\\n"'


def test_whole_bounds_are_found_with_and_without_their_fraction() -> None:
    assert bucket(Fraction(1, 5)).value == "0.2"
    assert all(re.fullmatch(bucket(Fraction(1)).value, text) for text in ("1", "1.0"))
    assert not re.fullmatch(bucket(Fraction(1)).value, "10")


def test_a_range_holds_as_many_minutes_open_as_closed() -> None:
    assert reach(3_600_000) == "[59m59s]"


def test_alertmanager_groups_by_incident_and_never_holds_back_a_page() -> None:
    config = yaml.safe_load(committed("agent/alertmanager.yml")["agent/alertmanager.yml"])
    for rule in config["inhibit_rules"]:
        held_back = rule["target_matchers"]
        assert any("ticket" in each or "TrafficLost" in each for each in held_back)
    assert all(
        rule["labels"]["severity"] == "ticket" for rule in alerts() if rule["alert"] == AlertName.TRAFFIC_LOST.value
    )
