"""What strangers do not get to see, in whatever form it is written."""

import html
import json
from dataclasses import replace

import pytest

from figwatch_agent.model.plan import ExecCall
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import PagerDuty, Scrape, Settings, Web
from figwatch_agent.report.redaction import HIDDEN, Redaction
from support.world import settings


def conf() -> Settings:
    """Two targets, a program, a state and a secret."""
    base = settings()
    plan = base.rollback.plans[0]
    step = replace(plan.steps[0], call=ExecCall(argv=("/opt/bin/switch", "/api/v1/chat", "http://flags.internal/x")))
    return replace(
        base,
        source=Scrape(targets=("http://edge.internal:9100/metrics", "http://legacy:8100/metrics")),
        state="/srv/figwatch.db",
        rollback=replace(base.rollback, plans=(replace(plan, steps=(step,)),)),
        receivers=(replace(base.receivers[0], kind=PagerDuty(routing_key=Secret(file="/run/secrets/pager"))),),
        web=Web(external_url="https://figwatch.example.com"),
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://edge.internal:9100/metrics is down", "scrape target 1 is down"),
        ("edge.internal:9100 refused", "scrape target 1 refused"),
        ("no such name: edge.internal", f"no such name: {HIDDEN}"),
        ("http://legacy:8100/metrics: timeout", "scrape target 2: timeout"),
        ("legacy:8100 refused", "scrape target 2 refused"),
        ("served by legacy", "served by legacy"),  # a bare word is no secret
        ("POST https://elsewhere.example/a?b=c&d=e, then", f"POST {HIDDEN}, then"),
        ("(see https://elsewhere.example/a).", f"(see {HIDDEN})."),
        ("run /opt/bin/switch", f"run {HIDDEN}"),
        ("/srv/figwatch.db: disk full", f"{HIDDEN}: disk full"),
        ("/run/secrets/pager cannot be read", f"{HIDDEN} cannot be read"),
        ("the route /api/v1/chat", "the route /api/v1/chat"),  # an argument, and a name that everybody uses
        ("flags.internal", HIDDEN),
        ("read https://example.org/runbooks/EarlyOutage", "read https://example.org/runbooks/EarlyOutage"),
        ("at https://figwatch.example.com/incidents/1", "at https://figwatch.example.com/incidents/1"),
        ('<svg xmlns="http://www.w3.org/2000/svg">', '<svg xmlns="http://www.w3.org/2000/svg">'),
        ("ftp://a.example and postgres://u:p@db.internal/x", f"{HIDDEN} and {HIDDEN}"),
        ("plain text: nothing // to see", "plain text: nothing // to see"),
        ("", ""),
        ("://", "://"),
    ],
)
def test_a_text_loses_what_is_inside_and_keeps_its_names(text: str, shown: str) -> None:
    assert Redaction(conf()).text(text) == shown


@pytest.mark.parametrize(
    "secret", ["http://edge.internal:9100/metrics", "https://elsewhere.example/a?b=1&c=2", "/srv/figwatch.db"]
)
@pytest.mark.parametrize(
    "form",
    [
        json.dumps,
        html.escape,
        lambda text: (
            html.escape(text)
            .replace("/", "/<wbr>")
            .replace("-", "-<wbr>")
            .replace(".", ".<wbr>")
            .replace("_", "_<wbr>")
        ),
        lambda text: json.dumps(html.escape(text)),
    ],
    ids=["json", "html", "breakable", "html in json"],
)
def test_it_is_found_in_every_form_that_answers_have(secret: str, form: object) -> None:
    written = form(f"before {secret} after")  # type: ignore[operator]  # one of the functions above
    shown = Redaction(conf()).text(written).replace("<wbr>", "")
    for part in ("edge.internal", "elsewhere", "/srv"):
        assert part not in shown
    assert "before" in shown
    assert "after" in shown
    if written.startswith('"'):
        json.loads(Redaction(conf()).text(written))


def test_without_settings_urls_are_hidden_all_the_same() -> None:
    assert Redaction().text("see http://a.internal/x now") == f"see {HIDDEN} now"


def test_hiding_twice_is_hiding_once() -> None:
    redaction = Redaction(conf())
    once = redaction.text("http://edge.internal:9100/metrics and https://elsewhere.example and /srv/figwatch.db")
    assert redaction.text(once) == once
