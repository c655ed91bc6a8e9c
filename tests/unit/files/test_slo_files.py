"""What files of slo/ become."""

from fractions import Fraction
from pathlib import Path

import pytest

from figwatch_agent.durations import DAY, HOUR, MINUTE, SECOND
from figwatch_agent.errors import FilesInvalid
from figwatch_agent.files.load import load_slo_files, slo_paths
from figwatch_agent.files.targets import target_problem
from figwatch_agent.model.names import Measure, Severity, Stage
from figwatch_agent.model.selector import Matcher, Selector
from figwatch_agent.model.slo import (
    Availability,
    Events,
    Histogram,
    Latency,
    Probe,
    Promql,
    Route,
    ServiceSlos,
    Slo,
    Uptime,
)

ROOT = Path(__file__).parents[3]
HEAD = """\
version: 1
migration: m
service: chat
window: 30d
routes: [{route: /a, stage: canary}, {route: "/b/{id}", stage: retired}]
"""


def read(tmp_path: Path, text: str) -> ServiceSlos:
    path = tmp_path / "chat.yaml"
    path.write_text(HEAD + text, "utf-8")
    return load_slo_files([str(path)])[0][0]


def slo(tmp_path: Path, text: str) -> Slo:
    return read(tmp_path, f"slos:\n  - {{name: s, {text}}}\n").slos[0]


def sli(tmp_path: Path, text: str) -> object:
    return slo(tmp_path, f"objective: 99%, sli: {text}").sli


def test_a_file_says_whose_promises_these_are(tmp_path: Path) -> None:
    service = read(tmp_path, "")
    assert (service.migration, service.service, service.window, service.vantage) == ("m", "chat", 30 * DAY, "edge")
    assert service.routes == (
        Route(template="/a", stage=Stage.CANARY),
        Route(template="/b/{id}", stage=Stage.RETIRED),
    )


@pytest.mark.parametrize(
    ("text", "ratio"),
    [
        ("99.9%", Fraction(999, 1000)),
        ("99.95%", Fraction(9995, 10000)),
        ("95%", Fraction(19, 20)),
        ("99.999999999%", Fraction(99999999999, 100000000000)),
    ],
)
def test_an_objective_is_exact(tmp_path: Path, text: str, ratio: Fraction) -> None:
    assert slo(tmp_path, f"sli: {{kind: availability}}, objective: {text}").objective == ratio


def test_the_usual_tiers_come_by_default(tmp_path: Path) -> None:
    tiers = slo(tmp_path, "sli: {kind: availability}, objective: 99.9%").tiers
    assert [(tier.name, tier.long, tier.short, tier.severity) for tier in tiers] == [
        ("1h", HOUR, 5 * MINUTE, Severity.PAGE),
        ("6h", 6 * HOUR, 30 * MINUTE, Severity.PAGE),
        ("1d", DAY, 2 * HOUR, Severity.TICKET),
        ("3d", 3 * DAY, 6 * HOUR, Severity.TICKET),
    ]
    assert [tier.factor(30 * DAY) for tier in tiers] == [Fraction(72, 5), 6, 3, 1]


def test_a_default_tier_slower_than_the_budget_is_dropped_with_a_notice(tmp_path: Path) -> None:
    path = tmp_path / "chat.yaml"
    text = HEAD.replace("30d", "28d") + "slos:\n  - {name: s, sli: {kind: availability}, objective: 99.9%}\n"
    path.write_text(text, "utf-8")
    services, notices = load_slo_files([str(path)])
    assert [tier.name for tier in services[0].slos[0].tiers] == ["1h", "6h", "1d"]
    assert [notice.message for notice in notices] == [
        "s goes without the usual ticket tier 3d: this tier fires at burn rate 0.933, while the budget is kept"
    ]


def test_tiers_by_hand_replace_the_usual_ones(tmp_path: Path) -> None:
    tiers = slo(
        tmp_path,
        "sli: {kind: availability}, objective: 99.9%, tiers: ["
        "{share: 2.5%, long: 90m, short: 6m, severity: page},"
        "{share: 1%, long: 3d, short: 6h, severity: ticket, allow_slow: true, name: slow}]",
    ).tiers
    assert [(tier.name, tier.share, tier.allow_slow) for tier in tiers] == [
        ("1h30m", Fraction(1, 40), False),
        ("slow", Fraction(1, 100), True),
    ]


@pytest.mark.parametrize(
    ("text", "early"),
    [
        ("sli: {kind: availability}, objective: 99.9%", True),
        ("sli: {kind: availability}, objective: 99.9%, early: false", False),
        ("sli: {kind: availability}, objective: 90%", False),  # five budgets are half of all requests
        ('sli: {kind: uptime, probe: {http: "http://127.0.0.1:1/"}}, objective: 99.9%', False),  # counts no requests
    ],
)
def test_the_early_lane_watches_where_it_can(tmp_path: Path, text: str, early: bool) -> None:
    assert slo(tmp_path, text).early is early


def test_every_form_of_sli_is_read(tmp_path: Path) -> None:
    errors = Selector(metric="r_total", matchers=(Matcher(label="code", operator="=~", value="5.."),))
    all_ = Selector(metric="r_total")
    assert sli(tmp_path, "{kind: availability}") == Availability()
    assert sli(tmp_path, "{kind: latency, threshold: 200ms}") == Latency(threshold=200)
    assert sli(tmp_path, "{kind: latency, threshold: 1s, of: first_byte}") == Latency(threshold=1000, of="first_byte")
    assert sli(tmp_path, '{kind: uptime, probe: {http: "http://h/z", interval: 1s}}') == Uptime(
        probe=Probe(http="http://h/z", interval=SECOND, timeout=SECOND)
    )
    assert sli(tmp_path, "{events: {bad: 'r_total{code=~\"5..\"}', total: r_total}}") == Events(
        bad=(errors,), total=(all_,)
    )
    assert sli(tmp_path, "{events: {good: [a_total, b_total], total: r_total}}") == Events(
        good=(Selector(metric="a_total"), Selector(metric="b_total")), total=(all_,)
    )
    assert sli(tmp_path, "{histogram: latency_seconds, threshold: 0.2}") == Histogram(
        selectors=(Selector(metric="latency_seconds"),), threshold=Fraction(1, 5)
    )
    assert sli(tmp_path, '{promql: {bad: "sum(rate(a[5m]))", total: "sum(rate(b[5m]))"}}') == Promql(
        bad="sum(rate(a[5m]))", total="sum(rate(b[5m]))"
    )


def test_matchers_keep_their_operators_and_unescaped_values(tmp_path: Path) -> None:
    events = sli(tmp_path, """{events: {bad: 'a{x="1\\n", y!="2", z!~"3|4"}', total: a}}""")
    assert isinstance(events, Events)
    assert events.bad[0].matchers == (
        Matcher(label="x", operator="=", value="1\n"),
        Matcher(label="y", operator="!=", value="2"),
        Matcher(label="z", operator="!~", value="3|4"),
    )


def test_a_criterion_is_measured_over_the_window_unless_it_says_otherwise(tmp_path: Path) -> None:
    criteria = read(
        tmp_path,
        "criteria:\n"
        "  - {name: a, measure: mttr, target: < 15m}\n"
        "  - {name: b, measure: delivery_speed, target: +40%, over: 90d, by: 2026-12-31}\n",
    ).criteria
    assert [(one.target, one.over, one.by) for one in criteria] == [
        ("< 15m", 30 * DAY, None),
        ("+40%", 90 * DAY, "2026-12-31"),
    ]


def test_a_file_may_hold_criteria_alone(tmp_path: Path) -> None:
    path = tmp_path / "migration.yaml"
    path.write_text(
        "version: 1\nmigration: m\nwindow: 30d\ncriteria: [{name: a, measure: satisfaction, target: kept}]\n", "utf-8"
    )
    (service,), notices = load_slo_files([str(path)])
    assert (service.service, service.slos, len(service.criteria), notices) == ("", (), 1, ())


@pytest.mark.parametrize(
    "target",
    [
        "measure: uptime, target: '> 99.9%'",
        "measure: uptime, target: '>= 99.9%'",
        "measure: latency_p95, target: < 200ms",
        "measure: data_loss, target: < 1",
        "measure: deployment_frequency, target: x5",
        "measure: mttr, target: <15m",
        "measure: legacy_ratio, target: < 0.5%",
        "measure: satisfaction, target: kept",
        "measure: delivery_speed, target: +40%",
        "measure: infrastructure_cost, target: -30%",
        "measure: developer_productivity, target: up",
        "measure: time_to_market, target: -50%",
    ],
)
def test_every_measure_takes_its_form_of_target(tmp_path: Path, target: str) -> None:
    assert read(tmp_path, f"criteria:\n  - {{name: a, {target}}}\n").criteria


@pytest.mark.parametrize(
    "target",
    [
        "uptime",
        "kept it",
        "> 5",
        "15m",
        "+40",
        "<",
        "x",
        "< -1%",
        "+-5%",
        "< 1e3%",
        "x1",
        "x0",
        "+0%",
        "-0.0%",
        "-101%",
        "x٣",
    ],
)
@pytest.mark.parametrize("measure", list(Measure))
def test_no_measure_takes_a_target_of_no_known_form(measure: Measure, target: str) -> None:
    assert target_problem(measure, target) is not None


@pytest.mark.parametrize("measure", [Measure.DATA_LOSS, Measure.INFRASTRUCTURE_COST])
def test_what_should_become_less_cannot_be_kept(measure: Measure) -> None:
    assert target_problem(measure, "kept") is not None


def test_two_files_cannot_promise_under_one_name(tmp_path: Path) -> None:
    paths = []
    for service in ("one", "two"):
        path = tmp_path / f"{service}.yaml"
        text = HEAD.replace("chat", service).replace("/a", f"/{service}").replace("/b", f"/{service}/b")
        path.write_text(text + "slos: [{name: s, sli: {kind: availability}, objective: 99%}]\n", "utf-8")
        paths.append(str(path))
    with pytest.raises(FilesInvalid, match='the SLO "s" is named twice') as raised:
        load_slo_files(paths)
    assert raised.value.count == 1


def test_two_files_cannot_belong_to_different_migrations(tmp_path: Path) -> None:
    tmp_path.joinpath("a.yaml").write_text(HEAD, "utf-8")
    tmp_path.joinpath("b.yaml").write_text(
        "version: 1\nmigration: n\nwindow: 30d\nservice: b\nroutes: [{route: /x, stage: legacy}]\n"
    )
    with pytest.raises(FilesInvalid, match="belongs to another migration"):
        load_slo_files(slo_paths(str(tmp_path)))


def test_the_reference_migration_is_promised_in_full() -> None:
    services, notices = load_slo_files(slo_paths(str(ROOT / "slo")))
    assert {service.service for service in services} == {"chat", "model-gateway", "knowledge", ""}
    assert sorted(criterion.measure for service in services for criterion in service.criteria) == sorted(Measure)
    for service in services:
        kinds = {type(one.sli) for one in service.slos}
        assert not service.service or kinds == {Availability, Latency, Uptime}
    assert notices == ()
