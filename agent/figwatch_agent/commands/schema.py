"""``figwatch schema``: the grammar of the files as JSON Schema, for editors."""

import json

import click

from figwatch_agent.files import settings_file, slo_file
from figwatch_agent.files.schema import json_schema

GRAMMARS = {
    "slo": (slo_file.FILE, "slo/*.yaml of figwatch"),
    "settings": (settings_file.FILE, "figwatch.yaml"),
}


@click.command(name="schema")
@click.argument("file", type=click.Choice(list(GRAMMARS)))
def command(file: str) -> None:
    """Print the JSON Schema of FILE: slo for slo/*.yaml, settings for figwatch.yaml."""
    grammar, title = GRAMMARS[file]
    click.echo(json.dumps(json_schema(grammar, title), ensure_ascii=False, indent=2))
