"""Schemas of what an Alertmanager sends and is answered. Members it adds one day are let through."""

from typing import Final

from figwatch_agent.web.openapi_parts import COUNT, TEXT, Schema, many, of, ref, word

_TEXTS: Final[Schema] = {"type": "object", "additionalProperties": TEXT}
_TIME: Final[Schema] = {"type": "string", "format": "date-time"}


def _open(required: tuple[str, ...], **members: Schema) -> Schema:
    return {"type": "object", "properties": members, "required": list(required)}


ALERTMANAGER: Final[dict[str, Schema]] = {
    "AlertmanagerNotification": _open(
        ("version", "alerts"),
        version={"type": "string", "const": "4"},
        receiver=TEXT,
        truncatedAlerts=COUNT,
        alerts={**many(ref("AlertmanagerAlert")), "minItems": 1, "maxItems": 500},
    ),
    "AlertmanagerAlert": _open(
        ("status", "labels", "startsAt", "fingerprint"),
        status=word(("firing", "resolved")),
        labels={**_TEXTS, "required": ["alertname"]},
        annotations=_TEXTS,
        startsAt=_TIME,
        endsAt=_TIME,
        generatorURL=TEXT,
        fingerprint={"type": "string", "pattern": "^[0-9a-f]{1,64}$"},
    ),
    "TakenAlerts": of(taken=COUNT, known=COUNT, own=COUNT, truncated=COUNT),
}
"""By name."""
