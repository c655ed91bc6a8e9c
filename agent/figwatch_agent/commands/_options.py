"""Options that verbs share, and the files they name."""

import json
import os
from collections.abc import Callable
from typing import Any, TypeVar

import click

from figwatch_agent.files.load import SETTINGS, Loaded, load

F = TypeVar("F", bound=Callable[..., Any])


def config_option(function: F) -> F:
    """``--config``."""
    return click.option("--config", default=SETTINGS, show_default=True, help="The settings file.")(function)


def output_option(function: F) -> F:
    """``--output``."""
    return click.option(
        "--output", type=click.Choice(["text", "json"]), default="text", show_default=True, help="Form of the answer."
    )(function)


def dry_run_option(function: F) -> F:
    """``--dry-run``."""
    return click.option("--dry-run", is_flag=True, help="Say what would be done, and do nothing.")(function)


def examples(*lines: str) -> str:
    """The end of a verb's help: what one types, ready to be copied."""
    return "\b\n" + "\n".join(("Example:" if len(lines) == 1 else "Examples:", *(f"  {line}" for line in lines)))


def loaded_from(config: str, instead: str = "") -> Loaded:
    """The files that ``--config`` leads to; ``instead`` says what else could be given. Raises FilesInvalid."""
    if not os.path.exists(config):
        raise click.UsageError(f"there is no {config}: name it with --config{instead}, or begin with `figwatch init`")
    return load(config)


def say_json(body: object) -> None:
    """``body`` as the one JSON document of the answer."""
    click.echo(json.dumps(body, ensure_ascii=False, indent=2, allow_nan=False))
