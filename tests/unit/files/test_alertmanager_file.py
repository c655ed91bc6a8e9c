"""A receiver that is an Alertmanager, as figwatch.yaml writes it."""

from pathlib import Path

import pytest

from figwatch_agent.durations import MINUTE, SECOND
from figwatch_agent.errors import FilesInvalid
from figwatch_agent.files.load import load
from figwatch_agent.model.alertmanager import OWN_LABELS
from figwatch_agent.model.secret import Secret
from figwatch_agent.model.settings import Alertmanager, ClientTls, ReceiverKind
from support.files import SLO, write_project

MINIMAL = 'source: {scrape: {targets: ["http://h/metrics"]}}\nstate: {sqlite: state.db}\n'
BARE = SLO.replace(", rollback: chat-to-legacy", "")


def kind(folder: Path, text: str) -> ReceiverKind:
    """What ``alertmanager: {...}`` becomes."""
    settings = MINIMAL + f"receivers: [{{name: am, alertmanager: {text}}}]\n"
    (receiver,) = load(write_project(folder, settings=settings, chat=BARE)).settings.receivers
    return receiver.kind


def test_an_address_is_enough(tmp_path: Path) -> None:
    read = kind(tmp_path, '{url: "http://am:9093/prefix/"}')
    assert read == Alertmanager(urls=("http://am:9093/prefix",), resend=MINUTE, timeout=10 * SECOND)


def test_everything_that_can_be_set_is_read(tmp_path: Path) -> None:
    text = """{urls: ["http://a:9093", "https://b"], labels: {team: chat, env: prod}, resend: 30s, timeout: 5s,
      basic: {user: ann, password: {env: P}}, headers: {X-Scope-OrgID: "1"}, tls: {ca: ca.pem}}"""
    assert kind(tmp_path, text) == Alertmanager(
        urls=("http://a:9093", "https://b"),
        labels=(("env", "prod"), ("team", "chat")),
        resend=30 * SECOND,
        timeout=5 * SECOND,
        user="ann",
        password=Secret(env="P"),
        headers=(("X-Scope-OrgID", "1"),),
        tls=ClientTls(ca=str(tmp_path / "ca.pem")),
    )


def test_a_bearer_token_is_named_and_not_written(tmp_path: Path) -> None:
    read = kind(tmp_path, '{url: "http://am", bearer: {file: token}}')
    assert read == Alertmanager(urls=("http://am",), bearer=Secret(file=str(tmp_path / "token")))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{resend: 1m}", "exactly one of url and urls"),
        ('{url: "http://a", urls: ["http://b"]}', "exactly one of url and urls"),
        ('{urls: ["http://a", "http://a/"]}', "stands here twice"),
        ('{url: "http://a/api/v2/alerts"}', "write its address alone"),
        ('{url: "http://a?x=1"}', "write its address alone"),
        ('{url: "http://a", resend: 999ms}', "more than once a second"),
        ('{url: "http://a", timeout: 61s}', "as long as the slowest member"),
        ('{url: "http://a", basic: {user: a, password: {env: P}}, bearer: {env: B}}', "two names at once"),
        ('{url: "http://a", labels: {"0team": x}}', "is not a name of a label"),
        ('{url: "http://a", labels: {__team: x}}', "is not a name of a label"),
        ('{url: "http://a", labels: {team: " "}}', "needs one line"),
        ('{url: "http://a", labels: {team: "a\\nb"}}', "needs one line"),
        (f'{{url: "http://a", labels: {{team: {"x" * 201}}}}}', "at most 200 characters"),
        ('{url: "http://a", token: {env: B}}', 'unknown key "token"'),
    ],
)
def test_what_cannot_be_meant_is_refused_where_it_stands(tmp_path: Path, text: str, problem: str) -> None:
    with pytest.raises(FilesInvalid) as refused:
        kind(tmp_path, text)
    assert problem in str(refused.value)
    assert "figwatch.yaml:3:" in str(refused.value)


@pytest.mark.parametrize("name", OWN_LABELS)
def test_no_label_that_figwatch_sets_can_be_set(tmp_path: Path, name: str) -> None:
    with pytest.raises(FilesInvalid, match=f"figwatch sets the label {name} itself"):
        kind(tmp_path, f'{{url: "http://a", labels: {{{name}: x}}}}')
