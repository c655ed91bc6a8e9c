"""The JSON Schema of the webhook document, for whoever receives it."""

import json
from typing import Any

from figwatch_agent.notify.webhook_shape import VERSION, Document


def webhook_schema() -> dict[str, Any]:
    """The schema of version 1, from the shape that the documents are built of."""
    from pydantic import TypeAdapter  # only whoever asks for the schema pays for it
    from pydantic.json_schema import GenerateJsonSchema

    made = TypeAdapter(Document).json_schema(mode="serialization")
    head = {"$schema": GenerateJsonSchema.schema_dialect, "title": f"figwatch webhook document, version {VERSION}"}
    return {**head, **{key: value for key, value in made.items() if key != "title"}}


def webhook_schema_text() -> str:
    """As it is printed and committed."""
    return json.dumps(webhook_schema(), ensure_ascii=False, indent=2) + "\n"
