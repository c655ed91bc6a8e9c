"""``figwatch schema``: the grammar of the files as JSON Schema, for editors."""

import json
from typing import Final

import click

from figwatch_agent.commands._options import examples
from figwatch_agent.files import settings_file, slo_file
from figwatch_agent.files.schema import json_schema

GRAMMARS: Final = {
    "slo": (slo_file.FILE, "slo/*.yaml of figwatch"),
    "settings": (settings_file.FILE, "figwatch.yaml"),
}
WEBHOOK: Final = "webhook"


@click.command(
    name="schema",
    epilog=examples(
        "figwatch schema slo > schemas/slo.schema.json",
        "# yaml-language-server: $schema=../schemas/slo.schema.json     (first line of each file of slo/)",
    ),
)
@click.argument("file", type=click.Choice([*GRAMMARS, WEBHOOK]))
def command(file: str) -> None:
    """Print the JSON Schema of FILE: slo for slo/*.yaml, settings for figwatch.yaml.

    Editors that speak YAML use it to complete keys and to underline mistakes; `figwatch check` finds more.

    webhook is the schema of the document that plain webhooks are sent, for whoever receives it.
    """
    click.echo(_webhook_text() if file == WEBHOOK else schema_text(file), nl=False)


def _webhook_text() -> str:
    from figwatch_agent.notify.webhook_schema import webhook_schema_text  # the files' schemas do without it

    return webhook_schema_text()


def schema_text(file: str) -> str:
    """The schema of one of GRAMMARS, as it is printed."""
    grammar, title = GRAMMARS[file]
    return json.dumps(json_schema(grammar, title), ensure_ascii=False, indent=2) + "\n"
