"""Where things are: the content of figwatch.yaml."""

from dataclasses import dataclass, field
from typing import Final, Literal

from figwatch_agent.durations import DAY, MINUTE, SECOND, Duration
from figwatch_agent.model.names import Mode, Severity
from figwatch_agent.model.plan import RollbackPlan
from figwatch_agent.model.secret import Secret

KEEP: Final[Duration] = 400 * DAY
"""The longest that a file may say: a year and a month, for whoever compares with the year before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrape:
    """The embedded source: the agent reads /metrics itself."""

    targets: tuple[str, ...]  # URLs
    interval: Duration = 5 * SECOND
    timeout: Duration = 4 * SECOND
    max_bytes: int = 16 * 1024 * 1024  # of one page, after decompression
    bearer: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientTls:
    """How a server's certificate is checked, and ours where it asks for one. All are paths of PEM files."""

    ca: str | None = None  # that signed the server's; the system's own where left out
    certificate: str | None = None
    key: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PrometheusServer:
    """A Prometheus-compatible engine: Prometheus, Thanos, Mimir, VictoriaMetrics."""

    url: str  # a path prefix, such as Mimir's /prometheus, belongs to it
    interval: Duration = 15 * SECOND  # at least as long as the server's own between two scrapes
    timeout: Duration = 10 * SECOND  # of all questions of one look together
    max_bytes: int = 64 * 1024 * 1024  # of one answer, after decompression
    user: str | None = None  # HTTP basic, with `password`
    password: Secret | None = None
    bearer: Secret | None = None
    headers: tuple[tuple[str, str | Secret], ...] = ()  # such as X-Scope-OrgID
    tls: ClientTls | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PagerDuty:
    """Events API v2."""

    routing_key: Secret
    url: str = "https://events.pagerduty.com/v2/enqueue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """Incoming webhook."""

    webhook_url: Secret


@dataclass(frozen=True, slots=True, kw_only=True)
class SlackBot:
    """Slack's Web API with a bot token: updates go into the thread of the first message."""

    bot_token: Secret
    channel: str  # its id, such as "C0123ABCD"
    url: str = "https://slack.com/api"  # methods are appended


@dataclass(frozen=True, slots=True, kw_only=True)
class Webhook:
    """A plain webhook, signed with HMAC-SHA256 over timestamp, id and raw body."""

    url: str | Secret
    secret: Secret | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Alertmanager:
    """Alertmanager's API, version 2. All members of a pair or a cluster are told, each for itself."""

    urls: tuple[str, ...]  # with their path prefix, if they have one
    labels: tuple[tuple[str, str], ...] = ()  # on every alert, beside those that figwatch sets
    resend: Duration = MINUTE  # between two times that an open alert is said; it is good for four of them
    timeout: Duration = 10 * SECOND  # of one request
    user: str | None = None  # HTTP basic, with `password`
    password: Secret | None = None
    bearer: Secret | None = None
    headers: tuple[tuple[str, str | Secret], ...] = ()
    tls: ClientTls | None = None


ReceiverKind = Alertmanager | PagerDuty | Slack | SlackBot | Webhook


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """Somebody who is told."""

    name: str
    kind: ReceiverKind
    severities: frozenset[Severity]  # `for:` in the file
    fallback: str | None = None  # name of another receiver


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerting:
    """Settings of alerts and recovery."""

    hold: Duration = 5 * MINUTE  # after the last bad tick, before an alert may resolve
    telemetry_lost_after: Duration = 2 * MINUTE
    traffic_lost_after: Duration = 5 * MINUTE
    exclusion_open_after: Duration = DAY  # a finding tells of exclusions that were left open for longer


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollback:
    """What rollbacks may do, over all plans."""

    mode: Mode = Mode.DRY_RUN
    plans: tuple[RollbackPlan, ...] = ()
    cool_down: Duration = 30 * MINUTE  # between two rollbacks of one route
    blast_cap: int = 3  # automatic rollbacks of any routes within blast_window
    blast_window: Duration = DAY
    kill_switch: str | None = None  # path; while the file exists nothing is rolled back
    freeze: tuple[tuple[int, int], ...] = ()  # pairs of instants, milliseconds; no automatic rollback in between
    approval_expires: Duration = 15 * MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A bearer token of the agent's own web server and what it allows."""

    name: str  # who is named in the audit
    token: Secret
    role: Literal["view", "operate"] = "operate"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tls:
    """Where the agent's own certificate and its key stand, in PEM."""

    certificate: str  # path; the chain, the agent's own first
    key: str  # path


@dataclass(frozen=True, slots=True, kw_only=True)
class IncomingWebhook:
    """Another system that tells of deployments, by signed POSTs."""

    name: str  # the last part of its path
    secret: Secret
    service: str = ""  # that is deployed; "" where the other side says so
    environment: str = "production"  # the only one that counts; "" for all


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """The agent's own server."""

    host: str = "127.0.0.1"
    port: int = 9464
    external_url: str | None = None  # how people reach it; links are built from it
    access: Literal["public", "token"] = "public"  # who may look: everybody, or whoever has a token
    tokens: tuple[Token, ...] = ()
    trusted_proxies: tuple[str, ...] = ()  # addresses and networks whose X-Forwarded-For is believed
    tls: Tls | None = None
    webhooks: tuple[IncomingWebhook, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """An outside watchdog that is called while loop, store and outbox are healthy."""

    url: str | Secret
    interval: Duration = MINUTE


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """figwatch.yaml, whole."""

    path: str
    source: Scrape | PrometheusServer
    state: str  # path of the SQLite file
    runbook_url: str  # prefix of runbook links; the alert's name is appended
    receivers: tuple[Receiver, ...] = ()
    rollback: Rollback = field(default_factory=Rollback)
    alerting: Alerting = field(default_factory=Alerting)
    web: Web = field(default_factory=Web)
    heartbeat: Heartbeat | None = None
    keep: Duration = KEEP  # how long what ended is remembered
    layout: Literal["compact", "default"] = "default"  # how finely the past is kept

    @property
    def interval(self) -> Duration:
        """Time between two ticks."""
        return self.source.interval
