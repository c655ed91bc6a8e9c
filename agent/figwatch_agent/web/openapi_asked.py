"""What is asked of the agent and told to it, and its answer, as JSON Schema."""

from collections.abc import Mapping
from typing import Final

from figwatch_agent.model.command import CommandKind
from figwatch_agent.model.event import LONGEST_ID, LONGEST_TEXT, EventKind
from figwatch_agent.model.exclusion import Scope
from figwatch_agent.web.openapi_parts import COUNT, TEXT, Schema, many, maybe, said, words
from figwatch_agent.web.wish import LONGEST, LONGEST_DATA, MOST_DATA

_EXCLUDED: Final[dict[str, Schema]] = {
    "from": said({"type": "string"}, "an instant with its offset, past or ahead; without it, now"),
    "to": said({"type": "string"}, "an instant after it; without it the exclusion is left open"),
    "who": said({"type": "string"}, "who answers for it; the token's name without it"),
}


def wish() -> Schema:
    texts = {name: {"type": "string", "maxLength": longest} for name, longest in LONGEST.items()}
    usual = {name: maybe(text) for name, text in texts.items()}
    data: Schema = {
        "type": "object",
        "maxProperties": MOST_DATA,
        "additionalProperties": {"type": "string", "maxLength": LONGEST_DATA},
    }
    needs: Mapping[str, tuple[str, ...]] = {
        CommandKind.SILENCE.value: ("why",),
        CommandKind.RESOLVE.value: ("why",),
        CommandKind.APPROVE.value: ("plan_digest",),
        CommandKind.EXCLUDE.value: ("why",),
    }
    return {
        "type": "object",
        "properties": {
            **usual,
            "kind": words(CommandKind),
            "subject": {**texts["subject"], "minLength": 1, "pattern": r"\S"},
            "until": said(maybe(texts["until"]), "an instant with its offset; of a silence, or use for"),
            "for": said(maybe(texts["for"]), "a duration such as 30m"),
            "data": maybe(data),
        },
        "required": ["kind", "subject"],
        "additionalProperties": False,
        "allOf": [
            {
                "if": {"properties": {"kind": {"const": kind}}, "required": ["kind"]},
                "then": {
                    "required": list(names),
                    "properties": {name: {**texts[name], "minLength": 1, "pattern": r"\S"} for name in names},
                },
            }
            for kind, names in needs.items()
        ]
        + [
            {
                "if": {"properties": {"kind": {"const": CommandKind.EXCLUDE.value}}, "required": ["kind"]},
                "then": {
                    "required": ["data"],
                    "properties": {
                        "data": {**data, "required": ["scope"], "properties": {"scope": words(Scope), **_EXCLUDED}}
                    },
                },
            }
        ],
    }


def told() -> Schema:
    one: Schema = {
        "type": "object",
        "properties": {
            "kind": words(EventKind),
            "at": said({"type": "string"}, "an instant with its offset; now without it"),
            "id": {"type": "string", "maxLength": LONGEST_ID},
            "fields": {"type": "object", "additionalProperties": {"type": "string", "maxLength": LONGEST_TEXT}},
        },
        "required": ["kind"],
        "additionalProperties": False,
    }
    many_of = {"type": "array", "items": one, "minItems": 1}
    return {
        "anyOf": [
            one,
            {
                "type": "object",
                "properties": {"events": many_of},
                "required": ["events"],
                "additionalProperties": False,
            },
        ]
    }


TAKEN_EVENTS: Final[Schema] = {
    "type": "object",
    "properties": {"taken": COUNT, "known": COUNT, "ids": many(TEXT), "ignored": TEXT},
    "required": ["taken", "known", "ids"],
    "additionalProperties": False,
}
