"""What figwatch.yaml becomes."""

from pathlib import Path

import pytest

from figwatch_agent.durations import DAY, MINUTE, SECOND
from figwatch_agent.errors import FilesInvalid
from figwatch_agent.files.load import load
from figwatch_agent.model.names import DataPlan, Mode, Repeat, Severity
from figwatch_agent.model.plan import (
    ExecCall,
    GatewayReading,
    HttpCall,
    LagReading,
    LegacyFitness,
    RollbackPlan,
    Step,
    Verification,
)
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import (
    Alerting,
    Heartbeat,
    PagerDuty,
    PrometheusServer,
    Receiver,
    Rollback,
    Scrape,
    Settings,
    Slack,
    SlackBot,
    Token,
    Web,
    Webhook,
)
from support.files import SETTINGS, SLO, write_project

MINIMAL = 'source: {scrape: {targets: ["http://h/metrics"]}}\nstate: {sqlite: state.db}\n'
BARE = SLO.replace(", rollback: chat-to-legacy", "")


def settings(tmp_path: Path, text: str, slo: str = BARE) -> Settings:
    return load(write_project(tmp_path, settings=text, chat=slo)).settings


def test_the_least_settings_take_all_defaults(tmp_path: Path) -> None:
    read = settings(tmp_path, MINIMAL)
    assert read == Settings(
        path=str(tmp_path / "figwatch.yaml"),
        source=Scrape(targets=("http://h/metrics",), interval=5 * SECOND, timeout=4 * SECOND),
        state=str(tmp_path / "state.db"),
        runbook_url="http://127.0.0.1:9464/runbooks/",
    )


def test_slack_may_be_a_bot_in_a_channel(tmp_path: Path) -> None:
    bot = "{bot_token: {env: TOKEN}, channel: C0123ABCD}"
    own = '{bot_token: {file: token}, channel: G0123ABCD, url: "http://127.0.0.1:1/api"}'
    text = f"receivers: [{{name: a, slack: {bot}}}, {{name: b, slack: {own}}}]\n"
    kinds = [receiver.kind for receiver in settings(tmp_path, MINIMAL + text).receivers]
    assert kinds == [
        SlackBot(bot_token=Secret(env="TOKEN"), channel="C0123ABCD", url="https://slack.com/api"),
        SlackBot(bot_token=Secret(file=str(tmp_path / "token")), channel="G0123ABCD", url="http://127.0.0.1:1/api"),
    ]


def test_a_plan_is_read_whole(tmp_path: Path) -> None:
    plan = """\
rollback:
  plans:
    chat-to-legacy:
      data: forward_only
      data_loss: writes of the last 30 s
      legacy: {probe: {get: "http://l/z", headers: {Authorization: {env: LEGACY}}}, capacity: 200/s}
      gateway: {read: "http://g/routes", fields: [to, weights.legacy]}
      preconditions: ["http://l/ready"]
      steps:
        - id: writable
          exec: {argv: [flip, --on], environment: {TOKEN: {file: token}, MODE: rw}, stdin: "yes"}
          probe: {exec: {argv: [flip, --ask]}}
          compensate: {exec: {argv: [flip, --off]}}
        - id: redirect
          repeat: keyed
          deadline: 3s
          http: {put: "http://g/routes", json: {b: [1, 0.5], a: null}}
          probe: "http://g/is"
      verify: {slo: chat-availability, within: 2m}
"""
    read = settings(tmp_path, MINIMAL + plan, SLO)
    assert read.rollback.plans == (
        RollbackPlan(
            name="chat-to-legacy",
            data=DataPlan.FORWARD_ONLY,
            data_loss="writes of the last 30 s",
            legacy=LegacyFitness(
                probe=HttpCall(method="GET", url="http://l/z", headers=(("Authorization", Secret(env="LEGACY")),)),
                capacity_per_second=200,
            ),
            gateway=GatewayReading(read=HttpCall(method="GET", url="http://g/routes"), fields=("to", "weights.legacy")),
            preconditions=(HttpCall(method="GET", url="http://l/ready"),),
            steps=(
                Step(
                    id="writable",
                    repeat=Repeat.ONCE,
                    deadline=10 * SECOND,
                    call=ExecCall(
                        argv=("flip", "--on"),
                        environment=(("MODE", "rw"), ("TOKEN", Secret(file=str(tmp_path / "token")))),
                        stdin="yes",
                    ),
                    probe=ExecCall(argv=("flip", "--ask")),
                    compensation=ExecCall(argv=("flip", "--off")),
                ),
                Step(
                    id="redirect",
                    repeat=Repeat.KEYED,
                    deadline=3 * SECOND,
                    call=HttpCall(method="PUT", url="http://g/routes", json='{"a":null,"b":[1,0.5]}'),
                    probe=HttpCall(method="GET", url="http://g/is"),
                ),
            ),
            verify=Verification(slo="chat-availability", within=2 * MINUTE),
        ),
    )


def test_a_plan_may_read_the_lag_and_send_a_bearer_token(tmp_path: Path) -> None:
    headers = "legacy: {probe: {get: 'http://l/z', headers: {Authorization: {bearer: {env: KEY}}}},"
    (plan,) = settings(
        tmp_path, SETTINGS.replace('legacy: {probe: "http://127.0.0.1:8100/healthz",', headers), SLO
    ).rollback.plans
    assert plan.legacy.probe.headers == (("Authorization", Secret(env="KEY", prefix="Bearer ")),)
    assert plan.lag == LagReading(
        read=HttpCall(method="GET", url="http://127.0.0.1:8100/lag"), field="seconds", at_most=30 * SECOND
    )


def test_everything_that_can_be_set_is_read(tmp_path: Path) -> None:
    text = """\
source: {prometheus: {url: "http://p:9090", interval: 30s}}
state: {sqlite: data/state.db}
slo: ./slo
runbooks: {url: "https://wiki/runbooks"}
receivers:
  - {name: a, pagerduty: {routing_key: {env: KEY}, url: "http://127.0.0.1:1/v2"}, for: [page], fallback: b}
  - {name: b, slack: {webhook_url: {file: slack}}}
  - {name: c, webhook: {url: "http://h/hook", secret: {env: SIGN}}, for: [ticket]}
alerting: {hold: 20s, telemetry_lost_after: 1m, traffic_lost_after: 10m}
rollback:
  mode: approve
  cool_down: 1h
  blast_cap: 2
  blast_window: 12h
  kill_switch: off-switch
  freeze: [{from: 2026-12-24T00:00:00Z, to: "2026-12-27T00:00:00+02:00"}]
  approval_expires: 5m
web: {listen: "[::1]:8000", external_url: "https://f.example", tokens: [{name: t, token: {env: T}, role: view}]}
heartbeat: {url: {env: WATCHDOG}, interval: 30s}
"""
    read = settings(tmp_path, text)
    assert read.source == PrometheusServer(url="http://p:9090", interval=30 * SECOND)
    assert read.state == str(tmp_path / "data" / "state.db")
    assert read.runbook_url == "https://wiki/runbooks/"
    assert read.receivers == (
        Receiver(
            name="a",
            kind=PagerDuty(routing_key=Secret(env="KEY"), url="http://127.0.0.1:1/v2"),
            severities=frozenset({Severity.PAGE}),
            fallback="b",
        ),
        Receiver(
            name="b", kind=Slack(webhook_url=Secret(file=str(tmp_path / "slack"))), severities=frozenset(Severity)
        ),
        Receiver(
            name="c",
            kind=Webhook(url="http://h/hook", secret=Secret(env="SIGN")),
            severities=frozenset({Severity.TICKET}),
        ),
    )
    assert read.alerting == Alerting(hold=20 * SECOND, telemetry_lost_after=MINUTE, traffic_lost_after=10 * MINUTE)
    assert read.rollback == Rollback(
        mode=Mode.APPROVE,
        cool_down=60 * MINUTE,
        blast_cap=2,
        blast_window=DAY // 2,
        kill_switch=str(tmp_path / "off-switch"),
        freeze=((1798070400000, 1798322400000),),
        approval_expires=5 * MINUTE,
    )
    assert read.web == Web(
        host="::1",
        port=8000,
        external_url="https://f.example",
        tokens=(Token(name="t", token=Secret(env="T"), role="view"),),
    )
    assert read.heartbeat == Heartbeat(url=Secret(env="WATCHDOG"), interval=30 * SECOND)


def test_runbooks_are_found_under_the_external_address(tmp_path: Path) -> None:
    read = settings(tmp_path, MINIMAL + 'web: {external_url: "https://f.example/"}\n')
    assert read.runbook_url == "https://f.example/runbooks/"


@pytest.mark.parametrize("url", ["https://f.example/figwatch/", "https://f.example/a/b", "https://f.example/?a=b"])
def test_an_external_address_with_a_path_is_refused_for_the_pages_answer_at_the_root(tmp_path: Path, url: str) -> None:
    with pytest.raises(FilesInvalid, match=r"answers at the root of a name alone"):
        settings(tmp_path, MINIMAL + f'web: {{external_url: "{url}"}}\n')


def test_a_short_interval_shortens_the_wait_for_a_page(tmp_path: Path) -> None:
    source = settings(tmp_path, MINIMAL.replace("{targets", "{interval: 1s, targets")).source
    assert isinstance(source, Scrape)
    assert (source.interval, source.timeout) == (1000, 800)


def test_the_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    path = write_project(
        tmp_path,
        settings=SETTINGS.replace("dual_write", "dual_wrote"),
        chat=SLO.replace("canary", "cannary"),
        other="version: 1\nversion: 2\n",
    )
    with pytest.raises(FilesInvalid) as raised:
        load(path)
    for said in ('did you mean "dual_write"?', 'did you mean "canary"?', 'the key "version" is given twice'):
        assert said in raised.value.rendered
    assert raised.value.rendered.endswith("in 3 files\n")


def test_promql_needs_a_prometheus_source(tmp_path: Path) -> None:
    promql = 'slos:\n  - {name: p, sli: {promql: {bad: "a", total: "b"}}, objective: 99%}\n'
    slo = BARE.replace("slos:\n", promql)
    with pytest.raises(FilesInvalid, match="PromQL needs a Prometheus source"):
        settings(tmp_path, MINIMAL, slo)
    server = MINIMAL.replace('{scrape: {targets: ["http://h/metrics"]}}', '{prometheus: {url: "http://p"}}')
    assert settings(tmp_path, server, slo).source == PrometheusServer(url="http://p")


def test_a_tier_by_hand_needs_four_scrapes_in_its_short_window(tmp_path: Path) -> None:
    tiers = "    objective: 99.9%\n    tiers: [{share: 2%, long: 1h, short: 19s, severity: page}]\n"
    slo = BARE.replace("    objective: 99.9%\n", tiers, 1)
    with pytest.raises(FilesInvalid, match="a window of 19s holds fewer than 4 scrapes at an interval of 5s"):
        settings(tmp_path, MINIMAL, slo)
    assert settings(tmp_path, MINIMAL, slo.replace("19s", "20s")).interval == 5 * SECOND


def test_a_plan_is_verified_by_an_slo_of_its_route(tmp_path: Path) -> None:
    with pytest.raises(FilesInvalid, match="says nothing about a route that legacy serves"):
        settings(tmp_path, SETTINGS.replace("slo: chat-availability", "slo: chat-uptime"), SLO)
    other = SLO.replace("slos:", "  - {route: /other, stage: canary}\nslos:").replace(
        "    sli: {kind: availability}", "    routes: [/other]\n    sli: {kind: availability}"
    )
    with pytest.raises(FilesInvalid, match="chat-availability does not watch /api/v1/chat"):
        settings(tmp_path, SETTINGS, other)


def test_a_notice_refuses_nothing(tmp_path: Path) -> None:
    loaded = load(write_project(tmp_path, settings=MINIMAL, chat=BARE))
    assert [notice.message for notice in loaded.notices] == ["no receiver takes pages: nobody will be woken"]


def test_how_a_prometheus_is_reached_is_read(tmp_path: Path) -> None:
    server = """{prometheus: {url: "http://p/prefix", interval: 30s, basic: {user: ann, password: {env: P}},
                 headers: {X-Scope-OrgID: team}, tls: {ca: ca.pem}, max_bytes: 1MiB}}"""
    read = settings(tmp_path, MINIMAL.replace('{scrape: {targets: ["http://h/metrics"]}}', server)).source
    assert isinstance(read, PrometheusServer)
    assert (read.user, read.password, read.timeout) == ("ann", Secret(env="P"), 10 * SECOND)
    assert read.headers == (("X-Scope-OrgID", "team"),)
    assert read.max_bytes == 1 << 20


@pytest.mark.parametrize(
    ("more", "problem"),
    [
        ("interval: 1s, timeout: 2s", "longer than the interval"),
        ("bearer: {env: A}, basic: {user: a, password: {env: B}}", "two names at once"),
        ("tls: {certificate: a.pem}", "needs its key"),
        ("interval: 10ms", "under 100ms"),
    ],
)
def test_a_prometheus_that_cannot_be_reached_so_is_refused(tmp_path: Path, more: str, problem: str) -> None:
    server = f'{{prometheus: {{url: "http://p", {more}}}}}'
    with pytest.raises(FilesInvalid, match=problem):
        settings(tmp_path, MINIMAL.replace('{scrape: {targets: ["http://h/metrics"]}}', server))
