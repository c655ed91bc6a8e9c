"""``figwatch schema``."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from figwatch_agent.commands.schema import command


def schema(file: str) -> dict[str, Any]:
    result = CliRunner().invoke(command, [file], catch_exceptions=False)
    assert result.exit_code == 0
    body: dict[str, Any] = json.loads(result.output)
    return body


def test_editors_learn_the_keys_of_an_slo_file() -> None:
    body = schema("slo")
    assert body["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert body["required"] == ["version", "migration", "window"]
    assert body["additionalProperties"] is False
    assert body["properties"]["routes"]["items"]["properties"]["stage"]["enum"] == [
        "legacy",
        "shadow",
        "canary",
        "migrated",
        "retired",
    ]
    assert len(body["properties"]["slos"]["items"]["properties"]["sli"]["oneOf"]) == 6


def test_editors_learn_that_secrets_are_named() -> None:
    receiver = schema("settings")["properties"]["receivers"]["items"]["properties"]
    assert set(receiver["pagerduty"]["properties"]["routing_key"]["properties"]) == {"env", "file"}


@pytest.mark.parametrize("file", ["slo", "settings"])
def test_every_key_says_what_it_is_for(file: str) -> None:
    def undescribed(node: Any, path: str) -> list[str]:
        if isinstance(node, list):
            return [found for part in node for found in undescribed(part, path)]
        if not isinstance(node, dict):
            return []
        missing = []
        for key, value in node.get("properties", {}).items():
            if "description" not in value and key not in ("env", "file", "bearer"):
                missing.append(f"{path}.{key}")
            missing += undescribed(value, f"{path}.{key}")
        rest = [value for key, value in node.items() if key != "properties"]
        return missing + undescribed(rest, path)

    assert undescribed(schema(file), file) == []
