"""What each receiver is sent for each story, byte for byte; `python tools/messages.py` writes all of it anew."""

import json
from typing import Any, Final

import pytest
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from figwatch_agent.demo import events_v2, slack_hook
from figwatch_agent.notify import webhook_schema
from figwatch_agent.notify.webhook_schema import webhook_schema_text
from support.messages import RECEIVERS, rendered, stories
from support.notify import GOLDEN, told
from support.parts import ROOT

STORIES: Final = stories()
SCHEMA: Final[dict[str, Any]] = webhook_schema.webhook_schema()
ANEW: Final = "if that is right, write it anew with `python tools/messages.py`"


def golden(receiver: str, story: str) -> str:
    """What was agreed."""
    return GOLDEN.joinpath(f"{receiver}-{story}.json").read_text("utf-8")


def closed(node: Any) -> Any:
    """The schema without room for members that it does not name."""
    if isinstance(node, list):
        return [closed(one) for one in node]
    if not isinstance(node, dict):
        return node
    made = {key: closed(value) for key, value in node.items()}
    return {**made, "additionalProperties": False} if "properties" in made else made


@pytest.mark.parametrize("receiver", RECEIVERS)
@pytest.mark.parametrize("story", STORIES)
def test_a_message_reads_as_it_was_agreed(receiver: str, story: str) -> None:
    assert told(rendered(STORIES[story], receiver)) == golden(receiver, story), ANEW


def test_no_golden_outlives_its_story() -> None:
    known = {f"{receiver}-{story}.json" for receiver in RECEIVERS for story in STORIES}
    assert {file.name for file in GOLDEN.glob("*.json")} == known, ANEW


@pytest.mark.parametrize("story", STORIES)
def test_every_webhook_document_keeps_to_the_schema_and_has_no_member_beside_it(story: str) -> None:
    Draft202012Validator(closed(SCHEMA)).validate(json.loads(golden("webhook", story)))


def test_the_schema_is_one_and_is_committed_as_it_is_made() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    committed = ROOT / "agent" / "figwatch_agent" / "notify" / "webhook.schema.json"
    assert committed.read_text("utf-8") == webhook_schema_text(), ANEW


@pytest.mark.parametrize(
    ("member", "value"),
    [("version", 2), ("kind", "shout"), ("facts", {}), ("severity", None), ("links", {"dashboard": "x"})],
)
def test_the_schema_refuses_what_is_no_such_document(member: str, value: object) -> None:
    document = {**json.loads(golden("webhook", "page")), member: value}
    with pytest.raises(ValidationError):
        Draft202012Validator(SCHEMA).validate(document)


def test_a_member_that_a_later_figwatch_adds_breaks_nobody() -> None:
    Draft202012Validator(SCHEMA).validate({**json.loads(golden("webhook", "page")), "mood": "calm"})


@pytest.mark.parametrize("story", STORIES)
def test_slack_and_pagerduty_take_every_message(story: str) -> None:
    assert slack_hook.refusal(golden("slack", story)) == ""
    assert events_v2.refusals(json.loads(golden("pagerduty", story))) == []
    for call in json.loads(golden("slack-bot", story)):
        assert slack_hook.refused_content(call["arguments"]) == ""


@pytest.mark.parametrize("story", STORIES)
def test_no_word_for_machines_is_said_to_people(story: str) -> None:
    payload = json.loads(golden("slack", story))
    for block in payload["blocks"]:
        if block["type"] == "header":
            assert "_" not in block["text"]["text"]


@pytest.mark.parametrize("story", [name for name in STORIES if name.startswith(("page", "open", "withheld", "dry"))])
def test_a_first_page_says_route_symptom_size_and_what_figwatch_does_in_one_line(story: str) -> None:
    line = json.loads(golden("pagerduty", story))["payload"]["summary"]
    route, _, rest = line.partition(": ")
    symptom, _, does = rest.partition("; ")
    assert route == "/api/v1/chat"
    assert "% of requests fail" in symptom
    assert " of " in symptom
    assert does.startswith(("sending it back", "no rollback", "dry run"))


def test_an_open_question_is_not_told_as_a_refusal() -> None:
    line = json.loads(golden("pagerduty", "open"))["payload"]["summary"]
    assert line.endswith("no rollback yet: comparing with legacy, the decision follows")
